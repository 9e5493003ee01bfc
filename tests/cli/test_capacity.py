"""`shrinkage capacity`, and the same as a part of `shrinkage run`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

QUICK = ("--epochs", "2", "--folds", "2", "--repeats", "1")
WIDTHS = ("--widths", "1,4")
NONE_FAILED = {"diverged": 0, "out_of_time": 0, "lost": 0}


def capacity(command: Any, *arguments: str) -> Any:
    outcome = command("capacity", *arguments, *QUICK)
    assert outcome.code == 0, outcome.err
    return outcome


def test_table_sentences_and_report(command: Any) -> None:
    outcome = capacity(command, "moons", "--samples", "60", *WIDTHS)
    said = " ".join(outcome.out.split())
    for expected in (
        "Capacity: 1, 4 units, without a penalty; 2 folds; 14 fits.",
        "adam, learning rate 0.005 falling to 0, batches of 32, 2 epochs",
        "more in shrinkage capacity --help.",
        "islands",
        "From 1 unit to 4 units the training log loss",
        "On 12 untouched rows",
        "The boundary",
    ):
        assert expected in said
    report = command.folder / "shrinkage-capacity-moons.html"
    assert outcome.out.endswith(f"Report {report}\n")
    assert report.stat().st_size > 100_000
    assert max(map(len, outcome.out.split("\nReport")[0].splitlines())) <= 80
    assert re.search(r"^14 fits in \d+:\d\d", outcome.err, re.MULTILINE)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What reports were asked for, in place of drawing them."""
    asked: list[Any] = []

    def write(found: Any, _run: Any, path: Any) -> None:
        asked.append(found)
        path.write_text("a report")

    monkeypatch.setattr("shrinkage.report.write", write)
    return asked


@pytest.mark.usefixtures("written")
def test_json_is_all_there_is_on_stdout(command: Any, good: str) -> None:
    outcome = capacity(command, good, *WIDTHS, "--json", "--seed", "3")
    document = json.loads(outcome.out)
    assert outcome.err == ""
    found = document["exhibits"]["capacity"]
    assert [entry["width"] for entry in found["widths"]] == [1, 4]
    assert found["widths"][1]["loss"]["validation"]["estimate"] > 0
    assert document["fits"] == {"planned": 14, "finished": 14, **NONE_FAILED}
    assert document["settings"]["seed"] == 3
    assert document["interrupted"] is False
    assert document["report"] == str(command.folder / "shrinkage-capacity-good.html")


@pytest.mark.usefixtures("written")
def test_quiet_says_where_the_report_is(command: Any, good: str) -> None:
    outcome = capacity(command, good, *WIDTHS, "--quiet", "-o", "mine.html")
    assert outcome.out == f"{command.folder / 'mine.html'}\n"
    assert outcome.err == ""


def test_options_reach_the_training(command: Any, good: str, written: list[Any]) -> None:
    capacity(command, good, "--widths", "6,2", "--layers", "2", "--activation", "tanh")
    trials = written[0].study.trials
    assert {trial.network.hidden for trial in trials} == {(2, 2), (6, 6)}
    assert {trial.network.activation for trial in trials} == {"tanh"}
    assert {trial.training.epochs for trial in trials} == {2}


@pytest.mark.usefixtures("written")
def test_numbers_and_one_row_per_class(command: Any) -> None:
    outcome = capacity(command, "diabetes", *WIDTHS)
    assert "There is no boundary to measure" in outcome.out
    pd.DataFrame({"a": range(12), "target": [f"c{i}" for i in range(12)]}).to_csv(
        command.folder / "lone.csv", index=False
    )
    outcome = command("capacity", "lone.csv", *WIDTHS, "--epochs", "2")
    assert outcome.code in (0, 2)
    assert "Traceback" not in outcome.err
    assert "unexpected" not in outcome.err


BAD = {
    "zero": (["--widths", "1,0"], "a width in --widths is 0; .* at least 1 unit"),
    "negative": (["--widths", "4,-4"], "a width in --widths is -4"),
    "words": (["--widths", "1,ten"], "'ten' in --widths is not a whole number"),
    "fractions": (["--widths", "1,2.5"], "'2.5' in --widths is not a whole number"),
    "empty": (["--widths", ""], "the list of widths is empty"),
    "commas": (["--widths", ",,"], "the list of widths is empty"),
    "one": (["--widths", "10"], "only 10; give at least two"),
    "no layers": (["--layers", "0"], "--layers is 0; it must be at least 1"),
    "hidden": (["--hidden", "8"], "there is no option '--hidden'"),
    "penalty": (["--penalty", "l2"], "there is no option '--penalty'"),
    "misspelt": (["--width", "8"], "did you mean '--widths'?"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used(command: Any, good: str, name: str) -> None:
    arguments, complaint = BAD[name]
    assert re.search(complaint, command("capacity", good, *arguments).refusal)
    assert command.files() == {good}


def test_no_source_points_to_the_help_of_the_command(command: Any) -> None:
    assert command("capacity").refusal.endswith("shrinkage capacity --help lists what there is")


def test_a_run_with_capacity(command: Any, good: str, written: list[Any]) -> None:
    outcome = command.quick(good, "--with", "capacity", "--with", "Capacity", "--json")
    document = json.loads(outcome.out)
    assert list(document["exhibits"]) == ["capacity"]
    assert len(document["exhibits"]["capacity"]["widths"]) == 5
    assert document["diagnosis"]["verdict"]
    assert "exhibits" in document["seconds"]
    assert [record.name for record in written[0].exhibits] == ["capacity"]
    # The search's own study is not mixed with the exhibit's.
    assert {trial.network.hidden for trial in written[0].study.trials} == {(8,)}


def test_an_unknown_exhibit_is_refused(command: Any, good: str) -> None:
    assert "did you mean 'capacity'?" in command("run", good, "--with", "capasity").refusal
    assert command.files() == {good}


def test_an_interruption_between_exhibits_keeps_the_search(
    command: Any, good: str, written: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from shrinkage.cli import flow
    from shrinkage.exhibits import Series

    whole = flow.train

    def until_a_fold(work: Any, *rest: Any) -> bool:
        if not isinstance(work, Series):
            return whole(work, *rest)
        return all(done < 15 for done, _ in enumerate(work, start=1))

    monkeypatch.setattr(flow, "train", until_a_fold)
    outcome = command.quick(good, "--with", "capacity,interaction", "--json")
    document = json.loads(outcome.out)
    assert document["interrupted"] is True
    assert "networks were not trained" in document["exhibits"]["capacity"]["notes"][0]
    assert document["notes"][-1] == "The run was interrupted before its part on interaction."
    assert document["fits"]["interrupted_in"] is None


@pytest.mark.usefixtures("written")
def test_an_exhibit_that_does_not_fit_becomes_a_note(command: Any) -> None:
    arguments = ("--samples", "40", "--epochs", "2", "--folds", "2", "--lambdas", "0")
    outcome = command("run", "moons", *arguments, "--hidden", "none", "--with", "interaction")
    assert outcome.code == 0, outcome.err
    assert "No part on interaction: dropout turns hidden units off" in outcome.err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_first_signal_keeps_what_is_finished(tmp_path: Path) -> None:
    arguments = ("capacity", "moons", "--epochs", "20000", "--widths", "2,50")
    with subprocess.Popen(
        [sys.executable, "-m", "shrinkage", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"COLUMNS": "80"},
    ) as process:
        assert process.stderr
        for line in process.stderr:  # a heartbeat: some fits are finished
            if re.match(r"networks of every width: ([4-9]|\d\d) ", line):
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "stopping: the findings so far follow" in err
    assert re.search(r"\d+ of 30 networks were not trained", " ".join(out.split()))
    assert out.endswith(f"Report {tmp_path / 'shrinkage-capacity-moons.html'}\n")
