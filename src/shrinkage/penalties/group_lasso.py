"""The group lasso: weights that become zero together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from shrinkage.errors import require_known
from shrinkage.penalties.penalty import GROUPS, Array, Groups


@dataclass(frozen=True)
class GroupLasso:
    """Whole groups of weights become exactly zero: λ Σ √|g| ‖w_g‖ (Yuan & Lin 2006, eq. 2.2).

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

    Examples
    --------
    The first unit has weights (3, 4), the second none.

    >>> kernel = np.array([[3.0, 0.0], [4.0, 0.0]])
    >>> round(GroupLasso("units").value(kernel, lam=0.1), 4)
    0.7071
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
