"""Penalties on one kernel: value, proximal step, distance to stationarity and λ_max.

λ is always an argument and never an attribute, so one object serves a whole path. The convention is
the textbook's: L1 is λ Σ|w|, L2 is (λ/2) Σ w², ElasticNet mixes the two as glmnet does, and
GroupLasso is λ Σ √|g| ‖w_g‖ over groups of weights that live or die together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from shrinkage.errors import SettingError, require_known

Array = NDArray[np.floating[Any]]
Groups = Literal["units", "inputs"]

GROUPS = ("units", "inputs")


class Penalty(Protocol):
    """What the rest of the package asks of a penalty. It knows one kernel (fan-in, fan-out).

    Every penalty here is λ₁ Σ|w| + (λ₂/2) Σ w² + λ₃ Σ √|g| ‖w_g‖ with λ₁ = λ · :attr:`l1_share`,
    λ₂ = λ · :attr:`l2_share` and λ₃ = λ · :attr:`group_share`, the last sum over the
    :attr:`groups` of the kernel, which is all that the engine needs to know. Where no group plays
    a part, an array of any shape is a kernel.
    """

    @property
    def name(self) -> str:
        """For machines and the command line: ``"l1"``."""

    @property
    def label(self) -> str:
        """For people: ``"L1"``."""

    @property
    def l1_share(self) -> float:
        """λ₁ / λ."""

    @property
    def l2_share(self) -> float:
        """λ₂ / λ."""

    @property
    def group_share(self) -> float:
        """λ₃ / λ."""

    @property
    def groups(self) -> Groups | None:
        """Which weights are a group: the ones into a unit, the ones out of an input, or none."""

    @property
    def decoupled(self) -> bool:
        """Whether the L2 part multiplies the weights instead of joining the gradient."""

    def value(self, w: Array, lam: float) -> float:
        """What the penalty adds to the mean loss.

        Parameters
        ----------
        w : ndarray
            Weights, any shape.
        lam : float
            λ, not negative.

        Returns
        -------
        float
            λ₁ Σ|w| + (λ₂/2) Σ w² + λ₃ Σ √|g| ‖w_g‖.
        """

    def prox(self, w: Array, lam: float, step: float | Array) -> Array:
        """The proximal step: the u with the least ‖u − w‖²/(2·step) + value(u, λ).

        Parameters
        ----------
        w : ndarray
            Weights, any shape.
        lam : float
            λ, not negative.
        step : float or ndarray
            Step length, not negative; one for all weights or one for each (the optimizer's own
            metric, such as Adam's learning rate / (√v̂ + ε)), in a shape that broadcasts to `w`.

        Returns
        -------
        ndarray
            Shape and dtype of `w`.

        References
        ----------
        Parikh & Boyd (2014), "Proximal algorithms", sections 1.1, 6.5.2 and 6.1.1.
        """

    def stationarity(self, w: Array, grad: Array, lam: float) -> Array:
        """Distance of −`grad` to the subdifferential of the penalty, weight by weight.

        Of a group it is the absolute values of the shortest vector from one to the other.

        Parameters
        ----------
        w : ndarray
            Weights, any shape.
        grad : ndarray
            Gradient of the mean loss at `w`, shape of `w`.
        lam : float
            λ, not negative.

        Returns
        -------
        ndarray
            Shape of `w`; 0 exactly where the penalized loss is stationary.
        """

    def lam_max(self, grad_at_zero: Array) -> float:
        """The least λ at which w = 0 is stationary.

        Parameters
        ----------
        grad_at_zero : ndarray
            Gradient of the mean loss at w = 0.

        Returns
        -------
        float
            max|grad| / l1_share, or the greatest ‖grad_g‖ / √|g| over groups; ``inf`` where no
            finite λ is enough (L2 shrinks, but never to zero), 0 where the gradient is zero
            already.
        """


@dataclass(frozen=True)
class L1:
    """λ Σ|w|: many weights become exactly zero (Tibshirani 1996)."""

    name: ClassVar[str] = "l1"
    label: ClassVar[str] = "L1"
    l1_share: ClassVar[float] = 1.0
    l2_share: ClassVar[float] = 0.0
    group_share: ClassVar[float] = 0.0
    groups: ClassVar[Groups | None] = None
    decoupled: ClassVar[bool] = False

    def value(self, w: Array, lam: float) -> float:
        """λ Σ|w|."""
        return float(lam * np.abs(w).sum(dtype=np.float64))

    def prox(self, w: Array, lam: float, step: float | Array) -> Array:
        """Soft threshold: towards zero by step · λ, and exactly zero within that distance."""
        weights = np.asarray(w)
        threshold = lam * np.asarray(step)
        # The clip makes the zeros +0.0, one bit pattern, whatever the sign of the weight was.
        shrunk = weights - np.clip(weights, -threshold, threshold)
        return np.asarray(shrunk, dtype=weights.dtype)

    def stationarity(self, w: Array, grad: Array, lam: float) -> Array:
        """|grad + λ sign(w)|; where w = 0, how far |grad| exceeds λ."""
        weights, slope = np.asarray(w), np.asarray(grad)
        at_zero = np.maximum(np.abs(slope) - lam, 0.0)
        return np.where(weights == 0.0, at_zero, np.abs(slope + lam * np.sign(weights)))

    def lam_max(self, grad_at_zero: Array) -> float:
        """max|grad|."""
        return float(np.abs(np.asarray(grad_at_zero)).max(initial=0.0))


@dataclass(frozen=True)
class L2:
    """(λ/2) Σ w²: all weights become small, none exactly zero (Hoerl & Kennard 1970).

    Parameters
    ----------
    decoupled : bool, default False
        False: λw joins the gradient, and stationary points are those of the penalized loss. True:
        each step multiplies w by 1 − learning rate · λ (Loshchilov & Hutter 2019), the lesson's
        'weight decay'; under an adaptive optimizer its stationary points differ.
    """

    decoupled: bool = False

    name: ClassVar[str] = "l2"
    label: ClassVar[str] = "L2"
    l1_share: ClassVar[float] = 0.0
    l2_share: ClassVar[float] = 1.0
    group_share: ClassVar[float] = 0.0
    groups: ClassVar[Groups | None] = None

    def value(self, w: Array, lam: float) -> float:
        """(λ/2) Σ w²."""
        return float(0.5 * lam * np.square(w, dtype=np.float64).sum())

    def prox(self, w: Array, lam: float, step: float | Array) -> Array:
        """w / (1 + step · λ)."""
        weights = np.asarray(w)
        return np.asarray(weights / (1.0 + lam * np.asarray(step)), dtype=weights.dtype)

    def stationarity(self, w: Array, grad: Array, lam: float) -> Array:
        """|grad + λw|."""
        return np.abs(np.asarray(grad) + lam * np.asarray(w))

    def lam_max(self, grad_at_zero: Array) -> float:
        """Infinite, unless the gradient is zero: no finite λ makes w = 0 stationary."""
        return float("inf") if np.any(grad_at_zero) else 0.0


@dataclass(frozen=True)
class ElasticNet:
    """λ (ratio Σ|w| + (1 − ratio)/2 Σ w²), glmnet's mixing (Zou & Hastie 2005).

    Parameters
    ----------
    l1_ratio : float, default 0.5
        From 0 (L2) to 1 (L1).

    Raises
    ------
    SettingError
        When `l1_ratio` is outside [0, 1].
    """

    l1_ratio: float = 0.5

    name: ClassVar[str] = "elastic_net"
    label: ClassVar[str] = "elastic net"
    group_share: ClassVar[float] = 0.0
    groups: ClassVar[Groups | None] = None
    decoupled: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.l1_ratio <= 1.0:
            raise SettingError(
                f"l1_ratio is {self.l1_ratio}; it must lie between 0 (L2) and 1 (L1)"
            )

    @property
    def l1_share(self) -> float:
        """The ratio."""
        return self.l1_ratio

    @property
    def l2_share(self) -> float:
        """1 − ratio."""
        return 1.0 - self.l1_ratio

    def value(self, w: Array, lam: float) -> float:
        """The sum of the two parts."""
        return L1().value(w, lam * self.l1_share) + L2().value(w, lam * self.l2_share)

    def prox(self, w: Array, lam: float, step: float | Array) -> Array:
        """Soft threshold, then shrinkage (Parikh & Boyd 2014, section 6.5.3)."""
        return L2().prox(L1().prox(w, lam * self.l1_share, step), lam * self.l2_share, step)

    def stationarity(self, w: Array, grad: Array, lam: float) -> Array:
        """That of L1 with λw's L2 part counted as gradient."""
        slope = np.asarray(grad) + lam * self.l2_share * np.asarray(w)
        return L1().stationarity(w, slope, lam * self.l1_share)

    def lam_max(self, grad_at_zero: Array) -> float:
        """max|grad| / ratio; infinite at ratio 0 unless the gradient is zero."""
        if self.l1_ratio == 0.0:
            return L2().lam_max(grad_at_zero)
        return L1().lam_max(grad_at_zero) / self.l1_ratio


@dataclass(frozen=True)
class GroupLasso:
    """λ Σ √|g| ‖w_g‖: whole groups of weights become exactly zero (Yuan & Lin 2006, equation 2.2).

    The root of the group's size makes λ comparable with that of L1: a group of one weight is L1.

    Parameters
    ----------
    over : str, default "units"
        ``"units"``: a group is a column of a hidden kernel, the weights into one unit, so units
        die. ``"inputs"``: a group is a row of the first kernel, the weights out of one input, so
        inputs are left out; other kernels carry no penalty.

    Raises
    ------
    SettingError
        When `over` is something else.

    Notes
    -----
    A vector is a kernel with one column.
    """

    over: Groups = "units"

    l1_share: ClassVar[float] = 0.0
    l2_share: ClassVar[float] = 0.0
    group_share: ClassVar[float] = 1.0
    decoupled: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require_known("group", self.over, GROUPS)

    @property
    def name(self) -> str:
        """``"group_units"`` or ``"group_inputs"``."""
        return f"group_{self.over}"

    @property
    def label(self) -> str:
        """``"group lasso on units"`` or ``"group lasso on inputs"``."""
        return f"group lasso on {self.over}"

    @property
    def groups(self) -> Groups | None:
        """`over`."""
        return self.over

    def value(self, w: Array, lam: float) -> float:
        """λ Σ √|g| ‖w_g‖."""
        groups = self._grouped(np.asarray(w, dtype=np.float64))
        return float(lam * np.sqrt(groups.shape[1]) * np.linalg.norm(groups, axis=1).sum())

    def prox(self, w: Array, lam: float, step: float | Array) -> Array:
        """Every group shrinks along its own curve, to exactly zero within reach.

        With one step s_i per weight, u_i = w_i r / (r + s_i λ √|g|), where the norm r = ‖u‖ solves
        Σ (w_i / (r + s_i λ √|g|))² = 1. With equal steps that is w times
        (1 − s λ √|g| / ‖w‖)₊.
        """
        weights = np.asarray(w)
        z = weights.astype(np.float64)
        steps = np.broadcast_to(np.asarray(step, dtype=np.float64), weights.shape)
        grouped, own = self._grouped(z), self._grouped(steps)
        thresholds = lam * np.sqrt(grouped.shape[1]) * own
        norms = _norms_after(grouped, thresholds)
        with np.errstate(invalid="ignore"):
            kept = np.where(thresholds > 0, norms / (norms + thresholds), 1.0)
        shrunk = np.where((norms > 0) & (grouped != 0), grouped * kept, 0.0)
        return np.asarray(self._ungrouped(shrunk, weights.shape), dtype=weights.dtype)

    def stationarity(self, w: Array, grad: Array, lam: float) -> Array:
        """|grad + λ √|g| w / ‖w_g‖|; where a group is zero, what of ‖grad_g‖ exceeds λ √|g|."""
        weights, slope = np.asarray(w, dtype=np.float64), np.asarray(grad, dtype=np.float64)
        grouped, slopes = self._grouped(weights), self._grouped(slope)
        bound = lam * np.sqrt(grouped.shape[1])
        norms = np.linalg.norm(grouped, axis=1, keepdims=True)
        lengths = np.linalg.norm(slopes, axis=1, keepdims=True)
        outside = np.maximum(lengths - bound, 0.0) / np.where(lengths > 0, lengths, 1.0)
        inside = slopes + bound * grouped / np.where(norms > 0, norms, 1.0)
        found = np.abs(np.where(norms > 0, inside, slopes * outside))
        return self._ungrouped(found, weights.shape)

    def lam_max(self, grad_at_zero: Array) -> float:
        """The greatest ‖grad_g‖ / √|g|."""
        slopes = self._grouped(np.asarray(grad_at_zero, dtype=np.float64))
        lengths = np.linalg.norm(slopes, axis=1)
        return float(lengths.max(initial=0.0) / np.sqrt(max(slopes.shape[1], 1)))

    def _grouped(self, w: Array) -> Array:
        """A kernel as (groups, weights of a group)."""
        kernel = w.reshape(w.shape[0], -1) if w.ndim else w.reshape(1, 1)
        return kernel.T if self.over == "units" else kernel

    def _ungrouped(self, groups: Array, shape: tuple[int, ...]) -> Array:
        """The inverse of :meth:`_grouped`."""
        return (groups.T if self.over == "units" else groups).reshape(shape)


def _norms_after(z: Array, thresholds: Array) -> Array:
    """Norm r of each group after its proximal step, (groups, 1); 0 where the group dies.

    The root of 1/N(r) − 1 with N(r) = ‖z / (r + t)‖, which is concave and rises with r, so that
    Newton's steps from a lower bound of the root rise to it and never pass it (the 'secular
    equation' of trust regions, Moré & Sorensen 1983).
    """
    size = np.abs(z)
    lengths = np.linalg.norm(z, axis=1)
    largest = thresholds.max(axis=1, initial=0.0)
    with np.errstate(all="ignore"):  # of what `where` leaves out, and of a negligible λ
        reached = np.where(size > 0, size / thresholds, 0.0)
        alive = np.square(reached).sum(axis=1) > 1.0
        lowest = np.maximum(lengths - largest, (size - thresholds).max(axis=1, initial=0.0))
        r = np.where(alive, np.maximum(lowest, 0.0), 0.0)[:, None]
        for _ in range(_MOST_NEWTON_STEPS):
            below = r + thresholds
            ratio = np.where(size > 0, size / below, 0.0)
            norm = np.linalg.norm(ratio, axis=1, keepdims=True)
            slope = np.where(size > 0, np.square(ratio) / below, 0.0).sum(axis=1, keepdims=True)
            rise = np.where(alive[:, None], np.square(norm) * (norm - 1.0) / slope, 0.0)
            if not np.any(rise > 1e-15 * r):
                break
            r = r + np.maximum(rise, 0.0)
    return r


_MOST_NEWTON_STEPS = 100
"""Far more than the handful that it takes."""

PENALTIES: dict[str, Penalty] = {
    penalty.name: penalty
    for penalty in (L1(), L2(), ElasticNet(), GroupLasso("units"), GroupLasso("inputs"))
}
"""Every penalty by name, with its default settings."""


def parse_penalty(name: str) -> Penalty:
    """The penalty that a user names.

    Parameters
    ----------
    name : str
        A key of :data:`PENALTIES`, in any case, with ``-``, ``_`` or a space between words.

    Returns
    -------
    Penalty
        With its default settings.

    Raises
    ------
    SettingError
        On an unknown name, with a suggestion.

    Examples
    --------
    >>> parse_penalty("Elastic-Net")
    ElasticNet(l1_ratio=0.5)
    """
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    if key not in PENALTIES:
        require_known("penalty", name, PENALTIES)
    return PENALTIES[key]


def describe(penalty: Penalty | None, lam: float) -> str:
    """A point of the path, for people.

    Examples
    --------
    >>> describe(L2(), 0.01), describe(None, 0.0)
    ('L2, λ = 0.01', 'no penalty')
    """
    if penalty is None or lam == 0.0:
        return "no penalty"
    return f"{penalty.label}, λ = {describe_lambda(lam)}"


def describe_lambda(lam: float) -> str:
    """λ with three digits, for people: no powers of ten unless it takes a dozen zeros.

    Examples
    --------
    >>> describe_lambda(1e-05), describe_lambda(0.03162), describe_lambda(1000.0)
    ('0.00001', '0.0316', '1,000')
    """
    rounded = float(f"{lam:.3g}")
    if rounded and not 1e-9 <= rounded < 1e9:
        return f"{rounded:.3g}"
    if rounded >= 1000:
        return f"{rounded:,.0f}"
    return np.format_float_positional(rounded, trim="-")
