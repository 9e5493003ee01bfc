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

from shrinkage.data.arrays import FARTHEST
from shrinkage.engine.activations import activate
from shrinkage.engine.arithmetic import flush_subnormals, restore_mode
from shrinkage.engine.groups import INPUTS, NONE, shrink_groups
from shrinkage.engine.layers import (
    SOFTMAX,
    SQUARED,
    backward,
    forward,
    head,
    layer_of,
    make_batch,
    soft_head,
    soft_targets,
)
from shrinkage.engine.noise import add_normal, drop, limit_norms, mix, mix_rows, shuffle
from shrinkage.engine.optimizers import update
from shrinkage.training import LAM_SCHEDULES, SCHEDULES

SCHEDULE_CODES = {name: code for code, name in enumerate(SCHEDULES)}
COSINE = SCHEDULE_CODES["cosine"]
LAM_SCHEDULE_CODES = {name: code for code, name in enumerate(LAM_SCHEDULES)}
AT_ONCE, LINEARLY, SMOOTHLY = range(len(LAM_SCHEDULES))

COMPLETED, DIVERGED, STOPPED, STOPPED_EARLY, UNFINISHED = range(5)

_DROPOUT, _NOISE = 0x5EED_0001, 0x5EED_0002  # streams of draws apart from the order of rows

_LINE = 64  # bytes
_ROOM = 256  # rows at a time where all are wanted: activations of a layer stay in the cache
_SMALLEST = float(np.finfo(np.float32).tiny)


class Rows(NamedTuple):
    """All rows of a part, shared by every training and never written to.

    Parameters
    ----------
    inputs : array (n, columns)
    targets : array (n, 1 or K)
    weights : array (n,)
    shift, stretch : ndarray of float32, shape (columns,) or (0,)
        The network sees ``(inputs − shift) · stretch``; empty where it sees the inputs.
    """

    inputs: Any
    targets: Any
    weights: Any
    shift: Any = np.empty(0, np.float32)
    stretch: Any = np.empty(0, np.float32)


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
    groups : int
        What the groups of a group lasso are: a constant of :mod:`shrinkage.engine.groups`.
    group : float
        λ of the group lasso.
    lam_schedule : int
        How λ₁, λ₂ and `group` rise from 0; a constant of this module.
    lam_ramp : float
        Share of all steps in which they rise.
    epochs, batch_size, every : int
        Passes, rows in a step, epochs between two evaluations.
    seed : uint64
        Of the order of rows, and of other draws.
    shuffles : bool
        Whether the order of rows changes.
    """

    optimizer: int
    schedule: int
    settings: Any
    rate: float
    penalized: int
    l1: float
    l2: float
    decoupled: bool
    groups: int
    group: float
    lam_schedule: int
    lam_ramp: float
    epochs: int
    batch_size: int
    every: int
    seed: Any
    shuffles: bool


class Noise(NamedTuple):
    """What is random in a step beside the order of rows, and what restrains it; 0 is none of it.

    Parameters
    ----------
    dropout, input_dropout, input_noise, smoothing, averaging : float
        As in :class:`shrinkage.training.Training`.
    max_norm : float
        0 for no limit.
    patience : int
        Epochs; 0 for no early stopping.
    mixes : array (steps,) or (0,)
        The share of a row's own in each step's mixing.
    frozen : array (penalized,) or (0,)
        1 for weights that may move and 0 for those that stay.
    acts : bool
        Whether anything happens to a batch before it is passed forward.
    """

    dropout: float
    input_dropout: float
    input_noise: float
    smoothing: float
    averaging: float
    max_norm: float
    patience: int
    mixes: Any
    frozen: Any
    acts: bool


class State(NamedTuple):
    """A training between two epochs: with it, it goes on as if it had never been halted.

    Parameters
    ----------
    first, second : array (P,)
        The optimizer's moments.
    finite : array (P,)
        The last parameters at an evaluation that were finite.
    average : array (P,) or (0,)
        Moving average of the parameters.
    best : array (P,) or (0,)
        Parameters of the least validation loss.
    order : ndarray of int64 (training rows,)
        As the last epoch left it.
    counts : ndarray of int64, shape (5,)
        Epochs begun, steps taken, entries written, rows seen since the last entry, best epoch.
    sums : ndarray of float64, shape (2,)
        Loss since the last entry, least validation loss.
    """

    first: Any
    second: Any
    finite: Any
    average: Any
    best: Any
    order: Any
    counts: Any
    sums: Any


def aligned(array: Any) -> Any:
    """A copy of a flat array that begins at a cache line.

    NumPy aligns to 16 bytes; a vector of 64 would then lie across two lines, at every step.
    """
    room = np.empty(array.nbytes + _LINE, np.uint8)
    start = -room.ctypes.data % _LINE
    copy = room[start : start + array.nbytes].view(array.dtype)
    copy[:] = array
    return copy


def make_state(parameters: Any, train: Any, averaging: bool, patience: bool) -> State:
    """The state before the first epoch."""
    nothing = parameters[:0]
    return State(
        first=aligned(np.zeros_like(parameters)),
        second=aligned(np.zeros_like(parameters)),
        finite=parameters.copy(),
        average=aligned(parameters) if averaging else nothing.copy(),
        best=parameters.copy() if patience else nothing.copy(),
        order=train.copy(),
        counts=np.zeros(5, np.int64),
        sums=np.array([0.0, np.inf]),
    )


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
        if rows.shift.size == 0:
            for j in range(columns):
                here[j] = line[j]
        else:
            for j in range(columns):
                moved = (line[j] - rows.shift[j]) * rows.stretch[j]
                here[j] = min(max(moved, -FARTHEST), FARTHEST)
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
        forward(shape, parameters, batch, batch.h[:0], count, 0.0, np.uint64(0))
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
def _disturb(shape, rows, batch, count, noise, key, step):
    """Mix rows of the batch and add noise to its inputs; returns whether rows were mixed."""
    columns, width = rows.inputs.shape[1], rows.targets.shape[1]
    inputs = batch.h[: count * columns]
    mixed = noise.mixes.size > 0
    if mixed:
        mix_rows(
            inputs, columns, batch.targets, width, batch.weights, batch.partners, batch.shares,
            count, noise.mixes[step], shape.loss == SOFTMAX,
        )  # fmt: skip
    if noise.input_noise > 0:
        add_normal(inputs, noise.input_noise, mix(key, _NOISE))
    if noise.input_dropout > 0:
        drop(inputs, batch.masks[:0], noise.input_dropout, mix(key, 0))
    return mixed


@njit(nogil=True, error_model="numpy")
def _step_gradient(shape, parameters, rows, order, start, count, batch, gradient, noise, key, step):
    """Σ weight·loss over a minibatch, and the gradient of its mean."""
    last = shape.sizes.size - 1
    width = shape.sizes[last]
    _gather(rows, order, start, count, batch)
    mixed, soft = False, False
    if noise.acts:
        mixed = _disturb(shape, rows, batch, count, noise, key, step)
        columns = rows.targets.shape[1]
        soft = soft_targets(shape.loss, batch, count, columns, noise.smoothing, mixed)
    forward(shape, parameters, batch, batch.slopes, count, noise.dropout, key)
    z = layer_of(batch, last, count * width)
    if soft:
        total = soft_head(z, batch, count, width, noise.smoothing, mixed)
    else:
        total = head(shape.loss, z, batch.targets, batch.weights, batch.delta, count, width)
    backward(shape, parameters, batch, gradient, count, noise.dropout)
    return total


def no_noise(parameters: Any) -> Noise:
    """None of it, for arrays of the type of `parameters`."""
    return Noise(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, parameters[:0], parameters[:0], False)


@njit(nogil=True, error_model="numpy", cache=True)
def loss_and_gradient(shape, parameters, rows, gradient, noise, key):
    """Mean penalty-free loss over all rows, as one batch; `gradient` (P,) receives its gradient.

    `noise` and the `key` of its draws are those of a training's step 0.
    """
    count = rows.inputs.shape[0]
    batch = make_batch(shape, count, rows.targets.shape[1], rows.inputs, noise.dropout > 0)
    order = np.arange(count)
    total = _step_gradient(
        shape, parameters, rows, order, 0, count, batch, gradient, noise, key, 0
    )  # fmt: skip
    return total / count


@njit(nogil=True, error_model="numpy", cache=True)
def full_gradient(shape, parameters, rows, gradient, stop):
    """Mean penalty-free loss over all rows, and its gradient, a few hundred rows at a time.

    Parameters
    ----------
    shape : Shape
    parameters : array (P,)
    rows : Rows
    gradient : array (P,)
        Receives the gradient.
    stop : uint8 (1,)
        Set to 1 by another thread to end early.

    Returns
    -------
    float
        NaN after being told to stop.
    """
    mode = flush_subnormals()
    count, width = rows.targets.shape
    last = shape.sizes.size - 1
    outputs = shape.sizes[last]
    room = min(_ROOM, count)
    batch = make_batch(shape, room, width, rows.inputs, False)
    own = gradient if count <= room else np.empty_like(gradient)
    order = np.arange(count)
    total = 0.0
    for start in range(0, count, room):
        if stop[0] != 0:
            total = math.nan
            break
        some = min(room, count - start)
        _gather(rows, order, start, some, batch)
        forward(shape, parameters, batch, batch.slopes, some, 0.0, np.uint64(0))
        z = layer_of(batch, last, some * outputs)
        total += head(shape.loss, z, batch.targets, batch.weights, batch.delta, some, outputs)
        backward(shape, parameters, batch, own, some, 0.0)
        if count > room:
            share = some / count
            for i in range(own.size):
                gradient[i] = share * own[i] + (gradient[i] if start > 0 else 0.0)
    restore_mode(mode)
    return total / count


@njit(nogil=True, error_model="numpy", cache=True)
def activated(activation, values):
    """The activation of each value, in a new array."""
    found = values.copy()
    activate(activation, found, found[:0])
    return found


@njit(nogil=True, error_model="numpy", cache=True)
def predict_rows(shape, parameters, inputs, outputs):
    """Predictions after the head for every row of `inputs`, into `outputs` (n, K)."""
    mode = flush_subnormals()
    count = inputs.shape[0]
    room = min(256, max(1, count))
    width = shape.sizes[-1] if shape.loss == SQUARED else 1
    targets, weights = np.zeros((count, width), inputs.dtype), np.ones(count, inputs.dtype)
    batch = make_batch(shape, room, width, inputs, False)
    nothing = np.empty(0, np.float32)
    rows = Rows(inputs, targets, weights, nothing, nothing)
    _evaluate(shape, parameters, rows, np.arange(count), batch, room, outputs)
    restore_mode(mode)


@njit(nogil=True, error_model="numpy")
def _lam_share(descent, step, total_steps):
    """How far λ has risen at a step (from 0), from 0 to 1."""
    if descent.lam_schedule == AT_ONCE:
        return 1.0
    along = min(1.0, step / (descent.lam_ramp * total_steps))
    return along if descent.lam_schedule == LINEARLY else 0.5 * (1.0 - math.cos(math.pi * along))


@njit(nogil=True, error_model="numpy")
def _restrain(shape, descent, noise, parameters, gradient, state, step, rate, lam_share, work):
    """What acts on whole columns or rows of hidden kernels: group lasso, then the norms' limit.

    The gradient is spent.
    """
    layers = max(shape.sizes.size - 2, 1)
    for layer in range(layers):
        fan_in, fan_out = shape.sizes[layer], shape.sizes[layer + 1]
        begin = shape.kernels[layer]
        end = begin + fan_in * fan_out
        kernel = parameters[begin:end]
        if descent.groups != NONE and (layer == 0 or descent.groups != INPUTS):
            shrink_groups(
                descent.groups, descent.optimizer, kernel, state.second[begin:end],
                gradient[begin:end], work, fan_in, fan_out, step, rate, descent.settings,
                descent.group * lam_share,
            )  # fmt: skip
        if noise.max_norm > 0:
            limit_norms(kernel, fan_in, fan_out, noise.max_norm, work)


@njit(nogil=True, error_model="numpy")
def _average(average, parameters, decay, step):
    """Moving average with the decay growing from 0 at first: min(decay, (1 + step)/(10 + step))."""
    keep = average.dtype.type(min(decay, (1.0 + step) / (10.0 + step)))
    fresh = average.dtype.type(1) - keep
    for i in range(average.size):
        average[i] = keep * average[i] + fresh * parameters[i]


@njit(nogil=True, error_model="numpy")
def _keep_zeros(shown, average, parameters, penalized):
    """The average, but zero where the last weight is exactly zero."""
    for i in range(average.size):
        zero = i < penalized and parameters[i] == 0
        shown[i] = average.dtype.type(0) if zero else average[i]


@njit(nogil=True, error_model="numpy")
def _epoch(shape, descent, noise, source, parameters, state, batch, gradient, work, stop):
    """One pass over the training rows; how it ended."""
    rows = state.order.size
    size = min(descent.batch_size, rows)
    total_steps = descent.epochs * ((rows + size - 1) // size)
    if descent.shuffles:
        shuffle(state.order, descent.seed, state.counts[0])
    state.counts[0] += 1
    step = state.counts[1]
    restrained = descent.groups != NONE or noise.max_norm > 0
    for start in range(0, rows, size):
        count = min(size, rows - start)
        key = mix(descent.seed ^ np.uint64(_DROPOUT), step)
        loss = _step_gradient(
            shape, parameters, source, state.order, start, count, batch, gradient, noise, key, step
        )  # fmt: skip
        if not math.isfinite(loss):
            return DIVERGED
        if stop[0] != 0:
            return STOPPED
        state.sums[0] += loss
        state.counts[3] += count
        rate = descent.rate
        if descent.schedule == COSINE:
            rate *= 0.5 * (1.0 + math.cos(math.pi * step / total_steps))
        lam_share = _lam_share(descent, step, total_steps)
        step += 1
        for i in range(noise.frozen.size):
            gradient[i] *= noise.frozen[i]
        for free in range(2):
            begin = descent.penalized if free else 0
            end = parameters.size if free else descent.penalized
            update(
                descent.optimizer, parameters[begin:end], gradient[begin:end],
                state.first[begin:end], state.second[begin:end], step, rate, descent.settings,
                0.0 if free else descent.l1 * lam_share, 0.0 if free else descent.l2 * lam_share,
                descent.decoupled,
            )  # fmt: skip
        if restrained:
            _restrain(
                shape, descent, noise, parameters, gradient, state, step, rate, lam_share, work
            )  # fmt: skip
        if noise.averaging > 0:
            _average(state.average, parameters, noise.averaging, step)
    state.counts[1] = step
    return COMPLETED


@njit(nogil=True, error_model="numpy")
def _finite(parameters):
    """Whether all are; bounded activations can hide a weight that is not from the loss."""
    checksum = 0.0
    for i in range(parameters.size):
        checksum += parameters[i]
    return math.isfinite(checksum)


@njit(nogil=True, error_model="numpy", cache=True)
def train_network(
    shape, descent, noise, rows, source, train, validation,
    parameters, state, until, train_losses, validation_losses, outputs, stop,
):  # fmt: skip
    """Train `parameters` (P,) in place, from where `state` is to the end of epoch `until`.

    Parameters
    ----------
    shape : Shape
    descent : Descent
    noise : Noise
    rows : Rows
        To evaluate on.
    source : Rows
        To train on: the same, or a changed copy of them.
    train, validation : ndarray of int64
        Indices of rows.
    parameters : array (P,)
        Initial on entry. At the end: the final ones, the averaged ones when averaging, those of the
        least validation loss when stopping early; after a divergence the last ones at an evaluation
        that were finite.
    state : State
        Updated in place.
    until : int
        Epoch to halt after; ``descent.epochs`` for all of them.
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
    room = max(min(descent.batch_size, train.size), 64)
    batch = make_batch(shape, room, rows.targets.shape[1], rows.inputs, noise.dropout > 0)
    gradient = np.empty(parameters.size, dtype)
    work = np.empty(4 * shape.sizes.max(), dtype)
    no_outputs = np.empty((0, outputs.shape[1]), dtype)
    averaged = noise.averaging > 0
    shown = np.empty(parameters.size, dtype) if averaged else parameters
    status, final = UNFINISHED, math.nan
    counts, sums = state.counts, state.sums
    while counts[0] < until and status == UNFINISHED:
        ended = _epoch(
            shape, descent, noise, source, parameters, state, batch, gradient, work, stop
        )  # fmt: skip
        epoch = counts[0]
        if ended != COMPLETED:
            status = ended
        elif epoch % descent.every == 0 or epoch == descent.epochs:
            last = epoch == descent.epochs
            if averaged:
                _keep_zeros(shown, state.average, parameters, descent.penalized)
            # With early stopping the predictions are made afterwards, of the best parameters.
            at_once = last and noise.patience == 0
            loss = _evaluate(
                shape, shown, rows, validation, batch, room, outputs if at_once else no_outputs
            )  # fmt: skip
            train_losses[counts[2]] = sums[0] / counts[3]
            validation_losses[counts[2]] = loss
            counts[2] += 1
            counts[3], sums[0] = 0, 0.0
            if noise.patience > 0:
                if loss < sums[1]:
                    sums[1], counts[4] = loss, epoch
                    _copy(shown, state.best)
                elif epoch - counts[4] >= noise.patience:
                    status = STOPPED_EARLY
            if last and status == UNFINISHED:
                status = COMPLETED
            if _finite(parameters):
                _copy(parameters, state.finite)
            else:
                status = DIVERGED
    if status in (COMPLETED, STOPPED_EARLY):
        if noise.patience > 0 and counts[4] > 0:
            _copy(state.best, parameters)
        elif averaged:
            _copy(shown, parameters)
        if noise.patience > 0:
            _evaluate(shape, parameters, rows, validation, batch, room, outputs)
        final = _evaluate(shape, parameters, rows, train, batch, room, no_outputs)
        if not math.isfinite(final):
            status = DIVERGED
    if status == DIVERGED:
        _copy(state.finite, parameters)
    makes_zeros = descent.l1 > 0 or descent.groups != NONE or noise.frozen.size > 0
    if status != UNFINISHED and not makes_zeros:
        _undo_underflow(parameters[: descent.penalized])
    restore_mode(mode)
    return status, counts[0], final
