"""The section about how simple the function is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shrinkage.figures.screen import Stage
from shrinkage.report import write
from shrinkage.report.simplicity import simplicity_part
from shrinkage.verify.measures import Measure, Sides, over_seeds


def with_measures(found, *measures: Measure):
    """The same findings with these measures, of three seeds."""
    simple = replace(found.verification.simplicity, measures=measures, seeds=3)
    return replace(found, verification=replace(found.verification, simplicity=simple))


def slopes(before, after):
    sides = Sides(np.array(before), np.array(after))
    return over_seeds("jacobian_norm", "binary", sides, paired=True)


FLATTER, STEEPER = slopes([4.0, 4.1, 4.2], [1.0, 1.1, 1.0]), slopes([1.0, 1.1, 1.0], [4, 4.1, 4.2])
SAME = slopes([4.0, 4.1, 4.2], [4.1, 4.0, 4.2])
MARGIN = over_seeds("margin", "binary", Sides(np.ones(3), np.zeros(3)), paired=True)


@pytest.mark.parametrize(
    ("measures", "title"),
    [
        ([FLATTER, SAME], "The penalty makes the function simpler"),
        ([STEEPER], "The penalty makes the function less simple"),
        ([FLATTER, STEEPER], "Simpler by some measures, less simple by others"),
        ([SAME, MARGIN], "No clear change in how simple the function is"),
    ],
)
def test_the_title_says_what_was_found(find, measures, title):
    part = simplicity_part(with_measures(find("moons"), *measures), Stage())
    assert part["title"] == title


def test_a_factor_or_a_difference(find):
    rows = simplicity_part(with_measures(find("moons"), FLATTER, MARGIN), Stage())["rows"]
    assert rows[0].change.startswith("× 0.252 [")
    assert (rows[0].outcome, rows[0].chip) == ("flatter", "better")
    assert rows[1].change == "−1.00 [−1.00, −1.00]"
    assert (rows[1].outcome, rows[1].chip) == ("smaller", "no-clear-difference")


def test_one_network_has_numbers_without_ends(find):
    part = simplicity_part(find("moons"), Stage())
    by_label = {row.label: row for row in part["rows"]}
    norm = by_label["norm of the hidden weights"]
    assert not {"[", "unbounded"} & set(norm.before.split())
    assert norm.outcome == "one seed does not tell"
    assert "[" in by_label["Brier score"].change


@pytest.mark.parametrize("name", ["moons", "wine", "diabetes", "one-multiclass", "one-regression"])
def test_every_task_has_its_section(find, run, name, tmp_path: Path):
    found = find(name)
    part = simplicity_part(found, stage := Stage())
    classified = found.study.data.task != "regression"
    drawn = ["slopes", "margins", "reliability"] if classified else ["slopes"]
    assert list(stage.drawings) == drawn
    assert bool(part["errors"]) is classified
    write(found, run, path := tmp_path / "report.html")
    page = path.read_text(encoding="utf-8")
    assert "Verify: the function" in page
    assert ("Whether confidence is deserved" in page) is classified


def test_without_a_penalty_there_is_one_column(find):
    found = find("moons")
    alone = replace(found.verification.simplicity, penalized=False)
    found = replace(found, verification=replace(found.verification, simplicity=alone))
    part = simplicity_part(found, Stage())
    assert part["after"] is None
    assert part["title"] == "How simple the function is without a penalty"
    assert part["errors"].endswith("%")


def test_nothing_verified_no_section(find):
    assert simplicity_part(replace(find("moons"), verification=None), Stage()) is None


def test_the_section_in_a_browser(open_report):
    page = open_report("moons", 390)
    section = page.locator("section[aria-labelledby=simplicity-title]")
    section.scroll_into_view_if_needed()
    assert section.locator("figure").count() == 3
    assert section.locator("figcaption").count() == 3
    for name in ("slopes", "margins", "reliability"):
        page.wait_for_selector(f"[data-plot={name}] canvas, [data-plot={name}] .bk-Figure")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
