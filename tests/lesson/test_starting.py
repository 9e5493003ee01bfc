from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from shrinkage.lesson.exhibited import Exhibited, Setting
from shrinkage.lesson.pictures import Chart
from shrinkage.lesson.starting import Starting
from shrinkage.lesson.starts import (
    TRAINED,
    WAYS,
    ZEROS,
    drawn_weights,
    measured_table,
    start_jobs,
    zero_weights,
)
from shrinkage.network import Network, layout

SETTING = Setting(seeds=3, epochs=80)


@pytest.fixture(scope="module")
def one(exhibited: Callable[..., Exhibited]) -> Exhibited:
    return exhibited(Starting(), SETTING)


def test_it_says_what_a_page_needs(one: Exhibited, suits_a_page: Callable[..., None]) -> None:
    suits_a_page(one)
    assert [row[0] for row in one.tables[0][1].rows] == list(WAYS)


def test_every_way_is_another_training(one: Exhibited) -> None:
    losses = [row[1] for row in one.tables[0][1].rows]
    assert len(set(losses)) == len(WAYS)


def test_from_zero_nothing_is_learnt(one: Exhibited) -> None:
    _, train, test, accuracy = one.tables[0][1].rows[ZEROS]
    assert train.startswith("0.693")
    assert test.startswith("0.693")
    assert accuracy == "50.0 [50.0, 50.0]"
    (claim,) = (claim for claim in one.claims if "all zero" in claim.text)
    assert claim.verdict == "holds"


def test_weights_too_large_learn_more_slowly(one: Exhibited) -> None:
    (claim,) = (claim for claim in one.claims if "too large" in claim.text)
    assert claim.interval is not None
    assert claim.interval.estimate > 0.1


def test_curves_are_the_losses_of_each_epoch(one: Exhibited) -> None:
    chart = one.pictures[0]
    assert isinstance(chart, Chart)
    for line in chart.lines:
        assert line.x[0] == 1
        assert line.x[-1] == SETTING.epochs // 4
        assert (np.diff(line.x) > 0).all()
        assert line.low is not None
        assert (line.low > 0).all()
    final = float(one.tables[0][1].rows[ZEROS][1].split()[0])
    assert chart.lines[3].y[-1] == pytest.approx(final, abs=0.01)


def test_jobs_differ_in_how_they_start() -> None:
    jobs = start_jobs(0, SETTING)
    assert len(jobs) == len(WAYS)
    glorot, he, zeros, normal, normalized, raw, ready = jobs
    assert glorot.trials == zeros.trials == normal.trials == normalized.trials != he.trials
    assert glorot.data.fingerprint != normalized.data.fingerprint
    assert raw.data.fingerprint != ready.data.fingerprint
    (start,) = zeros.starts.values()
    assert not start.any()


def test_drawn_weights_have_deviation_1_in_every_layer_and_no_bias() -> None:
    network = Network(50, (200, 100), 3)
    drawn = drawn_weights(network, 0)
    np.testing.assert_array_equal(drawn, drawn_weights(network, 0))
    assert (drawn != drawn_weights(network, 1)).any()
    for block in layout(network).kernels:
        assert block.of(drawn).std() == pytest.approx(1.0, abs=0.05)
    for block in layout(network).biases:
        assert not block.of(drawn).any()
    assert zero_weights(network).shape == drawn.shape


def test_a_table_is_the_same_but_for_its_units() -> None:
    raw, ready = (measured_table(4, standardize=standardize) for standardize in (False, True))
    part, other = raw.part(0), ready.part(0)
    assert part.train.size == TRAINED
    assert len(raw.test.targets) == 569 - TRAINED
    np.testing.assert_array_equal(part.targets, other.targets)
    train = other.inputs[other.train]
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(train.std(axis=0), 1, atol=1e-4)
    back = other.inputs * other.scale + other.center
    np.testing.assert_allclose(back, part.inputs, rtol=1e-4, atol=1e-4)
    assert np.ptp(part.inputs[:, 3]) > 1_000
    for data in (raw, ready):
        own, some = data.part(0), data.part(0).validation
        np.testing.assert_array_equal(data.test.inputs[: some.size], own.inputs[some])
        np.testing.assert_array_equal(data.test.targets[: some.size], own.targets[some])
        assert not (data.test.inputs[:, None] == own.inputs[own.train]).all(axis=2).any()


def test_the_code_prints_the_accuracies_of_the_table(
    one: Exhibited, printed: Callable[[str], str]
) -> None:
    rows = {row[0]: row[3].split()[0] for row in one.tables[0][1].rows}
    lines = dict(line.split(": test accuracy ") for line in printed(one.code).splitlines())
    for label, way in (
        ("Glorot", "moons as they are, Glorot"),
        ("zeros", "moons as they are, all weights 0"),
        ("deviation 1", "moons as they are, normal draws of deviation 1"),
    ):
        assert float(lines[label].removesuffix(" %")) == pytest.approx(float(rows[way]), abs=0.51)
