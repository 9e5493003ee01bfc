"""Where a path of λ begins: by a formula where there is one, else by trying."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data, Part
from shrinkage.detect.gains import constant_loss
from shrinkage.engine.pool import train
from shrinkage.errors import ShrinkageError
from shrinkage.estimators.fitted import finished
from shrinkage.estimators.settings import network_of, seed_of, training_of
from shrinkage.estimators.single import Single
from shrinkage.estimators.threads import threads_for
from shrinkage.penalties import Penalty
from shrinkage.study import Fit, Trial

Floats = NDArray[np.float64]

CONSTANT = 0.02
"""Share of what the unpenalized network learns, below which a network predicts a constant."""
_LOWEST, _HIGHEST = -8, 4


def path_fits(estimator: Single, data: Data, penalty: Penalty, lambdas: list[float]) -> list[Fit]:
    """A fit for each λ, 0 included; all from the same start."""
    network, training, seed = (
        network_of(estimator, data),
        training_of(estimator, data),
        seed_of(estimator),
    )
    trials = [
        Trial(network, training, penalty if lam else None, lam, None, seed) for lam in lambdas
    ]
    found = {
        fit.trial: fit
        for fit in train(dict.fromkeys(trials), data, threads=threads_for(estimator.n_jobs))
    }
    return [found[trial] for trial in trials]


def largest_lambda(estimator: Single, data: Data, penalty: Penalty) -> float:
    """λ_max, by formula or by trying."""
    network = network_of(estimator, data)
    if not network.hidden:
        exact = penalty.lam_max(_gradient_at_zero(data.full, data.task))
        if 0 < exact < np.inf:
            return exact
    return _by_trying(estimator, data, penalty)


def _gradient_at_zero(part: Part, task: str) -> Floats:
    """Gradient of the mean loss by the kernel of a linear model that predicts the best constant.

    Shape (inputs, outputs).
    """
    rows = part.train
    inputs = part.inputs[rows].astype(np.float64)
    targets = part.targets[rows].astype(np.float64)
    shares = part.weights[rows].astype(np.float64)
    shares /= shares.sum()
    if task == "multiclass":
        targets = np.eye(int(targets.max()) + 1)[targets[:, 0].astype(np.int64)]
    residuals = shares @ targets - targets
    slope = 2.0 / targets.shape[1] if task == "regression" else 1.0
    gradient: Floats = slope * (inputs * shares[:, None]).T @ residuals
    return gradient


def _by_trying(estimator: Single, data: Data, penalty: Penalty) -> float:
    """The least power of ten that leaves a constant prediction, or the largest that is tried."""
    exponents = list(range(-4, 2))
    free, *first = path_fits(estimator, data, penalty, [0.0, *(10.0**e for e in exponents)])
    learned = dict(zip(exponents, first))
    null = constant_loss(data, free.trial.training)
    possible = null - finished(free).final_train_loss
    if not possible > 1e-3 * null:
        raise ShrinkageError(
            "the network learns nothing even without a penalty, so no λ is the largest; train it "
            "longer or at another learning rate"
        )

    def constant(exponent: int) -> bool:
        if exponent not in learned:
            (learned[exponent],) = path_fits(estimator, data, penalty, [10.0**exponent])
        fit = learned[exponent]
        return fit.ok and null - fit.final_train_loss <= CONSTANT * possible

    found = next((e for e in exponents if constant(e)), exponents[-1])
    while found < _HIGHEST and not constant(found):
        found += 1
    while found > _LOWEST and constant(found - 1):
        found -= 1
    return float(f"1e{found}")
