"""`shrinkage run` from a table to its report."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from shrinkage import data
from shrinkage.findings import Findings
from shrinkage.report import RunInfo


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Findings, RunInfo]]:
    """What reports were asked for, in place of drawing them."""
    asked: list[tuple[Findings, RunInfo]] = []

    def write(found: Findings, run: RunInfo, path: Any) -> None:
        asked.append((found, run))
        path.write_text("a report")

    monkeypatch.setattr("shrinkage.report.write", write)
    return asked


def test_says_what_it_understood_found_and_prescribes(command: Any, good: str) -> None:
    outcome = command.quick(good)
    report = command.folder / "shrinkage-good.html"
    said = " ".join(outcome.out.split())
    for expected in (
        "60 rows; 3 columns (3 numeric) became 3 inputs.",
        "Target target: 2 classes",
        "3-8-1 (relu): 41 parameters, of which the 24 hidden weights are penalized.",
        "batches of 32, 2 epochs",
        "L1, L2 and elastic net; λ = 0.01; 2 folds; up to 19 fits.",
        "1 Diagnosis: ",
        "2 Best penalty",
        "3 Held-out data",
        "4 Weights",
        "import keras",
        "import torch",
        "import MLPClassifier",
    ):
        assert expected in said
    assert outcome.out.endswith(f"Report {report}\n")
    assert report.stat().st_size > 100_000
    # A line of its own: progress may stand above it on a slow machine.
    assert re.search(r"^1[2-9] fits in \d+:\d\d", outcome.err, re.MULTILINE)


def test_output_without_a_terminal_is_plain(command: Any, good: str) -> None:
    outcome = command.quick(good)
    everything = outcome.out + outcome.err
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", everything)
    prose = outcome.out.split("Keras ─")[0]
    assert max(map(len, prose.splitlines())) <= 80
    assert not any(line.endswith(" ") for line in outcome.out.splitlines())


def test_json_is_all_there_is_on_stdout(
    command: Any, good: str, written: list[tuple[Findings, RunInfo]]
) -> None:
    outcome = command.quick(good, "--json", "--seed", "3")

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    document = json.loads(outcome.out, parse_constant=refuse)
    assert outcome.err == ""
    assert document["diagnosis"]["verdict"] == written[0][0].diagnosis.verdict
    assert document["settings"]["hidden"] == [8]
    assert document["settings"]["seed"] == 3
    assert document["interrupted"] is False
    assert set(document["code"]) == {"Keras", "PyTorch", "scikit-learn"}
    assert document["report"] == str(command.folder / "shrinkage-good.html")
    assert document["command"].startswith("shrinkage run good.csv --json --seed 3")


@pytest.mark.usefixtures("written")
def test_quiet_says_where_the_report_is_and_nothing_else(command: Any, good: str) -> None:
    outcome = command.quick(good, "--quiet", "--output", "mine.html")
    assert outcome.out == f"{command.folder / 'mine.html'}\n"
    assert outcome.err == ""
    assert (command.folder / "mine.html").exists()


def test_every_option_reaches_the_training(
    command: Any, good: str, written: list[tuple[Findings, RunInfo]]
) -> None:
    command.quick(
        *(good, "--activation", "Leaky-ReLU", "--initialization", "he", "--optimizer", "SGD"),
        *("--momentum", "0.5", "--nesterov", "--schedule", "constant", "--learning-rate", "0.02"),
        *("--batch-size", "7", "--class-weight", "balanced", "--penalty", "l2,Elastic-Net"),
        *("--metric", "accuracy", "--rule", "one-standard-error", "--seed", "5", "--threads", "1"),
        *("--task", "classification", "--target", "target"),
    )
    found, run = written[0]
    plan = found.plan
    assert plan.network.hidden == (8,)
    assert (plan.network.activation, plan.network.initialization) == ("leaky_relu", "he")
    training = plan.training
    assert (training.optimizer, training.momentum, training.nesterov) == ("sgd", 0.5, True)
    assert (training.schedule, training.learning_rate) == ("constant", 0.02)
    assert (training.batch_size, training.epochs, training.class_weight) == (7, 2, "balanced")
    assert [penalty.name for penalty in plan.penalties] == ["l2", "elastic_net"]
    assert (plan.metric, plan.rule, plan.seed) == ("accuracy", "one_standard_error", 5)
    assert plan.lambdas == (0.01,)
    assert (found.study.data.folds, found.study.data.repeats) == (2, 1)
    assert (run.threads, run.seed) == (1, 5)


def test_several_targets(command: Any, written: list[tuple[Findings, RunInfo]]) -> None:
    table, _ = data.bundled("diabetes")
    table["a, b"] = table["progression"] * 2
    table.to_csv(command.folder / "t.csv", index=False)
    command.quick("t.csv", "--target", "progression,bmi", "--target", "a, b")
    assert written[0][0].study.data.target_names == ("progression", "bmi", "a, b")


@pytest.mark.usefixtures("written")
def test_toy_problem_and_linear_model(command: Any) -> None:
    arguments = ("--samples", "40", "--noise", "0.1", "--epochs", "2", "--folds", "2")
    outcome = command("run", "moons", *arguments, "--hidden", "none", "--lambdas", "0.01")
    assert outcome.code == 0, outcome.err
    assert "40 rows" in outcome.out
    assert "2-1 (linear): 3 parameters, of which the 2 weights are penalized." in outcome.out


def test_no_penalty_alone(command: Any, written: list[tuple[Findings, RunInfo]]) -> None:
    arguments = ("--samples", "40", "--epochs", "2", "--folds", "2", "--repeats", "1")
    outcome = command("run", "moons", *arguments, "--hidden", "4", "--lambdas", "0")
    assert outcome.code == 0, outcome.err
    said = " ".join(outcome.out.split())
    assert "No penalty is tried (λ = 0 alone); 2 folds; 5 fits." in said
    assert "elastic net" not in said
    assert "# No penalty: none was tried." in said
    assert written[0][0].selection.runner_up is None


def test_report_that_cannot_be_written_keeps_the_findings(
    command: Any, good: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shrinkage.report.write", full)
    arguments = ("--epochs", "2", "--lambdas", "0.01", "--folds", "2", "--hidden", "8")
    outcome = command("run", good, *arguments, "--json")
    assert outcome.code == 1
    assert json.loads(outcome.out)["report"] is None
    assert outcome.err == "shrinkage: error: the system refused to go on: no space left on device\n"


def test_training_that_always_diverges(command: Any) -> None:
    arguments = ("--epochs", "2", "--lambdas", "0.01", "--folds", "2", "--hidden", "8")
    outcome = command(
        *("run", "diabetes", *arguments, "--optimizer", "sgd", "--learning-rate", "1e9", "--json")
    )
    assert outcome.code == 2
    assert outcome.out == ""
    assert "fits failed, too many to compare" in outcome.err
    assert "lower the learning rate" in outcome.err
    assert not command.files()
