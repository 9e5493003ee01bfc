"""Slopes, margins and reliability, without and with the penalty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shrinkage.findings import Findings
from shrinkage.verify.calibration import Bin
from shrinkage.verify.measures import Sides
from shrinkage.verify.simplicity import Simplicity

Floats = NDArray[np.float64]

_SHARES = np.linspace(0.0, 1.0, 201)
_REACH = 1e6  # how far below the largest slope a logarithmic axis may reach
_INNER = 1  # quantiles left out at each end of the margins' axis


@dataclass(frozen=True, eq=False)
class Cumulated:
    """The share of rows whose value is at most x, for the networks of both sides.

    Parameters
    ----------
    values : Sides of ndarray of float64, shape (201,)
        Quantiles, at `shares`; `after` is empty where there is no penalty.
    shares : ndarray of float64, shape (201,)
        From 0 to 1.
    x_range : tuple of float
        What the axis holds.
    unit : str
        Of the values.
    """

    values: Sides[Floats]
    shares: Floats
    x_range: tuple[float, float]
    unit: str


@dataclass(frozen=True, eq=False)
class SimplicityFigure:
    """The section's drawings as numbers.

    Parameters
    ----------
    before, after : str
        Labels of the sides.
    penalized : bool
        Whether there is an 'after'.
    slopes : Cumulated or None
        Jacobian norms at training rows; positive, for a logarithmic axis. None where inputs are
        codes, which have no slope.
    margins : Cumulated or None
        At test rows; None for a regression.
    reliability : Sides of tuple of Bin, or None
        Confidence and accuracy at test rows; None for a regression.
    least_confidence : float
        One over the number of classes; 1 for a regression.
    """

    before: str
    after: str
    penalized: bool
    slopes: Cumulated | None
    margins: Cumulated | None
    reliability: Sides[tuple[Bin, ...]] | None
    least_confidence: float


def simplicity_figure(findings: Findings) -> SimplicityFigure | None:
    """The figure's numbers; None without a verification."""
    verification = findings.verification
    if verification is None or verification.simplicity is None:
        return None
    return simplicity_of_sides(
        verification.simplicity,
        (verification.before, verification.after),
        max(len(findings.study.data.classes), 1),
    )


def simplicity_of_sides(
    found: Simplicity, labels: tuple[str, str], classes: int
) -> SimplicityFigure:
    """The numbers of any two sides.

    Parameters
    ----------
    found : Simplicity
        As measured.
    labels : (str, str)
        Of the sides, for people.
    classes : int
        How many there are; 1 for a regression.
    """
    slope = found.measure("jacobian_norm")
    certainty = found.certainty
    return SimplicityFigure(
        before=labels[0],
        after=labels[1],
        penalized=found.penalized,
        slopes=None if slope is None else _slopes(found, slope.unit),
        margins=None
        if certainty is None
        else _cumulated(certainty.margins, certainty.weights, found.penalized, "log odds"),
        reliability=None if certainty is None else certainty.reliability,
        least_confidence=1.0 / classes,
    )


def _slopes(found: Simplicity, unit: str) -> Cumulated:
    """On a logarithmic axis, which has no place for a slope of 0: it stands at the left end."""
    largest = max(float(side.max()) for side in found.slopes) or 1.0
    floor = largest / _REACH
    raised = Sides(*(np.maximum(side, floor) for side in found.slopes))
    curves = _cumulated(raised, found.weights, found.penalized, unit)
    low = min(float(side[1]) for side in curves.values if side.size)
    return Cumulated(curves.values, curves.shares, (low / 1.3, 1.3 * largest), unit)


def _cumulated(values: Sides[Floats], weights: Floats, penalized: bool, unit: str) -> Cumulated:
    before = _quantiles(values.before, weights)
    after = _quantiles(values.after, weights) if penalized else np.empty(0)
    shown = [side for side in (before, after) if side.size]
    low = min(0.0, *(float(side[_INNER]) for side in shown))
    high = max(0.0, *(float(side[-1 - _INNER]) for side in shown))
    room = 0.04 * (high - low) or 1.0
    return Cumulated(Sides(before, after), _SHARES, (low - room, high + room), unit)


def _quantiles(values: Floats, weights: Floats) -> Floats:
    """Below which the shares of the weight lie; each network's rows have the same weights."""
    order = np.argsort(values)
    mass = np.resize(weights, values.size)[order]
    below = (np.cumsum(mass) - 0.5 * mass) / mass.sum()
    return np.interp(_SHARES, below, values[order])
