"""Settings and numbers in words and formulas."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from shrinkage.conventions.circumstances import Circumstances
from shrinkage.conventions.setting import Setting

OURS = "mean loss + λ₁ Σ|w| + (λ₂/2) Σw²"
REACHES = {
    "hidden kernels": "hidden kernels alone",
    "chosen kernels": "the kernels it is given to, no biases",
    "every kernel": "every kernel, the output layer's too, no biases",
    "every parameter": "every parameter, biases and the output layer too",
    "coefficients": "every coefficient, not the intercept",
    "inputs": "a skip layer from the inputs to the output",
}
"""What settings act on."""


def shown(number: Fraction | float) -> str:
    """A number with nine digits at most, without a power of ten unless it takes many zeros.

    Examples
    --------
    >>> shown(Fraction(1, 80000)), shown(0.1 + 0.2), shown(800), shown(1e-12)
    ('0.0000125', '0.3', '800', '1e-12')
    """
    rounded = Decimal(f"{float(number):.9g}")
    if rounded and not -9 <= rounded.adjusted() < 12:
        return f"{rounded.normalize():e}".replace("e-0", "e-")
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def to_ours(setting: Setting, around: Circumstances) -> list[str]:
    """The formulas for λ₁ and λ₂, as far as it has them.

    Examples
    --------
    >>> from shrinkage.conventions import find
    >>> to_ours(find("keras.l1_l2"), Circumstances())
    ['λ₁ = l1', 'λ₂ = 2 · l2']
    >>> to_ours(find("glmnet"), Circumstances(targets=1))
    ['λ₁ = 2 · lambda · alpha', 'λ₂ = 2 · lambda · (1 − alpha)']
    """
    first, last = setting.arguments[0], setting.arguments[-1]
    if setting.decoupled:
        return [f"w ← (1 − lr · {first}) · w"]
    scale, below, above = _scale(setting, around)
    formulas = []
    for symbol, factor, share in (("λ₁", setting.l1, last), ("λ₂", setting.l2, f"(1 − {last})")):
        if factor is None:
            continue
        own = first if setting.mixes or symbol == "λ₁" else last
        top = [*([] if setting.inverse else [own]), *([share] if setting.mixes else []), *above]
        bottom = [*below, *([own] if setting.inverse else [])]
        formulas.append(f"{symbol} = {_quotient(1 / (factor * scale), top, bottom)}")
    return formulas


def from_ours(setting: Setting, around: Circumstances) -> list[str]:
    """The formulas for its own numbers.

    Examples
    --------
    >>> from shrinkage.conventions import find
    >>> from_ours(find("sklearn.mlp"), Circumstances(targets=1))
    ['alpha = batch · λ₂ / 2']
    """
    if setting.decoupled:
        return [f"lr · {setting.arguments[0]} stays the same"]
    scale, above, below = _scale(setting, around)
    if setting.mixes:
        both = "(λ₁ + λ₂)" if above or below or scale != 1 or setting.inverse else "λ₁ + λ₂"
        total = _quotient(scale, [*above, both], below)
        if setting.inverse:
            total = _quotient(1 / scale, below, [*above, both])
        first, share = setting.arguments
        return [f"{first} = {total}", f"{share} = λ₁ / (λ₁ + λ₂)"]
    symbols = [("λ₁", setting.l1), ("λ₂", setting.l2)]
    given = [(symbol, part) for symbol, part in symbols if part is not None]
    return [
        f"{argument} = {_quotient(part * scale, [*above, symbol], below)}"
        for argument, (symbol, part) in zip(setting.arguments, given)
    ]


def _scale(setting: Setting, around: Circumstances) -> tuple[Fraction, list[str], list[str]]:
    """What its value grows with: a number, what stands above a line, and what below."""
    above, below, number = [], [], Fraction(1)
    if setting.divided_by != "none":
        above.append("batch" if setting.divided_by == "batch" else "rows")
    if setting.half_sum_loss and around.targets:
        number /= 2
        if around.targets > 1:
            above.append("targets")
    if setting.after_momentum:
        below.append("(1 − momentum)")
    return number, above, below


def _quotient(number: Fraction, above: Iterable[str], below: Iterable[str]) -> str:
    top = [*([str(number.numerator)] if number.numerator != 1 else []), *above]
    bottom = [*([str(number.denominator)] if number.denominator != 1 else []), *below]
    line = " · ".join(top) or "1"
    under = " · ".join(bottom)
    return f"{line} / {f'({under})' if len(bottom) > 1 else under}" if bottom else line


def written(setting: Setting, values: Iterable[Fraction], around: Circumstances) -> str:
    """How a person writes it in that framework."""
    code = setting.regression if setting.regression and around.targets else setting.code
    return code.format(*map(shown, values))


def assigned(setting: Setting, values: Iterable[Fraction]) -> str:
    """Its numbers with their names.

    Examples
    --------
    >>> from shrinkage.conventions import find
    >>> assigned(find("glmnet"), (Fraction(1, 10), Fraction(1, 2)))
    'lambda = 0.1, alpha = 0.5'
    """
    return ", ".join(f"{name} = {shown(value)}" for name, value in zip(setting.arguments, values))
