"""How clearly a network decides: the lead of the true class over the best other one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.study import Fit
from shrinkage.verify.derivatives import Floats, logits


def margins(
    fit: Fit, inputs: NDArray[np.float32] | Floats, targets: NDArray[np.number[Any]]
) -> Floats:
    """The margin of each row: positive where it is classified correctly.

    Parameters
    ----------
    fit : Fit
        A classification, with its parameters.
    inputs : ndarray of float, shape (rows, columns)
        Encoded and standardized.
    targets : ndarray, shape (rows,) or (rows, 1)
        Index of each row's class.

    Returns
    -------
    ndarray of float64, shape (rows,)
        Two classes: the log odds of the true class. More: the logit of the true class less the
        best other logit, which is the log odds of the two. In nats. A network that fits noise has
        large margins because its weights are large; divided by
        :func:`shrinkage.verify.norms.spectral_product` they can be compared between networks: that
        is at least how far, in standard deviations, the inputs of a correct row must move before
        the answer changes (with several classes, that over √2).

    References
    ----------
    Bartlett, Foster & Telgarsky (2017), "Spectrally-normalized margin bounds for neural networks",
    NeurIPS.
    """
    answers = logits(fit, inputs)
    classes = np.asarray(targets).reshape(len(answers)).astype(np.int64)
    if answers.shape[1] == 1:
        return np.where(classes == 1, answers[:, 0], -answers[:, 0])
    true = (np.arange(classes.size), classes)
    own = answers[true]
    answers[true] = -np.inf
    return np.asarray(own - answers.max(axis=1))
