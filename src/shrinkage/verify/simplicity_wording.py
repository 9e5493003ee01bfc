"""Measures of simplicity as sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shrinkage.intervals import decimals
from shrinkage.verify.measures import KINDS, Measure

if TYPE_CHECKING:
    from shrinkage.verify.simplicity import Simplicity

_OWN_SENTENCE = frozenset({"brier", "expected_error"})
_TELLING = ("boundary_length", "islands", "jacobian_norm", "lipschitz", "path_norm")
_MOST_SHOWN = 3


def simpler(found: Simplicity) -> str:
    """By how many measures the function is simpler beyond the spread of the seeds, and by which."""
    measures = [one for one in found.measures if KINDS[one.name].better]
    measures = [one for one in measures if one.name not in _OWN_SENTENCE]
    telling = [one for one in measures if one.name in _TELLING]
    if not found.penalized:
        told = [f"{one.label} {_shown(one)[0]}" for one in telling]
        return f"Without a penalty: {', '.join(told)}."
    if found.seeds == 1:
        told = [f"{one.label} {_arrow(one)}" for one in telling]
        text = ", ".join(told)
        return f"{text[0].upper() + text[1:]}; one seed does not tell the spread of others."
    gains = [one for one in measures if one.improvement > 0]
    losses = [one for one in measures if one.improvement < 0]
    beyond = f"beyond the spread of {found.seeds} seeds"
    if not gains and not losses:
        return f"None of {len(measures)} measures of simplicity changes {beyond}."
    told = []
    if gains:
        told.append(f"Simpler by {_of(gains, measures)}, {beyond}: {_examples(gains)}")
    if losses:
        by = f"less simple by {len(losses)}" if gains else f"Less simple by {_of(losses, measures)}"
        told.append((by if gains else f"{by}, {beyond}") + f": {_examples(losses)}")
    return f"{'; '.join(told)}."


def _of(some: list[Measure], every: list[Measure]) -> str:
    return f"{len(some)} of {len(every)} measures"


def _examples(changed: list[Measure]) -> str:
    """The most telling of them first, with their numbers."""
    first = [one for one in changed if one.name in _TELLING]
    shown = (first + [one for one in changed if one not in first])[:_MOST_SHOWN]
    return ", ".join(f"{one.label} {_arrow(one)}" for one in shown)


def _arrow(one: Measure) -> str:
    return "{} → {}".format(*_shown(one))


def calibrated(found: Simplicity) -> str:
    """The expected calibration error, and how much of it is chance."""
    error = found.measure("expected_error")
    if error is None or found.certainty is None:
        return ""
    looked = found.certainty.rows[0]
    chance = found.certainty.by_chance
    if not found.penalized:
        return (
            f"On the test rows confidence and accuracy are {error.before} apart (expected "
            f"calibration error); chance alone would show {chance.before:.3f} on {_rows(looked)}."
        )
    verdict = {
        1: "The penalized networks' probabilities can be trusted more",
        -1: "The penalized networks' probabilities can be trusted less",
        0: "No clear difference in how far the probabilities can be trusted",
    }[error.improvement]
    return (
        f"{verdict}: the expected calibration error on the test rows goes {_from_to(error)} "
        f"(difference {error.difference}); chance alone would show {chance.before:.3f} and "
        f"{chance.after:.3f} on {_rows(looked)}."
    )


def looked_at(found: Simplicity) -> str:
    """Which rows were looked at, where not all were."""
    told = []
    if found.rows[0] < found.rows[1]:
        told.append(f"slopes at {found.rows[0]:,} of {found.rows[1]:,} training rows")
    if found.certainty is not None and found.certainty.rows[0] < found.certainty.rows[1]:
        few, every = found.certainty.rows
        told.append(f"margins and calibration at {few:,} of {every:,} test rows")
    if not told:
        return ""
    text = f"{' and '.join(told)}, always the same ones."
    return text[0].upper() + text[1:]


def _from_to(one: Measure) -> str:
    return "from {} to {}".format(*_shown(one))


def _shown(one: Measure) -> tuple[str, str]:
    """Both means, each with three digits: they may be far apart."""
    values = (one.before.estimate, one.after.estimate)
    old, new = (f"{value:,.{decimals(value)}f}" for value in values)
    return old, new


def _rows(count: int) -> str:
    return f"{count:,} row" + ("" if count == 1 else "s")
