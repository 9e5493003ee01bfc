"""The help: quick, complete, and true to the names that the rooms know."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from shrinkage.cli.declared import BUNDLED
from shrinkage.data import BUNDLED as KNOWN
from shrinkage.data import TASKS, bundled
from shrinkage.network import ACTIVATIONS, INITIALIZATIONS
from shrinkage.penalties import PENALTIES
from shrinkage.scores import METRICS
from shrinkage.training import CLASS_WEIGHTS, OPTIMIZERS, SCHEDULES
from shrinkage.tune import RULES


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["capacity", "--help"], ["run", "-h"], ["--version"]],
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    program = (
        f"import sys; from shrinkage.cli import main; code = main({arguments!r});"
        "print(code, *{name.split('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    code, *loaded = done.stderr.split()
    assert code == "0"
    assert done.stdout
    assert not {"numpy", "pandas", "numba", "scipy", "sklearn", "bokeh"} & set(loaded)


def test_help_names_every_choice(command: Any) -> None:
    said = " ".join(command("run", "--help").out.replace("│", " ").split())
    for names in (ACTIVATIONS, INITIALIZATIONS, OPTIMIZERS, SCHEDULES, CLASS_WEIGHTS):
        for name in names:
            assert name in said
    for name in (*PENALTIES, *METRICS, *RULES, *TASKS):
        assert name in said
    assert tuple(BUNDLED.split(", ")) == KNOWN


def test_help_groups_options_and_shows_defaults(command: Any) -> None:
    said = command("run", "--help").out
    titles = ["Data", "Network", "Training", "Penalty and λ", "Output"]
    places = [said.index(f"─ {title} ─") for title in titles]
    assert places == sorted(places)
    assert "[default: 128,128]" in said
    assert said.count("chosen from the table's size") == 4
    assert max(map(len, said.splitlines())) <= 80


def test_help_tells_the_size_that_toy_problems_have(command: Any) -> None:
    table, _ = bundled("moons")
    said = " ".join(command("run", "--help").out.replace("│", " ").split())
    assert f"xor, blobs). [default: ({len(table):,})]" in said


def test_no_command_shows_help(command: Any) -> None:
    outcome = command()
    assert outcome.code == 0
    assert "shrinkage run moons" in outcome.out


def test_version(command: Any) -> None:
    import shrinkage

    assert command("--version").out == f"shrinkage {shrinkage.__version__}\n"
