"""Tiny studies in files, made as the command line makes them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shrinkage import L1, L2, Fit, Network, Study, Training, Trial
from shrinkage.archive import Recorded, Run, StudyFile, open_study, told_fields
from shrinkage.archive.reading import plan_fields
from shrinkage.data import Data, bundled, prepare
from shrinkage.engine.pool import run_trial
from shrinkage.tune import Plan, Search
from shrinkage.tune.search import versions


def moons(folds: int = 2, repeats: int = 1, seed: int = 0) -> Data:
    table, target = bundled("moons", samples=40)
    return prepare(table, target, folds=folds, repeats=repeats, seed=seed, name="moons")


@pytest.fixture(scope="session")
def data() -> Data:
    return moons()


@pytest.fixture
def plan() -> Plan:
    """No penalty and two λ of L1: six fits on folds, three refits."""
    training = Training("binary_cross_entropy", epochs=3)
    return Plan(Network(2, (4,)), training, (L1(),), lambdas=(0.001, 0.01), refits=1)


@dataclass(frozen=True)
class Keeper:
    """Runs plans into one file."""

    path: Path

    def run(self, data: Data, plan: Plan, most: int | None = None) -> list[Trial]:
        """Go on with a plan, for at most so many fits; the trials that were trained."""
        with StudyFile(self.path) as file:
            search = Search(data, plan, threads=1, done=file.done(data))
            file.begin(data, run_of(plan))
            trained = [fit.trial for fit in islice(iter(Recorded(search, file)), most)]
            complete = most is None
            file.finish(complete=complete, stage=None if complete else search.stage)
        return trained

    @property
    def study(self) -> Study:
        return open_study(self.path)

    def __fspath__(self) -> str:
        return str(self.path)


def run_of(plan: Plan, **more: Any) -> Run:
    environment: Mapping[str, Any] = {"cores": 2, "threads": 1, "python": "3", "platform": "here"}
    return Run("a command", told_fields(plan), versions(), environment, **more)


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    return Keeper(tmp_path / "moons.study")


@pytest.fixture
def complete(keeper: Keeper, data: Data, plan: Plan) -> Keeper:
    """A file with the whole plan in it."""
    keeper.run(data, plan)
    return keeper


def assert_same(one: Study, other: Study) -> None:
    """The same trials in the same order, with the same fits to the bit."""
    assert one.trials == other.trials
    assert one.data.fingerprint == other.data.fingerprint
    assert len(one.fits) == len(other.fits)
    for mine, theirs in zip(one.fits, other.fits):
        assert_same_fit(mine, theirs)


def assert_same_fit(mine: Fit, theirs: Fit) -> None:
    assert mine.trial == theirs.trial
    for name in ("parameters", "epochs", "train_loss", "validation_loss", "outputs"):
        a, b = getattr(mine, name), getattr(theirs, name)
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes()), name
    for name in ("status", "stopped_at", "best_epoch", "kept", "polish_iterations"):
        assert getattr(mine, name) == getattr(theirs, name), name
    for name in ("final_train_loss", "stationarity", "slope"):
        a, b = getattr(mine, name), getattr(theirs, name)
        assert a is b is None or np.array_equal(a, b, equal_nan=True), name


def uninterrupted(data: Data, plan: Plan) -> Study:
    """What a search finds that no file has seen."""
    search = Search(data, plan, threads=1)
    for _ in search:
        pass
    return search.study


def wider(plan: Plan) -> Plan:
    """More λ and another penalty."""
    return replace(plan, penalties=(L1(), L2()), lambdas=(0.001, 0.01, 0.1))


def name_of(trial: Trial) -> str:
    """A line of text that no other trial of these tests has."""
    parts = (trial.penalty, trial.lam, trial.fold, trial.seed, trial.training.relaxed_epochs)
    return " ".join(map(str, parts))


def serve() -> None:
    """For each line of JSON, go on with a study in a process of its own.

    What takes a second or two, to load the package and its kernels, is done once for all of them.
    """
    few = Training("binary_cross_entropy", epochs=1)
    run_trial(Trial(Network(2, (4,)), few, L1(), 0.1, 0, 0), moons().part(0))
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            asked = json.loads(line)
            plan = Plan(**plan_fields(asked["plan"]))
            _go_on(asked["path"], moons(repeats=asked["repeats"]), plan, asked["pause"])
            os._exit(0)
        _say(f"process {child}")
        os.waitpid(child, 0)
        _say("ended")


def _go_on(path: str, data: Data, plan: Plan, pause: float) -> None:
    """Train what is missing, telling of each fit, and rest after each."""
    with StudyFile(path) as file:
        search = Search(data, plan, threads=1, done=file.done(data))
        file.begin(data, run_of(plan))
        for fit in Recorded(search, file):
            _say(f"fit {name_of(fit.trial)}")
            time.sleep(pause)
        _say("complete")
        time.sleep(60.0)  # it is to be killed, not to end well


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@dataclass
class Killer:
    """Processes that go on with a study, one after the other, each killed."""

    server: subprocess.Popen[str]

    name_of = staticmethod(name_of)

    def kill(
        self, path: Path, plan: Plan, repeats: int, fits: int, *, pause: float, delay: float
    ) -> tuple[list[tuple[str, float]], float]:
        """Kill one so many seconds after so many fits, or after all that are missing.

        The names of all that it told of, and when it did; and when it was killed.
        """
        asked = {"path": str(path), "plan": told_fields(plan), "repeats": repeats, "pause": pause}
        assert self.server.stdin
        assert self.server.stdout
        self.server.stdin.write(f"{json.dumps(asked)}\n")
        self.server.stdin.flush()
        told: list[tuple[str, float]] = []
        child, complete, killed = 0, False, 0.0
        for line in self.server.stdout:
            what, _, name = line.strip().partition(" ")
            match what:
                case "process":
                    child = int(name)
                case "fit":
                    told.append((name, time.monotonic()))
                case "complete":
                    complete = True
                case "ended":
                    return told, killed
            if child and not killed and (complete or len(told) >= fits):
                time.sleep(delay)
                killed = time.monotonic()
                os.kill(child, signal.SIGKILL)
        raise AssertionError("the processes' parent has ended")


@pytest.fixture(scope="session")
def killer() -> Iterator[Killer]:
    if sys.platform == "win32":
        pytest.skip("Windows starts each process anew, which takes minutes for so many")
    here = str(Path(__file__).parent)
    program = f"import sys; sys.path.insert(0, {here!r}); import conftest; conftest.serve()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        yield Killer(server)


def handed(value: Any, name: str) -> Any:
    """A fixture of something defined here, which test modules cannot import."""
    return pytest.fixture(scope="session", name=name)(lambda: value)


same_fixture = handed(assert_same, "same")
same_fit_fixture = handed(assert_same_fit, "same_fit")
moons_fixture = handed(moons, "moons")
run_of_fixture = handed(run_of, "run_of")
uninterrupted_fixture = handed(uninterrupted, "uninterrupted")
wider_fixture = handed(wider, "wider")
keeper_of_fixture = handed(Keeper, "keeper_of")
