"""How certain networks are at the test rows, and whether they are right to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data, TestSet
from shrinkage.data.put_away import let_go
from shrinkage.intervals import FEWEST_ROWS, bootstrap_interval
from shrinkage.study import Fit
from shrinkage.verify.calibration import (
    RESAMPLES,
    Bin,
    by_chance,
    calibration_statistics,
    cautious,
    reflected,
    reliability,
)
from shrinkage.verify.margins import margins
from shrinkage.verify.measures import (
    Floats,
    Measure,
    Sides,
    each,
    over_rows,
    over_seeds,
    sample,
    weighted_median,
)
from shrinkage.verify.metrics import Counts
from shrinkage.verify.performance import predicted

MOST_ROWS = 5_000
"""Test rows that are looked at."""
_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, eq=False)
class Certainty:
    """The margins and the reliability behind the measures.

    Parameters
    ----------
    margins : Sides of ndarray of float64
        Of a side's networks, one after the other, at the test rows that were looked at.
    reliability : Sides of tuple of Bin
        Bins of confidence over these rows, of all networks of a side together.
    by_chance : Sides of float
        Expected calibration error that chance alone would show; mean over the networks.
    weights : ndarray of float64, shape (rows,)
        Sample weights of these rows.
    rows : (int, int)
        Test rows that were looked at, and how many there are.
    """

    margins: Sides[Floats]
    reliability: Sides[tuple[Bin, ...]]
    by_chance: Sides[float]
    weights: Floats
    rows: tuple[int, int]

    @property
    def wrong(self) -> Sides[float]:
        """Weighted share of rows that are answered wrongly; mean over the networks."""
        found = [
            np.average(side <= 0, weights=np.resize(self.weights, side.size))
            for side in self.margins
        ]
        return Sides(float(found[0]), float(found[1]))


def certainty_of(
    fits: Sides[list[Fit]], bounds: Sides[Floats], data: Data, test: TestSet, *, paired: bool
) -> tuple[tuple[Measure, ...], Certainty]:
    """Margins with intervals over the seeds, calibration with intervals over the test rows.

    Parameters
    ----------
    fits : Sides of list of Fit
        Classifications, at least one on each side.
    bounds : Sides of ndarray of float64
        Their spectral products, which the margins are normalized by.
    data : Data
        The task.
    test : TestSet
        Rows that nothing has touched so far; their sample weights count.
    paired : bool
        Whether both sides have the same seeds in the same order.
    """
    chosen = sample(test.weights, MOST_ROWS)
    inputs, weights = test.inputs[chosen], test.weights[chosen].astype(np.float64)
    let_go(test.inputs)
    classes = test.targets[chosen, 0].astype(np.int64)

    leads = each(fits, lambda fit: margins(fit, inputs, classes))
    middle = Sides(*(np.array([weighted_median(m, weights) for m in side]) for side in leads))
    scaled = Sides(*(m / np.maximum(b, _TINY) for m, b in zip(middle, bounds, strict=True)))
    said = each(fits, lambda fit: predicted(fit, inputs))
    known = {"margin": middle, "normalized_margin": scaled}
    if not np.isfinite(np.concatenate(bounds)).all():  # a network of one's own has no such norm
        del known["normalized_margin"]
    measures = (
        *(over_seeds(name, data.task, value, paired=paired) for name, value in known.items()),
        *_calibration(said, classes, weights),
    )
    return measures, Certainty(
        margins=Sides(*(np.concatenate(side) for side in leads)),
        reliability=Sides(*(reliability(side, classes, weights) for side in said)),
        by_chance=Sides(*(float(np.mean([by_chance(p, weights) for p in side])) for side in said)),
        weights=weights,
        rows=(len(chosen), len(test.weights)),
    )


def _calibration(
    said: Sides[list[Floats]], classes: NDArray[np.int64], weights: Floats
) -> list[Measure]:
    """Brier score and expected error, all networks of both sides on the same resampled rows."""
    statistics = [
        [calibration_statistics(one, classes, weights)[:2] for one in side] for side in said
    ]

    def changes(counts: Counts) -> Floats:
        rows = []
        for which in range(2):
            old, new = (
                np.mean([statistic[which](counts) for statistic in side], axis=0)
                for side in statistics
            )
            rows += [old, new, new - old]
        return np.stack(rows)

    resamples = RESAMPLES if classes.size >= FEWEST_ROWS else 0
    found = bootstrap_interval(changes, classes.size, classes, resamples=resamples)
    return [
        over_rows("brier", found[0], found[1], found[2]),
        over_rows(
            "expected_error",
            reflected(found[3], least=0.0),
            reflected(found[4], least=0.0),
            cautious(found[5]),
        ),
    ]
