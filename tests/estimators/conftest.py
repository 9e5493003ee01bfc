"""Small tables, and small networks to train on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

Rows = tuple[NDArray[np.float64], NDArray[Any]]


@pytest.fixture(scope="session")
def small() -> dict[str, Any]:
    return {
        "hidden_layer_sizes": (8,),
        "max_iter": 15,
        "learning_rate_init": 0.02,
        "random_state": 0,
    }


@pytest.fixture(scope="session")
def cancer() -> Rows:
    X, y = load_breast_cancer(return_X_y=True)
    return X[:200], y[:200]


@pytest.fixture(scope="session")
def wine() -> Rows:
    X, y = load_wine(return_X_y=True)
    return X, y


@pytest.fixture(scope="session")
def diabetes() -> Rows:
    X, y = load_diabetes(return_X_y=True)
    return X[:200], y[:200]
