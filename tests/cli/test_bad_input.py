"""Every input that cannot be used gets one sentence and exit code 2, and leaves no file."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

FILES = {
    "empty": (b"", "empty.csv is empty"),
    "blank": (b" \n\n", "blank.csv is empty"),
    "header": (b"a,b,target\n", "no rows of data"),
    "prose": (b"This is a letter.\nIt has no cells.\n", "is not a table"),
    "binary": (bytes(range(256)), "binary file, not a table"),
    "latin": ("a,target\né,1\n".encode("latin1"), "not encoded as UTF-8 .* line 2"),
    "repeated": (b"a,a,target\n" + b"1,2,yes\n3,4,no\n" * 9, "two columns called 'a'"),
    "lone": (b"a,target\n" + b"1,yes\n2,yes\n" * 9, "only one class, 'yes'"),
    "two": (b"a,target\n1,yes\n2,no\n", "has 2 rows; .* at least 10"),
    "infinite": (b"a,target\n" + b"1,yes\n2,no\n" * 9 + b"inf,no\n", r"column 'a' .*\(row 19\)"),
}


@pytest.mark.parametrize("name", FILES)
def test_file_that_holds_no_usable_table(command: Any, name: str) -> None:
    content, complaint = FILES[name]
    (command.folder / f"{name}.csv").write_bytes(content)
    assert re.search(complaint, command("run", f"{name}.csv").refusal)
    assert command.files() == {f"{name}.csv"}


OPTIONS = {
    "no such file": (["nosuch.csv"], "there is no file nosuch.csv"),
    "misspelt file": (["godo.csv"], "did you mean good.csv?"),
    "misspelt problem": (["monns"], "did you mean 'moons'?"),
    "unknown target": (["good.csv", "--target", "tarket"], "did you mean 'target'?"),
    "one unknown target": (["good.csv", "--target", "x0,x9"], "no column 'x9'"),
    "many folds": (["good.csv", "--folds", "40"], "40 folds are more than .* at most 34 folds"),
    "one fold": (["good.csv", "--folds", "1"], "folds is 1; it must be at least 2"),
    "no repeats": (["good.csv", "--repeats", "0"], "repeats is 0"),
    "negative λ": (["good.csv", "--lambdas", "-0.1,1"], r"λ is -0\.1; .* 0 or larger"),
    "infinite λ": (["good.csv", "--lambdas", "inf"], "λ is inf"),
    "λ that is no number": (["good.csv", "--lambdas", "0.1,much"], "'much' in --lambdas is not"),
    "no λ": (["good.csv", "--lambdas", ","], "list of λ is empty"),
    "zero epochs": (["good.csv", "--epochs", "0"], "epochs is 0; .* at least 1"),
    "epochs in words": (["good.csv", "--epochs", "ten"], "--epochs: 'ten' is not a whole number"),
    "no units": (["good.csv", "--hidden", "8,0"], "hidden layer 2 has 0 units"),
    "units in words": (["good.csv", "--hidden", "wide"], "'wide' in --hidden is not a whole"),
    "zero batch": (["good.csv", "--batch-size", "0"], "batch size is 0"),
    "zero rate": (["good.csv", "--learning-rate", "0"], "learning rate is 0"),
    "rate in words": (["good.csv", "--learning-rate", "low"], "'low' is not a number"),
    "negative seed": (["good.csv", "--seed", "-1"], "seed is -1"),
    "no threads": (["good.csv", "--threads", "0"], "threads is 0"),
    "activation": (["good.csv", "--activation", "rellu"], "did you mean 'relu'?"),
    "initialization": (["good.csv", "--initialization", "hee"], "did you mean 'he'?"),
    "optimizer": (["good.csv", "--optimizer", "adm"], "did you mean 'adam'?"),
    "schedule": (["good.csv", "--schedule", "cosin"], "did you mean 'cosine'?"),
    "class weight": (["good.csv", "--class-weight", "balance"], "did you mean 'balanced'?"),
    "penalty": (["good.csv", "--penalty", "l2,elasticnet"], "did you mean 'elastic_net'?"),
    "task": (["good.csv", "--task", "regresion"], "did you mean 'regression'?"),
    "metric": (["good.csv", "--metric", "acuracy"], "did you mean 'accuracy'?"),
    "metric of numbers": (["good.csv", "--metric", "r2"], "'r2' does not fit a classification"),
    "rule": (["good.csv", "--rule", "minimun"], "did you mean 'minimum'?"),
    "momentum of adam": (["good.csv", "--momentum", "0.9"], "no effect on adam; .*sgd"),
    "noise in a file": (["good.csv", "--noise", "1"], "applies to the toy problems"),
    "negative noise": (["moons", "--noise", "-1"], "noise is -1"),
    "few samples": (["moons", "--samples", "3"], "samples is 3"),
    "classes of numbers": (["diabetes", "--class-weight", "balanced"], "need classes"),
    "two formats": (["good.csv", "--json", "--quiet"], "choose one"),
    "no directory": (["good.csv", "-o", "nosuch/report.html"], "no directory .* make it first"),
    "no directory either": (["good.csv", "-o", "nosuch/"], "no directory .* make it first"),
    "file for directory": (["good.csv", "-o", "good.csv/r.html"], "no directory"),
    "the table itself": (["good.csv", "-o", "good.csv"], "'good.csv' exists and is no report"),
    "no file": (["good.csv", "-o", "/dev/null"], "'/dev/null' exists and is no file"),
    "misspelt option": (["good.csv", "--hiden", "8"], "did you mean '--hidden'?"),
    "unknown option": (["good.csv", "--zzz"], "no option '--zzz'; shrinkage run --help"),
    "option without value": (["good.csv", "--epochs"], "'--epochs' requires an argument"),
    "two sources": (["good.csv", "other.csv"], "unexpected extra argument"),
    "no source": ([], "which table?"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_option_that_cannot_be_used(command: Any, good: str, name: str) -> None:
    arguments, complaint = OPTIONS[name]
    assert re.search(complaint, command("run", *arguments).refusal)
    assert command.files() == {good}


def test_unknown_command(command: Any, good: str) -> None:
    assert "did you mean 'run'?" in command("rum", good).refusal
    # What people forget, as they do with every tool that has one main command.
    assert "did you mean 'shrinkage run moons'?" in command("moons").refusal
    assert f"did you mean 'shrinkage run {good}'?" in command(good).refusal


def test_names_from_the_data_cannot_move_the_terminal(command: Any) -> None:
    name = "\x1b[2Jred\nand two lines"
    pd.DataFrame({name: ["same"] * 20, "a": range(20)}).to_csv(
        command.folder / "odd.csv", index=False
    )
    refusal = command("run", "odd.csv", "--target", name).refusal
    assert "only one class" in refusal
    assert "\x1b" not in refusal


def test_unexpected_error_asks_for_a_report(
    command: Any, good: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero\nin two lines")

    monkeypatch.setattr("shrinkage.data.prepare", fail)
    outcome = command("run", good)
    assert outcome.code == 1
    assert outcome.err.splitlines()[-1].startswith(
        "shrinkage: error: unexpected ZeroDivisionError: division by zero in two lines; please"
    )
    assert "Traceback" not in outcome.err
    monkeypatch.setenv("SHRINKAGE_DEBUG", "1")
    assert "Traceback" in command("run", good).err


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the terminal says is tested without drawing the same in HTML."""
    monkeypatch.setattr("shrinkage.report.write", lambda _found, _run, path: path.touch())


@pytest.mark.usefixtures("no_report")
def test_table_out_of_proportion_is_told(command: Any, table: Callable[..., pd.DataFrame]) -> None:
    frame = table(rows=100)
    frame["x1"] *= 1e9
    frame["nothing"] = np.nan
    frame["same"] = 7
    frame["number"] = range(1000, 1100)
    frame["word"] = [f"w{place}" for place in range(100)]
    frame.loc[:9, "x2"] = np.nan
    frame.loc[0, "target"] = "once"
    frame.to_csv(command.folder / "messy.csv", index=False)
    said = " ".join(command.quick("messy.csv").out.split())
    for expected in (
        "10 missing values in 1 column",
        "nothing (all values are missing)",
        "same (the same value in every row)",
        "word (a different word in every row",
        "Column 'number' has a different whole number in every row",
        "The spread of input 'x1'",
        "Class 'once' of target 'target' has a single row",
    ):
        assert expected in said


@pytest.mark.usefixtures("no_report")
def test_more_columns_than_rows_and_a_class_of_two_rows(
    command: Any, table: Callable[..., pd.DataFrame]
) -> None:
    frame = table(rows=120, columns=140)
    frame.loc[[3, 50], "target"] = "rare"
    frame.to_csv(command.folder / "wide.csv", index=False)
    said = " ".join(command.quick("wide.csv").out.split())
    assert "rare (2)" in said
    assert "more inputs (140) than training rows (96)" in said


@pytest.mark.usefixtures("no_report")
def test_target_of_few_numbers_is_told(command: Any, table: Callable[..., pd.DataFrame]) -> None:
    frame = table()
    frame["target"] = np.arange(60) % 4
    frame.to_csv(command.folder / "few.csv", index=False)
    assert "looks numeric" in command.quick("few.csv").out
    outcome = command.quick("few.csv", "--task", "regression")
    assert "regression" in outcome.out
    assert "looks numeric" not in outcome.out


def test_markup_in_names_stays_text(command: Any, table: Callable[..., pd.DataFrame]) -> None:
    frame = table().rename(columns={"x0": "<script>alert(1)</script>", "x1": "[red]"})
    frame["target"] = np.where(frame["target"] == "yes", "<img src=x>", "[bold]")
    frame.to_csv(command.folder / "<b>&.csv", index=False)
    outcome = command.quick("<b>&.csv")
    assert "<img src=x>" in outcome.out
    assert "[bold]" in outcome.out
    assert command.files() == {"<b>&.csv", "shrinkage-b.html"}
    report = (command.folder / "shrinkage-b.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in report
    assert "<img src=x>" not in report
