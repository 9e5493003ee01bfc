"""Whether a trained model overfits, from its losses on two sets of rows."""

from __future__ import annotations

from typing import Any

from shrinkage.keras.gaps import gap_of
from shrinkage.keras.reading import Reading, finished
from shrinkage.keras.rows import loss_of, losses_of, mean_of, rows_of


def judge(
    model: Any, train: Any, validation: Any, *, most_rows: int = 10_000, loss: Any = None
) -> Reading:
    """Whether a trained model overfits, from its losses on training and validation rows.

    Parameters
    ----------
    model : keras.Model
        Compiled and trained.
    train, validation : tuple of (inputs, targets) or (inputs, targets, weights)
        Rows as they were given to ``fit``.
    most_rows : int, default 10000
        So many rows of each at most.
    loss : str, keras.losses.Loss or callable, optional
        The loss of the data where the model computes one of its own.

    Returns
    -------
    Reading
        The verdict as a sentence with its numbers; without what takes a history.

    Raises
    ------
    SettingError, DataError
        In one sentence.

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    >>> model.compile(loss="mse")
    >>> model.layers[0].kernel.assign(np.array([[1.0]])) is None
    False
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> print(judge(model, (X, X), (X, X + 1)).sentence[:45])
    The network overfits: mean squared error 1.00
    """
    row_loss = loss_of(model, loss)
    first = rows_of(train, most=most_rows, what="train")
    second = rows_of(validation, most=most_rows, what="validation")
    a, b = losses_of(model, first, row_loss), losses_of(model, second, row_loss)
    return finished(
        loss_name=row_loss.name,
        unit=row_loss.unit,
        train_loss=mean_of(a, first),
        validation_loss=mean_of(b, second),
        null_loss=row_loss.null(first),
        gap=gap_of(a, b, (first.weights, second.weights)),
        trend=None,
        recent=0,
        epoch=0,
        best_epoch=0,
        early_gain=None,
        falling=False,
        rows=(len(first), len(second)),
    )
