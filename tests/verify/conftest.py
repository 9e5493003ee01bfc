"""Real tables and networks whose parameters are written down, so that nothing is trained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from shrinkage.data.prepare import prepare
from shrinkage.network import Network, initialize, layout
from shrinkage.study import Fit, Status, Study, Trial
from shrinkage.training import Training


def make_data(task="binary", inputs=2, rows=120, folds=3):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, inputs)) * 10.0 ** np.arange(inputs) + 5.0
    table = pd.DataFrame(x, columns=[f"x{i}" for i in range(inputs)])
    signal = (x[:, 0] - 5.0) + 0.5 * rng.normal(size=rows)
    if task == "regression":
        table["y"] = 100.0 + 20.0 * signal
    else:
        edges = [0.0] if task == "binary" else [-0.5, 0.5]
        table["y"] = np.array(["low", "mid", "top"])[np.digitize(signal, edges)]
    kind = "regression" if task == "regression" else "classification"
    return prepare(table, "y", task=kind, folds=folds, repeats=1, name="toy")


def make_fit(data, *, penalty=None, lam=0.0, fold=None, seed=0, hidden=(6,), shrink=1.0, ok=True):
    """A network with its initial weights times `shrink`; a fold's losses are written down too."""
    network = Network(data.part(fold).n_inputs, hidden, data.n_outputs, activation="tanh")
    validation = (
        np.array([0.6, 0.3, 0.5 - 0.1 * (lam > 0)]) if fold is not None else np.full(3, np.nan)
    )
    parameters = initialize(network, seed)
    parameters[layout(network).penalized] *= shrink
    return Fit(
        trial=Trial(network, Training(data.loss, epochs=30), penalty, lam, fold, seed),
        parameters=parameters,
        epochs=np.array([10, 20, 30]),
        train_loss=np.array([0.6, 0.3, 0.2]),
        validation_loss=validation,
        final_train_loss=0.2,
        outputs=np.zeros((0, data.n_outputs), np.float32),
        status=Status.COMPLETED if ok else Status.DIVERGED,
        stopped_at=30,
    )


def make_study(data, points, *, seeds=(0, 1), without=(), hidden=(6,)):
    """Fold fits and refits of each (penalty, λ), no penalty first; λ shrinks the weights."""
    fits = []
    for penalty, lam in ((None, 0.0), *points):
        how = {"penalty": penalty, "lam": lam, "hidden": hidden, "shrink": 1 / (1 + 10 * lam)}
        fits += [make_fit(data, fold=fold, **how) for fold in range(len(data.parts))]
        fits += [make_fit(data, seed=seed, **how) for seed in seeds]
    trials = [fit.trial for fit in fits]
    kept = [
        fit for fit in fits if (fit.trial.penalty, fit.trial.lam, fit.trial.fold) not in without
    ]
    return Study.of(data, trials, kept, {})


@pytest.fixture(name="make_data")
def make_data_fixture():
    return make_data


@pytest.fixture(name="make_fit")
def make_fit_fixture():
    return make_fit


@pytest.fixture(name="make_study")
def make_study_fixture():
    return make_study


@pytest.fixture
def with_weights():
    """The same test set with other sample weights."""
    return lambda test, weights: replace(test, weights=np.asarray(weights, np.float32))
