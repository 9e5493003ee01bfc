"""Titles that say the point of each part of the report, and numbers written for people."""

from __future__ import annotations

import re

from shrinkage.figures.learning import LearningFigure
from shrinkage.findings import Findings
from shrinkage.intervals import decimals
from shrinkage.scores import NAMES
from shrinkage.verify import Effect
from shrinkage.verify.performance import TOO_FEW
from shrinkage.verify.weights import WeightsComparison

_NEGATIVE = re.compile(r"(?<![\w.])-(?=\d)")


def number(value: float, *others: float) -> str:
    """`value` with three digits of the largest among it and `others`, and a true minus sign."""
    return minus(f"{value:.{decimals(value, *others)}f}")


def minus(text: str) -> str:
    """Negative numbers with a minus sign, as wide as a digit; other hyphens stay.

    Examples
    --------
    >>> minus("5-fold: -0.5 [-1e-05, 2]")
    '5-fold: −0.5 [−1e-05, 2]'
    """
    return _NEGATIVE.sub("−", text)


def percent(share: float) -> str:
    """A share for people, never rounded to a claim that is not true.

    Examples
    --------
    >>> percent(0.5), percent(0.9996), percent(1.0), percent(0.0001)
    ('50%', '99.9%', '100%', '0.1%')
    """
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    shown = min(max(share, 0.001), 0.999)
    return f"{shown:.1%}" if shown < 0.1 or shown > 0.9 else f"{shown:.0%}"


def state(findings: Findings) -> str:
    """The verdict in a few words: what the diagnosis says before its numbers."""
    return findings.diagnosis.sentence.partition(":")[0].rstrip(".")


def headline(findings: Findings) -> str:
    """The verdict and what the penalty does, in one sentence."""
    point, verification = findings.selection.point, findings.verification
    opening, facts = state(findings), findings.diagnosis
    if not findings.plan.tries_penalties:
        return f"{opening}; no penalty was tried."
    if findings.recommended is None:
        return f"{opening}{_without(findings)}."
    if verification is None or not verification.effects:
        return f"{opening}; {point.label} validates best. The effect is not verified yet."
    clause = _effect_clause(verification.effects[0], point.label)
    if findings.contradicted:
        return f"{opening}; {point.label} validates best, but is contradicted: {clause}."
    guess = "" if facts.penalty_helps else "as a best guess, "
    return f"{opening}; {guess}{clause}."


def _without(findings: Findings) -> str:
    """Why no penalty is recommended."""
    facts, chosen = findings.diagnosis, findings.selection
    if facts.penalty_helps:  # in the loss; the plan chooses by something else
        return f"; by {NAMES[chosen.metric]} no penalty is best"
    if facts.stopping_helps:
        return f"; stopping at epoch {facts.early_epoch} helps, a penalty not beyond noise"
    if chosen.point.penalty is not None:
        return "; no penalty that was tried helps beyond noise"
    if facts.verdict == "overfits":
        return ", and no penalty that was tried helps"
    return "; no penalty is shown to be needed"


def _effect_clause(effect: Effect, label: str) -> str:
    old, new = effect.before.estimate, effect.after.estimate
    if effect.outcome == TOO_FEW:
        return f"{label}: {TOO_FEW}"
    if effect.outcome == "no clear difference":
        return f"{label} makes no clear difference to {effect.label} on untouched rows"
    verb = "lowers" if new < old else "raises"
    change = f"from {number(old, new)} to {number(new, old)}"
    return f"{label} {verb} {effect.label} on untouched rows {change}"


def path_title(findings: Findings) -> str:
    """What the λ path shows."""
    point, baseline = findings.selection.point, findings.selection.baseline
    loss = findings.diagnosis.loss_name
    if not findings.plan.tries_penalties:
        return "No penalty was tried"
    if point.penalty is None:
        best = NAMES[findings.selection.metric]
        return f"No λ has a better mean validation {best} than no penalty"
    if baseline is None or not baseline.folds.size:
        return f"{_capital(point.label)} validates best"
    old, new = baseline.mean_validation, point.mean_validation
    verb = "brings" if new < old else "takes"
    label = _capital(point.label)
    noise = "" if findings.diagnosis.penalty_helps else ", not beyond noise"
    change = f"from {number(old, new)} to {number(new, old)}"
    return f"{label} {verb} the validation {loss} {change}{noise}"


def weights_name(findings: Findings) -> str:
    """What a penalty acts on: without a hidden layer there are no hidden weights."""
    return "hidden weights" if findings.plan.network.hidden else "weights"


def learning_title(data: LearningFigure) -> str:
    """What the learning curves show."""
    gaps = [abs(curves.gap) for curves in data.curves]
    first = data.curves[0].label
    without = "without a penalty" if not data.curves[0].penalized else f"with {first}"
    text = f"Training and validation end {number(gaps[0], *gaps)} {data.unit} apart {without}"
    if len(gaps) > 1:
        text += f", {number(gaps[1], *gaps)} with {data.curves[1].label}"
    return text


def weights_title(together: WeightsComparison, weights: str = "hidden weights") -> str:
    """What the penalty does to the weights."""
    before, after = together.before, together.after
    if before.label == after.label:
        return f"The {weights} range from {before.minimum:.2f} to {before.maximum:.2f}"
    if after.zeros > 0.05:
        return (
            f"{percent(after.zeros)} of the {weights} are exactly zero, "
            f"{percent(before.zeros)} without the penalty"
        )
    verb = "shrinks" if after.std < before.std else "goes"
    return f"The spread of the {weights} {verb} from {number(before.std)} to {number(after.std)}"


def effects_title(effects: tuple[Effect, ...]) -> str:
    """What changes on the test set."""
    better = [effect.label for effect in effects if effect.outcome == "better"]
    worse = [effect.label for effect in effects if effect.outcome == "worse"]
    if effects[0].outcome == TOO_FEW:
        return TOO_FEW[:1].upper() + TOO_FEW[1:]
    if not better and not worse:
        return "On untouched rows no metric differs beyond noise"
    parts = []
    if better:
        parts.append(f"{_listed(better)} {'is' if len(better) == 1 else 'are'} better")
    if worse:
        parts.append(f"{_listed(worse)} {'is' if len(worse) == 1 else 'are'} worse")
    return f"On untouched rows {', '.join(parts)} beyond noise"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
