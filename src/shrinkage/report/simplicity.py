"""The section about how simple the function is: slopes, margins, calibration, norms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shrinkage.figures.screen import Stage
from shrinkage.figures.screen.simplicity import draw_margins, draw_reliability, draw_slopes
from shrinkage.figures.simplicity import simplicity_figure
from shrinkage.findings import Findings
from shrinkage.intervals import Interval
from shrinkage.report.wording import minus
from shrinkage.verify.measures import Measure
from shrinkage.verify.simplicity import Simplicity

_CHIPS = {1: "better", -1: "worse", 0: "no-clear-difference"}


@dataclass(frozen=True)
class MeasureRow:
    """One measure as text: its change a factor or a step, `chip` the class of its outcome."""

    label: str
    unit: str
    before: str
    after: str
    change: str
    outcome: str
    chip: str


def simplicity_part(findings: Findings, stage: Stage) -> dict[str, Any] | None:
    """The section; None without a verification."""
    figure = simplicity_figure(findings)
    verification = findings.verification
    if figure is None or verification is None or verification.simplicity is None:
        return None
    found = verification.simplicity
    return {
        "title": _title(found),
        "sentence": _kept_together(found.sentence),
        "calibration": _kept_together(minus(found.calibration_sentence)),
        "looked_at": found.rows_sentence,
        "before": figure.before,
        "after": figure.after if figure.penalized else None,
        "seeds": found.seeds,
        "rows": tuple(_row(one) for one in found.measures),
        "slopes": draw_slopes(stage, figure),
        "margins": draw_margins(stage, figure),
        "reliability": draw_reliability(stage, figure),
        "errors": _errors(found),
    }


def _kept_together(text: str) -> str:
    """No line break between two numbers and their arrow."""
    return text.replace(" → ", "\u00a0→\u00a0")


def _title(found: Simplicity) -> str:
    if not found.penalized:
        return "How simple the function is without a penalty"
    gains = sum(one.improvement > 0 for one in found.measures)
    losses = sum(one.improvement < 0 for one in found.measures)
    if gains and not losses:
        return "The penalty makes the function simpler"
    if losses and not gains:
        return "The penalty makes the function less simple"
    if gains:
        return "Simpler by some measures, less simple by others"
    return "No clear change in how simple the function is"


def _row(one: Measure) -> MeasureRow:
    if one.ratio is None:
        sign = "+" if one.difference.estimate > 0 else ""
        change = sign + _text(one.difference)
    else:
        change = f"× {_text(one.ratio)}"
    return MeasureRow(
        label=one.label,
        unit=one.unit,
        before=_text(one.before),
        after=_text(one.after),
        change=change,
        outcome=one.outcome,
        chip=_CHIPS[one.improvement],
    )


def _text(interval: Interval) -> str:
    """With its ends where it has them; that a single network has none is said once, below."""
    return minus(str(interval)).removesuffix(" [unbounded]")


def _errors(found: Simplicity) -> str:
    """Of a classification, the share of wrong answers where the margins cross 0."""
    if found.certainty is None:
        return ""
    before, after = found.certainty.wrong
    if not found.penalized:
        return f"{before:.1%}"
    return f"{before:.1%} without and {after:.1%} with the penalty"
