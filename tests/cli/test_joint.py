"""`shrinkage run --tune all`: the joint search on the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest

SMALL = (
    "moons",
    "--samples",
    "80",
    "--epochs",
    "4",
    "--hidden",
    "16",
    "--folds",
    "3",
    "--repeats",
    "1",
)
ALL = ("--tune", "all", "--budget", "40fits", "--committee", "2")


def test_recipes_are_searched_and_reported(command: Any) -> None:
    outcome = command("run", *SMALL, *ALL)
    assert outcome.code == 0, outcome.err
    said = " ".join(outcome.out.split())
    for expected in (
        "Joint search of penalty (L2, L1 and group lasso on inputs)",
        "budget 40 fits; 3 folds",
        "2 Best recipe",
        "Best recipe: ",
        "The average of 2 networks",
    ):
        assert expected in said
    page = (command.folder / "shrinkage-moons.html").read_text()
    assert "Recipes in the order of trying" in page


def test_json_holds_the_search_and_the_same_numbers_again(command: Any) -> None:
    first = json.loads(command("run", *SMALL, *ALL, "--json").out)
    joint = first["joint"]
    assert joint["fits"] <= 40
    assert joint["best"]["score"] == min(
        one["score"] for one in joint["tried"] if one["folds"] == 3
    )
    assert first["committee"]["size"] == 2
    again = json.loads(command("run", *SMALL, *ALL, "--json", "--threads", "3").out)
    assert again["joint"]["tried"] == joint["tried"]
    assert again["test"] == first["test"]
    assert again["committee"] == first["committee"]


def test_a_search_goes_on_from_its_file(command: Any) -> None:
    stored = ("--storage", "search.journal")
    first = json.loads(command("run", *SMALL, *ALL, *stored, "--json").out)
    again = json.loads(command("run", *SMALL, *ALL, *stored, "--json").out)
    assert again["joint"]["best"] == first["joint"]["best"]
    other = command("run", *SMALL, *ALL, *stored, "--seed", "1")
    assert "of another study" in other.refusal


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--budget", "60s"), "add --tune all"),
        (("--committee", "3"), "add --tune all"),
        (("--storage", "a.journal"), "add --tune all"),
        (("--tune", "everything"), "unknown tuning 'everything'"),
        (("--tune", "all", "--budget", "60"), "60s, 2m or 500fits"),
        (("--tune", "all", "--budget", "7fits"), "--budget 8fits"),
        (("--tune", "all", "--committee", "0"), "at least 1"),
        (("--tune", "all", "--lambdas", "0.1"), "leave one"),
        (("--tune", "all", "--rule", "one_standard_error"), "takes the best recipe"),
        (("--tune", "all", "--storage", "nowhere/a.journal"), "a folder that exists"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(
    command: Any, arguments: tuple[str, ...], expected: str
) -> None:
    assert expected in command("run", *SMALL, *arguments).refusal
    assert command.files() == set()


def test_a_time_too_short_says_what_it_would_need(command: Any) -> None:
    outcome = command("run", *SMALL, "--tune", "all", "--budget", "0.00001s", "--quiet")
    assert "is too small: one fit takes about" in outcome.refusal
    assert command.files() == set()


def test_one_row_of_a_class_is_no_obstacle(command: Any, table: Any) -> None:
    frame = table(40)
    frame.loc[0, "target"] = "maybe"
    frame.to_csv(command.folder / "lone.csv", index=False)
    outcome = command("run", "lone.csv", "--epochs", "3", "--hidden", "8", "--folds", "3", *ALL)
    assert outcome.code == 0, outcome.err
