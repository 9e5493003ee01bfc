"""Penalties that look at each weight alone: L1, L2 and their mixture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from shrinkage.errors import SettingError
from shrinkage.penalties.penalty import Array, Groups


@dataclass(frozen=True)
class L1:
    """The lasso's penalty, λ Σ|w|: many weights become exactly zero (Tibshirani 1996).

    Examples
    --------
    >>> L1().prox(np.array([-0.3, 0.05, 0.2]), lam=0.1, step=1.0).round(2)
    array([-0.2,  0. ,  0.1])
    """

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
    """Ridge, (λ/2) Σ w²: all weights become small, none exactly zero (Hoerl & Kennard 1970).

    Parameters
    ----------
    decoupled : bool, default False
        False: λw joins the gradient, and stationary points are those of the penalized loss. True:
        each step multiplies w by 1 − learning rate · λ (Loshchilov & Hutter 2019), the lesson's
        'weight decay'; under an adaptive optimizer its stationary points differ.

    Examples
    --------
    >>> L2().value(np.array([3.0, 4.0]), lam=0.1)
    1.25
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
    """A mixture, λ (ratio Σ|w| + (1 − ratio)/2 Σ w²), as in glmnet (Zou & Hastie 2005).

    Parameters
    ----------
    l1_ratio : float, default 0.5
        From 0 (L2) to 1 (L1).

    Raises
    ------
    SettingError
        When `l1_ratio` is outside [0, 1].

    Examples
    --------
    >>> round(ElasticNet(0.5).value(np.array([3.0, 4.0]), lam=0.1), 6)
    0.975
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
