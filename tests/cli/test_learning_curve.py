"""`shrinkage learning-curve`, and the same as a part of `shrinkage run`."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

QUICK = ("--epochs", "2", "--folds", "2", "--repeats", "1", "--hidden", "8")
CURVES = ("--sizes", "0.3,0.6", "--lambdas", "0.01,0.1")
NONE_FAILED = {"diverged": 0, "out_of_time": 0, "lost": 0}


def learning_curve(command: Any, *arguments: str) -> Any:
    outcome = command("learning-curve", *arguments, *QUICK)
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
    outcome = learning_curve(command, "moons", "--samples", "200", *CURVES)
    said = " ".join(outcome.out.split())
    for expected in (
        "Learning curve: more rows, or a penalty; 2 folds; 18 fits.",
        "more in shrinkage learning-curve --help.",
        "twice the rows would",
        "The gap between validation and training goes from",
    ):
        assert expected in said
    report = command.folder / "shrinkage-learning-curve-moons.html"
    assert outcome.out.endswith(f"Report {report}\n")
    assert report.stat().st_size > 100_000
    assert max(map(len, outcome.out.split("\nReport")[0].splitlines())) <= 80


@pytest.mark.usefixtures("written")
def test_json_holds_the_curves_and_quiet_the_path(command: Any) -> None:
    moons = ("moons", "--samples", "200", *CURVES)
    document = json.loads(learning_curve(command, *moons, "--json").out)
    found = document["exhibits"]["learning-curve"]
    assert found["rows"] == [24.0, 48.0, 80.0]
    assert len(found["without"]["gap"]) == len(found["with"]["gap"]) == 3
    assert document["fits"] == {"planned": 18, "finished": 18, **NONE_FAILED}
    outcome = learning_curve(command, *moons, "--quiet", "-o", "mine.html")
    assert (outcome.out, outcome.err) == (f"{command.folder / 'mine.html'}\n", "")


def test_options_reach_the_training(command: Any, written: list[Any]) -> None:
    options = ("--penalty", "l1", "--dropout", "0.2", "--batch-size", "10")
    learning_curve(command, "moons", "--samples", "200", *CURVES, *options)
    trials = written[0].study.trials
    assert {trial.penalty.name for trial in trials if trial.penalty} == {"l1"}
    assert {trial.training.dropout for trial in trials} == {0.2}
    # 80 rows are 8 steps, 48 are 5 and 24 are 3: as many steps in all.
    assert {(t.rows, t.training.epochs) for t in trials} == {(None, 2), (48, 3), (24, 5)}


BAD = {
    "zero": (["--sizes", "0,0.5"], r"size is 0; .* must lie in \(0, 1\]"),
    "more than all": (["--sizes", "0.5,1.5"], "size is 1.5"),
    "word": (["--sizes", "half"], "'half' in --sizes is not a number"),
    "one": (["--sizes", "0.5"], "at least 2 different sizes below 1"),
    "none": (["--sizes", ","], "at least 2 different sizes below 1"),
    "no λ": (["--lambdas", "0"], "no λ above 0"),
    "two penalties": (["--penalty", "l1,l2"], "name one penalty"),
    "small": (["--sizes", "0.01,0.9"], "size 0.01 leaves 0 of 24 training rows"),
    "few rows": ([], "too few for a learning curve"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used(command: Any, good: str, name: str) -> None:
    arguments, complaint = BAD[name]
    outcome = command("learning-curve", good, *arguments, "--folds", "2")
    assert outcome.code == 2
    assert re.search(complaint, outcome.err)
    assert outcome.err.count("shrinkage: error") == 1
    assert command.files() == {good}


def test_a_run_whose_table_is_too_small_stands_without(
    command: Any, good: str, written: list[Any]
) -> None:
    document = json.loads(command.quick(good, "--with", "learning-curve", "--json").out)
    assert not document.get("exhibits")
    assert document["diagnosis"]["verdict"]
    assert any("too few for a learning curve" in note for note in written[0].notes)
