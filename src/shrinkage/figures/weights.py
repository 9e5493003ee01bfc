"""Hidden weights before and after, and their density along λ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shrinkage.findings import Findings
from shrinkage.verify.weights import WeightsComparison, WeightsSummary

_SPIKE = 10.0
"""Ratio of two peaks above which a linear axis would show the lower one as flat."""
_FLOOR = 2_000.0
"""How far below the peak without a penalty a logarithmic axis may reach."""


@dataclass(frozen=True)
class Scale:
    """A density's y axis: linear from 0, or logarithmic from a floor below which nothing shows."""

    kind: Literal["linear", "log"]
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class WeightsFigure:
    """Boxes and densities.

    Parameters
    ----------
    comparisons : tuple of WeightsComparison
        All hidden kernels together, then each.
    before, after : str
        Labels of the two sides; equal when no penalty was selected.
    scales : tuple of Scale
        Of each comparison's density.
    """

    comparisons: tuple[WeightsComparison, ...]
    scales: tuple[Scale, ...]
    before: str
    after: str

    @property
    def penalized(self) -> bool:
        """Whether there is an 'after'."""
        return self.before != self.after


@dataclass(frozen=True, eq=False)
class DensityFigure:
    """The density of all hidden weights for every λ of the path, on one x.

    Parameters
    ----------
    summaries : tuple of WeightsSummary
        In rising λ; no penalty first when it exists.
    x : ndarray of float32, shape (m,)
        Weights.
    scale : Scale
        One for all λ, so that what moves is the density and not the axis.
    """

    summaries: tuple[WeightsSummary, ...]
    x: NDArray[np.float32]
    scale: Scale


def weights_figure(findings: Findings) -> WeightsFigure | None:
    """The figure's numbers; None without a verification."""
    verification = findings.verification
    if verification is None:
        return None
    return weights_of(verification.weights)


def weights_of(comparisons: tuple[WeightsComparison, ...]) -> WeightsFigure:
    """The numbers of any kernels on two sides, at least one kernel."""
    first = comparisons[0]
    return WeightsFigure(
        comparisons=comparisons,
        scales=tuple(_scale([one.before, one.after]) for one in comparisons),
        before=first.before.label,
        after=first.after.label,
    )


def density_figure(findings: Findings) -> DensityFigure | None:
    """The figure's numbers; None without a verification, or when no refit finished."""
    verification = findings.verification
    if verification is None or not verification.weights_path:
        return None
    path = verification.weights_path
    return DensityFigure(path, path[0].x, _scale(path))


def _scale(summaries: Sequence[WeightsSummary]) -> Scale:
    """The axis on which every one of these densities can be seen."""
    peaks = [float(summary.density.max()) for summary in summaries]
    positive = [peak for peak in peaks if peak > 0] or [1.0]
    if max(positive) <= _SPIKE * min(positive):
        return Scale("linear", 0.0, 1.08 * max(positive))
    # A logarithm would make much of bins that hold a single weight. Of two curves none may vanish
    # for that; on a long path those with hardly a weight left may.
    first = summaries[0]
    single = 1.0 / (first.count * float(first.x[1] - first.x[0]))
    top = positive[0] / 10 if len(summaries) > 2 else min(positive) / 4
    floor = max(min(single, top), positive[0] / _FLOOR)
    return Scale("log", floor, 2.0 * max(positive))
