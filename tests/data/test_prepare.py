"""From a table to folds: complete, reproducible, free of leaks, clear about bad input."""

from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shrinkage.data import MINIMUM_ROWS, Data, bundled, prepare
from shrinkage.errors import DataError, SettingError, ShrinkageError


def _table(rows: int = 200, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "number": rng.standard_normal(rows),
            "gaps": np.where(rng.random(rows) < 0.1, np.nan, rng.standard_normal(rows)),
            "word": rng.choice(["a", "b", "c"], rows),
        }
    )
    table["target"] = np.where(table["number"] + rng.standard_normal(rows) > 0, "yes", "no")
    return table


def _row_table(rows: int) -> pd.DataFrame:
    """A table whose only input tells which row is which, whatever the scaling."""
    return pd.DataFrame({"x": np.arange(rows) ** 1.5, "y": np.arange(rows) % 2 == 0})


def _rows_of(inputs: np.ndarray, data: Data) -> list[int]:
    raw = inputs[:, 0].astype(float) * data.full.scale[0] + data.full.center[0]
    return [round(value ** (2 / 3)) for value in np.maximum(raw, 0)]


def test_test_rows_and_training_rows_are_disjoint_and_complete() -> None:
    data = prepare(_row_table(150), "y")
    train, test = _rows_of(data.full.inputs, data), _rows_of(data.test.inputs, data)
    assert sorted(train + test) == list(range(150))
    assert len(test) == 30
    # Rows keep their targets on the way.
    assert [row % 2 == 0 for row in test] == [value == 1 for value in data.test.targets[:, 0]]
    assert [row % 2 == 0 for row in train] == [value == 1 for value in data.full.targets[:, 0]]


def test_parts_are_repeats_of_folds() -> None:
    data = prepare(_table(), folds=4, repeats=3)
    assert (data.folds, data.repeats, len(data.parts)) == (4, 3, 12)
    for repeat in range(3):
        parts = data.parts[4 * repeat : 4 * repeat + 4]
        held_out = np.concatenate([part.validation for part in parts])
        assert sorted(held_out) == list(range(len(data.full.inputs)))
    assert not np.array_equal(data.parts[0].validation, data.parts[4].validation)


def test_each_part_is_standardized_by_its_training_rows() -> None:
    data = prepare(_table(), folds=4)
    for part in (*data.parts, data.full):
        fitted = part.inputs[part.train].astype(float)
        np.testing.assert_allclose(fitted.mean(axis=0), 0, atol=1e-6)
        np.testing.assert_allclose(fitted.std(axis=0), 1, atol=1e-5)
    assert not np.array_equal(data.parts[0].center, data.parts[1].center)


def test_validation_and_test_rows_leak_into_no_training_row() -> None:
    table = _table().reset_index(names="row")
    data = prepare(table, "target", folds=4)
    # Find each prepared row in the table by its row number, which every part encodes.
    place = data.full.columns.index("row")
    raw = data.full.inputs[:, place] * data.full.scale[place] + data.full.center[place]
    of_training = np.rint(raw).astype(int)
    part = data.parts[1]
    allowed = of_training[part.train]
    others = np.setdiff1d(np.arange(len(table)), allowed)
    changed = table.copy()
    changed.loc[others, "number"] = 1e3
    changed.loc[others, "gaps"] = np.nan
    changed.loc[others, "word"] = "new"
    again = prepare(changed, "target", folds=4).parts[1]
    assert again.columns == part.columns
    np.testing.assert_array_equal(again.train, part.train)
    np.testing.assert_array_equal(again.inputs[part.train], part.inputs[part.train])
    assert not np.array_equal(again.inputs[part.validation], part.inputs[part.validation])


def test_regression_targets_are_standardized_for_training_and_original_for_the_test() -> None:
    table, _ = bundled("diabetes")
    table["double"] = table["progression"] * 2
    data = prepare(table, ["progression", "double"])
    assert (data.task, data.n_outputs, data.classes) == ("regression", 2, ())
    for part in (*data.parts, data.full):
        fitted = part.targets[part.train].astype(float)
        np.testing.assert_allclose(fitted.mean(axis=0), 0, atol=1e-6)
        np.testing.assert_allclose(fitted.std(axis=0), 1, atol=1e-6)
    assert np.isin(data.test.targets[:, 0], table["progression"]).all()
    back = data.full.targets * data.full.target_scale + data.full.target_center
    assert np.allclose(
        np.sort(np.r_[back[:, 0], data.test.targets[:, 0]]), np.sort(table.iloc[:, 10])
    )


def test_the_same_call_gives_the_same_data_and_every_change_another_fingerprint() -> None:
    table = _table()
    first = prepare(table, seed=3)
    again = prepare(table, seed=3)
    assert first.fingerprint == again.fingerprint
    np.testing.assert_array_equal(first.parts[3].inputs, again.parts[3].inputs)
    moved = table.copy()
    moved.loc[17, "number"] += 1
    weights = np.linspace(1, 2, len(table))
    others = [
        prepare(table, seed=4),
        prepare(table, seed=3, folds=4),
        prepare(moved, seed=3),
        prepare(table, seed=3, sample_weight=weights),
    ]
    assert len({first.fingerprint, *(other.fingerprint for other in others)}) == 5


def test_the_users_table_is_left_as_it_was() -> None:
    table = _table()
    before = table.copy(deep=True)
    prepare(table)
    pd.testing.assert_frame_equal(table, before)


def test_sample_weights_follow_their_rows_with_mean_one() -> None:
    table = _row_table(100)
    data = prepare(table, "y", sample_weight=np.arange(1, 101))
    rows = np.array(_rows_of(data.full.inputs, data))
    weights = data.full.weights.astype(float)
    np.testing.assert_allclose(weights / weights[0], (rows + 1) / (rows[0] + 1), rtol=1e-5)
    for part in (*data.parts, data.full):
        assert part.weights[part.train].mean() == pytest.approx(1, abs=1e-6)
    assert (prepare(table, "y").full.weights == 1).all()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(7), r"sample weights have shape \(7,\); expected one for each row, \(200,\)"),
        (np.r_[0.0, np.ones(199)], "sample weight of row 1 is 0; weights must be positive"),
        (np.r_[np.ones(199), np.nan], "sample weight of row 200 is nan"),
    ],
)
def test_impossible_weights_are_refused(weights: np.ndarray, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        prepare(_table(), sample_weight=weights)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 1}, "folds is 1; cross-validation needs at least 2"),
        ({"repeats": 0}, "repeats is 0; cross-validation needs at least 1"),
        ({"test_size": 0.0}, "test size is 0.0; it must be above 0 and at most 0.5"),
        ({"test_size": 0.6}, "test size is 0.6"),
        ({"task": "clasification"}, "did you mean 'classification'"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        prepare(_table(), **options)  # type: ignore[arg-type]  # the point of the test


def test_too_many_folds_are_refused_with_a_number_that_works() -> None:
    table = _row_table(50)  # 25 rows in each class, 20 of them for training
    with pytest.raises(SettingError, match=r"21 folds .* 20 rows of the largest class .* most 20"):
        prepare(table, "y", folds=21)
    assert prepare(table, "y", folds=20).folds == 20
    with pytest.raises(SettingError, match=r"use at most 40 folds"):
        prepare(table.assign(y=np.arange(50) ** 0.5), "y", folds=41)


@pytest.mark.parametrize("rows", range(1, MINIMUM_ROWS))
def test_a_tiny_table_is_refused_with_the_number_of_rows_that_works(rows: int) -> None:
    with pytest.raises(DataError, match=rf"table has {rows} rows?; .* need at least 10"):
        prepare(_row_table(rows), "y")


def test_the_smallest_table_works() -> None:
    for target in (
        np.arange(MINIMUM_ROWS) % 2,
        np.r_[1, np.zeros(MINIMUM_ROWS - 1)],
        np.arange(MINIMUM_ROWS) // 2,
        np.arange(MINIMUM_ROWS) ** 0.5,
    ):
        data = prepare(_row_table(MINIMUM_ROWS).assign(y=target), "y")
        assert len(data.test.inputs) == 2
        assert all(len(part.validation) for part in data.parts)


def test_duplicate_columns_are_refused() -> None:
    table = _table()
    table.columns = ["a", "b", "a", "target"]
    with pytest.raises(DataError, match="column name 'a' is used more than once; rename"):
        prepare(table)


def test_rows_without_a_target_are_left_out_and_it_says_so() -> None:
    table = _table()
    table.loc[[4, 9, 11], "target"] = None
    data = prepare(table)
    assert data.description.rows == 197
    assert "Left out 3 rows in which the target is missing." in data.description.warnings
    table.loc[3, "number"] = np.inf
    table.loc[20, "number"] = np.inf
    with pytest.raises(DataError, match=r"'number' has 2 infinite values \(rows 4, 21\)"):
        prepare(table)
    with pytest.raises(DataError, match="the table has 5 rows with a target; "):
        prepare(table.assign(target=table["target"].where(table.index < 6)))


def test_the_rows_can_be_found_again_in_the_table_as_it_was_given() -> None:
    table = _row_table(150).astype({"y": object}).set_axis(np.arange(150) * 7)
    table.iloc[[0, 30, 149], 1] = None
    data = prepare(table, "y")
    rows = np.concatenate([data.train_rows, data.test_rows])
    assert sorted(rows) == sorted(set(range(150)) - {0, 30, 149})
    assert _rows_of(data.full.inputs, data) == data.train_rows.tolist()
    assert _rows_of(data.test.inputs, data) == data.test_rows.tolist()


def test_a_wide_table_with_a_class_of_two_rows_runs() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.standard_normal((450, 280)), columns=[f"c{i}" for i in range(280)])
    table["target"] = np.r_[np.zeros(300), np.ones(147), [2, 2], [3]]
    data = prepare(table)
    assert len(data.parts) == 10
    lone = data.classes.index("3")
    for part in data.parts:
        assert set(part.targets[part.train, 0]) >= {0.0, 1.0, float(lone)}
        assert lone not in part.targets[part.validation, 0]
    said = " ".join(data.description.warnings)
    assert "Class '3' of target 'target' has a single row" in said
    assert "Fewer training rows than the 5 folds: '2'" in said


def test_more_columns_than_rows_are_fine() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.standard_normal((40, 300)), columns=[f"c{i}" for i in range(300)])
    data = prepare(table.assign(y=np.arange(40) % 2), "y")
    assert data.full.inputs.shape == (32, 300)


def test_numeric_column_names_are_read_as_text() -> None:
    table = pd.DataFrame(np.random.default_rng(0).standard_normal((40, 2)))
    table[7] = np.arange(40) % 2
    assert prepare(table, "7").full.columns == ("0", "1")


_cells = st.sampled_from([None, 0, 1, 2.5, -1e9, True, "a", "b c", "7", "?", "2024-05-01", ""])


@settings(max_examples=30)
@given(
    columns=st.lists(st.lists(_cells, min_size=12, max_size=12), min_size=1, max_size=4),
    target=st.lists(st.sampled_from(["x", "y", 3, None]), min_size=12, max_size=12),
    repetitions=st.integers(1, 4),
)
def test_any_table_gives_finite_numbers_or_one_sentence(
    columns: list[list[object]], target: list[object], repetitions: int
) -> None:
    table = pd.DataFrame({f"c{place}": cells for place, cells in enumerate(columns)})
    table["target"] = pd.Series(target, dtype=object)
    table = pd.concat([table] * repetitions, ignore_index=True)
    with suppress(ShrinkageError):
        data = prepare(table, "target")
        for part in (*data.parts, data.full):
            assert np.isfinite(part.inputs).all()
            assert len(part.train) > 0
            assert part.inputs.shape[1] == len(part.columns) > 0
        assert np.isfinite(data.test.inputs).all()


def test_a_large_offset_of_the_target_costs_the_test_set_nothing() -> None:
    table = _table()
    table["target"] = table["number"]
    near = prepare(table, "target")
    table["target"] += 1e9
    far = prepare(table, "target")
    np.testing.assert_allclose(far.test.targets - 1e9, near.test.targets, atol=1e-6)


def test_an_outlier_beyond_single_precision_is_cut_off_and_told() -> None:
    table = _table()
    table.loc[7, "number"] = 1e45
    data = prepare(table, "target")
    parts = (data.full, *data.parts)
    assert all(np.isfinite(part.inputs).all() for part in parts)
    assert np.isfinite(data.test.inputs).all()
    assert any("was cut off there" in warning for warning in data.description.warnings)
