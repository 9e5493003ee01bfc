"""``ShrinkageClassifierCV()`` as it comes, beside ``GridSearchCV(MLPClassifier)`` on the same λ."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import outer
from benchmarks.grid_search import Setting, settings
from benchmarks.machine import cores
from benchmarks.measure import Effort, interleaved, of_times
from benchmarks.table import Median, Row
from benchmarks.worker import PeerError, Worker
from shrinkage.errors import SettingError
from shrinkage.intervals import corrected_interval

TABLES = ("breast_cancer", "wine", "digits", "credit-g")
SPLITS, FOLDS = 5, 5
FASTER, IMPORT = 8.0, 1.5
DEFAULTS, ALIKE = "its defaults", "our batch, epochs and rate"


@dataclass(frozen=True, eq=False)
class Encoded:
    """An outer split as numbers: every contestant's pipeline starts with the same encoder."""

    train: NDArray[np.float32]
    labels: NDArray[np.int64]
    test: NDArray[np.float32]
    test_labels: NDArray[np.int64]


@dataclass(frozen=True)
class Outcome:
    """Seconds of ``fit``, refit included, and log loss on the outer test rows in nats."""

    seconds: float
    loss: float


def rows(effort: Effort) -> list[Row]:
    """Log loss and time for each table, and the time of the import."""
    tables = TABLES[1:2] if effort.quick else TABLES
    return [row for table in tables for row in _compare(table, effort)] + [_import(effort)]


def encoded(table: str, split: int, place: Path | None) -> Encoded:
    """A split through skrub's encoder, fitted on its training rows."""
    from skrub import TableVectorizer

    whole = outer.outer(table, split, place)
    (train, labels), (test, test_labels) = whole.train, whole.test
    encoder = TableVectorizer()
    inputs = [encoder.fit_transform(train), encoder.transform(test)]
    numbers = [np.asarray(some, dtype=np.float32) for some in inputs]
    return Encoded(numbers[0], labels, numbers[1], test_labels)


def ours(split: Encoded, seed: int) -> tuple[Outcome, dict[str, Any]]:
    """The estimator with its defaults; and what the peer needs to do the same work."""
    from sklearn.metrics import log_loss

    from shrinkage import ShrinkageClassifierCV

    begin = time.perf_counter()
    estimator = ShrinkageClassifierCV(random_state=seed).fit(split.train, split.labels)
    taken = time.perf_counter() - begin
    loss = log_loss(split.test_labels, estimator.predict_proba(split.test))
    training = estimator.predictor_.training
    return Outcome(taken, float(loss)), {
        # No penalty is a candidate too: the grid is equal when the peer has it as well.
        "lambdas": [0.0, *(float(lam) for lam in estimator.lambdas_)],
        "hidden": estimator.predictor_.network.hidden,
        "batch_size": training.batch_size,
        "epochs": training.epochs,
        "learning_rate": training.learning_rate,
        "fits": len(estimator.study_.fits),
    }


def theirs(
    worker: Worker, path: Path, kind: str, *, dtype: str, settings: dict[str, Any]
) -> Outcome:
    """The peer's search over the λ that ours tried."""
    chosen = settings if kind == ALIKE else {key: settings[key] for key in ("lambdas", "hidden")}
    answer = worker.ask(data=str(path), folds=FOLDS, dtype=dtype, **chosen)
    return Outcome(float(answer["seconds"]), float(answer["loss"]))


def _compare(table: str, effort: Effort) -> list[Row]:
    names = (
        f"{table}: GridSearchCV(MLPClassifier) time / ShrinkageClassifierCV()",
        f"{table}: test log loss, ShrinkageClassifierCV() − GridSearchCV(MLPClassifier)",
    )
    try:
        splits = [
            encoded(table, number, outer.folder()) for number in range(effort.size(SPLITS, 1))
        ]
        found, told = _measure(splits)
    except (PeerError, SettingError) as error:
        return [Row(name, None, detail=f"cannot run: {error}") for name in names]
    mine = found["ours"]
    rivals = {kind: found[kind] for kind in (DEFAULTS, ALIKE)}
    fastest = min(rivals, key=lambda kind: median(one.seconds for one in rivals[kind]))
    best = min(rivals, key=lambda kind: np.mean([one.loss for one in rivals[kind]]))
    ratio = of_times([o.seconds for o in rivals[fastest]], [o.seconds for o in mine])
    losses = np.array([[one.loss for one in some] for some in (mine, rivals[best])])
    worse = corrected_interval(losses[0] - losses[1], 1 - outer.SHARE, outer.SHARE)
    noise = max(worse.high - worse.estimate, 0.0)
    medians = tuple(
        Median(who, median(one.seconds for one in some), "s") for who, some in found.items()
    )
    means = ", ".join(
        f"{who} {np.mean([one.loss for one in some]):.3f}" for who, some in found.items()
    )
    return [
        Row(
            names[0], ratio.value, "×", FASTER, medians=medians, best=ratio.best,
            spread=ratio.spread, detail=f"beside the faster peer ({fastest}); {told}",
        ),
        Row(
            names[1], worse.estimate, "nats", noise, sense="at most",
            detail=f"beside the better peer ({best}); 95 % interval over {len(splits)} splits "
            f"[{worse.low:.3f}, {worse.high:.3f}]; mean log loss: {means}",
        ),
    ]  # fmt: skip


def _measure(splits: list[Encoded]) -> tuple[dict[str, list[Outcome]], str]:
    """Every contestant on every split, in turns; and the peer's settings in words."""
    found: dict[str, list[Outcome]] = {"ours": [], DEFAULTS: [], ALIKE: []}

    def keep(who: str, work: Callable[[], Outcome]) -> float:
        found[who].append(work())
        return found[who][-1].seconds

    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.npz" for number in range(len(splits))]
        for path, split in zip(paths, splits, strict=True):
            np.savez(path, **vars(split))
        _, alike = ours(splits[0], 0)  # compiles, and says what the peer has to do
        setting = _fastest(paths[0], alike)
        with Worker("mlp_search", dict(setting.environment)) as worker:
            theirs(
                worker, paths[0], DEFAULTS, dtype=setting.dtype, settings=alike | {"lambdas": [0.0]}
            )
            for number, (path, split) in enumerate(zip(paths, splits, strict=True)):
                _, alike = ours(split, number)
                peer = partial(theirs, worker, path, dtype=setting.dtype, settings=alike)
                work = {
                    "ours": lambda s=split, n=number: ours(s, n)[0],
                    DEFAULTS: partial(peer, kind=DEFAULTS),
                    ALIKE: partial(peer, kind=ALIKE),
                }
                interleaved({kind: partial(keep, kind, one) for kind, one in work.items()}, 1)
    return found, (
        f"{len(alike['lambdas'])} λ × {FOLDS} folds and a refit ({alike['fits']} fits of ours, "
        f"with the refit that has no penalty); ours: batch {alike['batch_size']}, "
        f"{alike['epochs']} epochs, rate {alike['learning_rate']:g}; {cores()} cores; "
        f"peer's fastest setting: {setting.name}"
    )


def _fastest(path: Path, alike: dict[str, Any]) -> Setting:
    """The peer's best process: threads of BLAS, its kernels and the precision."""
    times = {}
    short = alike | {"epochs": max(2, alike["epochs"] // 20)}
    for setting in settings():
        with Worker("mlp_search", dict(setting.environment)) as worker:
            times[setting] = min(
                theirs(worker, path, ALIKE, dtype=setting.dtype, settings=short).seconds
                for _ in range(2)
            )
    return min(times, key=lambda setting: times[setting])


def _import(effort: Effort) -> Row:
    """Fresh processes that only import."""

    def fresh(module: str) -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
        return time.perf_counter() - begin

    modules = ("shrinkage", "sklearn.linear_model")
    times = interleaved({module: partial(fresh, module) for module in modules}, effort.rounds)
    ratio = of_times(times[modules[0]], times[modules[1]])
    return Row(
        "import shrinkage / import sklearn.linear_model",
        ratio.value,
        "×",
        IMPORT,
        sense="at most",
        medians=tuple(Median(module, median(times[module]), "s") for module in modules),
        best=ratio.best,
        spread=ratio.spread,
        detail="in fresh processes, the interpreter's start included",
    )
