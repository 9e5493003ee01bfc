"""``--dask``: what is refused, and that a cluster changes no number."""

import json
import subprocess
import sys
from importlib import util

import pytest

from shrinkage.clusters import connecting


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
