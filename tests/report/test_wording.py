from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from shrinkage.findings import Findings
from shrinkage.intervals import Interval
from shrinkage.report.tables import checklist, effects_table, path_table, tiles
from shrinkage.report.wording import effects_title, headline, number, percent
from shrinkage.verify import Effect

Find = Callable[[str], Findings]


def effect(difference: Interval, *, greater: bool = False) -> Effect:
    return Effect(
        metric="log_loss",
        label="log loss",
        unit="nats",
        before=Interval(0.5, 0.4, 0.6),
        after=Interval(0.5 + difference.estimate, 0.3, 0.5),
        difference=difference,
        greater_is_better=greater,
    )


BETTER = effect(Interval(-0.1, -0.15, -0.05))
UNCLEAR = effect(Interval(-0.1, -0.25, 0.05))
WORSE = effect(Interval(0.1, 0.05, 0.15))


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0%"), (1.0, "100%"), (0.99999, "99.9%"), (1e-6, "0.1%"), (0.3, "30%")],
)
def test_a_share_is_never_rounded_to_all_or_nothing(share: float, text: str) -> None:
    assert percent(share) == text


def test_numbers_have_a_true_minus() -> None:
    assert number(-0.5) == "−0.500"


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (BETTER, "lowers log loss on untouched rows from 0.500 to 0.400"),
        (UNCLEAR, "makes no clear difference to log loss on untouched rows"),
        (WORSE, "raises log loss on untouched rows from 0.500 to 0.600"),
    ],
)
def test_the_headline_claims_what_the_interval_allows(find: Find, one: Effect, words: str) -> None:
    found = find("moons")
    assert found.verification is not None
    penalized = next(point for point in found.points if point.penalty is not None)
    changed = replace(
        found,
        selection=replace(found.selection, point=penalized),
        verification=replace(found.verification, effects=(one,)),
    )
    assert headline(changed).endswith(f"{penalized.label} {words}.")


def test_the_headline_without_a_penalty(find: Find) -> None:
    found = find("moons")
    free = replace(found.selection, point=found.points[0])
    for verdict, words in (("overfits", "no penalty that was tried helps"), ("balanced", "needed")):
        diagnosis = replace(found.diagnosis, verdict=verdict)
        assert words in headline(replace(found, selection=free, diagnosis=diagnosis))


def test_the_title_of_the_effects_names_only_what_differs() -> None:
    assert "no metric differs beyond noise" in effects_title((UNCLEAR,))
    assert effects_title((BETTER, UNCLEAR)).count("log loss") == 1
    assert "is worse" in effects_title((WORSE,))


def test_the_bar_has_zero_in_its_middle() -> None:
    better, unclear, worse = effects_table((BETTER, UNCLEAR, WORSE))
    assert better.bar is not None
    assert unclear.bar is not None
    assert worse.bar is not None
    assert better.bar[2] < 50 < worse.bar[0]
    assert unclear.bar[0] < 50 < unclear.bar[2]
    assert better.difference.startswith("−")
    assert worse.difference.startswith("+")
    flat = effects_table((effect(Interval(0.0, 0.0, 0.0)),))[0]
    assert flat.bar is None


def test_tiles_are_the_four_findings(find: Find) -> None:
    assert [tile.about for tile in tiles(find("moons"))] == [
        "Diagnosis",
        "Best penalty",
        "Held-out data",
        "Hidden weights",
    ]
    assert tiles(find("interrupted"))[-1].value == "not verified"


def test_the_table_marks_the_choices(find: Find) -> None:
    found = find("moons")
    marked = {row.label: row.mark for row in path_table(found) if row.mark}
    assert "selected" in marked[found.selection.point.label]
    assert "minimum" in marked[found.minimum.point.label]
    assert "one standard error" in marked[found.one_standard_error.point.label]


def test_the_checklist_counts_what_applies(find: Find) -> None:
    found = find("moons")
    assert found.verification is not None
    points = found.verification.checklist
    some = (replace(points[0], passed=True), replace(points[1], passed=False))
    none = replace(points[2], passed=None)
    shown = checklist(
        replace(found, verification=replace(found.verification, checklist=(*some, none)))
    )
    assert shown is not None
    assert shown["title"] == "1 of 2 points of the checklist are met; 1 does not apply"
    assert checklist(find("interrupted")) is None
