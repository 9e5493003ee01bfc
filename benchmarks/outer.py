"""Real tables and their outer splits: the same rows for every method, and for networks encoded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shrinkage.data import Data, bundled, prepare
from shrinkage.errors import SettingError

FOLDER_VARIABLE = "SHRINKAGE_TABLES"
FROM_FILES = (
    "adult", "blood-transfusion", "credit-g", "madelon", "mice-protein", "phoneme", "spambase",
    "vehicle",
)  # fmt: skip
FROM_SCIKIT_LEARN = ("breast_cancer", "digits", "wine")
TABLES = FROM_FILES + FROM_SCIKIT_LEARN
SHARE = 0.2
"""Of the rows, for the outer test set."""
_SMALL = 20_000
"""Rows up to which inner cross-validation has five folds, the package's own habit; else three."""

Rows = NDArray[np.int64]
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Outer:
    """One outer split of a table.

    Parameters
    ----------
    table : str
        Its name.
    split : int
        Seed of the split.
    frame : DataFrame
        The whole table as read, without its target; text columns as categories.
    labels : ndarray of int64, shape (rows,)
        Index of the class.
    data : Data
        The same rows for a network: encoded by the training rows, with inner folds.
    """

    table: str
    split: int
    frame: pd.DataFrame
    labels: Labels
    data: Data

    @property
    def train(self) -> tuple[pd.DataFrame, Labels]:
        """Inputs as read, and classes, of the outer training rows."""
        rows = self.data.train_rows
        return self.frame.iloc[rows].reset_index(drop=True), self.labels[rows]

    @property
    def test(self) -> tuple[pd.DataFrame, Labels]:
        """The same of the outer test rows."""
        rows = self.data.test_rows
        return self.frame.iloc[rows].reset_index(drop=True), self.labels[rows]

    @cached_property
    def inner(self) -> list[tuple[Rows, Rows]]:
        """Inner folds over the outer training rows: the same for every method."""
        return [(part.train, part.validation) for part in self.data.parts]


def folder(given: str | None = None) -> Path | None:
    """Where the tables lie: as given, else as the environment says."""
    place = given or os.environ.get(FOLDER_VARIABLE)
    return Path(place) if place else None


@lru_cache(maxsize=2)
def read(name: str, place: Path | None) -> tuple[pd.DataFrame, str]:
    """A table and the name of its target.

    Raises
    ------
    SettingError
        When it is not a bundled one and no file of that name is there.
    """
    if name in FROM_SCIKIT_LEARN:
        return bundled(name)
    if place is None:
        raise SettingError(
            f"{name} is read from a file; say where with --tables FOLDER or {FOLDER_VARIABLE}"
        )
    for ending in (".csv", ".csv.gz"):
        if (place / (name + ending)).exists():
            return pd.read_csv(place / (name + ending)), "target"
    raise SettingError(f"there is no {name}.csv or {name}.csv.gz in the folder of tables")


def outer(name: str, split: int, place: Path | None) -> Outer:
    """One outer split: 80 to 20, stratified, the split's number being the seed."""
    table, target = read(name, place)
    folds = 5 if len(table) <= _SMALL else 3
    data = prepare(
        table,
        target,
        task="classification",
        test_size=SHARE,
        seed=split,
        folds=folds,
        repeats=1,
        name=name,
    )
    names = table[target].astype(str)
    labels = names.map({label: index for index, label in enumerate(data.classes)})
    return Outer(name, split, _categories(table.drop(columns=target)), labels.to_numpy(), data)


def _categories(frame: pd.DataFrame) -> pd.DataFrame:
    """Text as categories, of the whole table, so that trees know all of them by number."""
    text: dict[Any, Any] = {
        column: frame[column].astype("category")
        for column in frame.columns
        if not pd.api.types.is_numeric_dtype(frame[column])
    }
    return frame.assign(**text)
