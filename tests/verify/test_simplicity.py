from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from shrinkage.data.prepare import prepare
from shrinkage.errors import ShrinkageError
from shrinkage.intervals import Interval
from shrinkage.penalties import L2
from shrinkage.verify.calibration import calibration
from shrinkage.verify.complexity import complexity, fine_plane
from shrinkage.verify.margins import margins
from shrinkage.verify.norms import path_norm, spectral_product, weight_norm
from shrinkage.verify.performance import predicted
from shrinkage.verify.simplicity import simplicity_of
from shrinkage.verify.smoothness import jacobian_norms, lipschitz


def fits_of(make_fit, data, *, lam=0.0, seeds=(0, 1, 2), **how):
    """Networks of one side; the penalized ones have a third of the hidden weights."""
    penalty = L2() if lam else None
    shrink = 1 / 3 if lam else 2.0
    return [
        make_fit(data, penalty=penalty, lam=lam, seed=seed, shrink=shrink, **how) for seed in seeds
    ]


@pytest.fixture
def both(make_fit):
    """Before and after for some data."""

    def make(data, **how):
        before, after = fits_of(make_fit, data, **how), fits_of(make_fit, data, lam=0.1, **how)
        return simplicity_of(before, after, data, data.test), before, after

    return make


BOUNDARY = {"boundary_length", "islands", "curvature"}
ALWAYS = {"jacobian_norm", "lipschitz", "weight_norm", "path_norm", "spectral_product"}
CLASSES = {"margin", "normalized_margin", "brier", "expected_error"}


@pytest.mark.parametrize(
    ("task", "inputs", "hidden", "expected"),
    [
        ("binary", 2, (6,), BOUNDARY | ALWAYS | CLASSES),
        ("multiclass", 2, (6, 5), BOUNDARY | ALWAYS | CLASSES),
        ("binary", 1, (6,), ALWAYS | CLASSES),
        ("multiclass", 7, (), ALWAYS | CLASSES),
        ("regression", 2, (6,), ALWAYS),
        ("regression", 1, (), ALWAYS),
    ],
)
def test_every_task_has_its_measures(make_data, both, task, inputs, hidden, expected):
    data = make_data(task, inputs=inputs)
    found, *_ = both(data, hidden=hidden)
    assert {one.name for one in found.measures} == expected
    for one in found.measures:
        ends = [one.before, one.after, one.difference]
        assert all(np.isfinite([end.estimate, end.low, end.high]).all() for end in ends), one.name
    assert found.penalized
    assert found.seeds == 3
    assert found.sentence.startswith("Simpler by")
    assert found.measure("weight_norm").ratio.estimate == pytest.approx(1 / 6)
    assert (found.certainty is None) == (task == "regression") == (not found.calibration_sentence)


def test_each_measure_is_the_mean_of_its_function(make_data, both):
    data = make_data()
    found, before, after = both(data)
    inputs, test = data.full.inputs, data.test
    plane = fine_plane(data)
    functions = {
        "boundary_length": lambda fit: complexity(fit, plane, data).length,
        "islands": lambda fit: complexity(fit, plane, data).islands,
        "curvature": lambda fit: complexity(fit, plane, data).curvature,
        "jacobian_norm": lambda fit: np.median(jacobian_norms(fit, inputs)),
        "lipschitz": lambda fit: lipschitz(fit, inputs),
        "weight_norm": weight_norm,
        "path_norm": path_norm,
        "spectral_product": spectral_product,
        "margin": lambda fit: np.median(margins(fit, test.inputs, test.targets)),
        "normalized_margin": lambda fit: (
            np.median(margins(fit, test.inputs, test.targets)) / spectral_product(fit)
        ),
        "brier": lambda fit: calibration(predicted(fit, test.inputs), test.targets).brier.estimate,
        "expected_error": lambda fit: (
            calibration(predicted(fit, test.inputs), test.targets).expected_error.estimate
        ),
    }
    assert functions.keys() == {one.name for one in found.measures}
    for one in found.measures:
        values = [[functions[one.name](fit) for fit in side] for side in (before, after)]
        means = np.mean(values, axis=1)
        assert (one.before.estimate, one.after.estimate) == pytest.approx(tuple(means), rel=1e-6)
        assert one.difference.estimate == pytest.approx(means[1] - means[0], rel=1e-5, abs=1e-9)
    assert found.slopes.before.shape == (3 * len(inputs),)
    assert found.certainty.margins.after.shape == (3 * len(test.inputs),)


def test_what_got_simpler_is_said(make_data, both):
    found, *_ = both(make_data())
    slope = found.measure("jacobian_norm")
    assert slope.outcome == "flatter"
    assert "3 seeds" in found.sentence
    assert f"{slope.label} {slope.before.estimate:.3f} → " in found.sentence
    assert found.measure("nothing") is None
    assert found.rows_sentence == ""


def test_weighted_rows(make_data, make_fit):
    """Rows without weight are not there; a row of weight 2 is two rows."""
    data = make_data()
    before, after = fits_of(make_fit, data), fits_of(make_fit, data, lam=0.1)
    part, test = data.full, data.test
    heavy = np.arange(len(part.weights)) % 3
    again = np.repeat(np.arange(heavy.size), heavy)
    weighted = replace(part, weights=heavy.astype(np.float32))
    repeated = replace(
        part,
        inputs=part.inputs[again],
        targets=part.targets[again],
        weights=np.ones(again.size, np.float32),
        train=np.arange(again.size),
    )
    few = np.arange(len(test.weights)) % 2
    half = replace(
        test,
        inputs=test.inputs[few == 1],
        targets=test.targets[few == 1],
        weights=np.ones(few.sum(), np.float32),
    )
    first = simplicity_of(
        before, after, replace(data, full=weighted), replace(test, weights=few.astype(np.float32))
    )
    second = simplicity_of(before, after, replace(data, full=repeated), half)
    for name in ("jacobian_norm", "lipschitz", "margin", "brier", "expected_error"):
        one, other = first.measure(name), second.measure(name)
        assert one.before.estimate == pytest.approx(other.before.estimate, rel=1e-6), name
        assert one.after.estimate == pytest.approx(other.after.estimate, rel=1e-6), name


def test_diverged_networks_and_lonely_seeds_are_left_out(make_data, make_fit):
    data = make_data()
    before = [*fits_of(make_fit, data), make_fit(data, seed=7, ok=False)]
    after = fits_of(make_fit, data, lam=0.1, seeds=(1, 2, 9))
    found = simplicity_of(before, after, data, data.test)
    assert found.seeds == 2
    same = simplicity_of(before[1:3], after[:2], data, data.test)
    assert [str(one) for one in found.measures] == [str(one) for one in same.measures]
    with pytest.raises(ShrinkageError, match="no network with the penalty ended well"):
        simplicity_of(before, before[3:], data, data.test)


def test_other_seeds_are_compared_too(make_data, make_fit):
    data = make_data()
    before, after = fits_of(make_fit, data), fits_of(make_fit, data, lam=0.1, seeds=(5, 6))
    found = simplicity_of(before, after, data, data.test)
    assert found.seeds == 2
    assert found.measure("weight_norm").outcome == "smaller"


def test_one_seed_tells_no_spread(make_data, make_fit):
    data = make_data()
    before, after = (fits_of(make_fit, data, lam=lam, seeds=(0,)) for lam in (0.0, 0.1))
    found = simplicity_of(before, after, data, data.test)
    assert found.measure("path_norm").outcome == "one seed does not tell"
    assert found.measure("brier").difference.bounded  # over the test rows
    assert found.sentence.endswith("one seed does not tell the spread of others.")


def test_without_a_penalty_both_sides_are_the_same(make_data, make_fit):
    data = make_data()
    fits = fits_of(make_fit, data)
    found = simplicity_of(fits, fits, data, data.test)
    assert not found.penalized
    assert all(one.difference.estimate == 0 for one in found.measures)
    assert found.sentence.startswith("Without a penalty: boundary length per area")
    assert "of 0 measures" not in found.sentence
    assert "trusted" not in found.calibration_sentence


def test_nothing_changes(make_data, make_fit):
    data = make_data()
    before = fits_of(make_fit, data)
    after = [replace(fit, trial=replace(fit.trial, penalty=L2(), lam=0.1)) for fit in before]
    found = simplicity_of(before, after, data, data.test)
    assert (
        found.sentence == "None of 9 measures of simplicity changes beyond the spread of 3 seeds."
    )
    assert found.calibration_sentence.startswith("No clear difference")


def test_a_wilder_function_is_not_called_simpler(make_data, make_fit):
    data = make_data()
    before, after = fits_of(make_fit, data, lam=0.1), fits_of(make_fit, data)
    found = simplicity_of(before, after, data, data.test)
    assert found.sentence.startswith("Less simple by")


def test_simpler_in_one_way_and_not_in_another(make_data, both):
    found, *_ = both(make_data())

    def changed(name, before, after):
        ends = [Interval(value, value, value) for value in (before, after, after / before)]
        one = found.measure(name)
        return replace(one, before=ends[0], after=ends[1], ratio=ends[2])

    measures = (changed("curvature", 0.5, 1.25), changed("path_norm", 12345.0, 0.0123))
    assert replace(found, measures=measures).sentence == (
        "Simpler by 1 of 2 measures, beyond the spread of 3 seeds: path norm 12,345 → 0.0123; "
        "less simple by 1: curvature of the boundary 0.500 → 1.25."
    )


def test_a_norm_beyond_all_numbers_is_left_out(make_data, make_fit):
    data = make_data()
    fits = fits_of(make_fit, data, hidden=(3, 3, 3, 3, 3))
    huge = [replace(fit, parameters=1e30 * fit.parameters) for fit in fits]
    found = simplicity_of(fits, huge, data, data.test)
    names = {one.name for one in found.measures}
    assert "path_norm" not in names
    assert {"weight_norm", "brier"} <= names


def test_two_rows_of_test(make_data, make_fit):
    data = make_data()
    test = data.test
    two = replace(test, inputs=test.inputs[:2], targets=test.targets[:2], weights=test.weights[:2])
    found = simplicity_of(fits_of(make_fit, data), fits_of(make_fit, data, lam=0.1), data, two)
    assert found.measure("expected_error").outcome == "too few test rows to tell"
    assert found.measure("margin").difference.bounded


def test_many_rows_are_sampled_and_it_is_said(make_fit):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(40_000, 2)), columns=["a", "b"])
    table["y"] = np.where(table["a"] > 0, "yes", "no")
    data = prepare(table, "y", folds=2, repeats=1, name="many")
    found = simplicity_of(
        fits_of(make_fit, data), fits_of(make_fit, data, lam=0.1), data, data.test
    )
    assert found.rows == (500, 32_000)
    assert found.certainty.rows == (5_000, 8_000)
    assert found.rows_sentence == (
        "Slopes at 500 of 32,000 training rows and margins and calibration at 5,000 of 8,000 test "
        "rows, always the same ones."
    )


def test_a_large_network_is_looked_at_on_fewer_rows(make_data, make_fit):
    data = make_data("multiclass", inputs=40)
    fits = fits_of(make_fit, data, seeds=(0, 1), hidden=(500, 500))
    found = simplicity_of(fits, fits, data, data.test)
    assert found.rows[0] < found.rows[1]
