"""Forward and backward through all layers of one batch, over flat arrays."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from shrinkage.engine.activations import CODES, activate, multiply_by_slope
from shrinkage.engine.arithmetic import FAST, exp
from shrinkage.engine.gemm import multiply, panel_width
from shrinkage.engine.noise import drop, mix
from shrinkage.network import Network, layout
from shrinkage.training import LOSSES

LOSS_CODES = {name: code for code, name in enumerate(LOSSES)}
BINARY, SOFTMAX, SQUARED = range(len(LOSSES))

_SINGLE_WIDTH = panel_width(np.float32)  # more columns than a panel of double precision


class Shape(NamedTuple):
    """A network as the kernel sees it.

    Parameters
    ----------
    sizes : ndarray of int64, shape (L + 1,)
        Widths, the input first.
    kernels, biases : ndarray of int64, shape (L,)
        Where each layer's begin in the flat parameters.
    activation, loss : int
        Codes.
    """

    sizes: Any
    kernels: Any
    biases: Any
    activation: int
    loss: int


def shape_of(network: Network, loss: str) -> Shape:
    """A network and its head as the kernel sees them."""
    places = layout(network)
    return Shape(
        sizes=np.array(network.sizes, dtype=np.int64),
        kernels=np.array([block.start for block in places.kernels], dtype=np.int64),
        biases=np.array([block.start for block in places.biases], dtype=np.int64),
        activation=CODES[network.activation],
        loss=LOSS_CODES[loss],
    )


class Batch(NamedTuple):
    """Everything that a step writes to, allocated once for a training.

    Parameters
    ----------
    h : array
        Activations, one layer after another: layer l begins at ``starts[l]`` and has shape
        (rows, width of l); layer 0 holds the inputs.
    slopes : array
        Derivatives of the activations, in the same places.
    masks : array
        What dropout multiplied each activation by, in the same places; of length 0 without it.
    starts : ndarray of int64, shape (L + 2,)
        The last entry is the size of `h`.
    targets, weights : array
        Of the rows of the batch.
    partners, shares : array (rows,)
        Of mixed rows: the other class, and the share of a row's own class.
    delta, other : array
        Errors of two neighbouring layers.
    panel, edge : array
        Workspace of :func:`shrinkage.engine.gemm.multiply`.
    """

    h: Any
    slopes: Any
    masks: Any
    starts: Any
    targets: Any
    weights: Any
    partners: Any
    shares: Any
    delta: Any
    other: Any
    panel: Any
    edge: Any


@njit(nogil=True, error_model="numpy")
def make_batch(shape, rows, target_columns, dtype_of, dropout):
    """Room for batches of up to `rows`, in the precision of the array `dtype_of`.

    `dropout` says whether masks are needed.
    """
    layers = shape.sizes.size
    starts = np.empty(layers + 1, np.int64)
    starts[0], widest = 0, rows
    for layer in range(layers):
        starts[layer + 1] = starts[layer] + rows * shape.sizes[layer]
        widest = max(widest, shape.sizes[layer])
    dtype = dtype_of.dtype
    return Batch(
        np.empty(starts[layers], dtype),
        np.empty(starts[layers], dtype),
        np.empty(starts[layers] if dropout else 0, dtype),
        starts,
        np.empty(rows * target_columns, dtype),
        np.empty(rows, dtype),
        np.empty(rows, dtype),
        np.empty(rows, dtype),
        np.empty(rows * widest, dtype),
        np.empty(rows * widest, dtype),
        np.empty(widest * _SINGLE_WIDTH, dtype),
        np.empty((widest + 1) * _SINGLE_WIDTH, dtype),
    )


@njit(nogil=True, error_model="numpy")
def layer_of(batch, layer, size):
    """The first `size` activations of a layer."""
    return batch.h[batch.starts[layer] : batch.starts[layer] + size]


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def _dense(h, kernel, bias, z, rows, fan_in, fan_out, panel, edge):
    """z = h·kernel + bias."""
    if fan_out > 1:
        multiply(
            h, fan_in, np.int64(1), kernel, fan_out, np.bool_(False), bias, z,
            rows, fan_out, fan_in, panel, edge,
        )  # fmt: skip
        return
    for i in range(rows):
        total = z.dtype.type(0)
        row = h[i * fan_in : (i + 1) * fan_in]
        for j in range(fan_in):
            total += row[j] * kernel[j]
        z[i] = total + bias[0]


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def _kernel_gradient(h, delta, gradient, rows, fan_in, fan_out, panel, edge):
    """gradient = hᵀ·delta."""
    if fan_out > 1:
        multiply(
            h, np.int64(1), fan_in, delta, fan_out, np.bool_(False), h[:0], gradient,
            fan_in, fan_out, rows, panel, edge,
        )  # fmt: skip
        return
    for j in range(fan_in):
        gradient[j] = 0
    for i in range(rows):
        row = h[i * fan_in : (i + 1) * fan_in]
        weight = delta[i]
        for j in range(fan_in):
            gradient[j] += weight * row[j]


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def _bias_gradient(delta, gradient, rows, fan_out):
    """Column sums of delta."""
    for j in range(fan_out):
        gradient[j] = 0
    for i in range(rows):
        row = delta[i * fan_out : (i + 1) * fan_out]
        for j in range(fan_out):
            gradient[j] += row[j]


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def _backward_error(delta, kernel, below, rows, fan_in, fan_out, panel, edge):
    """below = delta·kernelᵀ."""
    if fan_out > 1:
        multiply(
            delta, fan_out, np.int64(1), kernel, fan_out, np.bool_(True), delta[:0], below,
            rows, fan_in, fan_out, panel, edge,
        )  # fmt: skip
        return
    for i in range(rows):
        row = below[i * fan_in : (i + 1) * fan_in]
        weight = delta[i]
        for j in range(fan_in):
            row[j] = weight * kernel[j]


@njit(nogil=True, error_model="numpy")
def soft_targets(loss, batch, rows, width, smoothing, mixed):
    """Spread a share of each target over all classes, in place, where one number holds it.

    Returns whether :func:`soft_head` is needed: several classes, mixed or smoothed.
    """
    if loss == SOFTMAX:
        return mixed or smoothing > 0
    if smoothing > 0:
        keep = batch.targets.dtype.type(1 - smoothing)
        rest = batch.targets.dtype.type(0.5 * smoothing)
        for i in range(rows * width):
            batch.targets[i] = keep * batch.targets[i] + rest
    return False


@njit(nogil=True, error_model="numpy")
def soft_head(z, batch, rows, outputs, smoothing, mixed):
    """:func:`head` of several classes where the target is spread over some or all of them.

    The target is (1 − smoothing) · (share · own + (1 − share) · partner) + smoothing / classes.
    """
    number = z.dtype.type
    total = 0.0
    spread, delta = number(smoothing / outputs), batch.delta
    for i in range(rows):
        row = z[i * outputs : (i + 1) * outputs]
        share = batch.shares[i] if mixed else number(1)
        own = int(batch.targets[i])
        partner = int(batch.partners[i]) if mixed else own
        to_own = number(1 - smoothing) * share
        to_partner = number(1 - smoothing) * (number(1) - share)
        largest = row[0]
        for j in range(1, outputs):
            largest = max(largest, row[j])
        mass, raw = number(0), to_own * (row[own] - largest) + to_partner * (row[partner] - largest)
        for j in range(outputs):
            raw += spread * (row[j] - largest)
            row[j] = exp(row[j] - largest)
            mass += row[j]
        total += batch.weights[i] * (math.log(mass) - raw)
        scale = batch.weights[i] / number(rows)
        for j in range(outputs):
            row[j] /= mass
            delta[i * outputs + j] = (row[j] - spread) * scale
        delta[i * outputs + own] -= to_own * scale
        delta[i * outputs + partner] -= to_partner * scale
    return total


@njit(nogil=True, error_model="numpy")
def head(loss, z, targets, weights, delta, rows, outputs):
    """Replace `z` by predictions and return Σ weight·loss.

    `delta`, unless of length 0, receives the gradient of the mean loss by z.
    """
    number = z.dtype.type
    share = number(1) / number(rows)
    total = 0.0
    if loss == BINARY:
        for i in range(rows):
            raw, target = z[i], targets[i]
            rest = math.log1p(math.exp(-abs(raw)))
            total += weights[i] * (max(raw, number(0)) - raw * target + rest)
            z[i] = number(1) / (number(1) + exp(-raw))
            if delta.size > 0:
                delta[i] = (z[i] - target) * weights[i] * share
    elif loss == SOFTMAX:
        for i in range(rows):
            row = z[i * outputs : (i + 1) * outputs]
            target = int(targets[i])
            largest = row[0]
            for j in range(1, outputs):
                largest = max(largest, row[j])
            raw = row[target] - largest
            mass = number(0)
            for j in range(outputs):
                row[j] = exp(row[j] - largest)
                mass += row[j]
            total += weights[i] * (math.log(mass) - raw)
            for j in range(outputs):
                row[j] /= mass
            if delta.size > 0:
                scale = weights[i] * share
                for j in range(outputs):
                    delta[i * outputs + j] = row[j] * scale
                delta[i * outputs + target] -= scale
    else:
        for i in range(rows):
            for j in range(outputs):
                error = z[i * outputs + j] - targets[i * outputs + j]
                total += weights[i] * error * error / outputs
                if delta.size > 0:
                    delta[i * outputs + j] = (
                        number(2) * error * weights[i] * share / number(outputs)
                    )
    return total


@njit(nogil=True, error_model="numpy")
def forward(shape, parameters, batch, slopes, rows, dropout, key):
    """All layers, from the inputs in layer 0's place to raw outputs in the last one's.

    `slopes` is `batch.slopes`, or of length 0 when no backward pass follows. Of hidden units a
    share `dropout` is left out, drawn by `key`.
    """
    last = shape.sizes.size - 1
    for layer in range(1, last + 1):
        fan_in, fan_out = shape.sizes[layer - 1], shape.sizes[layer]
        kernel_start, bias_start = shape.kernels[layer - 1], shape.biases[layer - 1]
        kernel = parameters[kernel_start : kernel_start + fan_in * fan_out]
        bias = parameters[bias_start : bias_start + fan_out]
        below = layer_of(batch, layer - 1, rows * fan_in)
        here = layer_of(batch, layer, rows * fan_out)
        _dense(below, kernel, bias, here, rows, fan_in, fan_out, batch.panel, batch.edge)
        if layer < last:
            start = batch.starts[layer]
            activate(shape.activation, here, slopes[start : start + rows * fan_out])
            if dropout > 0:
                drop(here, batch.masks[start : start + rows * fan_out], dropout, mix(key, layer))


@njit(nogil=True, error_model="numpy")
def _through_dropout(delta, h, mask, share):
    """The error behind the mask; and the activations as they were before it, where it kept them."""
    kept = h.dtype.type(1.0 - share)
    for i in range(delta.size):
        delta[i] *= mask[i]
        h[i] *= kept


@njit(nogil=True, error_model="numpy")
def backward(shape, parameters, batch, gradient, rows, dropout):
    """Gradient (P,) of the mean loss, from the output layer's error in `batch.delta`."""
    delta, other = batch.delta, batch.other
    panel, edge = batch.panel, batch.edge
    for layer in range(shape.sizes.size - 1, 0, -1):
        fan_in, fan_out = shape.sizes[layer - 1], shape.sizes[layer]
        kernel_start, bias_start = shape.kernels[layer - 1], shape.biases[layer - 1]
        kernel_stop = kernel_start + fan_in * fan_out
        below = layer_of(batch, layer - 1, rows * fan_in)
        of_kernel = gradient[kernel_start:kernel_stop]
        _kernel_gradient(below, delta, of_kernel, rows, fan_in, fan_out, panel, edge)
        _bias_gradient(delta, gradient[bias_start : bias_start + fan_out], rows, fan_out)
        if layer > 1:
            kernel = parameters[kernel_start:kernel_stop]
            _backward_error(delta, kernel, other, rows, fan_in, fan_out, panel, edge)
            start = batch.starts[layer - 1]
            slope = batch.slopes[start : start + rows * fan_in]
            if dropout > 0:
                mask = batch.masks[start : start + rows * fan_in]
                _through_dropout(other[: rows * fan_in], below, mask, dropout)
            multiply_by_slope(shape.activation, other[: rows * fan_in], below, slope)
            delta, other = other, delta
