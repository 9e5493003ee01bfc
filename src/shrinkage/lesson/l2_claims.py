"""What is measured of a network without and with L2, and what the lesson claims of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shrinkage.intervals import Interval
from shrinkage.lesson.exhibited import Claim, judged
from shrinkage.lesson.measured import (
    Floats,
    across,
    boundary_of,
    calibration_error,
    kernel_of,
    ratio_across,
    share_of,
    test_scores,
)
from shrinkage.lesson.toys import TEST
from shrinkage.study import Fit, Study
from shrinkage.verify.complexity import ISLAND_ROWS

_NEAR = 0.1
_THEIRS = ((-2.78, 1.75), (-0.5, 0.3))
"""Ranges of the first kernel that the lesson shows."""


@dataclass(frozen=True)
class Measured:
    """What is measured of one network.

    Parameters
    ----------
    low, high, spread : float
        Least and largest weight of the first kernel, and their standard deviation.
    near : float
        Share of them nearer to 0 than 0.1, in percent.
    length, curvature : float
        Of the boundary, see :class:`shrinkage.verify.complexity.Complexity`.
    islands : int
        In the boundary.
    loss, accuracy : float
        On the test rows: log loss in nats, rows predicted rightly in percent.
    off : float
        Expected calibration error on the test rows, in percent.
    """

    low: float
    high: float
    spread: float
    near: float
    length: float
    curvature: float
    islands: int
    loss: float
    accuracy: float
    off: float


def measure(fit: Fit, study: Study) -> Measured:
    """Weights, boundary and answers on fresh points."""
    weights, shape = kernel_of(fit), boundary_of(fit, study.data)
    return Measured(
        float(weights.min()),
        float(weights.max()),
        float(weights.std()),
        float(100.0 * np.mean(np.abs(weights) < _NEAR)),
        shape.length,
        shape.curvature,
        shape.islands,
        *test_scores(fit, study.data),
        calibration_error(fit, study.data),
    )


def claims(measured: Sequence[tuple[Measured, ...]]) -> tuple[Claim, ...]:
    """What the lesson says of both networks, from a pair for each seed."""
    sides = _Sides(measured)
    return (*_about_weights(sides), *_about_boundary(sides), *_about_new_rows(sides))


@dataclass(frozen=True, eq=False)
class _Sides:
    """Both networks of every seed, one field at a time."""

    measured: Sequence[tuple[Measured, ...]]

    def values(self, field: str, side: int) -> Floats:
        return np.array([getattr(pair[side], field) for pair in self.measured], dtype=np.float64)

    def means(self, field: str) -> tuple[Interval, Interval]:
        return across(self.values(field, 0)), across(self.values(field, 1))

    def change(self, field: str) -> Interval:
        return across(self.values(field, 1) - self.values(field, 0))


def _about_weights(sides: _Sides) -> tuple[Claim, ...]:
    spread = ratio_across(sides.values("spread", 0), sides.values("spread", 1))
    widths = [sides.values("high", side) - sides.values("low", side) for side in (0, 1)]
    width = ratio_across(widths[0], widths[1])
    ends = [
        f"[{sides.means('low')[side].estimate:.2f}, {sides.means('high')[side].estimate:.2f}]"
        for side in (0, 1)
    ]
    theirs = [f"[{low}, {high}]" for low, high in _THEIRS]
    before, after = sides.means("spread")
    return (
        judged(
            "With L2 the weights of the first layer concentrate near zero: their spread shrinks at "
            "least 3-fold.",
            f"Their standard deviation falls from {before} to {after}: it is {spread} times "
            "smaller.",
            spread,
            at_least=3,
            unit="times",
        ),
        judged(
            f"Their range shrinks, in the lesson from {theirs[0]} to {theirs[1]}.",
            f"The mean range goes from {ends[0]} to {ends[1]}: it is {width} times narrower, in "
            f"the lesson {_lesson_ratio():.1f} times.",
            width,
            above=1,
            unit="times",
        ),
        judged(
            "Their density gathers around zero.",
            f"Weights of the first layer nearer to zero than {_NEAR}: "
            f"{_shares(*sides.means('near'))}, {sides.change('near')} points more.",
            sides.change("near"),
            above=0,
            unit="points",
        ),
    )


def _lesson_ratio() -> float:
    return (_THEIRS[0][1] - _THEIRS[0][0]) / (_THEIRS[1][1] - _THEIRS[1][0])


def _shares(before: Interval, after: Interval) -> str:
    return f"{before.estimate:.1f} % without a penalty, {after.estimate:.1f} % with it"


def _about_boundary(sides: _Sides) -> tuple[Claim, ...]:
    left_over = ratio_across(sides.values("length", 1), sides.values("length", 0))
    ends = (left_over.estimate, left_over.high, left_over.low)
    shorter = Interval(*(100.0 * (1.0 - end) for end in ends))
    before, after = sides.means("length")
    bends = sides.means("curvature")
    gentler = ratio_across(sides.values("curvature", 0), sides.values("curvature", 1))
    without, left = (sides.values("islands", side) for side in (0, 1))
    return (
        judged(
            "L2 smooths the decision boundary: it is shorter by at least a third.",
            f"Its length goes from {before} to {after} for each unit of area around the points: "
            f"it is shorter by {shorter} %.",
            shorter,
            at_least=100 / 3,
            unit="%",
        ),
        judged(
            "Its curves are smoother: they bend less.",
            f"The mean absolute curvature goes from {bends[0]} to {bends[1]} radians for each unit "
            f"of length; it is {gentler} times less.",
            gentler,
            above=1,
            unit="times",
        ),
        judged(
            "L2 removes the small regions around single points.",
            f"Islands in the boundary, with at most {ISLAND_ROWS} training points: "
            f"{left.mean():.1f} a network with L2 (in {np.count_nonzero(left)} of {left.size} "
            f"networks, {share_of(int(np.count_nonzero(left)), left.size)} %), "
            f"{without.mean():.1f} without (in {np.count_nonzero(without)}): "
            f"{across(without - left)} fewer.",
            across(without - left),
            above=0,
            unit="islands fewer",
        ),
    )


def _about_new_rows(sides: _Sides) -> tuple[Claim, ...]:
    before, after = sides.means("accuracy")
    losses = sides.means("loss")
    fall = -sides.change("loss")
    errors, calmer = sides.means("off"), -sides.change("off")
    return (
        judged(
            "That costs no test accuracy.",
            f"On {TEST:,} fresh points {before.estimate:.1f} % are predicted rightly without and "
            f"{after.estimate:.1f} % with L2: {sides.change('accuracy')} points more.",
            sides.change("accuracy"),
            at_least=0,
            unit="points",
        ),
        judged(
            "L2 generalizes better: less loss on new points.",
            f"The test log loss goes from {losses[0]} to {losses[1]} nats; it falls by {fall}.",
            fall,
            above=0,
            unit="nats",
        ),
        judged(
            "An overfitted network is overconfident; L2 makes its probabilities mean what they "
            "say.",
            f"Confidence and accuracy on the fresh points differ by {errors[0]} % without and "
            f"{errors[1]} % with L2 (expected calibration error): {calmer} points less.",
            calmer,
            above=0,
            unit="points",
        ),
    )
