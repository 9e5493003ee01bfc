"""What is measured of a network's simplicity, and each measure's change with its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, sqrt
from typing import Any, Generic, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from shrinkage.data import Task
from shrinkage.intervals import Interval, independent_interval
from shrinkage.study import Fit
from shrinkage.verify.performance import TOO_FEW

Floats = NDArray[np.float64]
T = TypeVar("T")
Over = Literal["seeds", "test rows"]

ONE_SEED = "one seed does not tell"


class Sides(NamedTuple, Generic[T]):
    """The same thing of the networks without and with the penalty."""

    before: T
    after: T


def each(fits: Sides[list[Fit]], look: Callable[[Fit], T]) -> Sides[list[T]]:
    """What `look` finds of every fit; once of one that stands on both sides."""
    seen: dict[int, T] = {}
    for fit in (*fits.before, *fits.after):
        if id(fit) not in seen:
            seen[id(fit)] = look(fit)
    return Sides([seen[id(fit)] for fit in fits.before], [seen[id(fit)] for fit in fits.after])


class Kind(NamedTuple):
    """What a measure is: its name for people, its unit, and what a fall and a rise mean."""

    label: str
    unit: str
    fall: str
    rise: str
    better: int  # -1: less is simpler or better, 1: more is, 0: neither
    scale: bool = False  # positive, with changes that are factors rather than steps


_SLOPE = "log odds per standard deviation"
KINDS: Mapping[str, Kind] = {
    "boundary_length": Kind(
        "boundary length per area", "per standard deviation", "shorter", "longer", -1, True
    ),
    "islands": Kind("islands", "regions", "fewer", "more", -1),
    "curvature": Kind(
        "curvature of the boundary", "per standard deviation", "straighter", "more bent", -1, True
    ),
    "jacobian_norm": Kind(
        "median slope at the training rows", _SLOPE, "flatter", "steeper", -1, True
    ),
    "lipschitz": Kind(
        "steepest slope on and between the rows", _SLOPE, "flatter", "steeper", -1, True
    ),
    "weight_norm": Kind("norm of the hidden weights", "", "smaller", "larger", -1, True),
    "path_norm": Kind("path norm", "", "smaller", "larger", -1, True),
    "spectral_product": Kind("product of spectral norms", "", "smaller", "larger", -1, True),
    "margin": Kind("median margin at the test rows", "log odds", "smaller", "larger", 0),
    "normalized_margin": Kind(
        "normalized margin (median)", "standard deviations", "smaller", "larger", 1
    ),
    "brier": Kind("Brier score", "", "better", "worse", -1),
    "expected_error": Kind("expected calibration error", "share", "better", "worse", -1),
}
"""Every measure by its key."""


@dataclass(frozen=True)
class Measure:
    """One number of a network, without and with the penalty.

    Parameters
    ----------
    name : str
        Its key in :data:`KINDS`.
    label, unit : str
        For people; the unit is empty when there is none.
    before, after : Interval
        Means over the networks of each side.
    difference : Interval
        Of the means, after − before.
    ratio : Interval or None
        After over before, as a geometric mean over the networks: for lengths, slopes and norms,
        which change by factors and spread like them. None for other measures, and where one of
        the networks has 0.
    over : str
        What the intervals are over: ``"seeds"`` (Student's t, the difference paired by seed where
        the sides have the same ones) or ``"test rows"`` (bootstrap, both sides on the same
        resampled rows). Unbounded where there is one seed, or fewer than 10 rows.
    """

    name: str
    label: str
    unit: str
    before: Interval
    after: Interval
    difference: Interval
    ratio: Interval | None
    over: Over

    @property
    def change(self) -> int:
        """−1 where it falls and 1 where it rises beyond noise, by the ratio if there is one."""
        found, same = (self.difference, 0.0) if self.ratio is None else (self.ratio, 1.0)
        if not found.bounded or not found.excludes(same):
            return 0
        return 1 if found.estimate > same else -1

    @property
    def improvement(self) -> int:
        """1 where it changes for the simpler or better beyond noise, −1 for the worse, else 0."""
        return self.change * KINDS[self.name].better

    @property
    def outcome(self) -> str:
        """One word for the change, ``"no clear difference"``, or why it cannot be told."""
        if not self.difference.bounded:
            return ONE_SEED if self.over == "seeds" else TOO_FEW
        kind = KINDS[self.name]
        return {-1: kind.fall, 0: "no clear difference", 1: kind.rise}[self.change]

    def __str__(self) -> str:
        return f"{self.label} {self.before} → {self.after}, difference {self.difference}"


def over_rows(name: str, before: Interval, after: Interval, difference: Interval) -> Measure:
    """A measure of test rows, from intervals over the rows."""
    kind = KINDS[name]
    return Measure(name, kind.label, kind.unit, before, after, difference, None, "test rows")


def over_seeds(name: str, task: Task, values: Sides[Floats], *, paired: bool) -> Measure:
    """A measure of networks, from its value for each seed.

    Parameters
    ----------
    name : str
        Its key.
    task : str
        Of the data.
    values : Sides of ndarray of float64, shapes (m,) and (n,)
        Finite.
    paired : bool
        Whether both sides have the same seeds in the same order.

    Returns
    -------
    Measure
        Intervals are Student's; those of the difference and the (logarithm of the) ratio of paired
        seeds, else Welch's.

    References
    ----------
    Welch (1947), "The generalization of 'Student's' problem when several different population
    variances are involved", Biometrika 34.
    """
    kind = KINDS[name]
    unit = kind.unit
    if task == "regression" and unit == _SLOPE:
        unit = "target deviations per standard deviation"
    ratio = None
    if kind.scale and min(side.min() for side in values) > 0:
        logs = _difference(Sides(*map(np.log, values)), paired)
        estimate, low, high = np.exp([logs.estimate, logs.low, logs.high]).tolist()
        ratio = Interval(estimate, low, high, logs.level)
    before, after = (independent_interval(side) for side in values)
    difference = _difference(values, paired)
    return Measure(name, kind.label, unit, before, after, difference, ratio, "seeds")


def _difference(values: Sides[Floats], paired: bool, level: float = 0.95) -> Interval:
    """After − before."""
    if paired:
        return independent_interval(values.after - values.before, level)
    estimate = float(values.after.mean() - values.before.mean())
    if min(side.size for side in values) < 2:
        return Interval(estimate, -inf, inf, level)
    parts = [float(side.var(ddof=1)) / side.size for side in values]
    total = sum(parts)
    if total == 0:
        return Interval(estimate, estimate, estimate, level)
    spread = sum(part**2 / (side.size - 1) for part, side in zip(parts, values, strict=True))
    reach = float(stdtrit(total**2 / spread, 0.5 + level / 2)) * sqrt(total)
    return Interval(estimate, estimate - reach, estimate + reach, level)


def weighted_median(values: Floats, weights: Floats) -> float:
    """The value below and above which lies half of the weight.

    Examples
    --------
    >>> weighted_median(np.array([3.0, 1.0, 2.0]), np.ones(3))
    2.0
    >>> weighted_median(np.array([1.0, 2.0]), np.ones(2))
    1.5
    """
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order]) / weights.sum()
    first = int(np.searchsorted(below, 0.5 - 1e-12))
    after = min(first + 1, values.size - 1) if abs(below[first] - 0.5) < 1e-12 else first
    return float(0.5 * (values[order[first]] + values[order[after]]))


def sample(weights: NDArray[np.floating[Any]], most: int) -> NDArray[np.intp]:
    """At most `most` of the rows that have a weight, always the same ones, in rising order."""
    rows = np.flatnonzero(weights > 0)
    if rows.size <= most:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
