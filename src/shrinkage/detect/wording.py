"""A diagnosis in two sentences that a newcomer can read."""

from __future__ import annotations

from shrinkage.detect.diagnosis import Diagnosis
from shrinkage.intervals import decimals


def sentence(facts: Diagnosis) -> str:
    """The verdict with its numbers."""
    return f"The network {_state(facts)}: {_losses(facts)}{_reason(facts)}{_left_out(facts)}."


def not_shown(facts: Diagnosis) -> str:
    """What is said of an unclear gap, after "is" or "it is"."""
    if facts.gap.low > 0:
        return "not shown to overfit by an amount that counts"
    return "not shown to overfit beyond noise"


def one_fold(facts: Diagnosis) -> str:
    """What is said of everything that rests on one fold."""
    more = "let the run finish, or use more folds" if facts.missing else "use more folds"
    return f"one fold alone cannot tell noise from effect; {more} (--folds)"


def _state(facts: Diagnosis) -> str:
    if facts.one_fold and facts.verdict != "underfits":
        return "seems to overfit" if facts.verdict == "overfits" else "does not seem to overfit"
    if facts.verdict == "underfits":
        return "underfits"
    if facts.verdict == "overfits":
        # A gap that may be large is not "a little", even where only the gains tell.
        return "overfits" if facts.gap_is_material or facts.gap_is_unclear else "overfits a little"
    if facts.gap_is_unclear:
        return f"is {not_shown(facts)}"
    if facts.not_generalizing:
        return "predicts no better than a constant"
    return "neither overfits nor underfits"


def _losses(facts: Diagnosis) -> str:
    places = decimals(facts.validation_loss, facts.train_loss)
    gap = f"{facts.gap.with_unit(facts.unit)} ({facts.gap.level:.0%} interval, {facts.folds} folds)"
    if facts.one_fold:
        gap = f"{_number(facts.gap.estimate)} {facts.unit} (1 fold, so without an interval)"
    return (
        f"{facts.loss_name} {facts.validation_loss:.{places}f} on validation rows vs "
        f"{facts.train_loss:.{places}f} on training rows, gap {gap}"
    )


def _unclear(facts: Diagnosis) -> bool:
    """Whether there is an interval, and it leaves open if the network overfits."""
    return facts.gap_is_unclear and not facts.one_fold


def _number(value: float) -> str:
    return f"{value:.{decimals(value)}f}"


def _reason(facts: Diagnosis) -> str:
    """What else decided the verdict."""
    constant = f"; a constant prediction has {_number(facts.null_loss)}"
    if facts.not_trained:
        return f"{constant}, which training does not reach"
    if facts.verdict == "underfits":
        falling = " and validation was still improving" if facts.still_falling else ""
        unclear = f"; it is {not_shown(facts)}" if _unclear(facts) else ""
        share = f"{facts.explained:.0%}"
        return f"{constant}, so training explains only {share} of it{falling}{unclear}"
    if facts.not_generalizing:
        return f"{constant}, less than on validation rows"
    if facts.verdict == "balanced":
        return constant
    tried = facts.penalty_gain is not None or facts.early_gain is not None
    if facts.penalty_helps or facts.stopping_helps or facts.one_fold or not tried:
        return ""
    what = "no earlier epoch" if facts.penalty_gain is None else "nothing that was tried"
    return f"; but {what} validates better beyond noise"


def _left_out(facts: Diagnosis) -> str:
    """Fits that the numbers do not rest on."""
    parts = []
    failures = facts.failures
    for count, what, why in (
        (failures.diverged, "diverged ", ""),
        (failures.out_of_time, "", " that ran out of time"),
        (failures.lost, "", " that went down with a worker"),
        (facts.missing, "unfinished ", ""),
    ):
        if count:
            parts.append(f"{count} {what}{f'fit{why} is' if count == 1 else f'fits{why} are'}")
    return f" ({' and '.join(parts)} left out)" if parts else ""


def prescription(facts: Diagnosis) -> str:
    """What to do about it."""
    if facts.not_trained:
        return (
            "The loss is worse than a constant prediction's: lower the learning rate, or train "
            f"longer; {_tried(facts)}."
        )
    if facts.verdict == "underfits":
        inputs = "give inputs that tell more about the target"
        return f"{_more_training(facts)}, or {inputs}; {_tried(facts)}."
    if facts.penalty_helps:
        return f"Add {facts.best_penalized}: {_penalty_gain(facts)}{_or_stop(facts)}."
    if facts.stopping_helps:
        return (
            f"Stop at epoch {facts.early_epoch} of {facts.epochs}: {_early_gain(facts)}, while "
            f"{_penalty_tried(facts)}."
        )
    if facts.one_fold or facts.penalty_gain is None:
        return _cannot_tell(facts)
    if facts.verdict == "overfits":
        return _nothing_helps(facts)
    if facts.not_generalizing:
        return (
            "Give inputs that tell more about the target, or more rows: the network validates "
            f"no better than a constant prediction; {_tried(facts)}."
        )
    what = "regularization" if facts.recipes else "penalty"
    shown = f"No {what} is shown to be needed" if facts.gap_is_unclear else f"No {what} is needed"
    more = "; training longer may still help" if facts.still_falling else ""
    return f"{shown}: {_tried(facts)}{more}."


def _more_training(facts: Diagnosis) -> str:
    # A wider network would overfit more, if this one does.
    if facts.still_falling or _unclear(facts):
        return "Train longer"
    return "Train longer or wider" if facts.hidden_layers else "Train longer, add a hidden layer"


def _cannot_tell(facts: Diagnosis) -> str:
    """When nothing was compared, or on one fold only."""
    if facts.penalty_gain is None:
        text = _none_tried(facts)
        text = f"{text[:1].upper()}{text[1:]}"
        if facts.one_fold:
            return f"{text}; {one_fold(facts)}."
        # Of an overfitting network the verdict has told so already.
        epochs = _epochs_tried(facts) if facts.verdict == "balanced" else ""
        return f"{text}{epochs}; try a path of penalties."
    text = one_fold(facts)
    gain = facts.penalty_gain.estimate
    verb = "lowers" if gain > 0 else "raises"
    return (
        f"{text[:1].upper()}{text[1:]}; on it the best guess, {facts.best_penalized}, {verb} the "
        f"validation {facts.loss_name} by {_number(abs(gain))} {facts.unit}."
    )


def _nothing_helps(facts: Diagnosis) -> str:
    stopping = "" if facts.early_gain is None else ", nor does stopping earlier"
    smaller = "a smaller network" if facts.hidden_layers else "fewer inputs"
    return (
        f"No {_kind(facts)} that was tried helps beyond noise{_best_guess(facts)}{stopping}; more "
        f"rows or {smaller} may close the gap."
    )


def _kind(facts: Diagnosis) -> str:
    return "recipe" if facts.recipes else "penalty"


def _penalty_gain(facts: Diagnosis) -> str:
    assert facts.penalty_gain is not None
    return (
        f"a {_kind(facts)} chosen on the other folds lowers the validation {facts.loss_name} by "
        f"{facts.penalty_gain.with_unit(facts.unit)}"
    )


def _early_gain(facts: Diagnosis) -> str:
    assert facts.early_gain is not None
    return (
        f"an epoch chosen on the other folds lowers the validation {facts.loss_name} by "
        f"{facts.early_gain.with_unit(facts.unit)}"
    )


def _or_stop(facts: Diagnosis) -> str:
    """How stopping early compares with a penalty that helps."""
    early, gain = facts.early_gain, facts.penalty_gain
    if not facts.stopping_helps or early is None or gain is None:
        return ""
    return (
        f"; stopping at epoch {facts.early_epoch} of {facts.epochs} instead gains "
        f"{'more' if early.estimate > gain.estimate else 'less'}, {_number(early.estimate)}"
    )


def _tried(facts: Diagnosis) -> str:
    """What was compared with the unpenalized network, and what came of it."""
    if facts.penalty_helps:
        return f"as it is, {facts.best_penalized} helps: {_penalty_gain(facts)}{_or_stop(facts)}"
    if facts.stopping_helps:
        return f"as it is, epoch {facts.early_epoch} is better: {_early_gain(facts)}"
    if facts.one_fold:
        return one_fold(facts)
    return f"{_penalty_tried(facts)}{_epochs_tried(facts)}"


def _epochs_tried(facts: Diagnosis) -> str:
    return (
        "" if facts.early_gain is None else ", and no earlier epoch validates better beyond noise"
    )


def _none_tried(facts: Diagnosis) -> str:
    # Without a gain no penalty was planned, or none of its fits finished.
    reason = "no fit with a penalty finished" if _failed(facts) else "no penalty was tried"
    return f"{reason}, so none can be recommended"


def _failed(facts: Diagnosis) -> bool:
    return facts.failures.count + facts.missing > 0


def _penalty_tried(facts: Diagnosis) -> str:
    if facts.penalty_gain is None:
        return _none_tried(facts)
    what = "recipe" if facts.recipes else "λ"
    return f"no {what} validates better beyond noise{_best_guess(facts)}"


def _best_guess(facts: Diagnosis) -> str:
    assert facts.penalty_gain is not None
    if not facts.penalty_gain.bounded:
        return f" (the best guess is {facts.best_penalized}, seen on one fold alone)"
    return (
        f" (the best guess is {facts.best_penalized}; chosen on the other folds, the gain is "
        f"{facts.penalty_gain.with_unit(facts.unit)})"
    )
