"""A λ grid on the same folds as scikit-learn's ``GridSearchCV(MLPClassifier, n_jobs=-1)``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks import sgemm
from benchmarks.machine import cores
from benchmarks.measure import Effort, interleaved, of_times, seconds
from benchmarks.problems import problem, save
from benchmarks.table import Median, Row
from benchmarks.worker import PeerError, Worker
from shrinkage.data import Data
from shrinkage.engine.pool import train
from shrinkage.network import Network
from shrinkage.penalties import L2
from shrinkage.study import Fit, Trial
from shrinkage.training import Training

HIDDEN, BATCH, RATE = (128, 128), 32, 0.001
LAMBDAS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
BAR = 8.0


@dataclass(frozen=True)
class Setting:
    """How the peer's process is set up; the fastest is kept."""

    name: str
    environment: tuple[tuple[str, str], ...]
    dtype: str


def settings() -> list[Setting]:
    """Everything that may make the peer faster without changing its work.

    joblib holds BLAS to cores / workers = 1 thread in each of its processes by itself.
    """
    best = sgemm.fastest()
    kinds: dict[str, tuple[tuple[str, str], ...]] = {"default kernels": ()}
    if best.asked:
        kinds[str(best)] = (("OPENBLAS_CORETYPE", best.asked),)
    one = (("OPENBLAS_NUM_THREADS", "1"), ("OMP_NUM_THREADS", "1"))
    return [
        Setting(f"{dtype}, {kind}, {threads}", environment + limit, dtype)
        for dtype in ("float32", "float64")
        for kind, environment in kinds.items()
        for threads, limit in (("threads left to joblib", ()), ("BLAS threads 1", one))
    ]


def rows(effort: Effort) -> list[Row]:
    """One row for each table."""
    return [
        _compare(problem("moons"), effort),
        _compare(problem("breast_cancer"), effort),
    ]


def _trials(data: Data, epochs: int) -> list[Trial]:
    network = Network(data.full.n_inputs, HIDDEN, initialization="glorot")
    training = Training(
        data.loss, learning_rate=RATE, schedule="constant", epochs=epochs, batch_size=BATCH,
        epsilon=1e-8,
    )  # fmt: skip
    return [
        Trial(network, training, L2(), lam, fold, fold)
        for lam in LAMBDAS
        for fold in range(len(data.parts))
    ]


def _compare(data: Data, effort: Effort) -> Row:
    epochs = effort.size(100, 4)
    trials = _trials(data, epochs)
    request: dict[str, Any] = {
        "folds": len(data.parts),
        "hidden": HIDDEN,
        "batch_size": BATCH,
        "learning_rate": RATE,
        # scikit-learn's alpha is divided by the rows of a batch, λ is not
        "alphas": [lam * BATCH for lam in LAMBDAS],
        "train_score": False,
    }
    name = f"λ grid, {data.name}: GridSearchCV time / ours"
    with TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        save(data, path)
        request["data"] = str(path)
        try:
            setting = _fastest(request | {"epochs": max(2, epochs // 10)})
            with Worker("scikit_learn", dict(setting.environment)) as worker:
                request |= {"epochs": epochs, "dtype": setting.dtype}
                theirs = worker.ask(**(request | {"train_score": True}))  # starts joblib's workers
                ours = list(train(trials, data))  # compiles
                times = interleaved(
                    {
                        "theirs": lambda: float(worker.ask(**request)["seconds"]),
                        "ours": lambda: seconds(lambda: list(train(trials, data))),
                    },
                    effort.rounds,
                )
        except PeerError as error:
            return Row(name, None, "×", BAR, detail=f"the peer cannot run: {error}")
    faster = of_times(times["theirs"], times["ours"])
    return Row(
        name,
        faster.value,
        "×",
        BAR,
        medians=(
            Median("shrinkage", median(times["ours"]), "s"),
            Median("GridSearchCV(MLPClassifier, n_jobs=-1)", median(times["theirs"]), "s"),
        ),
        best=faster.best,
        spread=faster.spread,
        detail=(
            f"{len(LAMBDAS)} λ × {len(data.parts)} folds, {data.full.n_inputs}-128-128-1, Adam "
            f"{RATE:g}, batch {BATCH}, {epochs} epochs each, {cores()} cores; peer's fastest "
            f"setting: {setting.name}; its alpha acts on the output layer too; "
            f"{_same_work(ours, theirs)}"
        ),
    )


def _fastest(request: dict[str, Any]) -> Setting:
    """The peer's best setting, from a short grid with each; twice, as the first starts workers."""
    times = {}
    for setting in settings():
        with Worker("scikit_learn", dict(setting.environment)) as worker:
            asked = request | {"dtype": setting.dtype}
            worker.ask(**asked)
            times[setting] = min(worker.ask(**asked)["seconds"] for _ in range(2))
    return min(times, key=lambda setting: times[setting])


def _same_work(ours: Iterable[Fit], theirs: dict[str, Any]) -> str:
    """Mean final losses of both, least to strongest λ."""
    by_lambda = {lam: [fit for fit in ours if fit.trial.lam == lam] for lam in LAMBDAS}
    train_loss = [np.mean([fit.final_train_loss for fit in fits]) for fits in by_lambda.values()]
    held_out = [np.mean([fit.final_validation_loss for fit in f]) for f in by_lambda.values()]

    def ends(values: Sequence[Any]) -> str:
        return f"{values[0]:.3f} … {values[-1]:.3f}"

    return (
        f"mean log loss from the least to the largest λ, ours and the peer's: training "
        f"{ends(train_loss)} and {ends(theirs['train'])}, validation "
        f"{ends(held_out)} and {ends(theirs['validation'])}"
    )
