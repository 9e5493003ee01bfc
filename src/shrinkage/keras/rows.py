"""The loss of the data row by row, free of any penalty, with layers as in evaluation."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from shrinkage.errors import DataError, SettingError
from shrinkage.keras.values import array_of, numpy_of

Floats = NDArray[np.float64]

_BATCH = 1024
_LOG_LOSSES = ("binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy")
_NAMES = {
    "mean_squared_error": "mean squared error",
    "mean_absolute_error": "mean absolute error",
} | dict.fromkeys(_LOG_LOSSES, "log loss")


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows with their targets.

    Parameters
    ----------
    inputs : ndarray, or list or dict of ndarray
        As the model takes them.
    targets : ndarray, or list or dict of ndarray
        As the loss takes them.
    weights : ndarray of float, shape (rows,), or None
        Sample weights.
    """

    inputs: Any
    targets: Any
    weights: Floats | None

    def __len__(self) -> int:
        return len(keras.tree.flatten(self.targets)[0])


def rows_of(data: Any, *, most: int | None = None, what: str = "rows") -> Rows:
    """Rows from what is given to ``fit``.

    Parameters
    ----------
    data : tuple of (inputs, targets) or (inputs, targets, weights)
        Arrays or tensors, or lists or dicts of them.
    most : int, optional
        At most so many rows, drawn with a seed of their own.
    what : str, default "rows"
        For messages.

    Returns
    -------
    Rows
        As NumPy arrays.

    Raises
    ------
    DataError
        When it is no such tuple, or lengths differ.
    """
    if not isinstance(data, tuple) or len(data) not in (2, 3):
        raise DataError(
            f"{what} is {type(data).__name__}; expected a tuple of inputs and targets, such as "
            "(X, y), with sample weights if there are any"
        )
    arrays = [keras.tree.map_structure(array_of, part) for part in data]
    lengths = {len(array) for part in arrays for array in keras.tree.flatten(part)}
    if len(lengths) != 1:
        raise DataError(
            f"{what} has arrays of different lengths ({', '.join(map(str, sorted(lengths)))}); "
            "inputs, targets and weights need one entry for each row"
        )
    (count,) = lengths
    if count == 0:
        raise DataError(f"{what} is empty; give at least one row")
    if most is not None and count > most:
        drawn = np.sort(np.random.default_rng(0).choice(count, most, replace=False))
        arrays = [keras.tree.map_structure(lambda array: array[drawn], part) for part in arrays]
    weights = np.asarray(arrays[2], dtype=np.float64) if len(arrays) == 3 else None
    return Rows(arrays[0], arrays[1], weights)


@dataclass(frozen=True, eq=False)
class RowLoss:
    """What a compiled model's loss is of each row.

    Parameters
    ----------
    of : callable
        Of targets and outputs as tensors: a number for each row.
    name : str
        For people: ``"log loss"``.
    unit : str
        ``"nats"`` or nothing.
    null : callable
        Of :class:`Rows`: the loss of the best constant answer, or None where it is not known.
    """

    of: Callable[[Any, Any], Any]
    name: str
    unit: str
    null: Callable[[Rows], float | None]


def loss_of(model: Any, given: Any = None) -> RowLoss:
    """The loss that a model was compiled with, row by row.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    given : str, keras.losses.Loss or callable, optional
        Use this one instead.

    Returns
    -------
    RowLoss
        Without any penalty, and without reduction.

    Raises
    ------
    SettingError
        When the model has none, or computes it in a way of its own; when it is no model, or Keras
        knows no such loss.
    """
    if not isinstance(model, keras.Model):
        raise SettingError(f"expected a Keras model, got {type(model).__name__}")
    if given is None:
        given = getattr(model, "loss", None)
        own = type(model).compute_loss is not keras.Model.compute_loss
        if given is None or own:
            why = "computes its loss itself" if own else "was not compiled with a loss"
            raise SettingError(
                f"the model '{model.name}' {why}; give the loss of the data by itself, such as "
                "loss='binary_crossentropy'"
            )
    if isinstance(given, (list, dict)):
        return RowLoss(_several(model, given), "loss", "", lambda _: None)
    try:
        loss = keras.losses.get(given)
    except ValueError:
        raise SettingError(
            f"loss is {given!r}, which Keras does not know; give a name such as "
            "'binary_crossentropy', a keras.losses.Loss, or a function of targets and outputs"
        ) from None
    name = _name(loss)
    shown = _NAMES.get(name, name.replace("_", " "))
    unit = "nats" if name in _LOG_LOSSES else ""
    return RowLoss(lambda y, p: _by_row(loss, y, p), shown, unit, lambda rows: _null(name, rows))


def losses_of(model: Any, rows: Rows, loss: RowLoss) -> Floats:
    """The loss of every row with the model as it is.

    Parameters
    ----------
    model : keras.Model
        Compiled; nothing about it changes.
    rows : Rows
        To evaluate it on.
    loss : RowLoss
        Of the model.

    Returns
    -------
    ndarray of float, shape (rows,)
        Not weighted.

    Raises
    ------
    SettingError
        When the loss does not tell rows apart.
    """
    found = []
    for first in range(0, len(rows), _BATCH):
        some = slice(first, first + _BATCH)
        inputs = keras.tree.map_structure(lambda array, some=some: array[some], rows.inputs)
        targets = keras.tree.map_structure(lambda array, some=some: array[some], rows.targets)
        outputs = keras.tree.map_structure(keras.ops.convert_to_tensor, answers_of(model, inputs))
        tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, targets)
        values = numpy_of(loss.of(tensors, outputs)).astype(np.float64)
        if values.shape != (min(first + _BATCH, len(rows)) - first,):
            raise SettingError(
                f"the loss answers with shape {values.shape} where one number for each row is "
                "needed; give loss=, a function of targets and outputs without a mean over rows"
            )
        found.append(values)
    return np.concatenate(found)


def answers_of(model: Any, inputs: Any) -> Any:
    """What a model answers to a batch, as NumPy arrays, with layers as in evaluation."""
    with warnings.catch_warnings():
        # Keras' own way of a tensor of PyTorch to NumPy.
        warnings.filterwarnings("ignore", message="__array__ implementation")
        return model.predict_on_batch(inputs)


def mean_of(losses: Floats, rows: Rows) -> float:
    """Over rows, with their weights."""
    return float(np.average(losses, weights=rows.weights))


def _name(loss: Any) -> str:
    """``"binary_crossentropy"`` for the function and for the class alike."""
    found = getattr(loss, "__name__", None) or getattr(loss, "name", None) or type(loss).__name__
    return str(found)


def _by_row(loss: Any, targets: Any, outputs: Any) -> Any:
    """One number for each row, however many outputs a row has."""
    if len(targets.shape) == len(outputs.shape) - 1 and outputs.shape[-1] == 1:
        targets = keras.ops.expand_dims(targets, -1)
    if not keras.backend.is_int_dtype(targets.dtype) or not _name(loss).startswith("sparse"):
        targets = keras.ops.cast(targets, outputs.dtype)
    values = loss.call(targets, outputs) if hasattr(loss, "call") else loss(targets, outputs)
    if len(values.shape) > 1:
        values = keras.ops.mean(values, axis=tuple(range(1, len(values.shape))))
    return values


def _several(model: Any, given: Any) -> Callable[[Any, Any], Any]:
    """The weighted sum over several outputs."""
    weights = (model.get_compile_config() or {}).get("loss_weights")
    keys = list(given) if isinstance(given, dict) else list(range(len(given)))
    losses = {key: keras.losses.get(given[key]) for key in keys}

    def of(targets: Any, outputs: Any) -> Any:
        if isinstance(given, dict) and not isinstance(outputs, dict):
            outputs = dict(zip(model.output_names, outputs, strict=True))
        total: Any = 0.0
        for key in keys:
            weight = 1.0 if weights is None else weights[key]
            total = total + weight * _by_row(losses[key], targets[key], outputs[key])
        return total

    return of


def _null(name: str, rows: Rows) -> float | None:
    """Loss of the best constant answer on these rows; None where it is not known."""
    if not isinstance(rows.targets, np.ndarray):
        return None
    y = rows.targets.astype(np.float64)
    y = y.reshape(len(y), -1)
    weights = np.ones(len(y)) if rows.weights is None else rows.weights
    if name == "sparse_categorical_crossentropy" and y.shape[1] == 1:
        shares = np.bincount(y[:, 0].astype(np.int64), weights) / weights.sum()
        return _entropy(shares)
    centre = np.average(y, axis=0, weights=weights)
    if name == "categorical_crossentropy":
        return _entropy(centre)
    if name == "binary_crossentropy":
        return float(np.mean([_entropy(np.array([share, 1.0 - share])) for share in centre]))
    if name == "mean_squared_error":
        return float(np.average(np.square(y - centre), axis=0, weights=weights).mean())
    return None


def _entropy(shares: Floats) -> float:
    kept = shares[shares > 0]
    return float(-(kept * np.log(kept)).sum())
