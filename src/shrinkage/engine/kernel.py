"""One network from its first step to its last, in one thread, with nothing allocated inside a step.

Everything lies in flat arrays: parameters, gradient and both moments in the order of
:func:`shrinkage.network.layout`; activations and back-propagated errors one layer after another. A
layer is a slice, so one compilation serves every depth and width. The type of `inputs` decides the
precision: float32 to train, float64 to check.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from shrinkage.engine.arithmetic import flush_subnormals, restore_mode
from shrinkage.engine.gemm import panel_width
from shrinkage.engine.layers import SQUARED, backward, forward, head
from shrinkage.engine.optimizers import update
from shrinkage.training import SCHEDULES

SCHEDULE_CODES = {name: code for code, name in enumerate(SCHEDULES)}
COSINE = SCHEDULE_CODES["cosine"]

COMPLETED, DIVERGED, STOPPED = 0, 1, 2

_SINGLE_WIDTH = panel_width(np.float32)


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
def _gather(inputs, targets, weights, order, start, rows, x, y, w):
    """Copy the rows ``order[start : start + rows]`` into the batch."""
    columns, width = inputs.shape[1], targets.shape[1]
    for i in range(rows):
        source = order[start + i]
        line = inputs[source]
        batch = x[i * columns : (i + 1) * columns]
        for j in range(columns):
            batch[j] = line[j]
        for j in range(width):
            y[i * width + j] = targets[source, j]
        w[i] = weights[source]


@njit(nogil=True, error_model="numpy")
def _largest(sizes):
    largest = sizes[0]
    for layer in range(1, sizes.size):
        largest = max(largest, sizes[layer])
    return largest


@njit(nogil=True, error_model="numpy")
def _places(sizes, rows):
    """Where each layer's batch begins in the flat activations; the last entry is their size."""
    starts = np.empty(sizes.size + 1, np.int64)
    starts[0] = 0
    for layer in range(sizes.size):
        starts[layer + 1] = starts[layer] + rows * sizes[layer]
    return starts


@njit(nogil=True, error_model="numpy")
def _workspace(sizes, rows, inputs):
    """Panel and edge buffers large enough for every product of a batch of `rows`."""
    widest = max(_largest(sizes), rows)
    panel = np.empty(widest * _SINGLE_WIDTH, inputs.dtype)
    edge = np.empty((widest + 1) * _SINGLE_WIDTH, inputs.dtype)
    return panel, edge


@njit(nogil=True, error_model="numpy")
def _evaluate(
    sizes,
    kernels,
    biases,
    activation,
    loss,
    parameters,
    inputs,
    targets,
    weights,
    order,
    h,
    starts,
    y,
    w,
    rows,
    outputs,
    panel,
    edge,
):
    """Mean penalty-free loss over `order`; `outputs`, unless of length 0, gets predictions."""
    last = sizes.size - 1
    width = sizes[last]
    total, mass = 0.0, 0.0
    for start in range(0, order.size, rows):
        count = min(rows, order.size - start)
        _gather(inputs, targets, weights, order, start, count, h, y, w)
        forward(
            sizes, kernels, biases, activation, parameters, h, starts, h[:0], count, panel, edge
        )
        z = h[starts[last] : starts[last] + count * width]
        total += head(loss, z, y, w, z[:0], count, width)
        for i in range(count):
            mass += w[i]
        if outputs.shape[0] > 0:
            for i in range(count):
                for j in range(width):
                    outputs[start + i, j] = z[i * width + j]
    return total / mass if mass > 0 else math.nan


@njit(nogil=True, error_model="numpy", cache=True)
def loss_and_gradient(
    sizes, kernels, biases, activation, loss, parameters, inputs, targets, weights, gradient
):
    """Mean penalty-free loss over all rows, as one batch; `gradient` (P,) receives its gradient."""
    rows = inputs.shape[0]
    last = sizes.size - 1
    starts = _places(sizes, rows)
    h = np.empty(starts[-1], inputs.dtype)
    slopes = np.empty(starts[-1], inputs.dtype)
    panel, edge = _workspace(sizes, rows, inputs)
    y = np.empty(rows * targets.shape[1], inputs.dtype)
    w = np.empty(rows, inputs.dtype)
    delta = np.empty(rows * _largest(sizes), inputs.dtype)
    other = np.empty(rows * _largest(sizes), inputs.dtype)
    _gather(inputs, targets, weights, np.arange(rows), 0, rows, h, y, w)
    forward(sizes, kernels, biases, activation, parameters, h, starts, slopes, rows, panel, edge)
    z = h[starts[last] : starts[last] + rows * sizes[last]]
    total = head(loss, z, y, w, delta, rows, sizes[last])
    backward(
        sizes,
        kernels,
        biases,
        activation,
        parameters,
        h,
        starts,
        slopes,
        delta,
        other,
        gradient,
        rows,
        panel,
        edge,
    )
    return total / rows


@njit(nogil=True, error_model="numpy", cache=True)
def predict_rows(sizes, kernels, biases, activation, loss, parameters, inputs, outputs):
    """Predictions after the head for every row of `inputs`, into `outputs` (rows, K)."""
    mode = flush_subnormals()
    rows = min(256, max(1, inputs.shape[0]))
    starts = _places(sizes, rows)
    h = np.empty(starts[-1], inputs.dtype)
    panel, edge = _workspace(sizes, rows, inputs)
    everything = inputs.shape[0]
    targets = np.zeros((everything, sizes[-1] if loss == SQUARED else 1), inputs.dtype)
    weights = np.ones(everything, inputs.dtype)
    y = np.empty(rows * targets.shape[1], inputs.dtype)
    w = np.empty(rows, inputs.dtype)
    _evaluate(
        sizes, kernels, biases, activation, loss, parameters, inputs, targets, weights,
        np.arange(everything), h, starts, y, w, rows, outputs, panel, edge,
    )  # fmt: skip
    restore_mode(mode)


@njit(nogil=True, error_model="numpy", cache=True)
def train_network(
    sizes, kernels, biases, penalized, activation, loss, optimizer, schedule, settings, rate,
    l1, l2, decoupled, epochs, batch, every, seed,
    inputs, targets, weights, train, validation,
    parameters, train_losses, validation_losses, outputs, stop,
):  # fmt: skip
    """Train `parameters` (P,) in place.

    Parameters
    ----------
    sizes, kernels, biases : int64 arrays
        Layer widths; where each layer's kernel and bias begin in the flat vector.
    penalized : int
        The penalty acts on the first `penalized` parameters.
    activation, loss, optimizer, schedule : int
        Codes.
    settings : float64 (5,)
        See :func:`shrinkage.engine.optimizers.update`.
    rate, l1, l2, decoupled
        Learning rate of the first step; λ₁, λ₂ and how λ₂ acts.
    epochs, batch, every : int
        Passes, rows in a step, epochs between two evaluations.
    seed : uint64
        Of the order of rows.
    inputs, targets, weights : (n, columns), (n, 1 or K), (n,)
        All rows; `train` and `validation` are indices into them.
    train_losses, validation_losses : float64 (E,), E = ceil(epochs / every)
        Penalty-free losses: of the minibatches since the last entry; of the validation rows.
    outputs : (validation rows, K)
        Predictions of the final parameters for the validation rows.
    stop : uint8 (1,)
        Set to 1 by another thread to end early.

    Returns
    -------
    (int, int, float)
        How it ended, the last epoch begun (from 1), the final loss on the training rows.
    """
    mode = flush_subnormals()
    last = sizes.size - 1
    width = sizes[last]
    rows = min(batch, train.size)
    room = max(rows, 64)
    starts = _places(sizes, room)
    h = np.empty(starts[-1], inputs.dtype)
    slopes = np.empty(starts[-1], inputs.dtype)
    panel, edge = _workspace(sizes, room, inputs)
    y = np.empty(room * targets.shape[1], inputs.dtype)
    w = np.empty(room, inputs.dtype)
    delta = np.empty(room * _largest(sizes), inputs.dtype)
    other = np.empty(room * _largest(sizes), inputs.dtype)
    gradient = np.empty(parameters.size, inputs.dtype)
    first = np.zeros(parameters.size, inputs.dtype)
    second = np.zeros(parameters.size, inputs.dtype)
    finite = parameters.copy()
    order = train.copy()
    no_outputs = np.empty((0, width), inputs.dtype)

    total_steps = epochs * ((train.size + rows - 1) // rows)
    step = 0
    entry = 0
    seen, running = 0, 0.0
    status = COMPLETED
    final = math.nan
    epoch = 0
    while epoch < epochs and status == COMPLETED:
        shuffle(order, seed, epoch)
        epoch += 1
        for start in range(0, train.size, rows):
            count = min(rows, train.size - start)
            _gather(inputs, targets, weights, order, start, count, h, y, w)
            forward(
                sizes,
                kernels,
                biases,
                activation,
                parameters,
                h,
                starts,
                slopes,
                count,
                panel,
                edge,
            )
            z = h[starts[last] : starts[last] + count * width]
            batch_loss = head(loss, z, y, w, delta, count, width)
            if not math.isfinite(batch_loss):
                status = DIVERGED
                break
            if stop[0] != 0:
                status = STOPPED
                break
            running += batch_loss
            seen += count
            backward(
                sizes,
                kernels,
                biases,
                activation,
                parameters,
                h,
                starts,
                slopes,
                delta,
                other,
                gradient,
                count,
                panel,
                edge,
            )
            now = rate
            if schedule == COSINE:
                now = rate * 0.5 * (1.0 + math.cos(math.pi * step / total_steps))
            step += 1
            for region in range(2):
                begin = penalized if region else 0
                end = parameters.size if region else penalized
                update(
                    optimizer, parameters[begin:end], gradient[begin:end], first[begin:end],
                    second[begin:end], step, now, settings,
                    0.0 if region else l1, 0.0 if region else l2, decoupled,
                )  # fmt: skip
        if status == COMPLETED and (epoch % every == 0 or epoch == epochs):
            train_losses[entry] = running / seen
            seen, running = 0, 0.0
            ended = epoch == epochs
            for region in range(2 if ended else 1):
                value = _evaluate(
                    sizes, kernels, biases, activation, loss, parameters, inputs, targets, weights,
                    train if region else validation, h, starts, y, w, room,
                    outputs if ended and not region else no_outputs, panel, edge,
                )  # fmt: skip
                if region:
                    final = value
                else:
                    validation_losses[entry] = value
            entry += 1
            checksum = 0.0
            for i in range(parameters.size):
                checksum += parameters[i]
            if not math.isfinite(checksum) or (ended and not math.isfinite(final)):
                status = DIVERGED
            else:
                for i in range(parameters.size):
                    finite[i] = parameters[i]
    if status == DIVERGED:
        for i in range(parameters.size):
            parameters[i] = finite[i]
    restore_mode(mode)
    return status, epoch, final
