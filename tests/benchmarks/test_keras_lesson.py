"""The lesson beside Keras: both get the same network and rows, and the verdict can go both ways."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.keras_lesson import (
    KERAS,
    LOGITS,
    NETWORK,
    OURS,
    REGULARIZERS,
    RISING,
    mean_log_loss,
    measure,
    rows_of,
)
from benchmarks.keras_lesson_page import agreement, agreements, bars, page
from benchmarks.keras_lesson_records import Key, Record, Records, flat, weights_of

from shrinkage.engine.pool import predict
from shrinkage.lesson.toys import toy
from shrinkage.network import Network, initialize, layout


def _record(who: str, regularizer: str, seed: int, test: float, zeros: float = 0.0) -> Record:
    return Record(
        key=Key(who, regularizer, seed, 5), low=-1.0 - seed, high=1.0 + seed, spread=0.5,
        hidden_spread=0.1, zeros=zeros, tiny=0.1, train=1.0, validation=0.9, test=test, loss=0.1,
        objective=0.2, seconds=1.0, versions={"backend": "jax"}, machine="a machine",
        measured="2026-01-01 00:00 UTC",
    )  # fmt: skip


def _records(shift: float) -> Records:
    records = Records(None)
    for seed in range(3):
        for regularizer in ("none", "l2", "l1"):
            records.add(_record(KERAS, regularizer, seed, 0.90 + 0.01 * seed))
            records.add(_record(OURS, regularizer, seed, 0.90 + 0.01 * seed + shift, zeros=0.9))
    return records


def test_the_regularizers_are_the_same_in_both_conventions() -> None:
    weights = np.array([0.3, -0.2, 0.0, 1.5])
    l1, l2 = 0.01 * np.abs(weights).sum(), 0.01 * np.square(weights).sum()  # as Keras adds them
    costs = {
        one.name: one.penalty.value(weights, one.lam) if one.penalty else 0.0
        for one in REGULARIZERS
    }
    assert costs == pytest.approx({"none": 0.0, "l2": l2, "l1": l1, "l1_l2": l1 + l2})


def test_flat_is_where_this_package_expects_each_array() -> None:
    network = Network(2, (3, 4))
    given = initialize(network, seed=1) + 0.5
    places = layout(network)
    arrays = [
        block.of(given)
        for pair in zip(places.kernels, places.biases, strict=True)
        for block in pair
    ]
    np.testing.assert_array_equal(flat(arrays, network), given)


def test_the_loss_is_that_of_the_answers() -> None:
    data = toy("moons", 4, test=100)
    parameters = initialize(NETWORK, seed=2)
    rows = rows_of(data)
    inputs, labels = rows["train"]
    answers = predict(NETWORK, parameters, inputs, data.loss)[:, 0].astype(np.float64)
    expected = -np.mean(np.where(labels == 1, np.log(answers), np.log1p(-answers)))
    assert mean_log_loss(parameters, rows) == pytest.approx(expected, rel=1e-5)
    assert {name: len(own[1]) for name, own in rows.items()} == {
        "train": 100, "validation": 1_000, "test": 100,
    }  # fmt: skip


def test_zeros_are_counted_in_hidden_kernels_alone() -> None:
    parameters = np.ones(layout(NETWORK).size, dtype=np.float32)
    hidden = parameters[layout(NETWORK).penalized]
    hidden[:8320] = 0.0
    hidden[8320] = 5e-4
    found = weights_of(parameters, NETWORK)
    assert found["zeros"] == 8320 / 16640
    assert found["tiny"] == 8321 / 16640
    assert (found["low"], found["high"]) == (0.0, 0.0)


def test_agreement_is_measured_in_spreads_from_seed_to_seed() -> None:
    theirs = np.array([1.0, 2.0, 3.0])
    found = agreement(np.array([1.4, 2.5, 3.6]), theirs)
    assert found.spread == 1.0
    assert found.ratio == pytest.approx(0.5)
    assert found.difference.low > 0.2
    assert agreement(np.ones(3), np.ones(3)).ratio == 0.0
    assert math.isinf(agreement(np.full(3, 2.0), np.ones(3)).ratio)


@pytest.mark.parametrize(("shift", "agree"), [(0.005, True), (0.02, False)])
def test_the_bars_can_be_missed(shift: float, agree: bool) -> None:
    found = bars(_records(shift), 5)
    assert [row.passed for row in found] == [agree, None, agree, True, True]
    none = Records(None)
    for record in _records(0.0):
        none.add(replace(record, zeros=0.1))
    assert [row.passed for row in bars(none, 5)] == [True, None, True, False, False]
    assert [row.passed for row in bars(Records(None), 5, "no Keras")] == [None] * 5
    assert bars(Records(None), 5, "no Keras")[0].detail == "no Keras"


def test_only_trainings_of_the_same_length_are_compared() -> None:
    records = _records(0.0)
    assert agreements(records, "l2", 6) == {}
    assert agreements(records, "l2", 5)["test"].ratio == pytest.approx(0.0, abs=1e-12)


def test_the_page_shows_both_sides_and_the_verdict() -> None:
    text = page(_records(0.02), {one.name: (one.label, one.lam) for one in REGULARIZERS}, 5, "x")
    assert "| `l2(0.01)` | 0.02 | Keras | " in text
    assert "| `l2(0.01)` | 0.02 | shrinkage | " in text
    (row,) = [line for line in text.splitlines() if "under l2(0.01) | test accuracy" in line]
    assert row.endswith("| 2.00 | differ |")


def test_records_last(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.add(_record(KERAS, "l1", 0, 0.9))
    records.add(_record(KERAS, "l1", 0, 0.8))
    records.add(_record(OURS, "l1", 0, 0.7))
    again = Records(tmp_path)
    assert [record.test for record in again] == [0.8, 0.7]
    assert again.column(KERAS, "l1", "test", 5).tolist() == [0.8]


@pytest.mark.slow
def test_both_train_the_same_network_from_the_same_first_weights(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """After one epoch of four steps both are still near each other; Keras leaves no zeros."""
    pytest.importorskip("keras", reason="Keras is a peer of the benchmarks, not installed")
    records = Records(None)
    assert measure(records, seeds=1, epochs=1, backend="torch") == ""
    by_key = {(record.key.who, record.key.regularizer): record for record in records}
    assert len(by_key) == 11
    for regularizer in ("none", "l2"):
        theirs, ours = by_key[KERAS, regularizer], by_key[OURS, regularizer]
        assert ours.spread == pytest.approx(theirs.spread, rel=0.02)
        assert ours.loss == pytest.approx(theirs.loss, abs=0.05)
    assert by_key[LOGITS, "none"].loss == pytest.approx(by_key[KERAS, "none"].loss, abs=1e-3)
    assert by_key[KERAS, "l1"].zeros == 0.0
    assert min(by_key[who, "l1"].zeros for who in (OURS, RISING)) > 0.1
    assert "test 0." in capsys.readouterr().out
