"""``--dask``: what is refused, and that a cluster changes no number."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib import util

import psutil
import pytest

from shrinkage.clusters import connecting

PATIENCE = 60.0
"""Seconds after which a process that has not ended never will."""


@pytest.mark.parametrize("where", ["foo", "local:99999", "ucx://host:1", "tcp://host", ""])
def test_what_is_no_scheduler_is_refused(command, where):
    assert "is no scheduler; write its address" in command("run", "moons", "--dask", where).refusal


def test_threads_do_not_go_with_an_address(command):
    refusal = command("run", "moons", "--dask", "tcp://host:1", "--threads", "2").refusal
    assert "--threads does not go with" in refusal


def test_without_dask_it_is_said_how_to_install_it(command, monkeypatch):
    real = util.find_spec
    monkeypatch.setattr(
        connecting, "find_spec", lambda name: None if name == "distributed" else real(name)
    )
    assert "pip install 'shrinkage[dask]'" in command("run", "moons", "--dask", "local").refusal


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer_is_named(command, monkeypatch):
    monkeypatch.setattr(connecting, "_PATIENCE", 0.5)
    refusal = command("run", "moons", "--dask", "tcp://127.0.0.1:1").refusal
    assert refusal.startswith("no scheduler answers at tcp://127.0.0.1:1 (")


@pytest.mark.slow
def test_the_numbers_are_those_of_threads(command):
    here = json.loads(command.quick("moons", "--samples", "100", "--json").out)
    there = json.loads(command.quick("moons", "--samples", "100", "--json", "--dask", "local").out)
    assert there["path"] == here["path"]
    assert there["test"] == here["test"]


def test_nothing_of_dask_is_loaded_without_it():
    code = "import sys, shrinkage.cli.run; sys.exit('distributed' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["connecting", "a worker starts"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_leaves_no_worker_no_file_and_no_complaint(tmp_path, moment, number):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "shrinkage", "run", "moons", "--study", "moons.study"]
    with (
        (tmp_path / "said").open("w+") as said,
        subprocess.Popen(
            [*command, "--epochs", "3000", "--dask", "local"],
            cwd=tmp_path,
            env=os.environ | {"TMPDIR": str(temporary)},
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        ) as process,
    ):
        family = psutil.Process(process.pid)
        reached = {
            "connecting": lambda: any(temporary.iterdir()),
            "a worker starts": lambda: any(is_worker(one) for one in family.children()),
        }[moment]
        while not reached():
            assert process.poll() is None, (tmp_path / "said").read_text()
            time.sleep(0.01)
        children = family.children()
        if number == signal.SIGINT:  # as a terminal sends it
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        assert process.wait(PATIENCE) == 128 + number
    _, alive = psutil.wait_procs(children, timeout=PATIENCE)
    assert not alive
    lines = (tmp_path / "said").read_text().splitlines()
    assert "shrinkage: stopped before enough fits were finished" in lines[-1]
    assert not [one for one in lines if re.search(r"Traceback|Exception|Warning|Error", one)]
    assert not list(temporary.iterdir())


def is_worker(process):
    """Whether it is a process of Dask's, which may have gone."""
    with suppress(psutil.Error):
        return "spawn_main" in " ".join(process.cmdline())
    return False
