"""What other regularizers cost in the engine, and that trials without them cost what they did."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measure import Effort, interleaved, of_times
from benchmarks.table import Median, Row
from benchmarks.worker import ROOT, PeerError, Worker

BEFORE = "c46ccd6"
"""The last commit whose engine knew nothing but weight penalties."""
UNCHANGED, DROPOUT = 1.03, 1.25
_SAMPLES = 3200
"""Of moons: 2,560 training rows make full batches."""
_METHOD = "processor time of one thread per epoch; each engine in a process of its own"


@dataclass(frozen=True)
class Case:
    """Some trials, and how often an epoch of them is repeated."""

    problem: str
    hidden: tuple[int, ...] = (128, 128)
    batch: int = 32
    epochs: int = 60
    training: dict[str, Any] = field(default_factory=dict)
    penalty: tuple[str, dict[str, Any], float] | None = None
    validation: bool = False

    def request(self, effort: Effort) -> dict[str, Any]:
        """As the worker wants it."""
        epochs = effort.size(self.epochs, 3)
        return {
            "problem": self.problem,
            "samples": _SAMPLES if self.problem == "moons" else None,
            "hidden": self.hidden,
            "training": {"epochs": epochs, "batch_size": self.batch} | self.training,
            "penalty": self.penalty,
            "validation": self.validation,
            "fits": effort.size(3, 1),
        }


PLAIN = {
    "moons, 2-128-128-1, batch 32": Case("moons"),
    "moons, L1": Case("moons", penalty=("L1", {}, 1e-3)),
    "moons, L2": Case("moons", penalty=("L2", {}, 1e-2)),
    "digits, 61-256-256-10, batch 64": Case("digits", (256, 256), 64, 40),
}
"""Trials that need none of the new ingredients."""

_MOONS, _DIGITS = Case("moons"), Case("digits", batch=64, epochs=80)
_KINDS: dict[str, dict[str, Any]] = {
    "dropout 0.3": {"training": {"dropout": 0.3}},
    "dropout of inputs 0.2": {"training": {"input_dropout": 0.2}},
    "input noise 0.1": {"training": {"input_noise": 0.1}},
    "mixup 0.2": {"training": {"mixup": 0.2}},
    "label smoothing 0.1": {"training": {"label_smoothing": 0.1}},
    "max-norm 3": {"training": {"max_norm": 3.0}},
    "averaging 0.99": {"training": {"averaging": 0.99}},
    "group lasso on units": {"penalty": ("GroupLasso", {"over": "units"}, 1e-3)},
    "group lasso on inputs": {"penalty": ("GroupLasso", {"over": "inputs"}, 1e-3)},
}


def rows(effort: Effort) -> list[Row]:
    """Unchanged engine, dropout, then everything else for information."""
    with Worker("engine_trials", core=_core()) as now:
        return [
            *_before_and_now(now, effort),
            *(
                _row
                for about in (_MOONS, _DIGITS)
                for _row in _with_and_without(now, about, effort)
            ),
            _early_stopping(now, effort),
        ]


def _core() -> int | None:
    """One core for all: what differs between cores must not look like a difference of engines."""
    return min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


@contextlib.contextmanager
def _older_engine() -> Iterator[Worker]:
    """A worker whose package is the one of :data:`BEFORE`, compiled into a cache of its own.

    Raises
    ------
    PeerError
        Where the commit cannot be had, as in a copy without history.
    """
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "before.tar"
        try:
            subprocess.run(
                ["git", "archive", f"--output={archive}", BEFORE, "src"],
                cwd=ROOT,
                check=True,
                capture_output=True,
            )
        except (OSError, subprocess.CalledProcessError):
            raise PeerError(f"commit {BEFORE} is not in this copy of the repository") from None
        subprocess.run(["tar", "-xf", archive, "-C", folder], check=True)
        environment = {
            "PYTHONPATH": str(Path(folder) / "src"),
            "NUMBA_CACHE_DIR": str(Path(folder) / "cache"),
        }
        with Worker("engine_trials", environment, core=_core()) as worker:
            yield worker


def _timed(worker: Worker, case: Case, effort: Effort) -> Callable[[], float]:
    request = case.request(effort)
    return lambda: float(worker.ask(**request)["seconds"])


def _before_and_now(now: Worker, effort: Effort) -> list[Row]:
    """The new engine over the old one, where nothing new is asked of it."""
    names = {case: f"{case}: epoch now / before" for case in PLAIN}
    try:
        with _older_engine() as before:
            result = []
            for name, case in PLAIN.items():
                contestants = {
                    "now": _timed(now, case, effort),
                    "before": _timed(before, case, effort),
                }
                for contestant in contestants.values():
                    contestant()  # compiles, and loads the problem
                times = interleaved(contestants, 2 * effort.rounds)
                result.append(_ratio(names[name], times["now"], times["before"], UNCHANGED))
            return result
    except PeerError as reason:
        return [Row(name, None, "×", UNCHANGED, detail=str(reason)) for name in names.values()]


def _with_and_without(now: Worker, about: Case, effort: Effort) -> list[Row]:
    """Each ingredient over the same trial without it; only dropout has to reach a bar."""
    cases = {"without": about} | {name: replace(about, **kind) for name, kind in _KINDS.items()}
    contestants = {}
    reasons = {}
    for name, case in cases.items():
        contestant = _timed(now, case, effort)
        try:
            contestant()
        except PeerError as reason:
            reasons[name] = str(reason)
            continue
        contestants[name] = contestant
    times = interleaved(contestants, effort.rounds)
    result = []
    for name in _KINDS:
        title = f"{about.problem}: epoch with {name} / without"
        bar = DROPOUT if name.startswith("dropout 0") else None
        if name in reasons:
            result.append(Row(title, None, "×", bar, detail=reasons[name]))
        else:
            result.append(_ratio(title, times[name], times["without"], bar))
    return result


def _early_stopping(now: Worker, effort: Effort) -> Row:
    """Watching the validation loss and keeping the best weights, over the usual evaluation."""
    plain = Case("moons", validation=True)
    watched = Case("moons", validation=True, training={"patience": effort.size(60, 3)})
    contestants = {"with": _timed(now, watched, effort), "without": _timed(now, plain, effort)}
    for contestant in contestants.values():
        contestant()
    times = interleaved(contestants, effort.rounds)
    return _ratio(
        "moons: epoch with early stopping / without", times["with"], times["without"], None
    )


def _ratio(name: str, above: list[float], below: list[float], bar: float | None) -> Row:
    ratio = of_times(above, below)
    return Row(
        name,
        ratio.value,
        "×",
        bar,
        "at most",
        medians=(
            Median("first", 1e3 * median(above), "ms an epoch"),
            Median("second", 1e3 * median(below), "ms an epoch"),
        ),
        best=ratio.best,
        spread=ratio.spread,
        detail=_METHOD,
    )
