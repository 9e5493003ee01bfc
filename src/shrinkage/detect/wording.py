"""A diagnosis in two sentences that a newcomer can read."""

from __future__ import annotations

from shrinkage.detect.diagnosis import Diagnosis
from shrinkage.intervals import decimals


def sentence(facts: Diagnosis) -> str:
    """The verdict with its numbers."""
    opening = {
        "overfits": "The network overfits",
        "underfits": "The network underfits",
        "balanced": "The network neither overfits nor underfits",
    }[facts.verdict]
    if facts.verdict == "overfits" and not facts.gap_is_material:
        opening += " a little"
    if facts.verdict == "balanced" and facts.gap_is_unclear:
        opening = "The network is not shown to overfit beyond noise"
    return f"{opening}: {_losses(facts)}{_reason(facts)}{_left_out(facts)}."


def _losses(facts: Diagnosis) -> str:
    places = decimals(facts.validation_loss, facts.train_loss)
    folds = "1 fold" if facts.folds == 1 else f"{facts.folds} folds"
    interval = f"{facts.gap.level:.0%} interval, {folds}"
    if not facts.gap.bounded:
        interval = "one fold alone gives no interval"
    return (
        f"{facts.loss_name} {facts.validation_loss:.{places}f} on validation rows vs "
        f"{facts.train_loss:.{places}f} on training rows, gap {facts.gap.with_unit(facts.unit)} "
        f"({interval})"
    )


def _reason(facts: Diagnosis) -> str:
    """What else decided the verdict."""
    constant = f"{facts.null_loss:.{decimals(facts.null_loss)}f}"
    if facts.verdict == "underfits":
        share = f"{max(facts.explained, 0.0):.0%}"
        falling = " and validation was still improving" if facts.still_falling else ""
        return (
            f"; a constant prediction has {constant}, so training explains only {share} of it"
            f"{falling}"
        )
    if facts.verdict == "balanced":
        return f"; a constant prediction has {constant}"
    tried = facts.penalty_gain is not None or facts.early_gain is not None
    if facts.penalty_helps or facts.stopping_helps or not tried:
        return ""
    return "; but nothing that was tried validates better beyond noise"


def _left_out(facts: Diagnosis) -> str:
    """Fits that the numbers do not rest on."""
    parts = []
    if facts.diverged:
        parts.append(f"{facts.diverged} diverged {'fit is' if facts.diverged == 1 else 'fits are'}")
    if facts.missing:
        parts.append(f"{facts.missing} unfinished {'fit is' if facts.missing == 1 else 'fits are'}")
    return f" ({' and '.join(parts)} left out)" if parts else ""


def prescription(facts: Diagnosis) -> str:
    """What to do about it."""
    if facts.penalty_helps:
        return _add_penalty(facts)
    if facts.stopping_helps:
        return _stop_early(facts)
    if facts.verdict == "underfits":
        longer = "Train longer" if facts.still_falling else "Train longer or wider"
        return f"{longer}, or give inputs that tell more about the target; {_tried(facts)}."
    if facts.verdict == "balanced":
        needed = "No penalty is shown to be needed" if facts.gap_is_unclear else _NOT_NEEDED
        more = "; training longer may still help" if facts.still_falling else ""
        return f"{needed}: {_tried(facts)}{more}."
    if facts.penalty_gain is None:
        return f"Try a path of penalties: {_tried(facts)}."
    stopping = "" if facts.early_gain is None else ", nor does stopping earlier"
    return (
        f"No penalty that was tried helps beyond noise{_best_guess(facts)}{stopping}; more rows or "
        "a smaller network may close the gap."
    )


_NOT_NEEDED = "No penalty is needed"


def _add_penalty(facts: Diagnosis) -> str:
    assert facts.penalty_gain is not None
    text = (
        f"Add {facts.best_penalized}: a penalty chosen on the other folds lowers the validation "
        f"{facts.loss_name} by {facts.penalty_gain.with_unit(facts.unit)}"
    )
    early = facts.early_gain
    if facts.stopping_helps and early is not None:
        more = early.estimate > facts.penalty_gain.estimate
        text += (
            f"; stopping at epoch {facts.early_epoch} of {facts.epochs} instead gains "
            f"{'more' if more else 'less'}, {early.estimate:.{decimals(early.estimate)}f}"
        )
    return text + "."


def _stop_early(facts: Diagnosis) -> str:
    assert facts.early_gain is not None
    return (
        f"Stop at epoch {facts.early_epoch} of {facts.epochs}: an epoch chosen on the other folds "
        f"lowers the validation {facts.loss_name} by {facts.early_gain.with_unit(facts.unit)}, "
        f"while {_penalty_tried(facts)}."
    )


def _tried(facts: Diagnosis) -> str:
    """What was compared with the unpenalized network, and did not win beyond noise."""
    if facts.early_gain is None:
        return _penalty_tried(facts)
    return f"{_penalty_tried(facts)}, and no earlier epoch validates better beyond noise"


def _penalty_tried(facts: Diagnosis) -> str:
    if facts.penalty_gain is None:
        return "no penalty was tried"
    return f"no λ validates better beyond noise{_best_guess(facts)}"


def _best_guess(facts: Diagnosis) -> str:
    assert facts.penalty_gain is not None
    return (
        f" (the best guess is {facts.best_penalized}; chosen on the other folds, the gain is "
        f"{facts.penalty_gain.with_unit(facts.unit)})"
    )
