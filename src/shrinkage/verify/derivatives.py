"""A network's answers before the head, and how fast they change with its inputs, in float64."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from shrinkage.network import Network, OwnNetwork, layout
from shrinkage.study import Fit

Floats = NDArray[np.float64]
_Slopes = Callable[[Floats], tuple[Floats, Floats]]

_LEAK = 0.01
_SELU_SCALE = 1.0507009873554805  # Klambauer et al. 2017, equation 14
_SELU_ALPHA = 1.6732632423543772


def _elu(z: Floats) -> tuple[Floats, Floats]:
    below = np.expm1(np.minimum(z, 0.0))
    return np.where(z > 0, z, below), np.where(z > 0, 1.0, below + 1.0)


def _selu(z: Floats) -> tuple[Floats, Floats]:
    value, slope = _elu(z)
    low = np.where(z > 0, _SELU_SCALE, _SELU_SCALE * _SELU_ALPHA)
    return low * value, low * slope


def _gelu(z: Floats) -> tuple[Floats, Floats]:
    share = ndtr(z)
    return z * share, share + z * np.exp(-0.5 * z * z) / sqrt(2 * pi)


def _silu(z: Floats) -> tuple[Floats, Floats]:
    gate = expit(z)
    return z * gate, gate * (1.0 + z * (1.0 - gate))


def _tanh(z: Floats) -> tuple[Floats, Floats]:
    value = np.tanh(z)
    return value, 1.0 - value * value


def _sigmoid(z: Floats) -> tuple[Floats, Floats]:
    value = expit(z)
    return value, value * (1.0 - value)


_ACTIVATIONS: dict[str, _Slopes] = {
    "relu": lambda z: (np.maximum(z, 0.0), (z > 0).astype(np.float64)),
    "leaky_relu": lambda z: (np.where(z > 0, z, _LEAK * z), np.where(z > 0, 1.0, _LEAK)),
    "elu": _elu,
    "selu": _selu,
    "gelu": _gelu,
    "silu": _silu,
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "identity": lambda z: (z, np.ones_like(z)),
}
"""Value and derivative of each activation of :data:`shrinkage.network.ACTIVATIONS`; the
rectifiers' derivative at 0 is that on the left, as in training."""


def logits(fit: Fit, inputs: NDArray[np.float32] | Floats) -> Floats:
    """What the output layer gives before the head.

    Parameters
    ----------
    fit : Fit
        With its parameters.
    inputs : ndarray of float, shape (rows, columns)
        Encoded and standardized.

    Returns
    -------
    ndarray of float64, shape (rows, outputs)
        Log odds of the second class, one logit for each class, or standardized predictions.
    """
    network = fit.trial.network
    if isinstance(network, OwnNetwork):
        answers = network.logits(fit.parameters, np.asarray(inputs, dtype=np.float64))
        return np.asarray(answers, dtype=np.float64)
    return _forward(fit, inputs, keep_slopes=False)[0]


def logits_and_jacobians(fit: Fit, inputs: NDArray[np.float32] | Floats) -> tuple[Floats, Floats]:
    """The outputs before the head and their derivatives by the standardized inputs.

    Parameters
    ----------
    fit : Fit
        With its parameters.
    inputs : ndarray of float, shape (rows, columns)
        Encoded and standardized. All of the Jacobians are held at once: pass as many rows as
        memory has room for.

    Returns
    -------
    logits : ndarray of float64, shape (rows, outputs)
        See :func:`logits`.
    jacobians : ndarray of float64, shape (rows, outputs, columns)
        By the chain rule from the output back: a product of kernels and activations' slopes. Those
        of a network of one's own are its own.
    """
    network = fit.trial.network
    if isinstance(network, OwnNetwork):
        places = np.asarray(inputs, dtype=np.float64)
        return logits(fit, places), network.jacobians(fit.parameters, places)
    outputs, slopes = _forward(fit, inputs, keep_slopes=True)
    kernels = _arrays(fit, "kernel")
    rows, last = len(outputs), kernels[-1]
    found = np.broadcast_to(last.T, (rows, *last.T.shape))
    for kernel, slope in zip(reversed(kernels[:-1]), reversed(slopes), strict=True):
        found = (found * slope[:, None, :]) @ kernel.T
    return outputs, np.ascontiguousarray(found)


def arithmetic(network: Network | OwnNetwork) -> int:
    """Multiplications that the Jacobian at one row takes, about."""
    if isinstance(network, OwnNetwork):
        return (1 + network.outputs) * network.multiplications
    kernels = layout(network).kernels
    return (1 + network.outputs) * sum(block.shape[0] * block.shape[1] for block in kernels)


def _forward(
    fit: Fit, inputs: NDArray[np.float32] | Floats, *, keep_slopes: bool
) -> tuple[Floats, list[Floats]]:
    values: Floats = np.asarray(inputs, dtype=np.float64)
    activate = _ACTIVATIONS[fit.trial.perceptron.activation]
    kernels, biases = _arrays(fit, "kernel"), _arrays(fit, "bias")
    slopes: list[Floats] = []
    for kernel, bias in zip(kernels[:-1], biases[:-1], strict=True):
        values, slope = activate(values @ kernel + bias)
        if keep_slopes:
            slopes.append(slope)
    return values @ kernels[-1] + biases[-1], slopes


def _arrays(fit: Fit, kind: str) -> list[Floats]:
    """Kernels or biases from the input to the output, in double precision."""
    places = layout(fit.trial.network)
    blocks = places.kernels if kind == "kernel" else places.biases
    return [np.asarray(block.of(fit.parameters), dtype=np.float64) for block in blocks]
