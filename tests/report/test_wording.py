from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from shrinkage.detect import Verdict
from shrinkage.figures.learning import learning_figure
from shrinkage.findings import Findings
from shrinkage.intervals import Interval
from shrinkage.report.tables import checklist, effects_table, path_table, tiles
from shrinkage.report.wording import (
    effects_title,
    headline,
    learning_title,
    number,
    path_title,
    percent,
    weights_name,
    weights_title,
)
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
UNHELPFUL = Interval(0.01, -0.1, 0.1)


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
        (WORSE, "is contradicted: {} raises log loss on untouched rows from 0.500 to 0.600"),
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
        diagnosis=replace(found.diagnosis, penalty_gain=Interval(0.2, 0.1, 0.3)),
    )
    label = penalized.label
    assert headline(changed).endswith(f" {words.format(label)}.")
    assert f"; {label} " in headline(changed)
    overfits = replace(
        changed.diagnosis, verdict="overfits", penalty_gain=UNHELPFUL, early_gain=None
    )
    guess = headline(replace(changed, diagnosis=overfits))
    assert ("as a best guess" in guess) == (one is not WORSE)


@pytest.mark.parametrize("verdict", ["balanced", "underfits"])
def test_what_is_not_beyond_noise_is_not_recommended(find: Find, verdict: Verdict) -> None:
    found = find("moons")
    assert found.verification is not None
    penalized = next(point for point in found.points if point.penalty is not None)
    changed = replace(
        found,
        selection=replace(found.selection, point=penalized),
        verification=replace(found.verification, effects=(WORSE,)),
        diagnosis=replace(
            found.diagnosis, verdict=verdict, penalty_gain=UNHELPFUL, early_gain=None
        ),
    )
    assert headline(changed).endswith("; no penalty that was tried helps beyond noise.")
    assert path_title(changed).endswith(", not beyond noise")
    assert tiles(changed)[1].value == "none recommended"
    early = replace(changed.diagnosis, early_gain=Interval(0.2, 0.1, 0.3), early_epoch=4)
    assert "stopping at epoch 4 helps" in headline(replace(changed, diagnosis=early))


def test_a_plan_without_penalties_is_told(find: Find) -> None:
    found = find("moons")
    alone = replace(
        found,
        plan=replace(found.plan, lambdas=(0.0,)),
        selection=replace(found.selection, point=found.points[0]),
    )
    assert headline(alone).endswith("; no penalty was tried.")
    assert path_title(alone) == "No penalty was tried"
    assert tiles(alone)[1].value == "none was tried"


def test_one_report_has_one_gap(find: Find) -> None:
    found = find("moons")
    figure = learning_figure(found)
    assert figure is not None
    assert figure.curves[0].gap == found.diagnosis.gap.estimate
    assert figure.curves[0].gap != figure.curves[0].validation[-1] - figure.curves[0].train[-1]
    shown = number(abs(found.diagnosis.gap.estimate), *(curves.gap for curves in figure.curves))
    assert f"end {shown} nats apart without a penalty" in learning_title(figure)


def test_a_linear_model_has_no_hidden_weights(find: Find) -> None:
    found = find("moons")
    linear = replace(
        found, plan=replace(found.plan, network=replace(found.plan.network, hidden=()))
    )
    assert tiles(linear)[-1].about == "Weights"
    assert found.verification is not None
    title = weights_title(found.verification.weights[0], weights_name(linear))
    assert "hidden" not in title
    assert "weights" in title


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
