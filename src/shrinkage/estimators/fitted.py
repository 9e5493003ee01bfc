"""What an estimator has once it is fitted: attributes read off a fit, and set all at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data, Part
from shrinkage.data.numeric import from_arrays
from shrinkage.errors import ShrinkageError
from shrinkage.estimators.rows import Table
from shrinkage.predictor import Predictor
from shrinkage.study import Fit

_HEADS = {
    "binary_cross_entropy": "logistic",
    "cross_entropy": "softmax",
    "mean_squared_error": "identity",
}


@contextmanager
def all_or_nothing(estimator: Any) -> Iterator[None]:
    """Whatever goes wrong inside, Ctrl-C included, the estimator is what it was before."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def data_of(estimator: Any, table: Table, **how: Any) -> Data:
    """The table as the engine takes it; `how` are more arguments of `from_arrays`."""
    names = getattr(estimator, "feature_names_in_", None)
    return from_arrays(
        table.arrays,
        classes=None if table.classes is None else table.classes.tolist(),
        # Rows that agree are one only where no order is to be kept.
        **{"standardize": bool(estimator.standardize), "merge": bool(estimator.shuffle)} | how,
        columns=None if names is None else tuple(map(str, names)),
        name=type(estimator).__name__,
    )


def finished(fit: Fit) -> Fit:
    """A fit that can be used; an error that says why another one cannot."""
    if not fit.ok:
        raise ShrinkageError(f"the training {fit.message}")
    return fit


def network_attributes(fit: Fit, part: Part, table: Table) -> dict[str, Any]:
    """The attributes that speak of one trained network.

    Parameters
    ----------
    fit : Fit
        The network in use.
    part : Part
        The rows that it was trained on, with their preprocessing.
    table : Table
        What was given to `fit`.
    """
    predictor = Predictor.of(fit, part, table.classes)
    attributes: dict[str, Any] = {
        "fit_": fit,
        "predictor_": predictor,
        "lambda_": fit.trial.lam,
        "coefs_": predictor.kernels,
        "intercepts_": predictor.biases,
        "n_iter_": fit.stopped_at,
        "n_outputs_": predictor.network.outputs,
        "out_activation_": _HEADS[predictor.training.loss],
        "loss_": float(fit.final_train_loss),
        "loss_curve_": fit.train_loss,
        "validation_curve_": fit.validation_loss
        if np.isfinite(fit.validation_loss).any()
        else None,
        "sparsity_": fit.sparsity,
        "stationarity_": getattr(fit, "stationarity", None),
        "_flat": table.flat,
    }
    if table.classes is not None:
        attributes["classes_"] = table.classes
    if not predictor.network.hidden:
        attributes["coef_"], attributes["intercept_"] = linear_coefficients(predictor, table.flat)
    return attributes


def linear_coefficients(
    predictor: Predictor, flat: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64] | float]:
    """Slopes and intercepts of a network without hidden layers, in the units of its inputs.

    Parameters
    ----------
    predictor : Predictor
        Without hidden layers.
    flat : bool
        Whether the targets of a regression came as one dimension.

    Returns
    -------
    coef : ndarray of float64
        Shape (outputs, inputs); (inputs,) for a regression with targets of one dimension.
    intercept : ndarray of float64 or float
        Shape (outputs,); a number for such a regression.
    """
    kernel, bias = predictor.kernels[0].astype(np.float64), predictor.biases[0].astype(np.float64)
    slopes = (kernel / predictor.scale[:, None]) * predictor.target_scale
    intercepts = bias * predictor.target_scale + predictor.target_center - predictor.center @ slopes
    if predictor.classes is None and flat:
        return slopes[:, 0], float(intercepts[0])
    return slopes.T, intercepts


def replace_attributes(estimator: Any, attributes: dict[str, Any]) -> None:
    """Set all attributes; those of an earlier fit that have no successor go."""
    for name in ("coef_", "intercept_", "classes_"):
        vars(estimator).pop(name, None)
    for name, value in attributes.items():
        setattr(estimator, name, value)
