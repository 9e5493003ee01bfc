"""An interaction map in words: headline, sentences, notes and its table."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from shrinkage.exhibits.exhibit import Table
from shrinkage.intervals import Interval, decimals
from shrinkage.penalties import describe, describe_lambda

if TYPE_CHECKING:
    from shrinkage.exhibits.interaction_record import Interaction, Way


def headline(found: Interaction) -> str:
    """The verdict with its number, without a full stop."""
    label, extra = found.penalty.label, found.extra
    amount = f"{_number(abs(extra.estimate))} {found.unit}"
    verb = "lower" if extra.estimate >= 0 else "raise"
    change = f"together they {verb} the {found.loss_name} of {_short(found.better)} by {amount}"
    if found.verdict == "complementary":
        return f"{label} and dropout complement each other: {change}"
    if found.verdict == "redundant":
        noise = "" if extra.high < 0 else ", not beyond noise"
        return f"{label} and dropout are redundant here: {change}{noise}"
    if found.verdict == "neither helps":
        return f"Neither {label} nor dropout is shown to help"
    if found.verdict == "unclear":
        return f"Whether {label} and dropout are redundant or complementary is unclear"
    helps, other = (label, "dropout") if found.alone.helps else ("dropout", label)
    adds = "adds little to it" if found.adds_little else "is not shown to add anything"
    return f"{_capital(helps)} helps, and {other} {adds}"


def sentences(found: Interaction) -> tuple[str, ...]:
    """Gains, verdict and ridge."""
    return (_gains(found), _verdict(found), _ridge(found))


def _gains(found: Interaction) -> str:
    parts = [
        f"{way.name} {way.gain.with_unit(found.unit)}"
        for way in (found.alone, found.dropout, found.both)
    ]
    level = f"{found.both.gain.level:.0%}"
    return (
        f"Fall of the validation {found.loss_name} against the plain network: "
        f"{parts[0]}, {parts[1]}, {parts[2]} ({level} intervals over {found.folds} "
        f"{_folds(found.folds)}; λ and dropout chosen on the other folds)."
    )


def _verdict(found: Interaction) -> str:
    extra = _extra(found)
    if found.verdict == "complementary":
        return f"The two are complementary: {extra}{_provided(found)}."
    if found.verdict == "redundant":
        return f"The two are redundant: {extra}{_provided(found)}."
    if found.verdict == "neither helps":
        return f"Neither is shown to help beyond noise, alone or with the other: {extra}."
    if found.verdict == "unclear":
        opening = f"Whether the two are redundant or complementary is unclear: {extra}"
        short = found.cut_short()
        if short is not None:
            what = "both together" if short is found.both else f"{_short(short)} alone"
            return f"{opening}; but more of {what} than was tried may change that."
        return f"{opening}{_provided(found)}; more rows or more repeats (--repeats) would tell."
    other = "dropout" if found.alone.helps else found.penalty.label
    return (
        f"Only {_short(found.better)} is shown to help beyond noise, and {other} "
        f"{'adds little' if found.adds_little else 'is not shown to add'} to it: "
        f"{extra}."
    )


def _extra(found: Interaction) -> str:
    """What both add to the better one, which is itself a choice; the sign becomes a word."""
    extra = found.extra if found.extra.estimate >= 0 else -found.extra
    verb = "lower" if found.extra.estimate >= 0 else "raise"
    noise = "" if extra.low > 0 else ", which is not beyond noise"
    return (
        f"together they {verb} the loss of the better one alone ({_short(found.better)}) by "
        f"{extra.with_unit(found.unit)}{noise}"
    )


def _short(way: Way) -> str:
    return way.name.removesuffix(" alone")


def _provided(found: Interaction) -> str:
    """The overlap, when there is one."""
    if found.overlap is None:
        return ""
    small, large = found.smaller, found.better
    return (
        f"; of what {small.name} gains, {_short(large)} provides {percent(found.overlap)} already"
    )


def percent(share: Interval) -> str:
    """An interval of shares in percent.

    Examples
    --------
    >>> percent(Interval(0.914, 0.72, 1.103))
    '91% [72%, 110%]'
    """
    estimate, low, high = (
        f"{round(100 * value) + 0.0:.0f}%" for value in (share.estimate, share.low, share.high)
    )
    return f"{estimate} [{low}, {high}]"


def _ridge(found: Interaction) -> str:
    row, column = found.best
    cells = int(np.isfinite(found.losses).sum())
    near = int(found.near.sum())
    text = (
        f"The least mean validation {found.loss_name}, "
        f"{_number(found.losses[row, column])} {found.unit}, is at "
        f"{cell(found, found.lambdas[row], found.dropouts[column])}; {near} of {cells} cells "
        "(marked *) are within one standard error of it"
    )
    ridge = found.ridge
    last = max(index for index, best in enumerate(ridge) if best is not None)
    if ridge[0] is not None and last > 0:
        first, end = found.lambdas[ridge[0]], found.lambdas[ridge[last] or 0]
        text += (
            f"; the best λ is {describe_lambda(first)} without dropout and "
            f"{describe_lambda(end)} with dropout {found.dropouts[last]:g}"
        )
    return f"{text}."


def cell(found: Interaction, lam: float, dropout: float) -> str:
    """A cell for people: ``"L2, λ = 0.01, with dropout 0.2"``."""
    with_dropout = f"dropout {dropout:g}" if dropout else "no dropout"
    return f"{describe(found.penalty, lam)}, {with_dropout}"


def notes(found: Interaction) -> tuple[str, ...]:
    """What is missing, failed, or lies at the edge of the grid."""
    said = []
    if found.missing:
        said.append(
            f"{found.missing} of the planned fits are missing; the map rests on {found.folds} "
            f"complete {_folds(found.folds)}."
        )
    if found.failures.count:
        fits = "1 fit" if found.failures.count == 1 else f"{found.failures.count} fits"
        said.append(f"{fits} {found.failures.verb}; cells with one are left out.")
    if found.folds == 1:
        said.append("One fold alone cannot tell noise from effect; use more folds (--folds).")
    said.extend(_edges(found))
    return tuple(said)


def _edges(found: Interaction) -> list[str]:
    """A best cell at the end of the grid may not be the best there is."""
    said = []
    ends = {way.name: found.at_end(way) for way in (found.alone, found.dropout, found.both)}
    for place, (what, largest, option) in enumerate(
        (
            ("λ", describe_lambda(found.lambdas[-1]), "--lambdas"),
            ("dropout", f"{found.dropouts[-1]:g}", "--dropouts"),
        )
    ):
        names = [name for name, end in ends.items() if end[place]]
        if names:
            said.append(
                f"The best {what} ({' and '.join(names)}) is the largest that was tried, "
                f"{largest}; try larger ones with {option}."
            )
    return said


def table(found: Interaction) -> Table:
    """Mean validation losses, λ down and dropout across."""
    places = decimals(*found.losses[np.isfinite(found.losses)])
    failed = "failed" if found.failures.count > found.failures.diverged else "diverged"
    rows = []
    for lam, losses, near in zip(found.lambdas, found.losses, found.near, strict=True):
        cells = [
            f"{loss:.{places}f}{'*' if close else ''}" if np.isfinite(loss) else failed
            for loss, close in zip(losses, near, strict=True)
        ]
        rows.append((describe_lambda(lam) if lam else "none", *cells))
    columns = ("λ ↓ dropout →", *(f"{dropout:g}" for dropout in found.dropouts))
    return Table(columns, tuple(rows), found.best[0])


def plain(found: Interaction) -> dict[str, Any]:
    """Plain values, for machines."""
    return {
        "verdict": found.verdict,
        "penalty": found.penalty.name,
        "lambdas": list(found.lambdas),
        "dropouts": list(found.dropouts),
        "validation_loss": found.losses.tolist(),
        "standard_error": found.errors.tolist(),
        "within_one_standard_error": found.near.tolist(),
        "best_lambda_for_each_dropout": [
            None if index is None else found.lambdas[index] for index in found.ridge
        ],
        "loss": found.loss_name,
        "unit": found.unit,
        "folds": found.folds,
        "ways": {
            "penalty": _way(found.alone),
            "dropout": _way(found.dropout),
            "both": _way(found.both),
        },
        "better": found.better.name,
        "extra": interval(found.extra),
        "overlap": interval(found.overlap),
        "missing": found.missing,
        **asdict(found.failures),
    }


def _way(way: Way) -> dict[str, Any]:
    return {
        "lambda": way.lam,
        "dropout": way.dropout,
        "validation_loss": way.loss,
        "gain": interval(way.gain),
    }


def interval(of: Interval | None) -> dict[str, float] | None:
    """Numbers of an interval; its ends need not be finite."""
    if of is None:
        return None
    return {"estimate": of.estimate, "low": of.low, "high": of.high, "level": of.level}


def _number(value: float) -> str:
    return f"{value:.{decimals(value)}f}"


def _folds(count: int) -> str:
    return "fold" if count == 1 else "folds"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
