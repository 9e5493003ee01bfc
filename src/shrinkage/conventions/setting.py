"""One setting of one framework: what it stands for, in exact arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from shrinkage.conventions.circumstances import Circumstances, Strength
from shrinkage.errors import SettingError

Reach = Literal[
    "hidden kernels", "chosen kernels", "every kernel", "every parameter", "coefficients", "inputs"
]
Rows = Literal["none", "batch", "table"]
Loss = Literal["any", "classification", "regression"]

DECOUPLED = (
    "decoupled decay multiplies each weight by 1 − learning rate · λ instead of adding λw to the "
    "gradient, so how strong it is depends on the learning rate and on the optimizer, and no λ of "
    "the penalized objective equals it"
)


@dataclass(frozen=True)
class Setting:
    """One regularization setting of one framework.

    Parameters
    ----------
    name : str
        ``"keras.l2"``.
    framework : str
        ``"Keras"``.
    arguments : tuple of str
        What its numbers are called there: ``("l2",)``, ``("C", "l1_ratio")``.
    code : str
        How it is written there, with ``{0}`` and ``{1}`` for its numbers.
    regression : str, default ""
        The same for a regression, where that is written otherwise.
    l1, l2 : Fraction or None, default None
        Its value for λ₁ = 1, and for λ₂ = 1; None where it cannot express that penalty.
    mixes : bool, default False
        Whether its numbers are a strength and the share of L1 in it.
    inverse : bool, default False
        Whether its first number is the reciprocal of a strength.
    divided_by : str, default "none"
        Rows that it is divided by before it acts: none, those of a ``"batch"``, or all of the
        ``"table"``. Its value grows with them.
    half_sum_loss : bool, default False
        Whether the squared error beside it is ½ Σ over targets, where ours is the mean over
        targets without the ½: then it must grow with the loss to keep its share.
    loss : str, default "any"
        Whether it stands beside a squared error or a log loss only.
    one_target : bool, default False
        Whether several targets are penalized as a group there, so that no λ equals it.
    decoupled : bool, default False
        Whether it multiplies weights instead of joining the gradient.
    after_momentum : bool, default False
        Whether a gradient reaches the weights through momentum and it does not.
    reach : str, default "chosen kernels"
        What it acts on when nothing else is said.
    notes : tuple of str, default ()
        Sentences of what to know about its meaning.
    advice : tuple of str, default ()
        Sentences for who writes it down.
    read_in : str, default ""
        The file in which the framework says so.
    """

    name: str
    framework: str
    arguments: tuple[str, ...]
    code: str
    regression: str = ""
    l1: Fraction | None = None
    l2: Fraction | None = None
    mixes: bool = False
    inverse: bool = False
    divided_by: Rows = "none"
    half_sum_loss: bool = False
    loss: Loss = "any"
    one_target: bool = False
    decoupled: bool = False
    after_momentum: bool = False
    reach: Reach = "chosen kernels"
    notes: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    read_in: str = ""

    def value(
        self, lam: float, *, rows: int | None = None, targets: int = 0, decoupled: bool = False
    ) -> float:
        """Convert one of ours to this setting's number, where one number says all.

        Parameters
        ----------
        lam : float
            Our λ₁ or λ₂, whichever it stands for.
        rows : int, optional
            Rows that the loss of one step is a mean over; needed when :attr:`divided_by` says so.
        targets : int, default 0
            Columns of the target of a regression; 0 for a classification.
        decoupled : bool, default False
            Whether `lam` acts decoupled in our training.

        Returns
        -------
        float
            Gives the same stationary points, on the kernels that both act on. The exact number,
            rounded once.

        Raises
        ------
        SettingError
            Between a decoupled and a coupled λ, without the rows that are needed, or where it
            takes two numbers.

        Examples
        --------
        >>> from shrinkage.conventions import KERAS_L2, SKLEARN_ALPHA
        >>> KERAS_L2.value(0.01)
        0.005
        >>> SKLEARN_ALPHA.value(0.01, rows=32)
        0.32
        """
        around = self._alone(rows, targets, decoupled)
        exact = Fraction(lam)
        both = Strength(exact, Fraction(0)) if self.l2 is None else Strength(Fraction(0), exact)
        return float(self.values(both, around)[0])

    def lam(
        self, value: float, *, rows: int | None = None, targets: int = 0, decoupled: bool = False
    ) -> float:
        """Convert this setting's number to our λ: the inverse of :meth:`value`.

        Parameters
        ----------
        value : float
            Its number.
        rows : int, optional
            As in :meth:`value`.
        targets : int, default 0
            As in :meth:`value`.
        decoupled : bool, default False
            As in :meth:`value`.

        Returns
        -------
        float
            Our λ₁ or λ₂, rounded once.

        Examples
        --------
        >>> from shrinkage.conventions import KERAS_L2
        >>> KERAS_L2.lam(0.005)
        0.01
        """
        around = self._alone(rows, targets, decoupled)
        found = self.strength((Fraction(value),), around)
        return float(found.l1 if self.l2 is None else found.l2)

    def _alone(self, rows: int | None, targets: int, decoupled: bool) -> Circumstances:
        if decoupled != self.decoupled:
            raise SettingError(f"{self.name} has no exact counterpart: {DECOUPLED}")
        if len(self.arguments) > 1 or self.after_momentum:
            raise SettingError(f"{self.name} takes more than one number; use convert")
        if self.divided_by != "none" and rows is None:
            raise SettingError(f"{_why_rows(self)}; pass rows")
        return Circumstances(rows=rows, batch_size=rows, targets=targets)

    @property
    def needs(self) -> dict[str, str]:
        """What it depends on besides its numbers, with the reason, by the name in `convert`."""
        first, needed = self.arguments[0], {}
        if self.divided_by != "none":
            needed["batch_size" if self.divided_by == "batch" else "rows"] = _why_rows(self)
        if self.after_momentum:
            needed["momentum"] = (
                f"{first} of {self.name} acts after the momentum (0.9 by its own default), which "
                "makes it weaker beside the gradient"
            )
        if self.decoupled:
            needed["learning_rate"] = (
                f"{self.name} decays by learning rate · {first}, and that is what must stay the "
                "same"
            )
        return needed

    def strength(self, values: tuple[Fraction, ...], around: Circumstances) -> Strength:
        """Convert its numbers to λ₁ and λ₂.

        Parameters
        ----------
        values : tuple of Fraction
            One for each of :attr:`arguments`.
        around : Circumstances
            What it may depend on.

        Returns
        -------
        Strength
            Exact.

        Raises
        ------
        SettingError
            Where `around` lacks what the answer depends on, or no λ is that large.
        """
        scale = self.scale(around)
        if self.mixes:
            total = self._reciprocal(values[0] * scale) if self.inverse else values[0] / scale
            return Strength(total * values[1], total * (1 - values[1]))
        given = iter(values)
        return Strength(
            *(Fraction(0) if each is None else next(given) / (each * scale) for each in self._each)
        )

    def values(self, strength: Strength, around: Circumstances) -> tuple[Fraction, ...]:
        """Convert λ₁ and λ₂ to its numbers: the inverse of :meth:`strength`.

        A part that it cannot express is left out; :func:`shrinkage.conventions.convert` refuses to.

        Parameters
        ----------
        strength : Strength
            From :meth:`strength`, of this setting or another.
        around : Circumstances
            What it may depend on.

        Returns
        -------
        tuple of Fraction
            One for each of :attr:`arguments`.

        Raises
        ------
        SettingError
            Where `around` lacks what the answer depends on, or nothing stands for no penalty.
        """
        scale = self.scale(around)
        if self.mixes:
            total = strength.l1 + strength.l2
            share = strength.l1 / total if total else Fraction(0)
            return (self._reciprocal(total * scale) if self.inverse else total * scale, share)
        pairs = zip(self._each, (strength.l1, strength.l2))
        return tuple(part * each * scale for each, part in pairs if each is not None)

    def scale(self, around: Circumstances) -> Fraction:
        """What its value grows by, beside :attr:`l1` and :attr:`l2`.

        Parameters
        ----------
        around : Circumstances
            What it may depend on.

        Returns
        -------
        Fraction
            Positive.

        Raises
        ------
        SettingError
            Where `around` lacks it.
        """
        for name, why in self.needs.items():
            if name != "learning_rate" and getattr(around, name) is None:
                raise SettingError(f"{why}; pass {name}")
        scale = Fraction(1)
        if self.half_sum_loss and around.targets:
            scale *= Fraction(around.targets, 2)
        if self.divided_by == "batch":
            scale *= around.batch_size or 1
        if self.divided_by == "table":
            scale *= around.rows or 1
        if self.after_momentum:
            scale /= 1 - (around.momentum or 0)
        return scale

    @property
    def _each(self) -> tuple[Fraction | None, Fraction | None]:
        return self.l1, self.l2

    def _reciprocal(self, value: Fraction) -> Fraction:
        if not value:
            raise SettingError(
                f"{self.arguments[0]} of {self.name} is the reciprocal of a strength, and 0 has "
                "none; no penalty at all is C=inf there"
            )
        return 1 / value


def _why_rows(setting: Setting) -> str:
    rows = "rows of a batch" if setting.divided_by == "batch" else "training rows"
    return f"{setting.arguments[0]} of {setting.name} depends on the {rows}"
