"""Real processes that are killed or told to stop while they write a study."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from shrinkage import L1, L2, Network, Training, Trial
from shrinkage.archive import Recorded, StudyFile, open_study
from shrinkage.engine.pool import run_trial
from shrinkage.tune import Plan, Search

SERVER = """
import sys
sys.path.insert(0, {here!r})
import test_killing
test_killing.serve({path!r})
"""
KILLS = 20


def plan() -> Plan:
    """More fits, of five milliseconds each, than are finished between so many kills."""
    lambdas = tuple(0.001 * step for step in range(1, 41))
    training = Training("binary_cross_entropy", epochs=300)
    return Plan(Network(2, (24, 24)), training, (L1(), L2()), lambdas=lambdas, refits=2)


def name_of(trial):
    parts = (trial.penalty, trial.lam, trial.fold, trial.seed, trial.training.relaxed_epochs)
    return " ".join(map(str, parts))


def serve(path):
    """For each pause that is read, go on with the study in a process of its own.

    What takes a second or two, to load the package and its kernels, is done once for all of them.
    """
    import conftest

    data, wanted = conftest.moons(repeats=2), plan()
    run_trial(Trial(wanted.network, wanted.training, L1(), 0.1, 0, 0), data.part(0))
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            go_on(path, data, wanted, conftest.run_of(wanted), pause=float(line))
            os._exit(0)
        print(f"process {child}", flush=True)  # noqa: T201  # to the test, which kills it
        os.waitpid(child, 0)
        print("ended", flush=True)  # noqa: T201  # as above


def go_on(path, data, wanted, run, pause):
    """Train what is missing, telling of each fit, and rest after each."""
    with StudyFile(path) as file:
        search = Search(data, wanted, threads=1, done=file.done(data))
        file.begin(data, run)
        for fit in Recorded(search, file):
            print(f"fit {name_of(fit.trial)}", flush=True)  # noqa: T201  # as above
            time.sleep(pause)
        file.finish(complete=True)
    print("complete", flush=True)  # noqa: T201  # as above


@dataclass
class Runner:
    """Processes that go on with a study, one after the other, each killed."""

    server: subprocess.Popen[str]

    def kill_after(self, fits, pause, delay):
        """Kill one so many seconds after so many fits; all that it told of, and when it did."""
        self.server.stdin.write(f"{pause}\n")
        self.server.stdin.flush()
        told, child, killed = [], None, None
        for line in self.server.stdout:
            what, _, name = line.strip().partition(" ")
            if what == "ended":
                break
            assert what in {"process", "fit"}, "it was complete before"
            if what == "process":
                child = int(name)
            else:
                told.append((name, time.monotonic()))
            if child is not None and len(told) >= fits and killed is None:
                time.sleep(delay)
                killed = time.monotonic()
                os.kill(child, signal.SIGKILL)
        return told, killed


@pytest.fixture
def runner(keeper):
    program = SERVER.format(here=str(Path(__file__).parent), path=str(keeper.path))
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        yield Runner(server)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows starts each process anew: minutes")
def test_killed_at_random_moments(keeper, runner, moons, uninterrupted, same):
    """Moments are counted in fits, and lie anywhere between two of them and two transactions."""
    draw, data = random.Random(5), moons(repeats=2)
    everything, old = set(), 0
    for turn in range(KILLS):
        # Every fifth lasts for two seconds, so that some of its fits are older than one.
        fits, pause = (draw.randrange(14, 20), 0.1) if turn % 5 == 0 else (draw.randrange(1, 30), 0)
        told, killed = runner.kill_after(fits, pause, delay=draw.uniform(0.0, 0.1))
        assert not everything & {name for name, _ in told}  # nothing is trained twice
        with closing(sqlite3.connect(keeper.path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        with StudyFile(keeper.path) as file:
            there = {name_of(trial) for trial in file.done(data)}
        # Whatever was finished a second before the end is there, and nothing that was lost counts.
        kept = {name for name, when in told if when < killed - 1}
        assert everything | kept <= there
        everything, old = there, old + len(kept)
    assert old >= 10
    whole = uninterrupted(data, plan())
    rest = keeper.run(data, plan())
    assert {name_of(trial) for trial in rest} == {name_of(t) for t in whole.trials} - everything
    assert rest
    same(open_study(keeper.path), whole)
    assert {path.name for path in keeper.path.parent.iterdir()} == {"moons.study"}


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_told_to_stop(tmp_path, number, code):
    path = tmp_path / "moons.study"
    command = [
        *(sys.executable, "-m", "shrinkage", "run", "moons", "--study", str(path)),
        *("--samples", "200", "--epochs", "200", "--hidden", "64,64", "--threads", "1"),
        *("--output", str(tmp_path / "report.html")),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        while process.poll() is None and finished(path) < 15:
            time.sleep(0.05)
        process.send_signal(number)
        _, said = process.communicate()
    assert process.returncode == code, said
    assert {one.name for one in tmp_path.iterdir()} <= {"moons.study", "report.html"}
    study = open_study(path)
    assert len(study.fits) >= 15
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT complete FROM runs").fetchall() == [(0,)]


def finished(path) -> int:
    """Fits in a file that another process writes."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM fits").fetchone()[0])
    except sqlite3.Error:
        return 0
