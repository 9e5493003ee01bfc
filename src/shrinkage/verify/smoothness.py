"""How fast a network's answers change with its inputs, on the data and between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from shrinkage.study import Fit
from shrinkage.verify.derivatives import Floats, logits, logits_and_jacobians

NEIGHBOURS = 3
"""Nearest rows to which the way from each row is followed."""
_BETWEEN = (0.25, 0.5, 0.75)  # where on that way
_HELD = 1 << 23  # numbers of Jacobians held at once, 64 MiB


def jacobian_norms(fit: Fit, inputs: NDArray[np.float32] | Floats) -> Floats:
    """How fast the answers change at each row: the spectral norm of the Jacobian there.

    Parameters
    ----------
    fit : Fit
        With its parameters.
    inputs : ndarray of float, shape (rows, columns)
        Encoded and standardized.

    Returns
    -------
    ndarray of float64, shape (rows,)
        The largest change of the outputs before the head (log odds, logits, or standardized
        predictions; Euclidean over several) for each standard deviation that the inputs move, in
        the direction in which it is largest.

    References
    ----------
    Novak et al. (2018), "Sensitivity and generalization in neural networks: an empirical study",
    ICLR; Sokolić et al. (2017), "Robust large margin deep neural networks", IEEE Transactions on
    Signal Processing 65(16).
    """
    network = fit.trial.network
    widest = max(network.inputs, *network.hidden, 1)
    step = max(_HELD // (network.outputs * widest), 1)
    found = [
        _spectral(logits_and_jacobians(fit, inputs[first : first + step])[1])
        for first in range(0, len(inputs), step)
    ]
    return np.concatenate(found) if found else np.empty(0)


def _spectral(matrices: Floats) -> Floats:
    """Largest singular value of each matrix, (rows, m, n) to (rows,)."""
    if 1 in matrices.shape[1:]:
        return np.asarray(np.sqrt(np.square(matrices).sum(axis=(1, 2))))
    # The smaller of the two Gram matrices has the same largest eigenvalue, at a fraction of an SVD.
    across = matrices.transpose(0, 2, 1)
    wide = matrices.shape[1] <= matrices.shape[2]
    gram = matrices @ across if wide else across @ matrices
    return np.asarray(np.sqrt(np.maximum(np.linalg.eigvalsh(gram)[:, -1], 0.0)))


def lipschitz(fit: Fit, inputs: NDArray[np.float32] | Floats) -> float:
    """The steepest slope found on the rows and between neighbours among them.

    The largest of three kinds of slopes: of the Jacobian at each row, of the Jacobian a quarter, a
    half and three quarters of the way to each row's nearest 3 others, and of the change of the
    answers from row to row over their distance. Each is a lower bound of the network's Lipschitz
    constant, so the whole is one; the constant itself may be larger where there are no data.

    Parameters
    ----------
    fit : Fit
        With its parameters.
    inputs : ndarray of float, shape (rows, columns)
        Encoded and standardized, at least one row. Equal rows count once.

    Returns
    -------
    float
        In units of :func:`jacobian_norms`.

    References
    ----------
    Wood & Zhang (1996), "Estimation of the Lipschitz constant of a function", Journal of Global
    Optimization 8: the largest slope in a sample. Between neighbours: Hein & Andriushchenko (2017),
    "Formal guarantees on the robustness of a classifier against adversarial manipulation", NeurIPS,
    on why local constants say more than a global one.
    """
    return steepest(fit, *ways(inputs))


def steepest(fit: Fit, rows: Floats, pairs: NDArray[np.intp]) -> float:
    """:func:`lipschitz` over the rows and ways of :func:`ways`, which serve many networks."""
    found = float(jacobian_norms(fit, rows).max())
    if not len(pairs):
        return found
    start, end = rows[pairs[:, 0]], rows[pairs[:, 1]]
    answers = logits(fit, rows)
    rise = np.linalg.norm(answers[pairs[:, 1]] - answers[pairs[:, 0]], axis=1)
    secants = rise / np.linalg.norm(end - start, axis=1)
    between = np.concatenate([start + share * (end - start) for share in _BETWEEN])
    return max(found, float(secants.max()), float(jacobian_norms(fit, between).max()))


def ways(inputs: NDArray[np.float32] | Floats) -> tuple[Floats, NDArray[np.intp]]:
    """The different rows, and each with one of its nearest others, every pair once.

    Parameters
    ----------
    inputs : ndarray of float, shape (rows, columns)
        At least one row.

    Returns
    -------
    rows : ndarray of float64, shape (different rows, columns)
        Equal ones once.
    pairs : ndarray of int, shape (pairs, 2)
        Indices of these rows.
    """
    rows = np.unique(np.asarray(inputs, dtype=np.float64), axis=0)
    count = min(NEIGHBOURS, len(rows) - 1)
    if count < 1:
        return rows, np.empty((0, 2), dtype=np.intp)
    _, nearest = KDTree(rows).query(rows, count + 1)
    pairs = np.column_stack([np.repeat(np.arange(len(rows)), count + 1), nearest.ravel()])
    pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
    return rows, np.unique(pairs, axis=0)
