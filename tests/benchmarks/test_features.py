"""The selection of inputs is honest: few enough, by validation, and scored on untouched rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from benchmarks.measure import Effort

from benchmarks import features
from shrinkage.data import prepare


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(240, 12)), columns=[f"x{i}" for i in range(12)])
    frame["y"] = np.where(frame["x3"] + frame["x7"] > 0, "yes", "no")
    return prepare(frame, "y", name="two of twelve", folds=3, repeats=1)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(features, "LAMBDAS", (0.001, 0.02, 0.05, 3.0))
    monkeypatch.setattr(features, "HIDDEN", (12,))
    monkeypatch.setattr(features, "SETTINGS", features.SETTINGS | {"batch_size": 32})


def table(most):
    return features.Table("two of twelve", most, epochs=60, relaxed=10)


def test_the_inputs_that_matter_are_found(data):
    lam, small = features.select_inputs(data, table(4), Effort())
    assert lam in (0.02, 0.05)
    assert {3, 7} <= set(small.inputs.tolist())
    assert small.network.inputs <= 4
    found = features.ours(data, table(4), Effort())
    assert found.inputs == small.network.inputs
    assert found.accuracy > 0.9


def test_where_no_strength_leaves_few_enough_the_strongest_is_taken(data):
    lam, _ = features.select_inputs(data, table(0), Effort())
    assert lam == 3.0


def test_the_compared_network_takes_all_inputs(data):
    plain = features.unregularized(data, Effort(quick=True))
    assert plain.inputs == 12
    assert 0 <= plain.accuracy <= 1


def test_without_its_tables_it_says_what_is_missing(monkeypatch):
    monkeypatch.delenv("SHRINKAGE_TABLES", raising=False)
    (row,) = features.rows(Effort())
    assert row.value is None
    assert "madelon is read from a file" in row.detail
