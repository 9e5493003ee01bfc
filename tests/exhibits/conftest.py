"""Studies of exhibits with losses written down instead of trained."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from shrinkage.data import Data, Description, Part, TestSet
from shrinkage.exhibits import Basis
from shrinkage.exhibits.exhibit import Exhibit
from shrinkage.network import Network, layout
from shrinkage.study import Fit, Status, Study, Trial
from shrinkage.training import Training


def synthetic_data(rows: int = 100, folds: int = 5, repeats: int = 1) -> Data:
    """Two classes, two inputs, and folds of equal size."""
    rng = np.random.default_rng(0)
    shared = {
        "inputs": rng.normal(size=(rows, 2)).astype(np.float32),
        "targets": (np.arange(rows) % 2)[:, None].astype(np.float32),
        "weights": np.ones(rows, np.float32),
        "columns": ("a", "b"),
        "center": np.zeros(2),
        "scale": np.ones(2),
        "target_center": np.zeros(1),
        "target_scale": np.ones(1),
    }
    parts = []
    for _ in range(repeats):
        for validation in np.array_split(rng.permutation(rows), folds):
            train = np.setdiff1d(np.arange(rows), validation)
            parts.append(Part(train=train, validation=np.sort(validation), **shared))
    return Data(
        name="toy",
        task="binary",
        classes=("no", "yes"),
        target_names=("target",),
        parts=tuple(parts),
        folds=folds,
        repeats=repeats,
        full=Part(train=np.arange(rows), validation=np.arange(0), **shared),
        test=TestSet(shared["inputs"][:10], shared["targets"][:10], shared["weights"][:10]),
        description=Description(
            "toy", rows, 2, 2, "target", "binary", (("no", 1), ("yes", 1)), rows, 10, folds, repeats
        ),
        fingerprint="",
    )


def written_fit(trial: Trial, train: float, validation: float) -> Fit:
    """A fit with these final losses; diverged where one is not finite."""
    ok = bool(np.isfinite([train, validation]).all())
    return Fit(
        trial=trial,
        parameters=np.zeros(layout(trial.network).size, np.float32),
        epochs=np.array([trial.training.epochs]),
        train_loss=np.array([train]),
        validation_loss=np.array([validation]),
        final_train_loss=train,
        outputs=np.zeros((20, 1), np.float32),
        status=Status.COMPLETED if ok else Status.DIVERGED,
        stopped_at=trial.training.epochs,
    )


@pytest.fixture(name="synthetic_data")
def synthetic_data_fixture() -> Callable[..., Data]:
    return synthetic_data


@pytest.fixture
def written() -> Callable[[Trial, float, float], Fit]:
    return written_fit


@pytest.fixture
def synthetic_basis() -> Callable[..., Basis]:
    """A basis on synthetic data; keywords go to the data."""

    def build(choice=None, hidden=(4,), **settings) -> Basis:
        data = synthetic_data(**settings)
        training = Training(data.loss, epochs=100, batch_size=32)
        return Basis(data, Network(2, hidden, 1), training, choice=choice)

    return build


@pytest.fixture
def written_study() -> Callable[..., Study]:
    """The study of an exhibit whose losses a function of the trial tells: (train, validation).

    None from the function is a trial without a fit.
    """

    def build(exhibit: Exhibit, basis: Basis, losses) -> Study:
        trials = list(exhibit.trials(basis))
        told = {trial: losses(trial) for trial in trials}
        fits = [written_fit(trial, *pair) for trial, pair in told.items() if pair is not None]
        return Study.of(basis.data, trials, fits[::-1], {})

    return build
