"""Why a number has no counterpart, or not yet."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from shrinkage.conventions.circumstances import Strength
from shrinkage.conventions.setting import DECOUPLED, Setting
from shrinkage.conventions.wording import shown
from shrinkage.errors import SettingError


def obstacle(source: Setting, target: Setting) -> str | None:
    """Why no number of `target` means what one of `source` does; None where one may.

    Parameters
    ----------
    source, target : Setting
        From and to.

    Returns
    -------
    str or None
        A sentence.
    """
    if source.decoupled != target.decoupled:
        return (
            f"no number of {target.name} equals one of {source.name}: {DECOUPLED}; tune the other "
            "anew"
        )
    if {source.loss, target.loss} == {"classification", "regression"}:
        log, squared = sorted((source, target), key=lambda one: one.loss)
        return (
            f"{log.name} stands beside a log loss and {squared.name} beside a squared error, so a "
            "number of one says nothing about the other; convert between settings of the same loss"
        )
    if (source.l1 is None or target.l1 is None) and (source.l2 is None or target.l2 is None):
        one, other = ("L1", "L2") if source.l1 is not None else ("L2", "L1")
        return (
            f"{source.name} is {one} and {target.name} is {other}: different penalties, of which "
            "only L1 makes zeros, and no number of one equals one of the other; tune the other anew"
        )
    return None


def missing(
    source: Setting, target: Setting, numbers: int, known: Mapping[str, object]
) -> tuple[str, str] | None:
    """What a conversion depends on that is not known.

    Parameters
    ----------
    source, target : Setting
        From and to.
    numbers : int
        How many numbers of `source` are given.
    known : mapping
        Arguments of :func:`convert` by name; None where nothing is given.

    Returns
    -------
    (str, str) or None
        The name of the first one, and why it matters.
    """
    for name, why in (*source.needs.items(), *target.needs.items()):
        if known.get(name) is None:
            return name, why
    if source.mixes and numbers == 1 and known.get("l1_ratio") is None:
        first, share = source.arguments
        return "l1_ratio", f"{source.name} takes two numbers, {first} and {share}, the share of L1"
    return None


def check_targets(targets: int, source: Setting, target: Setting) -> None:
    """Refuse a number of targets that one of them cannot have."""
    for setting in (source, target):
        if setting.loss == "classification" and targets:
            raise SettingError(
                f"targets is {targets}, but {setting.name} predicts classes; leave targets"
            )
        if setting.one_target and targets > 1:
            raise SettingError(
                f"targets is {targets}, and {setting.name} penalizes the coefficients of several "
                "targets as a group, which no λ equals; convert for one target"
            )
        if setting.loss == "regression" and not targets:
            raise SettingError(
                f"targets is 0, which stands for classes, but {setting.name} has a squared error; "
                "give the number of targets or leave it"
            )


def check_parts(source: Setting, target: Setting, strength: Strength) -> None:
    """Refuse a part of a mixture that the target cannot express."""
    for part, able, name, symbol in (
        (strength.l1, target.l1, "L1", "λ₁"),
        (strength.l2, target.l2, "L2", "λ₂"),
    ):
        if part and able is None:
            raise SettingError(
                f"{source.name} has an {name} part here, {symbol} = {shown(part)}, which "
                f"{target.name} cannot express; choose a setting of both, such as keras.l1_l2"
            )


def check_range(target: Setting, exact: tuple[Fraction, ...], strength: Strength) -> None:
    """Refuse what no floating-point number comes near."""
    named = [*zip(target.arguments, exact), ("λ₁", strength.l1), ("λ₂", strength.l2)]
    for name, number in named:
        try:
            lost = bool(number) and not float(number)
        except OverflowError:
            lost = True
        if lost:
            raise SettingError(
                f"on the way to {target.name}, {name} would be too "
                f"{'small' if number < 1 else 'large'} for a floating-point number; give a value "
                "of a usual size"
            )
