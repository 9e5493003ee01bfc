"""``shrinkage lesson`` on the command line."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shrinkage.lesson.catalogue import EXHIBITS
from shrinkage.lesson.exhibited import Claim
from shrinkage.terminal.lesson import _claim
from shrinkage.terminal.progress import Pace

SMALL = ("--only", "l2", "--seeds", "2", "--epochs", "3")
VERDICTS = {"holds", "does not hold here", "not decided here"}


def test_it_shows_every_claim_and_writes_the_page(command: Any) -> None:
    outcome = command("lesson", *SMALL)
    assert outcome.code == 0, outcome.err
    assert command.files() == {"lesson.html"}
    assert "The same network without and with L2" in outcome.out
    assert re.search(r"9 claims: \d hold, \d do not hold here, \d not decided here\.", outcome.out)
    assert str(command.folder / "lesson.html") in outcome.out.replace("\n", "")
    assert "4 fits" in outcome.err
    page = (command.folder / "lesson.html").read_text(encoding="utf-8")
    assert "shrinkage lesson --only l2 --seeds 2 --epochs 3" in page


def test_quiet_prints_the_path_alone(command: Any) -> None:
    outcome = command("lesson", *SMALL, "--quiet", "--output", "mine.html")
    assert outcome.out == f"{command.folder / 'mine.html'}\n"
    assert outcome.err == ""
    assert command.files() == {"mine.html"}


def test_json_holds_every_claim(command: Any) -> None:
    outcome = command("lesson", *SMALL, "--json", "--seed", "1", "--threads", "1")
    found = json.loads(outcome.out)
    assert outcome.err == ""
    (exhibit,) = found["exhibits"]
    assert exhibit["name"] == "l2"
    assert {claim["verdict"] for claim in exhibit["claims"]} <= VERDICTS
    assert all(claim["low"] <= claim["estimate"] <= claim["high"] for claim in exhibit["claims"])
    assert found["fits"] == {"planned": 4, "finished": 4}
    assert (found["seeds"], found["epochs"], found["seed"]) == (2, 3, 1)
    assert found["interrupted"] is False
    assert Path(found["report"]).exists()


def test_threads_change_no_number(command: Any) -> None:
    found = [
        json.loads(command("lesson", *SMALL, "--json", "--threads", threads).out)["exhibits"]
        for threads in ("1", "2")
    ]
    assert found[0] == found[1]


def test_another_page_is_replaced_and_another_file_is_not(command: Any) -> None:
    (command.folder / "lesson.html").write_text("my own notes")
    assert command("lesson", *SMALL).code == 0
    assert command.files() == {"lesson.html", "lesson-2.html"}
    assert (command.folder / "lesson.html").read_text() == "my own notes"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--seeds", "1"], "--seeds is 1; an interval needs at least 2"),
        (["--epochs", "0"], "--epochs is 0; a training needs at least 1"),
        (["--seed", "-1"], "--seed is -1; it must be 0 or larger"),
        (["--seed", "9" * 20], "it must be at most 1,000,000"),
        (["--threads", "0"], "--threads is 0; training needs at least 1"),
        (["--seeds", "ten"], "'ten' is not a whole number"),
        (["--only", "neuron"], "unknown exhibit 'neuron'; did you mean 'neurons'?"),
        (["--only", ","], "--only is empty; name at least one exhibit"),
        (["--json", "--quiet"], "--json and --quiet exclude each other"),
        (["--output", "nosuch/lesson.html"], "there is no directory"),
        (["--lambda", "3"], "there is no option '--lambda'"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(
    command: Any, arguments: list[str], complaint: str
) -> None:
    assert complaint in command("lesson", *arguments).refusal
    assert command.files() == set()


def test_every_exhibit_can_be_asked_for_by_name() -> None:
    for exhibit in EXHIBITS:
        assert re.fullmatch(r"[a-z0-9][a-z0-9-_]*", exhibit.name)


def test_the_terminal_marks_each_verdict() -> None:
    for verdict, mark in (("holds", "✓"), ("does not hold here", "✗"), ("not decided here", "?")):
        shown = _claim(Claim("Weights shrink.", "By 3.", verdict))  # type: ignore[arg-type]  # a str
        assert shown.plain == f"{mark} {verdict}: Weights shrink. By 3."


@pytest.fixture
def stopped_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Ctrl-C as soon as so many networks are trained."""

    def stop(fits: int) -> None:
        update = Pace.update

        def counting(self: Pace, done: int, expected: int, stage: str) -> None:
            update(self, done, expected, stage)
            if done == fits:
                signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(Pace, "update", counting)

    return stop


def test_an_interruption_keeps_the_finished_exhibits(
    command: Any, stopped_after: Callable[[int], None]
) -> None:
    stopped_after(5)  # the first exhibit takes 4
    arguments = ("--only", "l2,lambdas", "--seeds", "2", "--epochs", "3", "--threads", "1")
    outcome = command("lesson", *arguments, "--json")
    assert outcome.code == 130
    found = json.loads(outcome.out)
    assert found["interrupted"] is True
    assert [one["name"] for one in found["exhibits"]] == ["l2"]
    assert [one["reason"] for one in found["missing"]] == [
        "the lesson was interrupted before it was finished"
    ]
    assert found["fits"]["finished"] == 5 < found["fits"]["planned"]
    page = (command.folder / "lesson.html").read_text(encoding="utf-8")
    assert "What is missing" in page
    assert '<section id="l2"' in page


def test_an_interruption_before_the_first_exhibit_writes_nothing(
    command: Any, stopped_after: Callable[[int], None]
) -> None:
    stopped_after(1)
    outcome = command("lesson", *SMALL, "--threads", "1")
    assert outcome.code == 130
    assert "nothing to report" in outcome.err
    assert command.files() == set()
