"""A learning curve in words: headline, sentences, notes and its table."""

from __future__ import annotations

from dataclasses import asdict
from math import floor, isfinite, log10
from typing import TYPE_CHECKING, Any

from shrinkage.exhibits.exhibit import Table
from shrinkage.exhibits.interaction_wording import interval
from shrinkage.intervals import Interval, decimals
from shrinkage.penalties import describe_lambda

if TYPE_CHECKING:
    from shrinkage.exhibits.learning_curve_record import Curve, LearningCurve

FARTHEST = 10.0
"""Multiple of the rows beyond which no number of rows is named."""
TOLD = 1.5
"""A range from less than this multiple to more than that one says nothing."""


def headline(found: LearningCurve) -> str:
    """The verdict with its numbers, without a full stop."""
    if found.verdict == "unclear":
        return f"Whether more rows or {found.penalty.label} would help more is unclear"
    rows = f"twice the rows would lower the {found.loss_name} by {_amount(found.doubling)}"
    penalty = f"{found.penalty.label} by {_amount(found.gain)}"
    if found.verdict == "more data":
        return f"More data would help more than a penalty: {rows}, {penalty} {found.unit}"
    if found.plain.follows_its_law:
        return f"A penalty helps more than more data would: {rows}, {penalty} {found.unit}"
    return (
        f"A penalty helps more than more data did: {_times(found)} the rows changed the "
        f"{found.loss_name} by {_amount(-found.plain.falls)}, {found.penalty.label} by "
        f"{_amount(-found.gain)} {found.unit}"
    )


def _times(found: LearningCurve) -> str:
    """How many times the fewest rows all of them are."""
    return f"{found.all_rows / found.rows[0]:.0f} times"


def _amount(value: Interval) -> str:
    return f"{value.estimate:.{decimals(value.estimate)}f}".replace("-", "−")


def sentences(found: LearningCurve) -> tuple[str, ...]:
    """Verdict, rows, what is left with the penalty, gap."""
    return (_verdict(found), _rows(found), _left(found), _gaps(found))


def _verdict(found: LearningCurve) -> str:
    rows = f"twice the rows would lower the validation {found.loss_name} by " + (
        found.doubling.with_unit(found.unit)
    )
    penalty = f"{found.penalty.label} lowers it by {found.gain.with_unit(found.unit)}"
    basis = (
        f"({found.gain.level:.0%} intervals over {found.folds} "
        f"{'fold' if found.folds == 1 else 'folds'}; λ chosen on the other folds)"
    )
    if not found.plain.follows_its_law and found.verdict == "a penalty":
        return (
            f"A penalty helps more than more data did: {_no_law(found)}, while with the "
            f"{thousands(found.all_rows)} training rows of a fold {penalty} {basis}."
        )
    if not found.plain.follows_its_law:
        return (
            f"What more rows would bring cannot be told: {_no_law(found)}; with the "
            f"{thousands(found.all_rows)} training rows of a fold {penalty} {basis}."
        )
    if found.verdict == "more data":
        opening = "More data would help more than a penalty"
    elif found.verdict == "a penalty":
        opening = "A penalty helps more than more data would"
    else:
        opening = "Whether more data or a penalty would help more is unclear"
    return f"{opening}: {rows}, {penalty} {basis}."


def _no_law(found: LearningCurve) -> str:
    """Why the curve without a penalty is not extrapolated."""
    first, last = thousands(found.rows[0]), thousands(found.all_rows)
    if found.plain.falls.low <= 0:
        return (
            f"from {first} to {last} rows the validation {found.loss_name} without a penalty does "
            f"not fall beyond noise ({found.plain.falls.with_unit(found.unit)})"
        )
    return (
        f"from {first} to {last} rows the validation {found.loss_name} without a penalty falls by "
        f"{found.plain.falls.with_unit(found.unit)}, but not along a power law, which explains "
        f"only {max(found.plain.explained, 0.0):.0%} of it"
    )


def _rows(found: LearningCurve) -> str:
    """With how many rows the plain network would be as good."""
    total = found.all_rows
    reach = (
        f"reaches with {thousands(total)} the validation {found.loss_name} of "
        f"{_number(found.penalized.means[-1])} {found.unit}"
    )
    if found.needed is None:
        reason = (
            "its own gain is not beyond noise"
            if found.plain.follows_its_law
            else "the curve without it cannot be followed to more rows"
        )
        return f"How many rows the penalty is worth cannot be told: {reason}."
    needed, label = found.needed, found.penalty.label
    times = needed.low / total
    if not found.tells_rows:
        return (
            f"How many rows {label} is worth cannot be told from this curve: without a penalty it "
            f"would take anything from {times:.1f} to more than {FARTHEST:.0f} times the rows."
        )
    if needed.estimate > FARTHEST * total:
        return (
            f"Without a penalty it would take more than {FARTHEST:.0f} times the rows (at least "
            f"{min(times, FARTHEST):.1f} times) to do as well as {label}, which {reach}."
        )
    return (
        f"Without a penalty it would take about {about(needed.estimate)} training rows "
        f"[{about(needed.low)}, {_up_to(needed.high, total)}], {needed.estimate / total:.1f} times "
        f"as many, to do as well as {label}, which {reach}; that is extrapolated along "
        f"a + b·n^(−c), fitted to {len(found.rows)} sizes."
    )


def _up_to(rows: float, total: float) -> str:
    if rows > FARTHEST * total:
        return f"more than {thousands(FARTHEST * total)}"
    return about(rows)


def _left(found: LearningCurve) -> str:
    if not found.penalized.follows_its_law:
        return f"What twice the rows would bring with {found.penalty.label} cannot be told."
    return (
        f"With {found.penalty.label}, twice the rows would still lower the validation "
        f"{found.loss_name} by {found.doubling_penalized.with_unit(found.unit)}."
    )


def _gaps(found: LearningCurve) -> str:
    """How the gap closes."""
    first, last = thousands(found.rows[0]), thousands(found.all_rows)

    def closes(curve: Curve) -> str:
        return (
            f"from {curve.gap[0].with_unit(found.unit)} with {first} rows to "
            f"{curve.gap[-1].with_unit(found.unit)} with {last}"
        )

    return (
        f"The gap between validation and training goes {closes(found.plain)}; "
        f"{found.penalized.label}, {closes(found.penalized)}."
    )


def notes(found: LearningCurve) -> tuple[str, ...]:
    """What is missing, failed, or lies at the edge of the λ that were tried."""
    said = []
    if found.missing:
        folds = "fold" if found.folds == 1 else "folds"
        said.append(
            f"{found.missing} of the planned fits are missing; the curves rest on {found.folds} "
            f"complete {folds}."
        )
    if found.failures.count:
        fits = "1 fit" if found.failures.count == 1 else f"{found.failures.count} fits"
        said.append(f"{fits} {found.failures.verb} and are left out.")
    if found.folds == 1:
        said.append("One fold alone cannot tell noise from effect; use more folds (--folds).")
    if len(found.lambdas) > 1 and found.best[-1] in (found.lambdas[0], found.lambdas[-1]):
        end = "smallest" if found.best[-1] == found.lambdas[0] else "largest"
        said.append(
            f"On all rows the best λ is the {end} that was tried, "
            f"{describe_lambda(found.best[-1])}; try others with --lambdas."
        )
    return tuple(said)


def table(found: LearningCurve) -> Table:
    """Losses and gaps of each size."""
    label = found.penalty.label
    columns = (
        "training rows",
        f"validation without ({found.unit})",
        "gap without",
        f"validation {found.penalized.label}",
        f"gap {found.penalized.label}",
        f"best λ of {label}",
    )
    rows = tuple(
        (
            thousands(count),
            str(found.plain.validation[size]),
            str(found.plain.gap[size]),
            str(found.penalized.validation[size]),
            str(found.penalized.gap[size]),
            describe_lambda(found.best[size]),
        )
        for size, count in enumerate(found.rows)
    )
    return Table(columns, rows, len(rows) - 1)


def plain(found: LearningCurve) -> dict[str, Any]:
    """Plain values, for machines."""
    return {
        "verdict": found.verdict,
        "penalty": found.penalty.name,
        "lambdas": list(found.lambdas),
        "best_lambda": list(found.best),
        "rows": found.rows.tolist(),
        "loss": found.loss_name,
        "unit": found.unit,
        "folds": found.folds,
        "without": _curve(found.plain),
        "with": _curve(found.penalized),
        "fall": interval(found.plain.falls),
        "gain": interval(found.gain),
        "doubling": interval(found.doubling),
        "doubling_with_penalty": interval(found.doubling_penalized),
        "difference": interval(found.difference),
        "surplus": interval(found.surplus),
        "rows_needed": interval(found.needed),
        "missing": found.missing,
        **asdict(found.failures),
    }


def _curve(curve: Curve) -> dict[str, Any]:
    return {
        "train_loss": [interval(one) for one in curve.train],
        "validation_loss": [interval(one) for one in curve.validation],
        "gap": [interval(one) for one in curve.gap],
        "power_law": {
            "floor": float(curve.law.floor[0]),
            "scale": float(curve.law.scale[0]),
            "exponent": float(curve.law.exponent[0]),
            "explained": curve.explained,
        },
    }


def about(rows: float) -> str:
    """Rows with two digits, since no more are known.

    Examples
    --------
    >>> about(3187.4), about(96.2), about(12345.0)
    ('3,200', '96', '12,000')
    """
    if not isfinite(rows) or rows <= 0:
        return str(rows)
    unit = 10.0 ** max(floor(log10(rows)) - 1, 0)
    return f"{round(rows / unit) * unit:,.0f}"


def thousands(rows: float) -> str:
    """A number of rows, in full."""
    return f"{round(rows):,}"


def _number(value: float) -> str:
    return f"{value:.{decimals(value)}f}"
