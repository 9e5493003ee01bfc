"""The report's tables and tiles, row by row."""

from __future__ import annotations

from dataclasses import dataclass

from shrinkage.findings import Findings
from shrinkage.intervals import Interval
from shrinkage.report.wording import minus, number, percent, weights_name
from shrinkage.scores import PathPoint
from shrinkage.tune import candidates
from shrinkage.verify import Effect


@dataclass(frozen=True)
class Tile:
    """One key number: what it is about, the number, and what stands under it."""

    about: str
    value: str
    detail: str
    tone: str  # "", "good", "bad"


def tiles(findings: Findings) -> tuple[Tile, ...]:
    """The four findings, each as a number."""
    facts, point = findings.diagnosis, findings.selection.point
    found = [
        Tile(
            "Diagnosis",
            facts.heading,
            f"validation less training {facts.loss_name}: {minus(facts.gap.with_unit(facts.unit))}",
            {"balanced": "good", "unclear": ""}.get(facts.heading, "bad"),
        )
    ]
    baseline = findings.selection.baseline
    against = (
        f", without a penalty {number(baseline.mean_validation)}"
        if baseline is not None and point.penalty is not None
        else ""
    )
    numbers = (
        f"validation {facts.loss_name} "
        f"{_over(point, point.mean_validation, point.se_validation)}{against}"
    )
    if not findings.plan.tries_penalties:
        found.append(Tile("Best penalty", "none was tried", numbers, ""))
    elif findings.recommended is None and point.penalty is not None:
        label = point.label
        found.append(
            Tile("Best penalty", "none recommended", f"{label} is not beyond noise: {numbers}", "")
        )
    else:
        found.append(Tile("Best penalty", point.label, numbers, ""))
    verification = findings.verification
    if verification is None:
        missing = "the networks on all training rows are missing"
        return (*found, Tile("Held-out data", "not verified", missing, ""))
    if verification.effects:
        found.append(_effect_tile(verification.effects[0], point.penalty is not None))
    together = verification.weights[0]
    before, after = together.before, together.after
    weights = weights_name(findings).capitalize()
    if point.penalty is None:
        found.append(Tile(weights, number(before.std), "spread, without a penalty", ""))
    elif after.zeros > 0.05:
        found.append(
            Tile(
                weights,
                f"{percent(after.zeros)} exactly zero",
                f"spread {number(before.std)} → {number(after.std, before.std)}",
                "",
            )
        )
    else:
        found.append(
            Tile(
                weights,
                f"{number(before.std)} → {number(after.std, before.std)}",
                f"spread; {percent(after.zeros)} are exactly zero",
                "",
            )
        )
    return tuple(found)


def _effect_tile(effect: Effect, penalized: bool) -> Tile:
    if not penalized:
        return Tile(
            "Held-out data", f"{effect.label} {effect.before.estimate:.3g}", str(effect.before), ""
        )
    before, after = effect.before.estimate, effect.after.estimate
    tone = {"better": "good", "worse": "bad"}.get(effect.outcome, "")
    return Tile(
        "Held-out data",
        f"{number(before, after)} → {number(after, before)}",
        f"{effect.label}, {effect.outcome}: {_signed(effect.difference)}",
        tone,
    )


@dataclass(frozen=True)
class EffectRow:
    """One metric; `bar` places the difference's interval, its estimate and zero in percent."""

    label: str
    unit: str
    before: str
    after: str
    difference: str
    outcome: str
    better: str
    bar: tuple[float, float, float] | None


def effects_table(effects: tuple[Effect, ...]) -> tuple[EffectRow, ...]:
    """One row for each metric."""
    return tuple(
        EffectRow(
            label=effect.label,
            unit=effect.unit,
            before=minus(str(effect.before)),
            after=minus(str(effect.after)),
            difference=_signed(effect.difference),
            outcome=effect.outcome,
            better="higher is better" if effect.greater_is_better else "lower is better",
            bar=_bar(effect.difference),
        )
        for effect in effects
    )


def _signed(interval: Interval) -> str:
    return ("+" if interval.estimate > 0 else "") + minus(str(interval))


def _bar(interval: Interval) -> tuple[float, float, float] | None:
    """Low, estimate and high on a bar from 0 to 100 with zero in its middle."""
    if not interval.bounded:
        return None
    reach = 1.1 * max(abs(interval.low), abs(interval.high))
    if reach == 0:
        return None
    low, middle, high = (
        round(50 + 50 * value / reach, 2)
        for value in (interval.low, interval.estimate, interval.high)
    )
    return low, middle, high


@dataclass(frozen=True)
class PathRow:
    """One point of the path as text."""

    label: str
    train: str
    validation: str
    zeros: str
    folds: str
    mark: str


def path_table(findings: Findings) -> tuple[PathRow, ...]:
    """One row for each point of the path, incomplete ones too."""
    # After an interruption choices rest on the folds that every point has finished: so do these.
    chosen_from = candidates(findings.study, findings.plan.metric)
    compared = {(point.penalty, point.lam): point for point in chosen_from}
    points = [compared.get((point.penalty, point.lam), point) for point in findings.points]
    named = [
        ("selected", findings.selection.point),
        ("minimum", findings.minimum.point),
        ("one standard error", findings.one_standard_error.point),
    ]
    return tuple(
        PathRow(
            label=point.label,
            train=_over(point, point.mean_train, point.se_train),
            validation=_over(point, point.mean_validation, point.se_validation),
            zeros=percent(point.sparsity),
            folds=str(point.folds.size),
            mark=", ".join(
                word
                for word, chosen in named
                if (chosen.penalty, chosen.lam) == (point.penalty, point.lam)
            ),
        )
        for point in points
        if point.folds.size
    )


def checklist(findings: Findings) -> dict[str, object] | None:
    """The lesson's points, and how many are met."""
    if findings.verification is None:
        return None
    points = findings.verification.checklist
    applying = [point for point in points if point.passed is not None]
    met = sum(bool(point.passed) for point in applying)
    rest = len(points) - len(applying)
    tail = f"; {rest} {'does' if rest == 1 else 'do'} not apply" if rest else ""
    return {
        "title": f"{met} of {len(applying)} points of the checklist are met{tail}",
        "points": [
            {
                "text": point.text,
                "evidence": point.evidence,
                "state": {True: "met", False: "not met", None: "does not apply"}[point.passed],
                "key": {True: "yes", False: "no", None: "na"}[point.passed],
            }
            for point in points
        ],
    }


def _over(point: PathPoint, mean: float, error: float) -> str:
    """A mean over folds with its standard error, which one fold does not have."""
    return number(mean) + (f" ± {number(error, mean)}" if point.folds.size > 1 else "")
