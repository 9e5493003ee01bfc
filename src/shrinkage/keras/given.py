"""Rows from whatever Keras' users keep them in."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from shrinkage.errors import DataError
from shrinkage.frameworks.arrays import OwnRows, own_rows
from shrinkage.keras.values import array_of


def read(data: Any, where: str, loss: str | None) -> OwnRows:
    """Rows and targets of two arrays, or of a ``keras.utils.PyDataset``.

    Parameters
    ----------
    data : (X, y) or keras.utils.PyDataset
        Targets may have one column for each class.
    where : str
        For messages: ``"train_data"``.
    loss : str or None
        In this package's words.

    Raises
    ------
    DataError
        When they are something else, or do not fit together.
    """
    if isinstance(data, keras.utils.PyDataset):
        batches = [data[i] for i in range(len(data))]
        data = tuple(np.concatenate([array_of(batch[i]) for batch in batches]) for i in (0, 1))
    if not (isinstance(data, (tuple, list)) and len(data) == 2):
        raise DataError(
            f"{where} is a {type(data).__name__}; give (X, y), or a keras.utils.PyDataset of them"
        )
    inputs, targets = array_of(data[0]), array_of(data[1])
    one_for_each = targets.ndim == 2 and targets.shape[1] > 1 and loss != "mean_squared_error"
    if one_for_each and np.isin(targets, (0, 1)).all() and (targets.sum(axis=1) == 1).all():
        targets = targets.argmax(axis=1)  # as `to_categorical` makes them
    return own_rows(inputs, targets, where)
