"""What is to be predicted: classes or numbers, found from the target column or said by the user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shrinkage.data.arrays import Task
from shrinkage.data.columns import require_finite
from shrinkage.data.description import counted
from shrinkage.errors import DataError, SettingError, require_known, suggestion

if TYPE_CHECKING:
    import pandas as pd

TASKS = ("auto", "classification", "regression")

# What people call the column to predict, when they do not say which it is.
_USUAL_NAMES = ("target", "label", "class", "y")


@dataclass(frozen=True, eq=False)
class Target:
    """The target of the usable rows.

    Parameters
    ----------
    task : str
        ``"binary"``, ``"multiclass"`` or ``"regression"``.
    values : ndarray of float64, shape (rows, targets)
        Index of the class, or numbers in their original units.
    classes : tuple of str
        Class names in the order of their indices; empty for regression.
    names : tuple of str
        Column names.
    warnings : tuple of str
        Sentences for people.
    """

    task: Task
    values: NDArray[np.float64]
    classes: tuple[str, ...]
    names: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def strata(self) -> NDArray[np.float64]:
        """What to stratify by: the class, or the mean rank over the targets; shape (rows,)."""
        if self.task != "regression":
            return self.values[:, 0]
        ranks: NDArray[np.float64] = self.values.argsort(axis=0).argsort(axis=0).mean(axis=1)
        return ranks


def find_target(names: Sequence[str], target: str | Sequence[str] | None) -> tuple[str, ...]:
    """The target columns, checked against the table's columns.

    Parameters
    ----------
    names : sequence of str
        Columns of the table.
    target : str, sequence of str or None
        As said by the user, also several names separated by commas; None looks for a column with
        a usual name.

    Returns
    -------
    tuple of str

    Raises
    ------
    DataError
        When a column does not exist or none was said and none or several have a usual name.
    SettingError
        When a target is named twice or the list is empty.
    """
    if target is None:
        usual = [name for name in names if name.lower() in _USUAL_NAMES]
        if len(usual) == 1:
            return (usual[0],)
        shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        problem = f"several columns could be it ({', '.join(usual)})" if usual else "none was given"
        raise DataError(
            f"which column is the target? {problem}; name it with --target, one of: {shown}"
        )
    said = (target,) if isinstance(target, str) else tuple(target)
    wanted = tuple(name for words in said for name in _separated(words, names))
    if not wanted or len(set(wanted)) < len(wanted):
        raise SettingError(f"targets are {list(wanted)}; name at least one column, each once")
    for name in wanted:
        if name not in names:
            raise DataError(f"the table has no column '{name}'; {suggestion(name, names)}")
    return wanted


def _separated(words: str, names: Sequence[str]) -> list[str]:
    """Names separated by commas, unless a column's own name has the comma."""
    if words in names or "," not in words:
        return [words]
    return [word.strip() for word in words.split(",") if word.strip()]


def read_target(
    table: pd.DataFrame, names: tuple[str, ...], task: str, rows: NDArray[np.int64]
) -> Target:
    """Understand the target columns.

    Parameters
    ----------
    table : DataFrame
        Rows in which no target is missing.
    names : tuple of str
        Target columns.
    task : str
        One of :data:`TASKS`.
    rows : ndarray of int64, shape (rows,)
        Row numbers to name in messages, from 1.

    Returns
    -------
    Target

    Raises
    ------
    DataError
        On a target that cannot be predicted: one value, nearly only distinct texts, infinities.
    SettingError
        On an unknown task, or one that does not fit the target.
    """
    require_known("task", task, TASKS)
    if len(names) > 1:
        if task == "classification":
            raise SettingError(
                f"{len(names)} targets were given for classification, which takes one; "
                "choose one of them, or regression"
            )
        return _regression(table, names, rows)
    column = table[names[0]]
    numbers = _as_numbers(column)
    if task == "regression":
        return _regression(table, names, rows)
    if numbers is None:
        return _classification(column, names, None, task)
    require_finite(names[0], numbers, rows)
    if task == "auto" and not _few_values(numbers):
        return _regression(table, names, rows)
    return _classification(column, names, numbers, task)


def _as_numbers(column: pd.Series) -> NDArray[np.float64] | None:
    """The values as float64 where all are numbers (or strings of numbers), else None."""
    import pandas as pd
    from pandas.api import types

    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype) or types.is_bool_dtype(dtype):
        return None
    if types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        return None
    if types.is_complex_dtype(dtype):
        raise DataError(f"target '{column.name}' has complex numbers; give real numbers or classes")
    if not types.is_numeric_dtype(dtype):
        if any(isinstance(value, bool) for value in column):
            return None
        try:
            column = pd.to_numeric(column)
        except (ValueError, TypeError):
            return None
    numbers: NDArray[np.float64] = column.to_numpy(dtype=np.float64)
    return numbers


def _few_values(numbers: NDArray[np.float64]) -> bool:
    """Whether numbers look like class labels: two values, or few for so many rows."""
    distinct = np.unique(numbers)
    if len(distinct) <= 2:
        return True
    if np.all(distinct == np.floor(distinct)):
        return len(distinct) <= 20 and len(numbers) >= 2 * len(distinct)
    return len(distinct) <= 10 and len(numbers) >= 10 * len(distinct)


def _classification(
    column: pd.Series, names: tuple[str, ...], numbers: NDArray[np.float64] | None, task: str
) -> Target:
    name = names[0]
    indices, classes = _class_indices(column, numbers)
    counts = np.bincount(indices, minlength=len(classes))
    if len(classes) == 1:
        raise DataError(
            f"target '{name}' has only one class, '{classes[0]}'; classification needs at least 2"
        )
    if len(classes) > len(indices) / 2:
        raise DataError(
            f"target '{name}' has {len(classes):,} different values in "
            f"{counted(len(indices), 'row')}, too many to be classes; "
            + _remedy_for_many(classes, is_numeric=numbers is not None)
        )
    warnings = []
    if numbers is not None and task == "auto" and len(classes) > 2:
        warnings.append(
            f"Target '{name}' looks numeric but has only {len(classes)} different values, so they "
            "were taken as classes; say regression (--task regression) to predict the number."
        )
    lone = [label for label, count in zip(classes, counts, strict=True) if count == 1]
    if lone:
        shown = ", ".join(f"'{label}'" for label in lone[:5]) + (", …" if len(lone) > 5 else "")
        warnings.append(
            f"{'Class' if len(lone) == 1 else 'Classes'} {shown} of target '{name}' "
            f"{'has' if len(lone) == 1 else 'have'} a single row, which is always trained on and "
            "never validated or tested."
        )
    task_found: Task = "binary" if len(classes) == 2 else "multiclass"
    values = indices.astype(np.float64)[:, None]
    return Target(task_found, values, classes, names, tuple(warnings))


def _remedy_for_many(classes: tuple[str, ...], *, is_numeric: bool) -> str:
    import pandas as pd

    if is_numeric:
        return "choose regression to predict a number"
    words = [
        label
        for label, number in zip(
            classes, pd.to_numeric(list(classes), errors="coerce"), strict=True
        )
        if np.isnan(number)
    ]
    if len(words) < len(classes) / 2:
        return f"for a regression, correct what is no number, such as '{words[0]}'"
    return "choose another target, or merge classes"


def _class_indices(
    column: pd.Series, numbers: NDArray[np.float64] | None
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Class indices and names: numbers and text sorted, categories in their own order."""
    import pandas as pd

    if numbers is not None:
        distinct, indices = np.unique(numbers, return_inverse=True)
        return indices, tuple(f"{value:.15g}" for value in distinct)
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.cat.remove_unused_categories()
        labels = tuple(str(label) for label in column.cat.categories)
        return column.cat.codes.to_numpy(dtype=np.int64), labels
    codes, words = pd.factorize(column.map(lambda value: str(value).strip()), sort=True)
    return codes.astype(np.int64), tuple(str(word) for word in words)


def _regression(table: pd.DataFrame, names: tuple[str, ...], rows: NDArray[np.int64]) -> Target:
    from pandas.api.types import is_bool_dtype

    values = np.empty((len(table), len(names)))
    for position, name in enumerate(names):
        column = table[name]
        numbers = column.to_numpy(float) if is_bool_dtype(column.dtype) else _as_numbers(column)
        if numbers is None:
            raise DataError(
                f"target '{name}' holds values such as '{column.iloc[0]}'; regression needs "
                "numbers, so choose classification or another target"
            )
        require_finite(name, numbers, rows)
        if numbers.min() == numbers.max():
            raise DataError(
                f"target '{name}' is {numbers[0]:g} in every row; there is nothing to predict"
            )
        values[:, position] = numbers
    return Target("regression", values, (), names)
