"""Studies with losses written down instead of trained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shrinkage.data import Data, Description, Part, TestSet
from shrinkage.network import Network, layout
from shrinkage.study import Fit, Status, Study, Trial
from shrinkage.training import Training

ROWS = 100


def make_data(task="binary", folds=5, repeats=1, weights=None):
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(ROWS, 2)).astype(np.float32)
    if task == "regression":
        targets = rng.normal(size=(ROWS, 1))
        targets = (targets - targets.mean()) / targets.std()
    else:
        targets = (np.arange(ROWS) % (2 if task == "binary" else 3))[:, None]
    shared = {
        "inputs": inputs,
        "targets": targets.astype(np.float32),
        "weights": np.ones(ROWS, np.float32) if weights is None else weights,
        "columns": ("a", "b"),
        "center": np.zeros(2),
        "scale": np.ones(2),
        "target_center": np.zeros(1),
        "target_scale": np.full(1, 2.0 if task == "regression" else 1.0),
    }
    parts = []
    for _ in range(repeats):
        for validation in np.array_split(rng.permutation(ROWS), folds):
            train = np.setdiff1d(np.arange(ROWS), validation)
            parts.append(Part(train=train, validation=np.sort(validation), **shared))
    full = Part(train=np.arange(ROWS), validation=np.arange(0), **shared)
    classes = {"binary": ("no", "yes"), "multiclass": ("x", "y", "z"), "regression": ()}[task]
    counts = tuple((name, 1) for name in classes)
    return Data(
        name="toy",
        task=task,
        classes=classes,
        target_names=("target",),
        parts=tuple(parts),
        folds=folds,
        repeats=repeats,
        full=full,
        test=TestSet(inputs[:10], shared["targets"][:10], shared["weights"][:10]),
        description=Description("toy", 110, 2, 2, "target", task, counts, 100, 10, folds, repeats),
        fingerprint="",
    )


def make_fit(data, penalty, lam, fold, train, validation, *, ok=True, seed=0, class_weight="none"):
    """A fit whose curve is `validation` (one number: no curve) and ends at `train`."""
    network = Network(2, (4,), data.n_outputs)
    training = Training(data.loss, epochs=100, class_weight=class_weight)
    curve = np.atleast_1d(np.asarray(validation, dtype=float))
    return Fit(
        trial=Trial(network, training, penalty, lam, fold, seed),
        parameters=np.zeros(layout(network).size, np.float32),
        epochs=np.linspace(0, 100, curve.size + 1).astype(np.int64)[1:],
        train_loss=np.linspace(0.7, train, curve.size),
        validation_loss=curve,
        final_train_loss=train,
        outputs=np.zeros((20, data.n_outputs), np.float32),
        status=Status.COMPLETED if ok else Status.DIVERGED,
        stopped_at=100,
    )


@pytest.fixture(name="make_data")
def make_data_fixture():
    return make_data


@pytest.fixture(name="make_fit")
def make_fit_fixture():
    return make_fit


@pytest.fixture
def make_study():
    """Build a study from {(penalty, λ): (train losses, validation losses)}, one for each fold.

    A validation entry may be a curve; a NaN or a missing entry is a trial without a fit.
    """

    def build(points, data=None, diverged=()):
        data = data or make_data()
        fits, trials = [], []
        for (penalty, lam), (train, validation) in points.items():
            for fold in range(len(data.parts)):
                entry = validation[fold] if fold < len(validation) else np.nan
                loss = train[fold] if np.ndim(train) else train
                fit = make_fit(data, penalty, lam, fold, float(loss), entry)
                if (penalty, lam, fold) in diverged:
                    fit = replace(fit, status=Status.DIVERGED)
                trials.append(fit.trial)
                if not np.all(np.isnan(entry)):
                    fits.append(fit)
        return Study.of(data, trials, fits[::-1], {})

    return build
