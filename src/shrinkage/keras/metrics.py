"""What each optimizer of Keras multiplies the gradient of a weight by: the metric of its step.

An exact proximal step needs it: each weight is soft-thresholded by λ times the step that *its own*
gradient took, else the fixed points are not those of the penalized loss. Where a momentum collects
steps, what it settles at counts: learning rate / (1 − momentum) times the gradient, with the rates
of the past while the learning rate changes; the moments of Adam's family settle at the gradient.
Read in ``keras/src/optimizers`` of Keras 3.15.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops, optimizers

from shrinkage.errors import SettingError

Metric = Callable[[Any, Any, Any], Any]
"""Of optimizer, variable and reach: the step of each weight, after the optimizer's own.

The reach is the learning rate, or what a velocity makes of it.
"""


def metric_of(optimizer: Any) -> Metric:
    """How to read the step of each weight from an optimizer.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Of Keras.

    Returns
    -------
    callable
        Of the optimizer, a variable and the reach as a tensor: the step length, of the variable's
        shape or a scalar.

    Raises
    ------
    SettingError
        When the optimizer's step is no multiple of the gradient, or is not known here.
    """
    for kind, metric in _METRICS.items():
        if isinstance(optimizer, kind) and type(optimizer).update_step is kind.update_step:
            return metric
    name = type(optimizer).__name__
    known = ", ".join(sorted({kind.__name__ for kind in _METRICS} | {"AdamW"}))
    reason = next(
        (why for kind, why in _UNKNOWN.items() if name == kind),
        "how far it moves a weight for its gradient is not known here",
    )
    raise SettingError(
        f"exact zeros cannot be made under {name}: {reason}; choose one of: {known}, or add the "
        "penalty to the loss with regularize(model, …), which leaves no exact zeros"
    )


def velocity_of(optimizer: Any) -> float:
    """The momentum with which an optimizer collects its own steps; 0 where it does not."""
    kinds = (optimizers.SGD, optimizers.RMSprop)
    return float(optimizer.momentum) if isinstance(optimizer, kinds) else 0.0


def _sgd(optimizer: Any, variable: Any, reach: Any) -> Any:  # noqa: ARG001  # a Metric
    return reach


def _adam(optimizer: Any, variable: Any, reach: Any) -> Any:
    index = optimizer._get_variable_index(variable)
    moments = optimizer._velocity_hats if optimizer.amsgrad else optimizer._velocities
    root = ops.sqrt(_unbiased(optimizer, optimizer.beta_2, reach.dtype))
    return reach * root / (ops.sqrt(moments[index]) + optimizer.epsilon)


def _nadam(optimizer: Any, variable: Any, reach: Any) -> Any:
    moment = optimizer._velocities[optimizer._get_variable_index(variable)]
    share = _unbiased(optimizer, optimizer.beta_2, reach.dtype)
    return reach / (ops.sqrt(moment / share) + optimizer.epsilon)


def _adamax(optimizer: Any, variable: Any, reach: Any) -> Any:
    return reach / (optimizer._u[optimizer._get_variable_index(variable)] + optimizer.epsilon)


def _rmsprop(optimizer: Any, variable: Any, reach: Any) -> Any:
    index = optimizer._get_variable_index(variable)
    below = optimizer._velocities[index] + optimizer.epsilon
    if optimizer.centered:
        below = below - ops.square(optimizer._average_gradients[index])
    return reach / ops.sqrt(below)


def _adagrad(optimizer: Any, variable: Any, reach: Any) -> Any:
    moment = optimizer._accumulators[optimizer._get_variable_index(variable)]
    return reach / ops.sqrt(moment + optimizer.epsilon)


def _unbiased(optimizer: Any, beta: float, dtype: Any) -> Any:
    """1 − βᵗ, where t counts the step that is just being taken."""
    return 1.0 - ops.power(ops.cast(beta, dtype), ops.cast(optimizer.iterations + 1, dtype))


_METRICS: dict[Any, Metric] = {
    optimizers.SGD: _sgd,
    optimizers.Adam: _adam,
    optimizers.RMSprop: _rmsprop,
    optimizers.Adamax: _adamax,
    optimizers.Nadam: _nadam,
    optimizers.Adagrad: _adagrad,
}

_UNKNOWN = {
    "Adadelta": "its step depends on how far its own last steps went",
    "Adafactor": "its step is scaled by the size of all weights together",
    "Ftrl": "it keeps sums instead of weights and has an exact l1_regularization_strength of its "
    "own",
    "Lamb": "its step is scaled by the ratio of two norms of the whole kernel",
    "Lion": "it moves every weight by the same amount, whatever its gradient",
    "LossScaleOptimizer": "it scales the loss of another optimizer; wrap that one, and Proximal in "
    "it",
    "Muon": "it turns the gradient of a kernel into an orthogonal matrix",
    "ScheduleFreeAdamW": "its weights are interpolated between two sequences",
}
"""Optimizers whose step has no such metric, and why."""
