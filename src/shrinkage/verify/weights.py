"""Weights before and after: range, quantiles, spread, exact zeros and density on common bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.network import layout
from shrinkage.study import Fit

ALL = "all hidden kernels"
_BINS = 400  # of the density; finer than a screen's curve needs, 1.6 kB for each λ

QUANTILES = (0.01, 0.05, 0.25, 0.50, 0.75, 0.95, 0.99)


@dataclass(frozen=True, eq=False)
class WeightsSummary:
    """The distribution of one set of weights.

    Parameters
    ----------
    label : str
        Which fit: ``"no penalty"``, ``"L2, λ = 0.01"``.
    lam : float
        Its λ; 0 without penalty.
    count : int
        Weights.
    minimum, maximum, mean, std : float
        Over all weights, zeros included.
    quantiles : tuple of float
        At :data:`QUANTILES`, zeros included.
    zeros : float
        Share of weights that are exactly zero, from 0 to 1.
    x : ndarray of float32, shape (m,)
        Bin centres; the same for all summaries that are compared.
    density : ndarray of float32, shape (m,)
        Density of the weights that are not exactly zero, smoothed; integrates to 1 − `zeros`, so
        that the zeros, which have no density, can be shown apart.
    """

    label: str
    lam: float
    count: int
    minimum: float
    maximum: float
    mean: float
    std: float
    quantiles: tuple[float, ...]
    zeros: float
    x: NDArray[np.float32]
    density: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class WeightsComparison:
    """The same kernel (or all hidden kernels together) without and with the penalty.

    Parameters
    ----------
    name : str
        ``"all hidden kernels"``, ``"layer 1 kernel"``, …
    before, after : WeightsSummary
        On the same `x`.
    """

    name: str
    before: WeightsSummary
    after: WeightsSummary

    def __str__(self) -> str:
        before, after = self.before, self.after
        return (
            f"{self.name}: range [{before.minimum:.2f}, {before.maximum:.2f}] → "
            f"[{after.minimum:.2f}, {after.maximum:.2f}], spread {before.std:.3f} → "
            f"{after.std:.3f}, exact zeros {before.zeros:.1%} → {after.zeros:.1%}"
        )


def compare_weights(
    before: Fit, after: Fit, labels: tuple[str, str] = ("without penalty", "with penalty")
) -> tuple[WeightsComparison, ...]:
    """All hidden kernels together, then each, without and with the penalty.

    A network without hidden layers has one kernel, and that is compared. Networks of different
    depth are compared in the layers that both have.

    Parameters
    ----------
    before, after : Fit
        Refits.
    labels : tuple of str
        For people.

    Returns
    -------
    tuple of WeightsComparison
        Each pair on its own common bins.
    """
    sides = [_kernels(before), _kernels(after)]
    named = [name for name in sides[0] if name in sides[1]]
    if len(sides[0]) == len(sides[1]) == 2:  # together and alone would be the same
        named = [name for name in named if name != ALL] or named
    found = []
    for name in named:
        parts = [side[name] for side in sides]
        old, new = _summaries([before, after], parts, labels)
        found.append(WeightsComparison(name, old, new))
    return tuple(found)


def _kernels(fit: Fit) -> dict[str, slice]:
    """Where the penalized kernels of a fit lie: all together, then each."""
    places = layout(fit.trial.network)
    own = [block for block in places.kernels if block.stop <= places.penalized.stop]
    return {ALL: places.penalized} | {block.name: slice(block.start, block.stop) for block in own}


def weights_along(fits: Sequence[Fit], labels: Sequence[str]) -> tuple[WeightsSummary, ...]:
    """All hidden kernels of each fit, on bins common to all.

    Parameters
    ----------
    fits : sequence of Fit
        The path of refits.
    labels : sequence of str
        For people, one for each fit.

    Returns
    -------
    tuple of WeightsSummary
        In the order of `fits`.
    """
    if not fits:
        return ()
    parts = [layout(fit.trial.network).penalized for fit in fits]
    return _summaries(fits, parts, labels)


def _summaries(
    fits: Sequence[Fit], parts: Sequence[slice], labels: Sequence[str]
) -> tuple[WeightsSummary, ...]:
    arrays = [
        fit.parameters[part].astype(np.float64) for fit, part in zip(fits, parts, strict=True)
    ]
    low, high = min(w.min() for w in arrays), max(w.max() for w in arrays)
    # Room for the smoothed tails; a width even where all weights are equal.
    margin = 0.05 * (high - low) or 0.5
    edges = np.linspace(low - margin, high + margin, _BINS + 1)
    return tuple(
        summarize(weights, label, fit.trial.lam, edges)
        for weights, label, fit in zip(arrays, labels, fits, strict=True)
    )


def summarize(
    weights: NDArray[np.floating[Any]], label: str, lam: float, edges: NDArray[np.float64]
) -> WeightsSummary:
    """Range, quantiles, spread, exact zeros and density of one set of weights.

    Parameters
    ----------
    weights : ndarray of float, shape (n,)
        At least one, finite.
    label, lam
        Which fit they come from.
    edges : ndarray of float64, shape (m + 1,)
        Bin edges of the density, equally spaced, around all weights.

    Returns
    -------
    WeightsSummary
        See there.
    """
    nonzero = weights[weights != 0.0]
    centres = 0.5 * (edges[1:] + edges[:-1])
    return WeightsSummary(
        label=label,
        lam=lam,
        count=weights.size,
        minimum=float(weights.min()),
        maximum=float(weights.max()),
        mean=float(weights.mean()),
        std=float(weights.std()),
        quantiles=tuple(float(q) for q in np.quantile(weights, QUANTILES)),
        zeros=float(np.mean(weights == 0.0)),
        x=centres.astype(np.float32),
        density=(_density(nonzero, edges) * (nonzero.size / weights.size)).astype(np.float32),
    )


def _density(values: NDArray[np.floating[Any]], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaussian kernel density on the bins, in time that does not grow with the number of bins.

    Counts are smoothed instead of values (Wand 1994, "Fast computation of multivariate kernel
    estimators"), with Silverman's (1986, eq. 3.31) bandwidth. A spike narrower than a bin stays
    one bin wide.
    """
    width = float(edges[1] - edges[0])
    counts = np.histogram(values, edges)[0].astype(np.float64)
    if values.size == 0:
        return counts
    quarter, three_quarters = np.quantile(values, (0.25, 0.75))
    spread = min(float(values.std()), float(three_quarters - quarter) / 1.34) or values.std()
    bandwidth = 0.9 * float(spread) * values.size**-0.2 / width
    if bandwidth > 0.1:
        reach = min(ceil(4 * bandwidth), _BINS)
        kernel = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / bandwidth))
        # What the kernel would carry over an edge is reflected there, so that the area is kept.
        full = np.convolve(counts, kernel / kernel.sum())
        smooth = full[reach:-reach]
        smooth[:reach] += full[:reach][::-1]
        smooth[-reach:] += full[-reach:][::-1]
        counts = smooth
    return np.asarray(counts / (values.size * width))
