"""What a penalty is."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

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
