"""Variables and tensors of any backend as NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray


def numpy_of(x: Any) -> NDArray[Any]:
    """A variable or a tensor as an array that nobody else writes to.

    Parameters
    ----------
    x : keras.Variable or tensor
        On any device, with or without a gradient.

    Returns
    -------
    ndarray
        A copy.
    """
    tensor = ops.convert_to_tensor(x)
    # Keras' own way of a tensor of PyTorch to NumPy warns of an `__array__` without `copy`.
    return np.array(tensor.detach().cpu().numpy() if hasattr(tensor, "detach") else tensor)


def array_of(given: Any) -> NDArray[Any]:
    """An array from a tensor of the backend, or from what NumPy takes."""
    return numpy_of(given) if ops.is_tensor(given) else np.asarray(given)
