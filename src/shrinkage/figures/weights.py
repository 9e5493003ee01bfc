"""Hidden weights before and after, and their density along λ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shrinkage.findings import Findings
from shrinkage.verify.weights import WeightsComparison, WeightsSummary


@dataclass(frozen=True, eq=False)
class WeightsFigure:
    """Boxes and densities.

    Parameters
    ----------
    comparisons : tuple of WeightsComparison
        All hidden kernels together, then each.
    before, after : str
        Labels of the two sides; equal when no penalty was selected.
    """

    comparisons: tuple[WeightsComparison, ...]
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
    heights : ndarray of float64, shape (k,)
        Top of the y axis for each λ: its own peak and that of no penalty fit in.
    """

    summaries: tuple[WeightsSummary, ...]
    x: NDArray[np.float32]
    heights: NDArray[np.float64]


def weights_figure(findings: Findings) -> WeightsFigure | None:
    """The figure's numbers; None without a verification."""
    verification = findings.verification
    if verification is None:
        return None
    return WeightsFigure(verification.weights, verification.before, verification.after)


def density_figure(findings: Findings) -> DensityFigure | None:
    """The figure's numbers; None without a verification, or when no refit finished."""
    verification = findings.verification
    if verification is None or not verification.weights_path:
        return None
    path = verification.weights_path
    peaks = np.array([float(summary.density.max()) for summary in path])
    return DensityFigure(path, path[0].x, 1.1 * np.maximum(np.maximum(peaks, peaks[0]), 1e-9))
