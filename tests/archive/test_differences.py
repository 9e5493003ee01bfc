"""In what two tables differ, as far as their arrays tell."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pandas as pd
import pytest

from shrinkage.archive import StudyFile, kept_data
from shrinkage.archive.differences import columns_differ
from shrinkage.data import Data, prepare

REORDERED = "the same rows in another order"
VALUES = "the same columns hold other values"


def table() -> pd.DataFrame:
    """With a large offset, repeated values, and categories."""
    rng = np.random.default_rng(0)
    first = rng.standard_normal(60)
    return pd.DataFrame(
        {
            "a": 1e6 + first,
            "b": rng.integers(0, 4, 60),
            "c": rng.choice(["x", "y", "z"], 60),
            "number": first + rng.standard_normal(60),
            "class": np.where(first > 0, "yes", "no"),
        }
    )


def made(rows: pd.DataFrame, target: str = "class", name: str = "d.csv", seed: int = 0) -> Data:
    other = "number" if target == "class" else "class"
    seen = rows.drop(columns=other)
    return prepare(seen, target, name=name, folds=2, repeats=1, seed=seed)


@pytest.fixture
def changed(tmp_path, run_of, plan):
    """What a file that has one table says of another."""

    def found(before: Data, now: Data) -> list[str]:
        path = tmp_path / "a.study"
        with StudyFile(path) as file:
            file.begin(before, run_of(plan))
        with closing(sqlite3.connect(path)) as connection:
            return kept_data.changed(connection, now)

    return found


@pytest.mark.parametrize("target", ["class", "number"])
def test_rows_in_another_order(changed, target):
    rows = table()
    before = made(rows, target)
    assert changed(before, made(rows, target)) == []
    assert changed(before, made(rows.iloc[::-1], target)) == [REORDERED]
    renamed = made(rows.iloc[::-1], target, name="e.csv")
    assert changed(before, renamed) == ["the source was d.csv, now e.csv", REORDERED]


def test_other_rows_set_aside(changed):
    found = changed(made(table()), made(table(), seed=1))
    assert found == ["the same rows, others of them set aside for the test"]


@pytest.mark.parametrize("order", [1, -1])
def test_another_value_is_no_other_order(changed, order):
    rows = table()
    rows.loc[7, "b"] = 3 - rows.loc[7, "b"]
    assert changed(made(table()), made(rows.iloc[::order])) == [VALUES]


@pytest.mark.parametrize("name", ["d.csv", "e.csv"])
def test_another_name_of_a_column(changed, name):
    found = changed(made(table()), made(table().rename(columns={"b": "bb"}), name=name))
    source = [] if name == "d.csv" else ["the source was d.csv, now e.csv"]
    assert found == [*source, "columns b, now bb"]


def test_columns_that_are_gone_or_new(changed):
    rows = table()
    less = made(rows.drop(columns="b"))
    assert changed(made(rows), less)[-1] == "without b"
    assert changed(less, made(rows))[-1] == "with b besides"
    other = made(rows[["b", "a", "c", "number", "class"]])
    assert changed(made(rows), other) == ["the columns in another order"]


def test_of_many_columns_some_are_named():
    before = [f"x{place}" for place in range(10)]
    assert columns_differ(before, ["y"]) == ["columns x0, x1, x2, x3, x4, x5, and 4 more, now y"]


def test_data_that_are_not_in_the_file(changed, monkeypatch):
    """Of what they were nothing is known but their digest, so nothing is said of it."""
    monkeypatch.setattr(kept_data, "LARGEST", 0)
    assert changed(made(table()), made(table().iloc[::-1])) == ["columns or values are others"]
