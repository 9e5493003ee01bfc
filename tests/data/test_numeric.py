"""Arrays of numbers made ready for training."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as drawn

from shrinkage.data.arrays import FARTHEST
from shrinkage.data.numeric import Arrays, from_arrays, scaled

ROWS = np.array([[0.0, 1.0], [2.0, 1.0], [0.0, 1.0], [4.0, 1.0]])
LABELS = np.array([[0.0], [1.0], [0.0], [1.0]])


def table(weights: list[float] | None = None) -> Arrays:
    return Arrays(ROWS, LABELS, np.array(weights or [1.0, 1.0, 1.0, 1.0]))


def test_rows_that_agree_become_one() -> None:
    merged = table([1.0, 2.0, 3.0, 4.0]).merged()
    assert len(merged) == 3
    weights = {row[0]: weight for row, weight in zip(merged.inputs, merged.weights, strict=True)}
    assert weights == {0.0: 4.0, 2.0: 2.0, 4.0: 4.0}


def test_rows_of_another_target_stay_apart() -> None:
    arrays = Arrays(ROWS, np.array([[0.0], [1.0], [1.0], [1.0]]), np.ones(4))
    assert len(arrays.merged()) == 4


def test_the_two_zeros_are_one_value() -> None:
    arrays = Arrays(np.array([[0.0], [-0.0]]), np.zeros((2, 1)), np.ones(2))
    assert arrays.merged().weights.tolist() == [2.0]


@given(
    drawn(np.int64, st.tuples(st.integers(1, 12), st.just(2)), elements=st.integers(0, 2)),
    st.integers(0, 2**32 - 1),
)
def test_order_and_repetition_make_no_difference(rows: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 4, len(rows))
    repeated = rng.permutation(np.repeat(np.arange(len(rows)), counts))
    inputs, targets = rows[:, :1].astype(float), rows[:, 1:].astype(float)
    weighted = Arrays(inputs, targets, counts.astype(float)).merged()
    by_rows = Arrays(inputs[repeated], targets[repeated], np.ones(repeated.size)).merged()
    np.testing.assert_array_equal(weighted.inputs, by_rows.inputs)
    np.testing.assert_array_equal(weighted.targets, by_rows.targets)
    np.testing.assert_array_equal(weighted.weights, by_rows.weights)


def test_rows_without_weight_are_not_there() -> None:
    taken = table([1.0, 0.0, 1.0, 1.0]).take(np.array([0, 1, 3]))
    assert taken.inputs[:, 0].tolist() == [0.0, 4.0]


def test_statistics_are_those_of_the_weighted_training_rows() -> None:
    split = (np.array([0, 1]), np.array([3]))
    data = from_arrays(table([1.0, 3.0, 1.0, 1.0]), classes=["a", "b"], splits=[split])
    part = data.part(0)
    assert part.center[0] == pytest.approx(1.5)
    assert part.scale[0] == pytest.approx(np.sqrt(0.25 * 1.5**2 + 0.75 * 0.5**2))
    assert part.inputs[part.validation, 0] == pytest.approx((4 - 1.5) / part.scale[0])
    assert part.weights[part.train].mean() == pytest.approx(1)
    assert part.train.size == 2
    assert data.full.train.size == 3


def test_a_constant_input_counts_nothing() -> None:
    part = from_arrays(table(), classes=["a", "b"]).full
    assert np.isinf(part.scale[1])
    assert not part.inputs[:, 1].any()
    assert not scaled(np.array([[7.0, 9.0]]), part.center, part.scale)[:, 1].any()


def test_numbers_to_predict_are_standardized_and_classes_are_not() -> None:
    numbers = from_arrays(Arrays(ROWS, 10 + 5 * LABELS, np.ones(4)), classes=None)
    assert numbers.task == "regression"
    mean = np.average(numbers.full.targets[:, 0], weights=numbers.full.weights)
    assert mean == pytest.approx(0, abs=1e-6)
    assert numbers.full.target_center == pytest.approx([12.5])
    classes = from_arrays(table(), classes=["a", "b"])
    assert set(classes.full.targets.ravel()) == {0.0, 1.0}
    assert (classes.full.target_center, classes.full.target_scale) == (0.0, 1.0)


def test_nothing_is_changed_unless_asked_for() -> None:
    part = from_arrays(table(), classes=["a", "b"], standardize=False, merge=False).full
    np.testing.assert_array_equal(part.inputs, ROWS.astype(np.float32))


def test_held_out_rows_are_a_fold_trained_on_everything() -> None:
    held_out = Arrays(np.array([[9.0, 1.0]]), np.array([[1.0]]), np.ones(1))
    data = from_arrays(table(), classes=["a", "b"], held_out=held_out)
    part = data.part(0)
    np.testing.assert_array_equal(part.inputs[part.train], data.full.inputs[data.full.train])
    assert part.validation.size == 1
    assert data.folds == 1


def test_values_beyond_single_precision_are_cut_off() -> None:
    far = scaled(np.array([[1e300], [-1e300]]), np.zeros(1), np.ones(1))
    assert far.ravel().tolist() == [FARTHEST, -FARTHEST]


@pytest.mark.parametrize(
    ("classes", "task", "outputs"),
    [(["a", "b"], "binary", 1), (["a", "b", "c"], "multiclass", 3), (None, "regression", 1)],
)
def test_task_and_outputs(classes: list[str] | None, task: str, outputs: int) -> None:
    data = from_arrays(table(), classes=classes)
    assert (data.task, data.n_outputs) == (task, outputs)
    assert data.classes == tuple(classes or ())


def test_names_and_fingerprint() -> None:
    data = from_arrays(table(), classes=["a", "b"], columns=("left", "right"), name="mine")
    assert data.full.columns == ("left", "right")
    assert data.description.source == "mine"
    assert from_arrays(table(), classes=["a", "b"]).full.columns == ("x0", "x1")
    again = from_arrays(table(), classes=["a", "b"], columns=("left", "right"))
    other = from_arrays(table([1, 1, 1, 2]), classes=["a", "b"], columns=("left", "right"))
    assert again.fingerprint == data.fingerprint != other.fingerprint
