"""Real processes that are killed or told to stop while they write a study."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from shrinkage import L1, L2, Network, Training
from shrinkage.archive import StudyFile, open_study
from shrinkage.tune import Plan

PROGRAM = """
import sys, time
from pathlib import Path
sys.path.insert(0, {here!r})
import conftest, test_killing
from shrinkage.archive import Recorded, StudyFile
from shrinkage.tune import Search
data, plan = conftest.moons(repeats=2), test_killing.plan()
with StudyFile({path!r}) as file:
    search = Search(data, plan, threads=1, done=file.done(data))
    file.begin(data, conftest.run_of(plan))
    for fit in Recorded(search, file):
        print(test_killing.name_of(fit.trial), flush=True)
    file.finish(complete=True)
print("complete", flush=True)
"""


def plan() -> Plan:
    """About two hundred fits of ten milliseconds."""
    lambdas = tuple(0.001 * step for step in range(1, 21))
    training = Training("binary_cross_entropy", epochs=600)
    return Plan(Network(2, (24, 24)), training, (L1(), L2()), lambdas=lambdas, refits=2)


def name_of(trial):
    parts = (trial.penalty, trial.lam, trial.fold, trial.seed, trial.training.relaxed_epochs)
    return " ".join(map(str, parts))


def start(path):
    program = PROGRAM.format(here=str(Path(__file__).parent), path=str(path))
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)


def kill_after(path, lines):
    """Run until so many fits are finished, kill it; fits that it told of, with their times."""
    told = []
    with start(path) as process:
        for line in process.stdout:
            told.append((line.strip(), time.monotonic()))
            if len(told) == lines or line == "complete\n":
                break
        process.kill()
        now = time.monotonic()
        told += [(line.strip(), now) for line in process.stdout]
    return [(name, when) for name, when in told if name != "complete"], now


@pytest.mark.slow
def test_killed_at_random_moments(keeper, moons, uninterrupted, same):
    draw, data = random.Random(5), moons(repeats=2)
    whole = uninterrupted(data, plan())
    everything, turns = set(), 0
    while len(everything) < len(whole.fits):
        turns += 1
        told, killed = kill_after(keeper.path, draw.randrange(15, 80))
        assert not everything & {name for name, _ in told}  # nothing is trained twice
        with closing(sqlite3.connect(keeper.path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        with StudyFile(keeper.path) as file:
            there = {name_of(trial) for trial in file.done(data)}
        # Whatever was finished a second before the end is there, and nothing that was lost counts.
        assert everything | {name for name, when in told if when < killed - 1} <= there
        everything = there
        assert turns < 40
    assert turns >= 4
    keeper.run(data, plan())
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
