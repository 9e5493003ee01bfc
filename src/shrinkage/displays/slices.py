"""What any fitted estimator answers over a slice or the principal plane of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shrinkage.data import Data
from shrinkage.data.numeric import Arrays, from_arrays
from shrinkage.errors import DataError, SettingError, require_known
from shrinkage.verify.boundary import Boundary, Plane, Surface, grid_of, plane_through

Floats = NDArray[np.float64]

OTHERS = ("median", "mean")


@dataclass(frozen=True, eq=False)
class Slice:
    """Which columns of a table vary.

    Parameters
    ----------
    table : DataFrame
        All rows.
    named : bool
        Whether the table came with names, and the estimator is to be asked with them.
    columns : tuple of int
        Those that vary: one or two of them, or all, over their principal plane.
    others : str
        What the others are held at: ``"median"`` or ``"mean"``; the commonest value where a column
        is not of numbers.
    """

    table: pd.DataFrame
    named: bool
    columns: tuple[int, ...]
    others: str

    def rows(self, values: Floats) -> Any:
        """Rows to ask the estimator about, with these values in the varying columns."""
        filled = {}
        for place, (name, column) in enumerate(self.table.items()):
            if place in self.columns:
                filled[name] = pd.Series(values[:, self.columns.index(place)])
            elif pd.api.types.is_numeric_dtype(column):
                filled[name] = pd.Series(getattr(column, self.others)(), index=range(len(values)))
            else:
                commonest = column.mode().iloc[0]
                filled[name] = pd.Series(commonest, index=range(len(values)), dtype=column.dtype)
        rows = pd.DataFrame(filled)
        return rows if self.named else rows.to_numpy(dtype=np.float64)

    @property
    def names(self) -> list[str]:
        """Of the varying columns."""
        return [str(self.table.columns[place]) for place in self.columns]

    @property
    def numbers(self) -> Floats:
        """The varying columns of all rows.

        Raises
        ------
        SettingError
            When one is not of numbers.
        """
        chosen = self.table.iloc[:, list(self.columns)]
        text = [name for name in chosen if not pd.api.types.is_numeric_dtype(chosen[name])]
        if text:
            raise SettingError(
                f"column '{text[0]}' is not of numbers, so no boundary can be drawn along it; name "
                "one or two that are with features=(…, …)"
            )
        numbers: Floats = chosen.to_numpy(dtype=np.float64)
        return numbers


def slice_of(estimator: Any, X: Any, features: Sequence[int | str] | None, others: str) -> Slice:
    """The columns of `X` that `features` names: by position or name; None for all.

    Raises
    ------
    SettingError
        On a column that does not exist, or more than two.
    """
    require_known("value of others", others, OTHERS)
    named = isinstance(X, pd.DataFrame)
    if named:
        table = X
    else:
        dense = np.asarray(X.toarray() if hasattr(X, "toarray") else X)
        if dense.ndim != 2:
            raise DataError(f"X has {dense.ndim} dimensions; it must be rows by columns")
        given = getattr(estimator, "feature_names_in_", None)
        known = given if given is not None else [f"x{i}" for i in range(dense.shape[1])]
        table = pd.DataFrame(dense, columns=list(known))
    names = [str(name) for name in table.columns]
    places = range(len(names)) if features is None else places_of(names, features)
    return Slice(table, named, tuple(places), others)


def places_of(names: Sequence[str], features: Sequence[int | str]) -> list[int]:
    """Positions of at most two columns, given by position or name.

    Raises
    ------
    SettingError
        On a column that does not exist, or more than two.
    """
    if len(features) > 2:
        raise SettingError(f"features has {len(features)} columns; name one or two")
    places = []
    for feature in features:
        if isinstance(feature, str):
            require_known("column", feature, names)
            places.append(list(names).index(feature))
        elif 0 <= int(feature) < len(names):
            places.append(int(feature))
        else:
            raise SettingError(f"there is no column {feature}; there are 0 to {len(names) - 1}")
    return places


def answers_over(estimator: Any, chosen: Slice, y: Any, label: str, grid: int) -> Boundary:
    """What the estimator answers at each point of a grid.

    Parameters
    ----------
    estimator : estimator
        Fitted; asked by ``predict_proba`` where it has one, else by ``predict``.
    chosen : Slice
        Where.
    y : array-like or None
        Target of each row; what the estimator predicts, when None.
    label : str
        What the surface is called.
    grid : int
        Points along each axis.

    Returns
    -------
    Boundary
        With one surface.
    """
    classes = getattr(estimator, "classes_", None)
    numbers = chosen.numbers
    targets = _targets(estimator.predict(_as_given(chosen)) if y is None else y, classes)
    if len(targets) != len(numbers):
        raise DataError(f"X has {len(numbers)} rows, but y has {len(targets)}; they must agree")
    shown = np.isfinite(numbers).all(axis=1) & np.isfinite(targets)
    arrays = Arrays(numbers[shown], targets[shown, None], np.ones(int(shown.sum())))
    names = None if classes is None else list(classes)
    data = from_arrays(arrays, classes=names, merge=False, columns=chosen.names)
    plane = _told(plane_through(data, grid), chosen)
    # Where a column never changes, its scale is infinite and the grid does not leave it.
    width = np.where(np.isinf(data.full.scale), 0.0, data.full.scale)
    rows = chosen.rows(grid_of(plane) * width + data.full.center)
    return Boundary(
        data.task, data.classes, plane, (_surface(estimator, rows, data, plane, label),)
    )


def _as_given(chosen: Slice) -> Any:
    return chosen.table if chosen.named else chosen.table.to_numpy()


def _targets(y: Any, classes: NDArray[Any] | None) -> Floats:
    """Class indices, or the first target."""
    given = np.asarray(y)
    given = given[:, 0] if given.ndim == 2 else given
    if classes is None:
        return given.astype(np.float64)
    unknown = ~np.isin(given, classes)
    if unknown.any():
        raise DataError(
            f"y has the label {given[unknown][0]}, which the estimator does not know; its classes "
            f"are {', '.join(map(str, classes))}"
        )
    places: Floats = np.searchsorted(classes, given).astype(np.float64)
    return places


def _told(plane: Plane, chosen: Slice) -> Plane:
    """The plane, whose sentence tells where the columns are that do not vary."""
    others = chosen.table.shape[1] - len(chosen.columns)
    if not others:
        return plane
    held = f"the other {others} at {'its' if others == 1 else 'their'} {chosen.others}"
    held += "" if others == 1 else "s"
    along = " and ".join(chosen.names)
    return replace(plane, sentence=plane.sentence.replace(f"{along}.", f"{along}, {held}.", 1))


def _surface(estimator: Any, rows: Any, data: Data, plane: Plane, label: str) -> Surface:
    shape = (plane.y.size, plane.x.size)
    winners = None
    if data.task == "regression":
        values = np.asarray(estimator.predict(rows), dtype=np.float64).reshape(len(rows), -1)[:, 0]
    elif hasattr(estimator, "predict_proba"):
        shares = np.asarray(estimator.predict_proba(rows), dtype=np.float64)
        values = shares[:, 1] if data.task == "binary" else shares.max(axis=1)
        winners = shares.argmax(axis=1)
    else:
        winners = _targets(estimator.predict(rows), estimator.classes_).astype(np.intp)
        values = winners.astype(np.float64) if data.task == "binary" else np.ones(len(rows))
    return Surface(
        label=label,
        lam=0.0,
        values=values.astype(np.float32).reshape(shape),
        winners=None if winners is None else winners.astype(np.uint16).reshape(shape),
    )
