"""How simple the function is without and with the penalty, in numbers rather than pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from shrinkage.data import Data, Part, TestSet
from shrinkage.errors import ShrinkageError
from shrinkage.network import Network, OwnNetwork
from shrinkage.study import Fit
from shrinkage.verify.boundary import Plane
from shrinkage.verify.certainty import Certainty, certainty_of
from shrinkage.verify.complexity import complexity, fine_plane, no_boundary
from shrinkage.verify.derivatives import arithmetic
from shrinkage.verify.large import settle
from shrinkage.verify.measures import (
    Floats,
    Measure,
    Sides,
    each,
    over_seeds,
    sample,
    weighted_median,
)
from shrinkage.verify.norms import path_norm, spectral_product, weight_norm
from shrinkage.verify.smoothness import jacobian_norms, steepest, ways

_MOST_ROWS, _FEWEST_ROWS = 500, 30
_WORK = 4e8  # multiplications for the slopes of one network; larger networks get fewer rows
_LOOKS = 8  # Jacobians for each row, about: its own and those on the ways to its neighbours


@dataclass(frozen=True, eq=False)
class Simplicity:
    """How simple the networks are without and with the penalty.

    Parameters
    ----------
    measures : tuple of Measure
        The boundary's for two inputs and classes; slopes and norms always; margins and calibration
        for classes. Without those that are beyond all numbers.
    seeds : int
        Networks on the side that has fewer.
    penalized : bool
        Whether the sides differ; without that both are the same networks.
    slopes : Sides of ndarray of float64
        Jacobian norms of a side's networks, one after the other, at the training rows looked at.
    weights : ndarray of float64, shape (rows,)
        Sample weights of these rows.
    rows : (int, int)
        Training rows that were looked at, and how many there are.
    certainty : Certainty or None
        Margins and reliability at the test rows; None for a regression.
    """

    measures: tuple[Measure, ...]
    seeds: int
    penalized: bool
    slopes: Sides[Floats]
    weights: Floats
    rows: tuple[int, int]
    certainty: Certainty | None

    def measure(self, name: str) -> Measure | None:
        """The measure of that name; None where the task has none."""
        return next((one for one in self.measures if one.name == name), None)

    @property
    def sentence(self) -> str:
        """What got simpler beyond noise."""
        from shrinkage.verify.simplicity_wording import simpler

        return simpler(self)

    @property
    def calibration_sentence(self) -> str:
        """Whether probabilities mean what they say; empty for a regression."""
        from shrinkage.verify.simplicity_wording import calibrated

        return calibrated(self)

    @property
    def rows_sentence(self) -> str:
        """Which rows were looked at; empty where all were."""
        from shrinkage.verify.simplicity_wording import looked_at

        return looked_at(self)


def simplicity_of(
    before_fits: Sequence[Fit], after_fits: Sequence[Fit], data: Data, test: TestSet
) -> Simplicity:
    """Measure how simple networks are without and with a penalty.

    Parameters
    ----------
    before_fits, after_fits : sequence of Fit
        Refits on every training row with their parameters, one for each seed. Diverged ones are
        left out; where the sides have seeds in common, the other seeds are too.
    data : Data
        At whose training rows slopes are taken, by their sample weights: of many rows at a sample
        of up to 500, always the same.
    test : TestSet
        For margins and calibration; of many rows a sample of 5,000, always the same.

    Returns
    -------
    Simplicity
        See there.

    Raises
    ------
    ShrinkageError
        When no fit of a side ended well.
    """
    settle(data)
    by_seed = (_by_seed(before_fits, "without"), _by_seed(after_fits, "with"))
    common = sorted(by_seed[0].keys() & by_seed[1].keys())
    fits = Sides(*([side[seed] for seed in common or side] for side in by_seed))
    everyone = [*fits.before, *fits.after]
    part = data.full
    rows = sample(part.weights, min(_affordable(fit.trial.network) for fit in everyone))
    looked = _Looked(
        data,
        fine_plane(data) if part.n_inputs == 2 and no_boundary(data) is None else None,
        part.inputs[rows],
        part.weights[rows].astype(np.float64),
        *ways(part.inputs[rows]),
    )
    paired = bool(common)
    certainty = None
    # Many small products: a second BLAS thread costs more than it brings. A network on its way to
    # divergence may have a norm beyond all numbers, which is left out below.
    quiet = np.errstate(over="ignore", invalid="ignore")
    with quiet, threadpool_limits(limits=1, user_api="blas"):
        seen = each(fits, lambda fit: _seen(fit, looked))
        values = {
            name: Sides(*(np.array([one.numbers[name] for one in side]) for side in seen))
            for name in seen.before[0].numbers
        }
        measures = [
            over_seeds(name, data.task, value, paired=paired)
            for name, value in values.items()
            if all(np.isfinite(side).all() for side in value)
        ]
        if data.task != "regression":
            bounds = values["spectral_product"]
            more, certainty = certainty_of(fits, bounds, data, test, paired=paired)
            measures += more
    if not _standardized(part):
        measures = [_per_unit(measure) for measure in measures]
    return Simplicity(
        measures=tuple(measures),
        seeds=min(map(len, fits)),
        penalized=len({(fit.trial.penalty, fit.trial.lam) for fit in everyone}) > 1,
        slopes=Sides(*(np.concatenate([one.slopes for one in side]) for side in seen)),
        weights=looked.weights,
        rows=(len(rows), len(part.weights)),
        certainty=certainty,
    )


class _Looked(NamedTuple):
    """What every network is looked at with: training rows, and the ways between them."""

    data: Data
    plane: Plane | None
    inputs: NDArray[np.float32]
    weights: Floats
    different: Floats
    pairs: NDArray[np.intp]


class _Seen(NamedTuple):
    """What was seen of one network."""

    numbers: dict[str, float]
    slopes: Floats


def _by_seed(fits: Sequence[Fit], which: str) -> dict[int, Fit]:
    found = {fit.trial.seed: fit for fit in fits if fit.ok and fit.parameters.size}
    if not found:
        raise ShrinkageError(
            f"no network {which} the penalty ended well with its parameters kept, so how simple it "
            "is cannot be measured; lower the learning rate, or keep the parameters"
        )
    return found


def _standardized(part: Part) -> bool:
    """Whether inputs are in standard deviations."""
    return bool((part.center != 0.0).any() or (part.scale != 1.0).any())


def _per_unit(measure: Measure) -> Measure:
    """A slope along inputs that were taken as they are."""
    return replace(measure, unit=measure.unit.replace("standard deviation", "unit of the inputs"))


def _affordable(network: Network | OwnNetwork) -> int:
    """Training rows for which there is time."""
    return int(np.clip(_WORK / (_LOOKS * arithmetic(network)), _FEWEST_ROWS, _MOST_ROWS))


def _seen(fit: Fit, looked: _Looked) -> _Seen:
    numbers: dict[str, float] = {}
    if looked.plane is not None:
        boundary = complexity(fit, looked.plane, looked.data)
        numbers["boundary_length"] = boundary.length
        numbers["islands"] = boundary.islands
        numbers["curvature"] = boundary.curvature
    slopes = jacobian_norms(fit, looked.inputs)
    numbers["jacobian_norm"] = weighted_median(slopes, looked.weights)
    numbers["lipschitz"] = steepest(fit, looked.different, looked.pairs)
    numbers["weight_norm"] = weight_norm(fit)
    numbers["path_norm"] = path_norm(fit)
    numbers["spectral_product"] = spectral_product(fit)
    return _Seen(numbers, slopes)
