"""One network from its first step to its last, in one thread, with nothing allocated inside a step.

Parameters, gradient and both moments are flat arrays in the order of
:func:`shrinkage.network.layout`. A layer is a slice of them, so one compilation serves every depth
and width. The type of the inputs decides the precision: float32 to train, float64 to check.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from shrinkage.engine.arithmetic import flush_subnormals, restore_mode
from shrinkage.engine.layers import SQUARED, backward, forward, head, layer_of, make_batch
from shrinkage.engine.optimizers import update
from shrinkage.training import SCHEDULES

SCHEDULE_CODES = {name: code for code, name in enumerate(SCHEDULES)}
COSINE = SCHEDULE_CODES["cosine"]

COMPLETED, DIVERGED, STOPPED = 0, 1, 2

_SMALLEST = float(np.finfo(np.float32).tiny)


class Rows(NamedTuple):
    """All rows of a part, shared by every training and never written to.

    Parameters
    ----------
    inputs : array (n, columns)
    targets : array (n, 1 or K)
    weights : array (n,)
    """

    inputs: Any
    targets: Any
    weights: Any


class Descent(NamedTuple):
    """How to train, in numbers.

    Parameters
    ----------
    optimizer, schedule : int
        Codes.
    settings : ndarray of float64, shape (5,)
        See :func:`shrinkage.engine.optimizers.update`.
    rate : float
        Learning rate of the first step.
    penalized : int
        The penalty acts on the first `penalized` parameters.
    l1, l2 : float
        λ₁ and λ₂.
    decoupled : bool
        How λ₂ acts.
    epochs, batch_size, every : int
        Passes, rows in a step, epochs between two evaluations.
    seed : uint64
        Of the order of rows.
    """

    optimizer: int
    schedule: int
    settings: Any
    rate: float
    penalized: int
    l1: float
    l2: float
    decoupled: bool
    epochs: int
    batch_size: int
    every: int
    seed: Any


@njit(nogil=True, error_model="numpy")
def _mix(key, counter):
    """A 64-bit hash of (key, counter): the output function of splitmix64 (Steele et al. 2014)."""
    z = np.uint64(key) + np.uint64(counter + 1) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(nogil=True, error_model="numpy")
def shuffle(order, seed, epoch):
    """Permute `order` in place (Fisher & Yates); draws depend on (seed, epoch, position) alone."""
    key = _mix(seed, epoch)
    for i in range(order.size - 1, 0, -1):
        high = _mix(key, i) >> np.uint64(32)
        j = np.int64((high * np.uint64(i + 1)) >> np.uint64(32))
        order[i], order[j] = order[j], order[i]


@njit(nogil=True, error_model="numpy")
def _copy(source, target):
    """An assignment of slices would compile messages about shapes, for seconds."""
    for i in range(source.size):
        target[i] = source[i]


@njit(nogil=True, error_model="numpy")
def _undo_underflow(weights):
    """Only L1 makes zeros: a weight that shrank until it was flushed keeps the least normal."""
    for i in range(weights.size):
        if weights[i] == 0.0:
            weights[i] = _SMALLEST


@njit(nogil=True, error_model="numpy")
def _gather(rows, order, start, count, batch):
    """Copy the rows ``order[start : start + count]`` into the batch."""
    columns, width = rows.inputs.shape[1], rows.targets.shape[1]
    for i in range(count):
        source = order[start + i]
        line = rows.inputs[source]
        here = batch.h[i * columns : (i + 1) * columns]
        for j in range(columns):
            here[j] = line[j]
        for j in range(width):
            batch.targets[i * width + j] = rows.targets[source, j]
        batch.weights[i] = rows.weights[source]


@njit(nogil=True, error_model="numpy")
def _evaluate(shape, parameters, rows, order, batch, room, outputs):
    """Mean penalty-free loss over `order`, `room` rows at a time.

    `outputs`, unless of length 0, receives the predictions.
    """
    last = shape.sizes.size - 1
    width = shape.sizes[last]
    total, mass = 0.0, 0.0
    for start in range(0, order.size, room):
        count = min(room, order.size - start)
        _gather(rows, order, start, count, batch)
        forward(shape, parameters, batch, batch.h[:0], count)
        z = layer_of(batch, last, count * width)
        total += head(shape.loss, z, batch.targets, batch.weights, z[:0], count, width)
        for i in range(count):
            mass += batch.weights[i]
        if outputs.shape[0] > 0:
            for i in range(count):
                for j in range(width):
                    outputs[start + i, j] = z[i * width + j]
    return total / mass if mass > 0 else math.nan


@njit(nogil=True, error_model="numpy")
def _step_gradient(shape, parameters, rows, order, start, count, batch, gradient):
    """Σ weight·loss over a minibatch, and the gradient of its mean."""
    last = shape.sizes.size - 1
    width = shape.sizes[last]
    _gather(rows, order, start, count, batch)
    forward(shape, parameters, batch, batch.slopes, count)
    z = layer_of(batch, last, count * width)
    total = head(shape.loss, z, batch.targets, batch.weights, batch.delta, count, width)
    backward(shape, parameters, batch, gradient, count)
    return total


@njit(nogil=True, error_model="numpy", cache=True)
def loss_and_gradient(shape, parameters, rows, gradient):
    """Mean penalty-free loss over all rows, as one batch; `gradient` (P,) receives its gradient."""
    count = rows.inputs.shape[0]
    batch = make_batch(shape, count, rows.targets.shape[1], rows.inputs)
    order = np.arange(count)
    return _step_gradient(shape, parameters, rows, order, 0, count, batch, gradient) / count


@njit(nogil=True, error_model="numpy", cache=True)
def predict_rows(shape, parameters, inputs, outputs):
    """Predictions after the head for every row of `inputs`, into `outputs` (n, K)."""
    mode = flush_subnormals()
    count = inputs.shape[0]
    room = min(256, max(1, count))
    width = shape.sizes[-1] if shape.loss == SQUARED else 1
    targets, weights = np.zeros((count, width), inputs.dtype), np.ones(count, inputs.dtype)
    batch = make_batch(shape, room, width, inputs)
    rows = Rows(inputs, targets, weights)
    _evaluate(shape, parameters, rows, np.arange(count), batch, room, outputs)
    restore_mode(mode)


@njit(nogil=True, error_model="numpy", cache=True)
def train_network(
    shape, descent, rows, train, validation,
    parameters, train_losses, validation_losses, outputs, stop,
):  # fmt: skip
    """Train `parameters` (P,) in place.

    Parameters
    ----------
    shape : Shape
    descent : Descent
    rows : Rows
    train, validation : ndarray of int64
        Indices of rows.
    parameters : array (P,)
        Initial on entry, final on return; after a divergence the last ones at an evaluation that
        were finite.
    train_losses, validation_losses : float64 (E,), E = ceil(epochs / every)
        Penalty-free losses: of the minibatches since the last entry; of the validation rows.
    outputs : array (validation rows, K)
        Predictions of the final parameters for the validation rows.
    stop : uint8 (1,)
        Set to 1 by another thread to end early.

    Returns
    -------
    (int, int, float)
        How it ended, the last epoch begun (from 1), the final loss on the training rows.
    """
    mode = flush_subnormals()
    dtype = rows.inputs.dtype
    size = min(descent.batch_size, train.size)
    room = max(size, 64)
    batch = make_batch(shape, room, rows.targets.shape[1], rows.inputs)
    gradient = np.empty(parameters.size, dtype)
    first, second = np.zeros(parameters.size, dtype), np.zeros(parameters.size, dtype)
    finite = parameters.copy()
    order = train.copy()
    no_outputs = np.empty((0, outputs.shape[1]), dtype)
    total_steps = descent.epochs * ((train.size + size - 1) // size)
    status, final = COMPLETED, math.nan
    epoch, step, entry = 0, 0, 0
    seen, running = 0, 0.0
    while epoch < descent.epochs and status == COMPLETED:
        shuffle(order, descent.seed, epoch)
        epoch += 1
        for start in range(0, train.size, size):
            count = min(size, train.size - start)
            loss = _step_gradient(shape, parameters, rows, order, start, count, batch, gradient)
            if not math.isfinite(loss):
                status = DIVERGED
                break
            if stop[0] != 0:
                status = STOPPED
                break
            running += loss
            seen += count
            rate = descent.rate
            if descent.schedule == COSINE:
                rate *= 0.5 * (1.0 + math.cos(math.pi * step / total_steps))
            step += 1
            for free in range(2):
                begin = descent.penalized if free else 0
                end = parameters.size if free else descent.penalized
                update(
                    descent.optimizer, parameters[begin:end], gradient[begin:end],
                    first[begin:end], second[begin:end], step, rate, descent.settings,
                    0.0 if free else descent.l1, 0.0 if free else descent.l2, descent.decoupled,
                )  # fmt: skip
        if status == COMPLETED and (epoch % descent.every == 0 or epoch == descent.epochs):
            train_losses[entry] = running / seen
            seen, running = 0, 0.0
            ended = epoch == descent.epochs
            for again in range(2 if ended else 1):
                loss = _evaluate(
                    shape, parameters, rows, train if again else validation, batch, room,
                    outputs if ended and not again else no_outputs,
                )  # fmt: skip
                if again:
                    final = loss
                else:
                    validation_losses[entry] = loss
            entry += 1
            # Bounded activations can hide a weight that is not finite from the loss.
            checksum = 0.0
            for i in range(parameters.size):
                checksum += parameters[i]
            if math.isfinite(checksum) and (math.isfinite(final) or not ended):
                _copy(parameters, finite)
            else:
                status = DIVERGED
    if status == DIVERGED:
        _copy(finite, parameters)
    if descent.l1 == 0.0:
        _undo_underflow(parameters[: descent.penalized])
    restore_mode(mode)
    return status, epoch, final
