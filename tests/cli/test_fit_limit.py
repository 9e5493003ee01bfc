"""``--fit-limit``: what is refused, and how trainings that took too long are told of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shrinkage.cli.options import _fit_limit
from shrinkage.penalties import L1

LIMIT = ("--fit-limit", "1s")


def lasso(trial):
    return trial.penalty == L1()


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30.0), ("2min", 120.0), ("1h", 3600.0)])
def test_a_time_has_its_unit(text, seconds):
    assert _fit_limit({"fit_limit": text}) == seconds


@pytest.mark.parametrize("text", ["30", "0s", "500fits", "soon", "", "-1s"])
def test_what_is_no_time_is_refused(command, text):
    refusal = command("run", "moons", "--fit-limit", text).refusal
    assert refusal.startswith(
        f"'{text}' in --fit-limit is no time above 0; write one with its unit"
    )


def test_what_took_too_long_is_called_that_everywhere(command, good, endless):
    endless(lasso)
    outcome = command.quick(good, "--json", *LIMIT)
    found = json.loads(outcome.out)
    assert (found["fits"]["out_of_time"], found["fits"]["diverged"], found["fits"]["lost"]) == (
        *(2, 0, 0),
    )
    assert found["notes"][0] == (
        f"2 of {found['fits']['finished']} fits ran out of time and are left out; the first ran "
        "out of time: it took longer than a fit may; allow more time, or train fewer epochs."
    )
    assert "(2 fits that ran out of time are left out)" in found["diagnosis"]["sentence"]
    report = Path(found["report"]).read_text(encoding="utf-8")
    assert "2 fits that ran out of time" in report
    shown = command.quick(good, *LIMIT)
    assert "ran out of time" in shown.out
    for text in (outcome.out, shown.out + shown.err):
        assert "diverged" not in text.replace('"diverged": 0', "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--lambdas", "0.01"),
        ("run", "--tune", "all", "--budget", "20fits"),
        ("capacity", "--widths", "2,4"),
        ("interaction", "--lambdas", "0.01", "--dropouts", "0.2"),
        ("learning-curve", "--lambdas", "0.01", "--sizes", "0.25,0.5"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_where_nothing_ends_in_time_one_sentence_says_what_helps(command, endless, arguments):
    endless(lambda _: True)
    first, *rest = arguments
    settings = ("--epochs", "2", "--folds", "2", "--repeats", "1", "--fit-limit", "0.1s", "-q")
    refusal = command(first, "moons", "--samples", "200", *rest, *settings).refusal
    assert "fits failed, too many to compare anything; the first ran out of time" in refusal
    assert refusal.endswith("allow more time, or train fewer epochs")


def test_where_no_penalty_takes_too_long_there_is_nothing_to_compare_with(command, good, endless):
    endless(lambda trial: trial.penalty is None)
    outcome = command(
        "run", good, "--lambdas", "0.01", "--epochs", "2", "--folds", "2", *LIMIT, "-q"
    )
    assert "the first ran out of time: it took longer" in outcome.refusal


def test_a_study_goes_on_with_what_took_too_long(command, good, endless):
    study = ("--study", "good.study", "--json")
    whole = json.loads(command.quick(good, "--json").out)
    endless(lasso)
    command.quick(good, *study, *LIMIT)
    endless(lambda _: False)
    kept = json.loads(command.quick(good, *study, *LIMIT).out)
    assert kept["fits"]["out_of_time"] == 2
    found = json.loads(command.quick(good, *study).out)
    assert found["path"] == whole["path"]
    assert found["fits"]["out_of_time"] == 0
    assert json.loads(command.quick(good, *study).out)["path"] == whole["path"]
