"""A trained network as a Keras model that carries its penalty, to be trained on."""

from __future__ import annotations

from math import ceil, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.conventions import KERAS_L1, KERAS_L2
from shrinkage.engine.activations import LEAK
from shrinkage.exports.agreement import Answer, compare, predictor_of, require
from shrinkage.exports.packages import require_package
from shrinkage.predictor import Predictor

_ACTIVATIONS = {"identity": "linear", "leaky_relu": "linear"}
_HEADS = {
    "binary_cross_entropy": "sigmoid",
    "cross_entropy": "softmax",
    "mean_squared_error": "linear",
}


def to_keras(model: Any, *, regularizers: bool = True, X: Any = None) -> Any:
    """Export a trained network to Keras, checked to answer the same.

    A ``Sequential`` model of raw rows: standardization is its first layer, and the last one of a
    regression returns to the target's own units. Every kernel that was penalized carries the
    ``kernel_regularizer`` that means the same, and dropout, noise and a limit of norms are there,
    so that training can go on. It answers the probability of the second of two classes, of all
    classes where there are more, or predictions.

    Parameters
    ----------
    model : estimator or Predictor
        A fitted estimator of this package, or the network alone.
    regularizers : bool, default True
        Whether kernels carry the penalty. Keras has none for a group lasso; the one used here is
        found again in a saved model only where ``shrinkage.exports.keras_regularizers`` was
        imported, so a model to be served elsewhere is better without.
    X : array-like of shape (rows, inputs), optional
        Rows to compare both networks on; by default 256 drawn around the training rows.

    Returns
    -------
    keras.Sequential
        Not compiled. For any backend of Keras 3. The regularizers add the penalty to the loss that
        Keras shows.

    Raises
    ------
    SettingError
        When Keras or its backend is not installed, or `model` is not fitted.
    ShrinkageError
        When the exported network differs from the original by more than 1e-5.

    Notes
    -----
    Keras hands rows on in single precision, and has no counterpart of decoupled decay among its
    regularizers: that belongs to its optimizers (``weight_decay``).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from shrinkage import ShrinkageClassifier
    >>> from shrinkage.exports import to_keras
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ShrinkageClassifier(hidden_layer_sizes=(8,), random_state=0).fit(X, y)
    >>> network = to_keras(model)
    >>> [layer.name for layer in network.layers]
    ['standardize', 'hidden_1', 'output']
    >>> tuple(network(X).shape)
    (150, 3)
    """
    require_package("keras")
    predictor = predictor_of(model)
    network = _model(predictor, regularizers)
    require(compare(predictor, answers(network), "Keras", "single", X=X))
    return network


def notes(predictor: Predictor) -> tuple[str, ...]:
    """What the layers do not carry over."""
    penalty, training = predictor.penalty, predictor.training
    said = []
    decoupled = training.optimizer == "adamw" or bool(penalty and penalty.decoupled)
    if penalty and predictor.lam and penalty.l2_share and decoupled:
        said.append("Its decoupled decay is no regularizer; an optimizer's weight_decay is.")
    if penalty and predictor.lam and (penalty.l1_share or penalty.group_share):
        said.append("Keras' own training leaves no weight exactly zero, nor keeps zeros.")
    return tuple(said)


def answers(network: Any) -> Answer:
    """What a model answers to raw rows."""

    def answer(rows: NDArray[np.float64]) -> NDArray[Any]:
        import keras

        found = keras.ops.stop_gradient(network(rows, training=False))
        return np.asarray(found.cpu() if hasattr(found, "cpu") else found)

    return answer


def _model(predictor: Predictor, regularizers: bool) -> Any:
    import keras

    training = predictor.training
    stack = [
        keras.Input((predictor.network.inputs,), dtype=_widest()),
        *_standardizing(predictor.center, predictor.scale),
    ]
    if training.input_noise:
        stack.append(keras.layers.GaussianNoise(training.input_noise, name="input_noise"))
    if training.input_dropout:
        stack.append(keras.layers.Dropout(training.input_dropout, name="input_dropout"))
    dense = _dense(predictor, regularizers)
    for number, layer in enumerate(dense[:-1], start=1):
        stack.append(layer)
        if predictor.network.activation == "leaky_relu":
            stack.append(keras.layers.LeakyReLU(negative_slope=LEAK, name=f"leak_{number}"))
        if training.dropout:
            stack.append(keras.layers.Dropout(training.dropout, name=f"dropout_{number}"))
    stack.append(dense[-1])
    if predictor.classes is None:
        stack += _unstandardizing(predictor.target_center, predictor.target_scale)
    model = keras.Sequential(stack, name="shrinkage")
    for layer, kernel, bias in zip(dense, predictor.kernels, predictor.biases):
        layer.set_weights([kernel, bias])
    return model


def _dense(predictor: Predictor, regularizers: bool) -> list[Any]:
    import keras

    network, training = predictor.network, predictor.training
    activation = _ACTIVATIONS.get(network.activation, network.activation)
    layers = []
    last = len(network.hidden)
    for position, units in enumerate((*network.hidden, network.outputs)):
        penalized = position < last or not last or network.penalize_output
        limited = training.max_norm is not None and (position < last or not last)
        layers.append(
            keras.layers.Dense(
                units,
                activation=_HEADS[training.loss] if position == last else activation,
                kernel_regularizer=(
                    _regularizer(predictor, position) if penalized and regularizers else None
                ),
                kernel_constraint=(
                    keras.constraints.MaxNorm(training.max_norm) if limited else None
                ),
                name="output" if position == last else f"hidden_{position + 1}",
            )
        )
    return layers


def _regularizer(predictor: Predictor, position: int) -> Any:
    """What Keras adds to the loss for one kernel."""
    import keras

    penalty, lam = predictor.penalty, predictor.lam
    if penalty is None or not lam:
        return None
    decoupled = predictor.training.optimizer == "adamw" or penalty.decoupled
    if penalty.groups:
        if penalty.groups == "inputs" and position:
            return None
        from shrinkage.exports.keras_regularizers import GroupLasso

        return GroupLasso(lam * penalty.group_share, penalty.groups)
    first = KERAS_L1.value(lam * penalty.l1_share)
    second = 0.0 if decoupled else KERAS_L2.value(lam * penalty.l2_share)
    if first and second:
        return keras.regularizers.L1L2(l1=first, l2=second)
    if first:
        return keras.regularizers.L1(first)
    return keras.regularizers.L2(second) if second else None


# Keras takes no deviation below this one.
_LEAST = 1e-7


def _standardizing(center: NDArray[np.float64], scale: NDArray[np.float64]) -> list[Any]:
    """(rows − center) / scale, in double precision where the backend has it."""
    import keras

    factor = _enlarged(scale)
    layers = []
    if factor != 1.0:
        layers.append(keras.layers.Rescaling(factor, dtype=_widest(), name="enlarge"))
    layers.append(_normalization(center * factor, scale * factor, "standardize"))
    return layers


def _unstandardizing(center: NDArray[np.float64], scale: NDArray[np.float64]) -> list[Any]:
    """Outputs · scale + center."""
    import keras

    factor = _enlarged(scale)
    layers = [_normalization(center * factor, scale * factor, "unstandardize", invert=True)]
    if factor != 1.0:
        layers.append(keras.layers.Rescaling(1 / factor, dtype=_widest(), name="reduce"))
    return layers


def _normalization(
    center: NDArray[np.float64], scale: NDArray[np.float64], name: str, **settings: Any
) -> Any:
    import keras

    return keras.layers.Normalization(
        mean=center.tolist(),
        variance=np.square(scale).tolist(),
        dtype=_widest(),
        name=name,
        **settings,
    )


def _widest() -> str:
    """Type of what stands before and after the network; JAX has no double precision by default."""
    import keras

    return "float32" if keras.backend.backend() == "jax" else "float64"


def _enlarged(scale: NDArray[np.float64]) -> float:
    """A power of two, so that nothing is rounded; 1 unless a deviation is too small for Keras."""
    least = float(scale.min())
    return 1.0 if least > 10 * _LEAST else 2.0 ** ceil(log2(1.0 / least))
