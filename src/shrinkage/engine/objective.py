"""The penalized loss of a network on all rows at once, in double precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shrinkage.engine import kernel, layers
from shrinkage.network import Network, layout

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Interrupted(Exception):
    """A fit that was told to stop; it never leaves the engine."""


@dataclass
class Passes:
    """How many passes over all rows there may be, and how many there were."""

    most: int
    stop: NDArray[np.uint8]
    taken: int = 0

    @property
    def left(self) -> int:
        """How many there may still be."""
        return self.most - self.taken


@dataclass(frozen=True, eq=False)
class State:
    """A point with all that is known of it.

    `smooth` is the gradient of the loss and of the L2 part; `slope` is that of all, or the least
    where it is not unique.
    """

    x: Floats
    value: float
    smooth: Floats
    slope: Floats
    distance: float


@dataclass(frozen=True, eq=False)
class Objective:
    """The penalized loss of a network on some rows; counts its passes.

    Parameters
    ----------
    network, shape
        Of the network.
    rows : Rows
        In double precision.
    l1, l2 : float
        λ₁ and λ₂.
    unit : float
        What distances are measured in: λ, or 1 without a penalty.
    fixed : ndarray of bool, shape (P,)
        Parameters that stay as they are.
    passes : Passes
        Shared by all objectives of a polish.
    """

    network: Network
    shape: layers.Shape
    rows: kernel.Rows
    l1: float
    l2: float
    unit: float
    fixed: Mask
    passes: Passes

    @property
    def penalized(self) -> int:
        """The penalty acts on the first so many parameters."""
        return int(layout(self.network).penalized.stop)

    def loss(self, x: Floats) -> tuple[float, Floats]:
        """Mean penalty-free loss, and its gradient."""
        gradient = np.empty_like(x)
        value = kernel.full_gradient(self.shape, x, self.rows, gradient, self.passes.stop)
        if self.passes.stop[0]:
            raise Interrupted
        self.passes.taken += 1
        return float(value), gradient

    def smooth_gradient(self, x: Floats) -> tuple[float, Floats]:
        """Loss with the L2 part, and its gradient."""
        value, gradient = self.loss(x)
        weights = x[: self.penalized]
        gradient[: self.penalized] += self.l2 * weights
        return value + 0.5 * self.l2 * dot(weights, weights), gradient

    def at(self, x: Floats) -> State:
        """Everything about a point; one pass."""
        value, smooth = self.smooth_gradient(x)
        weights = x[: self.penalized]
        slope = np.where(self.fixed, 0.0, smooth)
        if self.l1:
            own = smooth[: self.penalized]
            at_zero = np.sign(own) * np.maximum(np.abs(own) - self.l1, 0.0)
            of_weights = np.where(weights == 0.0, at_zero, own + self.l1 * np.sign(weights))
            slope[: self.penalized] = np.where(self.fixed[: self.penalized], 0.0, of_weights)
            value += self.l1 * float(np.abs(weights).sum())
        distance = float(np.abs(slope).max(initial=0.0)) / self.unit
        return State(x, value, smooth, slope, distance)

    def moved(self, state: State, step: Floats) -> Floats:
        """A step on which no weight crosses zero: those that would become exactly zero."""
        x = state.x + step
        if self.l1:
            weights, slope = state.x[: self.penalized], state.slope[: self.penalized]
            signs = np.where(weights != 0.0, np.sign(weights), -np.sign(slope))
            x[: self.penalized][np.sign(x[: self.penalized]) != signs] = 0.0
        return x

    def free(self, state: State) -> Mask:
        """What can move: all but what is fixed and the zeros that are stationary."""
        free = ~self.fixed
        if self.l1:
            own = slice(0, self.penalized)
            free[own] &= (state.x[own] != 0.0) | (state.slope[own] != 0.0)
        return free


def dot(a: Floats, b: Floats) -> float:
    """a·b, with bits that depend on no library's threads."""
    return float(np.add.reduce(a * b))


def norm(a: Floats) -> float:
    """‖a‖."""
    return float(np.sqrt(dot(a, a)))
