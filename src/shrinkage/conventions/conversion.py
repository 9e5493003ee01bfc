"""From one setting to another, exactly, or a sentence why there is no way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Real

from shrinkage.conventions.catalogue import find
from shrinkage.conventions.circumstances import Circumstances, Strength
from shrinkage.conventions.obstacles import (
    check_parts,
    check_range,
    check_targets,
    missing,
    obstacle,
)
from shrinkage.conventions.setting import Setting
from shrinkage.conventions.wording import REACHES, from_ours, shown, to_ours, written
from shrinkage.errors import SettingError

Number = int | float | Fraction


@dataclass(frozen=True)
class Conversion:
    """A setting's numbers, and those of another that mean the same.

    Parameters
    ----------
    source : Setting
        From.
    given : tuple of Fraction
        Its numbers, one for each of its arguments.
    target : Setting
        To.
    exact : tuple of Fraction
        Its numbers, not rounded: converting them back gives `given` itself.
    strength : Strength
        What both mean: λ₁ and λ₂; of decoupled settings the target's decay as λ₂.
    around : Circumstances
        Rows, batch, targets and momentum that were used.
    rates : tuple of Fraction or None, default None
        Learning rates of source and target, between decoupled settings.
    notes : tuple of str, default ()
        What to watch, a sentence each.
    """

    source: Setting
    given: tuple[Fraction, ...]
    target: Setting
    exact: tuple[Fraction, ...]
    strength: Strength
    around: Circumstances
    rates: tuple[Fraction, Fraction] | None = None
    notes: tuple[str, ...] = ()

    @property
    def value(self) -> float:
        """The target's first number: `exact`, rounded once."""
        return float(self.exact[0])

    @property
    def values(self) -> dict[str, float]:
        """The target's numbers by what they are called there."""
        return {name: float(value) for name, value in zip(self.target.arguments, self.exact)}

    @property
    def formulas(self) -> tuple[list[str], list[str]]:
        """To the package's λ, and from it."""
        return to_ours(self.source, self.around), from_ours(self.target, self.around)

    @property
    def code(self) -> tuple[str, str]:
        """How both are written in their frameworks."""
        return (
            written(self.source, self.given, self.around),
            written(self.target, self.exact, self.around),
        )

    @property
    def sameness(self) -> str:
        """What is the same on both sides."""
        if self.rates is None:
            return "Stationary points of the penalized loss, on weights that both act on."
        step = self.rates[0] * self.given[0]
        return f"Each step multiplies a weight by 1 − {shown(step)}."


def convert(
    value: Number | Sequence[Number],
    from_: str,
    to: str,
    *,
    rows: int | None = None,
    batch_size: int | None = None,
    learning_rate: Number | None = None,
    to_learning_rate: Number | None = None,
    momentum: Number | None = None,
    l1_ratio: Number | None = None,
    targets: int | None = None,
) -> Conversion:
    """The number of one setting that means what a number of another does.

    Arithmetic is in fractions, rounded once at the end. Converting :attr:`Conversion.exact` back
    gives the same numbers exactly; converting the rounded number of a one-number setting back gives
    the same float or its neighbour.

    Parameters
    ----------
    value : float or Fraction, or a sequence of two
        0 or larger; two for a setting of two numbers. A float is the binary number that it is.
    from_, to : str
        Names of settings, such as ``"keras.l2"``; those of the package are ``"shrinkage.l1"`` and
        ``"shrinkage.l2"``.
    rows : int, optional
        Training rows.
    batch_size : int, optional
        Rows of a batch.
    learning_rate, to_learning_rate : float or Fraction, optional
        Of the source and of the target, for decoupled decay; the target's is the source's unless it
        is given.
    momentum : float or Fraction, optional
        Of SGD, where a setting acts after it.
    l1_ratio : float or Fraction, optional
        Share of L1, where one number is given to a setting of a strength and a share.
    targets : int, optional
        Columns of the target of a regression, 0 for classes. By default 1 where a setting speaks
        of a squared error only, else 0.

    Returns
    -------
    Conversion
        With the numbers, the formulas and what to watch.

    Raises
    ------
    SettingError
        Where there is no exact conversion, or something that it depends on is missing.

    Examples
    --------
    >>> convert(0.01, "keras.l2", "torch.sgd").value
    0.02
    >>> convert(0.1, "glmnet", "keras.l1_l2", l1_ratio=0.5).values
    {'l1': 0.05, 'l2': 0.025}
    >>> convert(0.1, "sklearn.lasso", "keras.l1").value  # whose squared error has no ½
    0.2
    """
    source, target = find(from_), find(to)
    reason = obstacle(source, target)
    if reason is not None:
        raise SettingError(reason)
    numbers = _listed(value)
    lacking = missing(
        source,
        target,
        len(numbers),
        {
            "rows": rows,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "momentum": momentum,
            "l1_ratio": l1_ratio,
        },
    )
    if lacking is not None:
        raise SettingError(f"{lacking[1]}; pass {lacking[0]}")
    asked = targets
    if asked is None:
        asked = int("regression" in (source.loss, target.loss))
    check_targets(asked, source, target)
    around = Circumstances(rows, batch_size, asked, _fraction("momentum", momentum))
    given = _given(numbers, source, _fraction("l1_ratio", l1_ratio))
    strength = source.strength(given, around)
    rates = _rates(source, learning_rate, to_learning_rate)
    if rates is not None:
        strength = Strength(strength.l1, strength.l2 * rates[0] / rates[1])
    check_parts(source, target, strength)
    exact = target.values(strength, around)
    check_range(target, exact, strength)
    notes = _notes(source, target, around, told=targets is not None)
    return Conversion(source, given, target, exact, strength, around, rates, notes)


def _fraction(name: str, number: Number | None) -> Fraction | None:
    if number is None:
        return None
    try:
        finite = math.isfinite(number)
    except OverflowError:
        raise SettingError(f"{name} is too large for a floating-point number") from None
    if not finite:
        raise SettingError(f"{name} is {float(number):g}; it must be a finite number")
    exact = Fraction(number if isinstance(number, int | Fraction) else float(number))
    if exact < 0:
        raise SettingError(f"{name} is {shown(exact)}; it must be 0 or larger")
    return exact


def _listed(value: Number | Sequence[Number]) -> list[Number]:
    """One number or several as a list."""
    if isinstance(value, str):
        raise SettingError(f"the value is the text '{value}'; pass a number")
    if isinstance(value, int | float | Fraction):
        return [value]
    return [float(value)] if isinstance(value, Real) else list(value)  # NumPy's are Real


def _given(numbers: list[Number], source: Setting, share: Fraction | None) -> tuple[Fraction, ...]:
    """Its numbers, one for each argument."""
    names = source.arguments
    if source.mixes and len(numbers) == 1:
        numbers = [*numbers, *([share] if share is not None else [])]
    elif source.mixes and share is not None:
        raise SettingError(f"{names[1]} of {source.name} is given twice; leave l1_ratio")
    if len(numbers) != len(names):
        takes = "one number" if len(names) == 1 else "two numbers"
        came = ", ".join(f"{float(each):g}" for each in numbers) or "none"
        raise SettingError(
            f"{source.name} takes {takes}, {' and '.join(names)}, but {came} came; write a decimal "
            "point, and a comma between two numbers"
        )
    given = tuple(
        exact
        for name, each in zip(names, numbers)
        if (exact := _fraction(f"{name} of {source.name}", each)) is not None
    )
    if source.mixes and given[1] > 1:
        raise SettingError(
            f"{names[1]} of {source.name} is {shown(given[1])}; it must lie between 0 (L2) and "
            "1 (L1)"
        )
    return given


def _rates(
    source: Setting, rate: Number | None, to_rate: Number | None
) -> tuple[Fraction, Fraction] | None:
    """Learning rates of both sides, where decay depends on them."""
    if not source.decoupled:
        return None
    first = _fraction("learning rate", rate)
    second = _fraction("the target's learning rate", to_rate)
    second = first if second is None else second
    if not first or not second:
        raise SettingError("learning rate is 0; it must be a positive number")
    return first, second


def _notes(
    source: Setting, target: Setting, around: Circumstances, *, told: bool
) -> tuple[str, ...]:
    """What to watch."""
    notes = []
    if source.half_sum_loss != target.half_sum_loss:
        half, whole = (source, target) if source.half_sum_loss else (target, source)
        differ = f"the squared error of {half.name} is ½ Σ over targets, of {whole.name} their mean"
        if around.targets:
            notes.append(f"{differ[0].upper()}{differ[1:]}; the penalty keeps its share.")
        elif not told and "classification" not in (source.loss, target.loss):
            notes.append(f"For classes; give targets for a regression, where {differ}.")
    if source.reach != target.reach:
        reaches = REACHES[target.reach], REACHES[source.reach]
        notes.append(f"{target.name} acts on {reaches[0]}; {source.name} on {reaches[1]}.")
    return tuple(dict.fromkeys([*notes, *target.advice, *target.notes, *source.notes]))
