"""`shrinkage interaction`, and the same as a part of `shrinkage run`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

QUICK = ("--epochs", "2", "--folds", "2", "--repeats", "1", "--hidden", "8")
GRID = ("--lambdas", "0.01,0.1", "--dropouts", "0.3,0.6")


def interaction(command: Any, *arguments: str) -> Any:
    outcome = command("interaction", *arguments, *QUICK)
    assert outcome.code == 0, outcome.err
    return outcome


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What reports were asked for, in place of drawing them."""
    asked: list[Any] = []

    def write(found: Any, _run: Any, path: Any) -> None:
        asked.append(found)
        path.write_text("a report")

    monkeypatch.setattr("shrinkage.report.write", write)
    return asked


def test_table_sentences_and_report(command: Any) -> None:
    outcome = interaction(command, "moons", "--samples", "60", *GRID)
    said = " ".join(outcome.out.split())
    for expected in (
        "Interaction: a penalty and dropout, alone and together; 2 folds; 18 fits.",
        "more in shrinkage interaction --help.",
        "Fall of the validation log loss against the plain network: L2 alone",
        "of 9 cells (marked *) are within one standard error",
    ):
        assert expected in said
    report = command.folder / "shrinkage-interaction-moons.html"
    assert outcome.out.endswith(f"Report {report}\n")
    assert report.stat().st_size > 100_000
    assert max(map(len, outcome.out.split("\nReport")[0].splitlines())) <= 80


@pytest.mark.usefixtures("written")
def test_json_holds_the_grid_and_quiet_the_path(command: Any, good: str) -> None:
    document = json.loads(interaction(command, good, *GRID, "--json").out)
    found = document["exhibits"]["interaction"]
    assert (found["lambdas"], found["dropouts"]) == ([0.0, 0.01, 0.1], [0.0, 0.3, 0.6])
    assert [len(row) for row in found["validation_loss"]] == [3, 3, 3]
    assert set(found["ways"]) == {"penalty", "dropout", "both"}
    assert document["fits"]["finished"] == 18
    outcome = interaction(command, good, *GRID, "--quiet", "-o", "mine.html")
    assert (outcome.out, outcome.err) == (f"{command.folder / 'mine.html'}\n", "")


def test_options_reach_the_training(command: Any, good: str, written: list[Any]) -> None:
    interaction(command, good, *GRID, "--penalty", "L1", "--input-noise", "0.1")
    trials = written[0].study.trials
    assert {trial.penalty.name for trial in trials if trial.penalty} == {"l1"}
    assert {trial.training.dropout for trial in trials} == {0.0, 0.3, 0.6}
    assert {trial.training.input_noise for trial in trials} == {0.1}


def test_without_lambdas_a_first_look_finds_them(
    command: Any, good: str, written: list[Any]
) -> None:
    interaction(command, good, "--dropouts", "0.5")
    record = written[0].record
    assert len(record.lambdas) == 8
    assert record.dropouts == (0.0, 0.5)
    assert not written[0].study.missing


BAD = {
    "one": (["--dropouts", "0.5,1"], r"dropout is 1; it must lie in \[0, 1\)"),
    "negative": (["--dropouts=-0.1"], "dropout is -0.1"),
    "not finite": (["--dropouts", "nan"], "dropout is nan"),
    "word": (["--dropouts", "half"], "'half' in --dropouts is not a number"),
    "zero alone": (["--dropouts", "0"], "no dropout above 0"),
    "negative λ": (["--lambdas=-1"], "λ is -1"),
    "no λ": (["--lambdas", "0"], "no λ above 0"),
    "two penalties": (["--penalty", "l1,l2"], "name one penalty"),
    "no penalty": (["--penalty", ""], "name one penalty"),
    "unknown penalty": (["--penalty", "l3"], "unknown penalty 'l3'"),
    "linear": (["--hidden", "none"], "dropout turns hidden units off, but the network has none"),
    "dropout": (["--dropout", "0.5"], "did you mean '--dropouts'"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used(command: Any, good: str, name: str) -> None:
    arguments, complaint = BAD[name]
    assert re.search(complaint, command("interaction", good, *arguments).err)
    assert command("interaction", good, *arguments).code == 2
    assert command.files() == {good}


def test_a_run_with_interaction_starts_from_its_choice(
    command: Any, good: str, written: list[Any]
) -> None:
    document = json.loads(command.quick(good, "--with", "interaction", "--json").out)
    assert list(document["exhibits"]) == ["interaction"]
    (record,) = written[0].exhibits
    recommended = written[0].recommended
    if recommended is not None and recommended.penalty is not None:
        assert record.penalty == recommended.penalty
        assert recommended.lam in record.lambdas
    assert document["diagnosis"]["verdict"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_first_signal_keeps_the_folds_that_are_complete(tmp_path: Path) -> None:
    # So many repeats that no machine is through with them by the first heartbeat.
    many = ("--epochs", "2000", "--repeats", "60")
    arguments = ("interaction", "moons", *many, "--lambdas", "0.01")
    with subprocess.Popen(
        [sys.executable, "-m", "shrinkage", *arguments, "--dropouts", "0.3", "--samples", "200"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"COLUMNS": "80"},
    ) as process:
        assert process.stderr
        for line in process.stderr:  # a heartbeat: some folds have all four cells
            if re.match(r"λ and dropout together: \d\d+ of", line):
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "stopping: the findings so far follow" in err
    assert re.search(
        r"\d+ of the planned fits are missing; the map rests on", " ".join(out.split())
    )
    assert out.endswith(f"Report {tmp_path / 'shrinkage-interaction-moons.html'}\n")
