"""Real processes that are killed or told to stop while they write a study."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from shrinkage import L1, L2, Network, Training
from shrinkage.archive import StudyFile, open_study
from shrinkage.tune import Plan

KILLS = 20


def plan() -> Plan:
    """More fits, of five milliseconds each, than are finished between so many kills."""
    lambdas = tuple(0.001 * step for step in range(1, 41))
    training = Training("binary_cross_entropy", epochs=300)
    return Plan(Network(2, (24, 24)), training, (L1(), L2()), lambdas=lambdas, refits=2)


@pytest.mark.slow
def test_killed_at_random_moments(keeper, killer, moons, uninterrupted, same):
    """Moments are counted in fits, and lie anywhere between two of them and two transactions."""
    draw, data = random.Random(5), moons(repeats=2)
    everything, old = set(), 0
    for turn in range(KILLS):
        # Every fifth lasts for two seconds, so that some of its fits are older than one.
        fits, pause = (draw.randrange(14, 20), 0.1) if turn % 5 == 0 else (draw.randrange(1, 30), 0)
        how = {"pause": pause, "delay": draw.uniform(0.0, 0.1)}
        told, killed = killer.kill(keeper.path, plan(), 2, fits, **how)
        assert not everything & {name for name, _ in told}  # nothing is trained twice
        with closing(sqlite3.connect(keeper.path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        with StudyFile(keeper.path) as file:
            there = {killer.name_of(trial) for trial in file.done(data)}
        # Whatever was finished a second before the end is there, and nothing that was lost counts.
        kept = {name for name, when in told if when < killed - 1}
        assert everything | kept <= there
        everything, old = there, old + len(kept)
    assert old >= 10
    whole = uninterrupted(data, plan())
    rest = keeper.run(data, plan())
    assert {killer.name_of(trial) for trial in rest} == {
        killer.name_of(t) for t in whole.trials
    } - everything
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
