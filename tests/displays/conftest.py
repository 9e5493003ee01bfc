"""Small findings and estimators, made once; every figure that a test opens is closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from sklearn.datasets import make_moons

from shrinkage import data as tables
from shrinkage import findings, tune
from shrinkage.estimators import ShrinkageClassifierCV
from shrinkage.findings import Findings

mpl.use("Agg")


def _findings(source: str) -> Findings:
    table, target, name = tables.open_source(source, samples=120 if source == "moons" else None)
    data = tables.prepare(table, target, name=name, folds=3, repeats=1)
    plan = tune.plan(
        data, training=tune.default_training(data, epochs=8), lambdas=(0.001, 0.1), refits=1
    )
    search = tune.Search(data, plan, threads=1)
    list(search)
    return findings.find(search.study, plan)


@pytest.fixture(scope="session")
def moons() -> Findings:
    return _findings("moons")


@pytest.fixture(scope="session")
def wine() -> Findings:
    return _findings("wine")


@pytest.fixture(scope="session")
def diabetes() -> Findings:
    return _findings("diabetes")


@pytest.fixture(scope="session")
def rows() -> tuple[np.ndarray, np.ndarray]:
    """Two inputs and two classes, called by words."""
    inputs, index = make_moons(90, noise=0.3, random_state=0)
    return inputs, np.array(["upper", "lower"])[index]


@pytest.fixture(scope="session")
def estimator(rows: tuple[np.ndarray, np.ndarray]) -> ShrinkageClassifierCV:
    return ShrinkageClassifierCV(
        hidden_layer_sizes=(16,),
        penalty=("l1", "l2"),
        lambdas=(0.001, 0.1),
        max_iter=8,
        cv=3,
        random_state=0,
    ).fit(*rows)


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Figures are closed, and no style outlives a test."""
    settings = dict(mpl.rcParams)
    yield
    plt.close("all")
    assert dict(mpl.rcParams) == settings


@pytest.fixture
def ax() -> Axes:
    """Axes of the caller's."""
    return plt.subplots()[1]


def same_records(first: Any, second: Any) -> None:
    """Equal records, arrays compared by value."""
    if hasattr(first, "__dataclass_fields__"):
        assert type(first) is type(second)
        for name in first.__dataclass_fields__:
            same_records(getattr(first, name), getattr(second, name))
    elif isinstance(first, tuple):
        assert len(first) == len(second)
        for one, other in zip(first, second):
            same_records(one, other)
    else:
        np.testing.assert_array_equal(first, second)


@pytest.fixture
def same() -> Callable[[Any, Any], None]:
    return same_records
