"""How large a network's weights are, by norms that bound how wild its function can be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from shrinkage.network import OwnNetwork, layout
from shrinkage.study import Fit

Floats = NDArray[np.float64]


def weight_norm(fit: Fit) -> float:
    """Euclidean norm of all hidden weights, √Σw²; of a linear model's only kernel.

    Parameters
    ----------
    fit : Fit
        With its parameters.

    Returns
    -------
    float
        Without biases and output layer.
    """
    weights = fit.penalized_weights if isinstance(fit.trial.network, OwnNetwork) else None
    if weights is not None:
        return float(np.linalg.norm(weights.astype(np.float64)))
    kernels = _kernels(fit)
    return float(np.sqrt(sum(np.square(kernel).sum() for kernel in kernels[:-1] or kernels)))


def path_norm(fit: Fit) -> float:
    """Root of the sum over all paths from an input to an output of the squared product of weights.

    Unlike the norm of the weights it does not change when a unit's incoming weights are doubled and
    its outgoing ones halved, which leaves a rectifier network's function as it is. Biases are left
    out.

    Parameters
    ----------
    fit : Fit
        With its parameters.

    Returns
    -------
    float
        For a linear model the norm of its kernel; NaN for a network of one's own, whose layers
        need not follow each other.

    References
    ----------
    Neyshabur, Tomioka & Srebro (2015), "Norm-based capacity control in neural networks", COLT;
    Neyshabur, Salakhutdinov & Srebro (2015), "Path-SGD", NeurIPS: the path norm with p = 2.
    """
    if isinstance(fit.trial.network, OwnNetwork):
        return float("nan")
    kernels = _kernels(fit)
    paths = np.ones(kernels[0].shape[0])
    for kernel in kernels:
        paths = paths @ np.square(kernel)
    return float(np.sqrt(paths.sum()))


def spectral_product(fit: Fit) -> float:
    """Product over all layers of the largest singular value of the kernel.

    With an activation whose slope is at most 1 (relu, leaky_relu, elu, tanh, sigmoid, identity) an
    upper bound of the network's Lipschitz constant: no answer before the head can change faster,
    anywhere.

    Parameters
    ----------
    fit : Fit
        With its parameters.

    Returns
    -------
    float
        In units of :func:`shrinkage.verify.smoothness.jacobian_norms`; NaN for a network of one's
        own, whose layers need not follow each other.

    References
    ----------
    Bartlett, Foster & Telgarsky (2017), "Spectrally-normalized margin bounds for neural networks",
    NeurIPS; Szegedy et al. (2014), "Intriguing properties of neural networks", section 4.3.
    """
    if isinstance(fit.trial.network, OwnNetwork):
        return float("nan")
    return float(np.prod([_largest_singular_value(kernel) for kernel in _kernels(fit)]))


def _largest_singular_value(kernel: Floats) -> float:
    """From the smaller Gram matrix: a wide kernel's SVD would take many times as long."""
    wide = kernel.shape[0] <= kernel.shape[1]
    gram = kernel @ kernel.T if wide else kernel.T @ kernel
    last = len(gram) - 1
    largest = eigh(gram, eigvals_only=True, subset_by_index=(last, last))[0]
    return float(np.sqrt(max(largest, 0.0)))


def _kernels(fit: Fit) -> list[Floats]:
    """Kernels from the input to the output, in double precision."""
    return [
        np.asarray(block.of(fit.parameters), dtype=np.float64)
        for block in layout(fit.trial.network).kernels
    ]
