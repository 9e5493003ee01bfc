"""What each input column of a table is: a number, a category, text, a date, or nothing usable.

This reads types and fits no statistic, so it is done once for the whole table. What depends on the
rows (medians, frequent categories, scales) belongs to `encode`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.data.cleaning import clean, mostly_numbers
from shrinkage.data.description import counted
from shrinkage.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_matrix

KINDS = ("numeric", "boolean", "date", "categorical", "text")

# More distinct strings than this are text, to be compared by their parts.
MOST_CATEGORIES = 60
# Squares of larger values overflow float64, and no standard deviation can be taken.
_LARGEST = 1e150


_CALLED_IDENTIFIER = re.compile(r"^(id|ID|Id|index)$|[_\W](id|ID|Id)$|[a-z](ID|Id)$")


@dataclass(eq=False)
class Columns:
    """The usable inputs of a table, by how they are encoded; filled while the table is read.

    Parameters
    ----------
    rows : ndarray of int64, shape (rows,)
        Where each row stood in the user's table, from 1, for error messages.
    numbers : list of (str, ndarray of float64 or float32)
        Numbers, parts of dates and booleans; NaN where missing.
    flags : set of str
        Which of `numbers` hold only 0 and 1.
    categories : list of (str, ndarray of int64, list of str)
        Code of each row's category, −1 where missing, and the categories' names.
    texts : list of (str, sparse matrix of float32, shape (rows, groups))
        How often each group of three or four letters occurs; nowhere where missing.
    kinds : dict of str to int
        Table columns of each of :data:`KINDS`.
    missing : dict of str to int
        Empty cells of each kept table column that has some.
    dropped : list of (str, str)
        Unusable table columns, each with the reason.
    warnings : list of str
        Sentences for people.
    images : bool
        Whether every row is an image: then a column with the same value in every row is a pixel
        that is kept, for the others to keep their places.
    """

    rows: NDArray[np.int64]
    numbers: list[tuple[str, NDArray[Any]]] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    categories: list[tuple[str, NDArray[np.int64], list[str]]] = field(default_factory=list)
    texts: list[tuple[str, csr_matrix]] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    dropped: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    images: bool = False

    def count(self, kind: str, name: str, missing: int) -> None:
        """Book one kept table column."""
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if missing:
            self.missing[name] = missing


def read_columns(
    table: pd.DataFrame, names: Sequence[str], rows: NDArray[np.int64], *, images: bool = False
) -> Columns:
    """Find out what each column is.

    Parameters
    ----------
    table : DataFrame
        With unique string names.
    names : sequence of str
        Input columns.
    rows : ndarray of int64, shape (rows,)
        Row numbers to name in messages, from 1.
    images : bool, default False
        See :class:`Columns`.

    Returns
    -------
    Columns

    Raises
    ------
    DataError
        On infinities, or when no usable column is left.
    """
    columns = Columns(rows, images=images)
    for name in names:
        read_column(columns, name, table[name])
    require_some(columns)
    return columns


def require_some(columns: Columns) -> None:
    """Raise :class:`DataError` unless some column was kept."""
    if not columns.kinds:
        reasons = "; ".join(f"'{name}': {reason}" for name, reason in columns.dropped[:5])
        raise DataError(
            "the table has no usable input column"
            + (f" ({reasons})" if reasons else " besides the target")
            + "; add columns that the target could be predicted from"
        )


def require_finite(name: str, values: NDArray[np.float64], rows: NDArray[np.int64]) -> None:
    """Raise :class:`DataError`, naming column and rows, on values that cannot be computed with."""
    with np.errstate(invalid="ignore"):
        largest = np.fmax.reduce(np.abs(values), initial=0.0)
    if largest <= _LARGEST:
        return
    infinite = np.isinf(values)
    if infinite.any():
        where = rows[infinite]
        values_word = counted(len(where), "infinite value")
        raise DataError(
            f"column '{name}' has {values_word} ({_row_list(where)}); replace or drop "
            + ("it" if len(where) == 1 else "them")
        )
    where = rows[np.nan_to_num(np.abs(values)) > _LARGEST]
    raise DataError(
        f"column '{name}' has values beyond {_LARGEST:g} ({_row_list(where)}), too large to "
        "compute with; correct or rescale them"
    )


def _row_list(rows: NDArray[np.int64]) -> str:
    shown = ", ".join(str(row) for row in rows[:3]) + (", …" if len(rows) > 3 else "")
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}"


def read_column(columns: Columns, name: str, column: pd.Series) -> None:
    """Find out what one column is, and book it."""
    from pandas.api import types

    dtype = column.dtype
    if column.isna().all():
        columns.dropped.append((name, "all values are missing"))
    elif isinstance(dtype, types.CategoricalDtype):
        _read_strings(columns, name, column.astype(object), declared=True)
    elif types.is_bool_dtype(dtype):
        _add_booleans(columns, name, column)
    elif types.is_complex_dtype(dtype):
        columns.dropped.append((name, "complex numbers"))
    elif types.is_numeric_dtype(dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        # What came in single precision is kept so: it takes no memory beside the table's own.
        kept = column.to_numpy() if dtype == np.float32 else values
        _add_numbers(columns, name, values, kept=kept)
    elif types.is_timedelta64_dtype(dtype):
        seconds = column.dt.total_seconds()
        _add_numbers(columns, name, seconds.to_numpy(dtype=np.float64, na_value=np.nan))
    elif types.is_datetime64_any_dtype(dtype):
        _add_dates(columns, name, column)
    else:
        _read_objects(columns, name, column)


def _read_objects(columns: Columns, name: str, column: pd.Series) -> None:
    """Columns of Python objects: booleans with gaps, decimals, dates, strings, or nested values."""
    from decimal import Decimal

    import pandas as pd

    if isinstance(column.dtype, pd.StringDtype):
        _read_strings(columns, name, column)
        return
    found = {type(value) for value in column.dropna()}
    if found & {list, dict, set, tuple, np.ndarray, bytes}:
        columns.dropped.append((name, "holds nested or binary values"))
    elif found <= {bool, np.bool_}:
        _add_booleans(columns, name, column.astype("boolean"))
    elif found <= {int, float, Decimal, bool} or all(issubclass(kind, np.number) for kind in found):
        numbers = pd.to_numeric(column, errors="coerce")
        _add_numbers(columns, name, numbers.to_numpy(dtype=np.float64, na_value=np.nan))
    else:
        _read_strings(columns, name, column)


def _read_strings(
    columns: Columns, name: str, column: pd.Series, *, declared: bool = False
) -> None:
    """Clean a column of strings by its distinct values, which are few where it is long."""
    import pandas as pd

    codes, distinct = pd.factorize(column)
    cleaned = clean(pd.Series(distinct, dtype=object, name=name))
    if cleaned.isna().all():
        columns.dropped.append((name, "all values are missing"))
        return
    whole = cleaned.reindex(codes)  # −1, the code of a missing cell, is no label: it gives NaN
    whole = whole.set_axis(range(len(whole)))
    if pd.api.types.is_datetime64_any_dtype(whole.dtype):
        _add_dates(columns, name, whole)
    elif pd.api.types.is_numeric_dtype(whole.dtype) and not declared:
        _add_numbers(columns, name, whole.to_numpy(dtype=np.float64, na_value=np.nan))
    elif (numbers := mostly_numbers(cleaned)) is not None and not declared:
        odd = [str(value) for value in cleaned[numbers.isna() & cleaned.notna()].iloc[:3]]
        columns.warnings.append(
            f"Column '{name}' holds numbers besides values such as "
            f"{', '.join(repr(value) for value in odd)}, which were taken as missing."
        )
        whole = numbers.reindex(codes)
        _add_numbers(columns, name, whole.to_numpy(dtype=np.float64, na_value=np.nan))
    else:
        _add_strings(columns, name, whole, declared)


def _add_strings(columns: Columns, name: str, column: pd.Series, declared: bool) -> None:
    import pandas as pd

    codes, distinct = pd.factorize(column, sort=True)
    present = int((codes >= 0).sum())
    missing = len(codes) - present
    if len(distinct) == 1 and not missing:
        columns.dropped.append((name, "the same value in every row"))
        return
    labels = [str(value) for value in distinct]
    if len(labels) == present >= 10 and not any(" " in label for label in labels):
        columns.dropped.append((name, "a different word in every row, like an identifier"))
    elif declared or len(labels) <= min(MOST_CATEGORIES, max(5, present // 2)):
        columns.categories.append((name, codes.astype(np.int64), labels))
        columns.count("categorical", name, missing)
    else:
        if len(labels) >= 0.9 * present:
            columns.warnings.append(
                f"Column '{name}' has nearly a different text in every row; it is kept and encoded "
                "by its parts, so leave it out if it only identifies the row."
            )
        columns.texts.append((name, _count_letters(column.fillna("").astype("str"))))
        columns.count("text", name, missing)


def _count_letters(strings: pd.Series) -> csr_matrix:
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(analyzer="char_wb", ngram_range=(3, 4), dtype=np.float32)
    counts = counter.fit_transform(strings.tolist())
    # In the order of the letters, or what other rows hold would change the order of sums.
    counts.sort_indices()
    return counts


def _add_booleans(columns: Columns, name: str, column: pd.Series) -> None:
    values = column.astype("boolean").to_numpy(dtype=np.float64, na_value=np.nan)
    columns.flags.add(name)
    _add_numbers(columns, name, values, kind="boolean")


def _add_numbers(
    columns: Columns,
    name: str,
    values: NDArray[np.float64],
    kind: str = "numeric",
    kept: NDArray[Any] | None = None,
) -> None:
    require_finite(name, values, columns.rows)
    missing = np.isnan(values)
    present = values[~missing] if missing.any() else values
    if len(present) == 0:
        columns.dropped.append((name, "all values are missing"))
        return
    low, high = present.min(), present.max()
    # A lone value with gaps still tells where the gaps are.
    if low == high and len(present) == len(values) and not columns.images:
        columns.dropped.append((name, "the same value in every row"))
        return
    if not columns.images and _is_identifier(name, values):
        if name.startswith("Unnamed: "):
            columns.dropped.append((name, "row numbers without a column name"))
            return
        columns.warnings.append(
            f"Column '{name}' has a different whole number in every row, like an identifier; it is "
            "kept, so leave it out if it only names the row."
        )
    columns.numbers.append((name, values if kept is None else kept))
    columns.count(kind, name, int(missing.sum()))


def _is_identifier(name: str, values: NDArray[np.float64]) -> bool:
    """Whether all rows have whole numbers that are consecutive, rise row by row, or are called ids.

    Distinct whole numbers alone do not make one: prices and weights may all differ too.
    """
    # The comparison also sends away columns with a missing value.
    if len(values) < 10 or not np.all(values == np.floor(values)):
        return False
    steps = np.diff(np.sort(values))
    if steps.min() == 0:
        return False
    called = _CALLED_IDENTIFIER.search(name) is not None
    return bool(steps.max() == 1 or np.all(np.diff(values) > 0) or called)


def _add_dates(columns: Columns, name: str, column: pd.Series) -> None:
    """Year, month, day, weekday, hour and the running time of a date, as numbers."""
    import pandas as pd
    from skrub import DatetimeEncoder

    # The encoder's float32 would round running seconds to minutes, so they are taken here.
    encoder: Any = DatetimeEncoder(add_weekday=True, add_total_seconds=False)
    parts = encoder.fit_transform(column.rename(name))
    named = [(str(part), parts[part]) for part in parts.columns]
    epoch = pd.Timestamp(0, tz=column.dt.tz)
    named.append((f"{name}_total_seconds", (column - epoch).dt.total_seconds()))
    kept = 0
    for part, series in named:
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        if np.nanmin(values) < np.nanmax(values):
            columns.numbers.append((part, values))
            kept += 1
    if kept:
        columns.count("date", name, int(column.isna().sum()))
    else:
        columns.dropped.append((name, "the same date in every row"))
