"""What each column is, and what is said of it."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from shrinkage.data.columns import Columns, read_columns
from shrinkage.errors import DataError

_ROWS = 40


def _read(**columns: object) -> Columns:
    table = pd.DataFrame(columns)
    return read_columns(table, list(table), np.arange(1, len(table) + 1))


def _numbers(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(_ROWS)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (_numbers(), "numeric"),
        (_numbers() > 0, "boolean"),
        (pd.array([True, None] * 20, dtype="boolean"), "boolean"),
        (pd.Series([True, False, None, True] * 10, dtype=object), "boolean"),
        (pd.array([1, 2, None, 5] * 10, dtype="Int64"), "numeric"),
        ([Decimal("1.5"), Decimal("2.5")] * 20, "numeric"),
        (["1.5", "?", "2", "none"] * 10, "numeric"),
        (pd.to_timedelta(np.arange(_ROWS) ** 2, unit="s"), "numeric"),
        (["red", "blue", None, "green"] * 10, "categorical"),
        (pd.Categorical([3, 1, 2, 1] * 10), "categorical"),
        ([f"word {place % 39} of {place % 7}" for place in range(_ROWS)], "text"),
        (pd.date_range("2024-01-01", periods=_ROWS), "date"),
        (pd.date_range("2024-01-01", periods=_ROWS, tz="Europe/Paris"), "date"),
        ([f"2024-01-{place % 28 + 1:02}" for place in range(_ROWS)], "date"),
        ([date(2024, 1, place % 28 + 1) for place in range(_ROWS)], "date"),
    ],
)
def test_kinds_are_found(column: object, kind: str) -> None:
    assert _read(column=column).kinds == {kind: 1}


def test_missing_cells_are_counted_before_anything_is_imputed() -> None:
    columns = _read(
        number=[1.0, None, 3.5, 2.0] * 10, word=["a", "b", "?", None] * 10, whole=_numbers()
    )
    assert columns.missing == {"number": 10, "word": 20}


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ([None] * _ROWS, "all values are missing"),
        ([np.nan] * _ROWS, "all values are missing"),
        (["?", " ", "NA", None] * 10, "all values are missing"),
        ([7] * _ROWS, "the same value in every row"),
        (["same"] * _ROWS, "the same value in every row"),
        ([True] * _ROWS, "the same value in every row"),
        ([pd.Timestamp("2024-01-01")] * _ROWS, "the same date in every row"),
        ([f"user{place:04}x" for place in range(_ROWS)], "a different word in every row"),
        ([[1, 2]] * _ROWS, "nested or binary"),
        ([{"a": 1}] * _ROWS, "nested or binary"),
        (_numbers() * 1j, "complex numbers"),
    ],
)
def test_useless_columns_are_dropped_with_the_reason(column: object, reason: str) -> None:
    columns = _read(useless=column, useful=_numbers())
    assert [name for name, _ in columns.dropped] == ["useless"]
    assert reason in columns.dropped[0][1]
    assert columns.kinds == {"numeric": 1}


def test_a_constant_with_gaps_is_kept_for_the_gaps() -> None:
    assert _read(gaps=[1.0, None] * 20).kinds == {"numeric": 1}
    assert _read(gaps=["x", None] * 20).kinds == {"categorical": 1}


def test_an_unnamed_row_number_is_dropped_and_a_named_one_warned_of() -> None:
    columns = _read(**{"Unnamed: 0": np.arange(_ROWS), "x": _numbers()})
    assert columns.dropped == [("Unnamed: 0", "row numbers without a column name")]
    shuffled = np.random.default_rng(0).permutation(_ROWS) + 1000
    for name, values in (("number", shuffled), ("customer_id", shuffled**2)):
        columns = _read(**{name: values})
        assert columns.kinds == {"numeric": 1}
        assert f"Column '{name}' has a different whole number in every row" in columns.warnings[0]


def test_distinct_prices_are_no_identifier() -> None:
    prices = np.random.default_rng(0).choice(100_000, _ROWS, replace=False)
    assert _read(price=prices, paid=prices * 2 + 1).warnings == []


def test_nearly_distinct_texts_are_kept_and_warned_of() -> None:
    columns = _read(note=[f"note about thing {place}" for place in range(_ROWS)])
    assert columns.kinds == {"text": 1}
    assert "Column 'note' has nearly a different text in every row" in columns.warnings[0]


def test_a_few_words_among_numbers_are_said() -> None:
    columns = _read(size=[str(place * 3 % 101) for place in range(100)] + ["tiny"])
    assert columns.kinds == {"numeric": 1}
    assert columns.missing == {"size": 1}
    assert "Column 'size' holds numbers besides values such as 'tiny'" in columns.warnings[0]


def test_infinities_are_refused_with_column_and_rows() -> None:
    values = _numbers()
    values[[11, 20, 30, 31]] = np.inf, -np.inf, np.inf, np.inf
    with pytest.raises(
        DataError, match=r"column 'age' has 4 infinite values \(rows 12, 21, 31, …\); replace or"
    ):
        _read(age=values)
    with pytest.raises(DataError, match=r"'age' has 1 infinite value \(row 2\); .* drop it"):
        _read(age=["1", "inf", "2", "3"] * 1 + ["4"] * 8)


def test_numbers_too_large_to_square_are_refused() -> None:
    with pytest.raises(DataError, match=r"column 'x' has values beyond 1e\+150 \(row 3\)"):
        _read(x=[1.0, 2.0, 1e200, 4.0])


def test_running_seconds_of_a_date_are_exact() -> None:
    start = pd.Timestamp("2024-05-01 12:00:00")
    columns = _read(when=start + pd.to_timedelta(np.arange(_ROWS) ** 2, unit="s"))
    seconds = dict(columns.numbers)["when_total_seconds"]
    assert np.array_equal(seconds - seconds[0], np.arange(_ROWS) ** 2)
    assert "when_year" not in dict(columns.numbers)


def test_a_table_without_usable_columns_is_refused() -> None:
    with pytest.raises(DataError, match=r"no usable input column .*'x': the same value in every"):
        _read(x=[1.0] * _ROWS)
    with pytest.raises(DataError, match="no usable input column besides the target"):
        read_columns(pd.DataFrame(index=range(3)), [], np.arange(3))
