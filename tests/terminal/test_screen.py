"""What goes to which stream, and how it looks."""

from __future__ import annotations

import json
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from shrinkage.data import Data, bundled, prepare
from shrinkage.network import Network
from shrinkage.terminal import sections
from shrinkage.terminal.screen import Screen, finite
from shrinkage.training import Training
from shrinkage.tune import plan


@pytest.fixture
def data() -> Data:
    table, target = bundled("wine")
    table["a_column_with_a_very_long_name_" * 5] = 1.0
    return prepare(table, target, folds=3, repeats=2, name="wine")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_summary_fits_the_width(data: Data, width: int) -> None:
    file = StringIO()
    console = Console(file=file, width=width)
    console.print(sections.understood(data))
    search: Any = SimpleNamespace(plan=plan(data), expected=300)
    console.print(sections.planned(search, data, 2, frozenset({"epochs"})))
    assert max(map(len, file.getvalue().splitlines())) <= width
    said = "".join(file.getvalue().split())
    assert "a_column_with_a_very_long_name_" in said
    assert "13-128-128-3(relu):18,691parameters,ofwhichthe18,048hiddenweights" in said
    assert "3folds×2repeats;about300fits" in said
    assert "--batch-size,--folds,--repeatsand--lambdas" in said


def test_training_is_told_as_it_is_set(data: Data) -> None:
    training = Training(
        "cross_entropy", "sgd", 0.5, "constant", 1, 16,
        momentum=0.8, nesterov=True, class_weight="balanced",
    )  # fmt: skip
    chosen = plan(data, training=training, network=Network(13, (), 3, initialization="lecun"))
    file = StringIO()
    search: Any = SimpleNamespace(plan=chosen, expected=9)
    Console(file=file, width=200).print(sections.planned(search, data, 1, frozenset()))
    said = " ".join(file.getvalue().split())
    assert "13-3 (linear, lecun initialization): 42 parameters, of which the 39 weights" in said
    assert "sgd with Nesterov momentum 0.8, learning rate 0.5, batches of 16, 1 epoch" in said
    assert "balanced class weights; seed 0, 1 thread." in said


def test_verdict_is_coloured_on_a_terminal_alone() -> None:
    found: Any = SimpleNamespace(
        diagnosis=SimpleNamespace(heading="overfits"),
        sentences=(("Diagnosis", "The gap is 1.2 [0.9, 1.5] for [red]x[/red]."),),
        notes=("Something is missing.",),
    )
    shown = {}
    for terminal in (True, False):
        file = StringIO()
        console = Console(
            file=file,
            force_terminal=terminal,
            color_system="standard" if terminal else "auto",
            markup=False,
            width=80,
        )
        for part in sections.findings(found):
            console.print(part)
        shown[terminal] = file.getvalue()
    assert "\x1b[1;31moverfits" in shown[True]
    assert "\x1b" not in shown[False]
    assert "[0.9, 1.5] for [red]x[/red]." in shown[False]
    assert "Note      Something is missing." in shown[False]


def test_code_can_be_copied(capsys: pytest.CaptureFixture[str]) -> None:
    code = "x = 1\nif x:\n    y = " + "x + " * 60 + "x\n"
    Screen().code({"Keras": code})
    assert code in capsys.readouterr().out


def test_quiet_and_json_keep_to_themselves(data: Data, capsys: pytest.CaptureFixture[str]) -> None:
    for screen in (Screen(quiet=True), Screen(json=True)):
        screen.understood(data)
        screen.note("stopping")
        screen.code({"Keras": "import keras"})
        with screen.working("reading") as working:
            working.say("compiling")
        assert capsys.readouterr() == ("", "")
    Screen(quiet=True).report(Path("r.html"))
    assert capsys.readouterr() == ("r.html\n", "")
    Screen(json=True).report(Path("r.html"))
    Screen(json=True).json({"loss": float("nan"), "name": "λ"})
    assert json.loads(capsys.readouterr().out) == {"loss": None, "name": "λ"}


def test_work_is_announced_where_nothing_moves(capsys: pytest.CaptureFixture[str]) -> None:
    with Screen().working("starting the engine") as working:
        assert capsys.readouterr() == ("", "")
        working.say("compiling the engine, once")
        assert capsys.readouterr() == ("", "compiling the engine, once\n")


def test_a_reader_who_left_does_not_end_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Closed(StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

        def fileno(self) -> int:
            return file.fileno()

    with (tmp_path / "stdout").open("w") as file:
        monkeypatch.setattr(sys, "stdout", Closed())
        Screen().report(Path("r.html"))
        file.write("this goes nowhere")
    assert (tmp_path / "stdout").read_text() == ""


def test_finite_goes_all_the_way_down() -> None:
    value = {"a": [1, (float("inf"), {"b": float("-inf")})], "c": None, "d": True, "e": "nan"}
    assert finite(value) == {"a": [1, [None, {"b": None}]], "c": None, "d": True, "e": "nan"}
