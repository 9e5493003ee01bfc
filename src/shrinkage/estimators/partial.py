"""Training that goes on with whatever rows come."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from shrinkage.data import Data
from shrinkage.data.numeric import Arrays, scaled
from shrinkage.engine.pool import run_trial
from shrinkage.errors import SettingError
from shrinkage.estimators.fitted import data_of, finished, network_attributes
from shrinkage.estimators.rows import Table
from shrinkage.estimators.settings import lam_of, network_of, penalty_of, seed_of, training_of
from shrinkage.predictor import Predictor
from shrinkage.study import Study, Trial
from shrinkage.training import Training
from shrinkage.tune import versions

if TYPE_CHECKING:
    from shrinkage.estimators.single import Single


def one_more_epoch(estimator: Single, table: Table) -> dict[str, Any]:
    """The attributes after one more pass over the rows of `table`.

    The preprocessing is that of the first rows ever seen, and the parameters go on from where they
    are; the optimizer's moments start anew.
    """
    before: Predictor | None = getattr(estimator, "predictor_", None)
    data = data_of(estimator, table) if before is None else _prepared(estimator, table, before)
    network = network_of(estimator, data)
    if before is not None and before.network.sizes != network.sizes:
        raise SettingError(
            f"partial_fit goes on with {before.network}, but the parameters now describe {network};"
            " call fit, or clone the estimator first"
        )
    calls = 0 if before is None else int(estimator.n_iter_)
    penalty = penalty_of(estimator.penalty, estimator.l1_ratio)
    lam = lam_of(estimator.lam) if penalty is not None else 0.0
    trial = Trial(
        network=network,
        training=_one_pass(
            training_of(estimator, data, epochs=1, schedule="constant", polish=None)
        ),
        penalty=penalty if lam else None,
        lam=lam,
        fold=None,
        seed=_seed(estimator, calls),
    )
    start = None if before is None else before.parameters
    fit = finished(run_trial(trial, data.full, start=start))
    part = data.full
    if before is not None:
        part = replace(
            part,
            center=before.center,
            scale=before.scale,
            target_center=before.target_center,
            target_scale=before.target_scale,
        )
    attributes = network_attributes(fit, part, table)
    if before is not None:
        past = estimator.loss_curve_
        attributes["loss_curve_"] = np.concatenate([past, attributes["loss_curve_"]])
    return attributes | {
        "n_iter_": calls + 1,
        "study_": Study.of(data, [trial], [fit], versions()),
        "diagnosis_": None,
    }


def _prepared(estimator: Single, table: Table, before: Predictor) -> Data:
    """The rows on the scale of the first ones."""
    arrays = table.arrays
    ready = Arrays(
        scaled(arrays.inputs, before.center, before.scale),
        (arrays.targets - before.target_center) / before.target_scale,
        arrays.weights,
    )
    return data_of(estimator, replace(table, arrays=ready), standardize=False)


def _one_pass(training: Training) -> Training:
    """Without what belongs to a whole training."""
    return replace(training, patience=None, averaging=0.0, lam_schedule="constant")


def _seed(estimator: Single, calls: int) -> int:
    """Another order of rows in each call, also where `random_state` is a number."""
    return int(np.random.SeedSequence((seed_of(estimator), calls)).generate_state(1)[0])
