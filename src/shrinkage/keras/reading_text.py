"""A reading in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shrinkage.intervals import decimals

if TYPE_CHECKING:
    from shrinkage.keras.reading import Reading


def worded(facts: Reading) -> tuple[str, str]:
    """The sentence and the advice of a reading."""
    if facts.diverged:
        when = f" at epoch {facts.epoch:,}" if facts.epoch else ""
        return (
            f"The training diverged: the {facts.loss_name} is not finite{when}.",
            "Lower the learning rate, and look for rows that are not finite.",
        )
    places = decimals(facts.validation_loss, facts.train_loss)
    losses = (
        f"{facts.loss_name} {facts.validation_loss:.{places}f} on validation rows vs "
        f"{facts.train_loss:.{places}f} on training rows"
    )
    said = f"The network {_state(facts)}: {losses}, {_gap(facts)}{_trend(facts)}{_null(facts)}."
    return said, _advice(facts)


def _state(facts: Reading) -> str:
    if facts.verdict == "underfits":
        return "underfits"
    if not facts.gap.bounded:
        return "seems to overfit" if facts.verdict == "overfits" else "does not seem to overfit"
    if facts.verdict == "overfits":
        return "overfits" if facts.gap_is_material or facts.gap_is_unclear else "overfits a little"
    if facts.gap_is_unclear:
        return f"is {_not_shown(facts)}"
    if facts.not_generalizing:
        return "predicts no better than a constant"
    return "neither overfits nor underfits" if facts.explained is not None else "does not overfit"


def _not_shown(facts: Reading) -> str:
    """What is said of an unclear gap."""
    what = "by an amount that counts" if facts.gap.low > 0 else "beyond noise"
    return f"not shown to overfit {what}"


def _gap(facts: Reading) -> str:
    if facts.rows is None or not facts.gap.bounded:
        number = f"{facts.gap.estimate:.{decimals(facts.gap.estimate)}f}"
        return f"gap {number}{facts.unit and ' ' + facts.unit} (one split, without an interval)"
    return (
        f"gap {facts.gap.with_unit(facts.unit)} ({facts.gap.level:.0%} interval over "
        f"{facts.rows[0]:,} and {facts.rows[1]:,} rows of one split)"
    )


def _trend(facts: Reading) -> str:
    if facts.trend is None or not facts.trend.excludes(0.0):
        return ""
    over = f"over the last {facts.recent:,} epochs"
    return f", still growing {over}" if facts.trend.estimate > 0 else f", shrinking {over}"


def _null(facts: Reading) -> str:
    """The constant answer's loss, and what it has to do with the verdict."""
    if facts.null_loss is None:
        return ""
    constant = f"; a constant prediction has {facts.null_loss:.{decimals(facts.null_loss)}f}"
    if facts.explained is not None and facts.explained < 0:
        return f"{constant}, which training does not reach"
    if facts.verdict == "underfits":
        falling = " and validation was still improving" if facts.falling else ""
        unclear = f"; it is {_not_shown(facts)}" if facts.gap_is_unclear else ""
        return (
            f"{constant}, so training explains only {facts.explained:.0%} of it{falling}{unclear}"
        )
    return f"{constant}, less than on validation rows" if facts.not_generalizing else constant


def _advice(facts: Reading) -> str:
    more = "shrinkage.keras.path tries penalties on several splits"
    if facts.verdict == "underfits":
        longer = "Train longer" if facts.falling else "Train longer or wider, or penalize less"
        return f"{longer}."
    if facts.stopping_helps and facts.early_gain is not None:
        gain = facts.early_gain.with_unit(facts.unit)
        return f"Stop at about epoch {facts.best_epoch:,} (it gains {gain}), or penalize; {more}."
    if facts.verdict == "overfits":
        return f"Penalize, or stop earlier; {more}."
    if facts.not_generalizing:
        needed = "Train longer" if facts.falling else "Give inputs that tell more about the target"
        return f"{needed}, or give more rows: it validates no better than a constant; {more}."
    return f"One split and one seed cannot say more; {more}."
