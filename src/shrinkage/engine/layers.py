"""Forward and backward through all layers of one batch, over flat arrays.

Activations `h` of a batch lie one layer after another: layer l begins at ``starts[l]`` and has
shape (rows, width of l). Parameters and gradient lie as :func:`shrinkage.network.layout` says.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from shrinkage.engine.activations import activate, multiply_by_slope
from shrinkage.engine.arithmetic import FAST, exp
from shrinkage.engine.gemm import multiply
from shrinkage.training import LOSSES

LOSS_CODES = {name: code for code, name in enumerate(LOSSES)}
BINARY, SOFTMAX, SQUARED = range(len(LOSSES))


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
def forward(sizes, kernels, biases, activation, parameters, h, starts, slopes, rows, panel, edge):
    """All layers, from the batch in layer 0's place to raw outputs in the last one's.

    `slopes` is of length 0 when no backward pass follows.
    """
    last = sizes.size - 1
    for layer in range(1, last + 1):
        fan_in, fan_out = sizes[layer - 1], sizes[layer]
        below = h[starts[layer - 1] : starts[layer - 1] + rows * fan_in]
        here = h[starts[layer] : starts[layer] + rows * fan_out]
        kernel = parameters[kernels[layer - 1] : kernels[layer - 1] + fan_in * fan_out]
        bias = parameters[biases[layer - 1] : biases[layer - 1] + fan_out]
        _dense(below, kernel, bias, here, rows, fan_in, fan_out, panel, edge)
        if layer < last:
            activate(activation, here, slopes[starts[layer] : starts[layer] + rows * fan_out])


@njit(nogil=True, error_model="numpy")
def backward(
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
):
    """Gradient of the mean loss; `delta` holds the output layer's error and is overwritten."""
    for layer in range(sizes.size - 1, 0, -1):
        fan_in, fan_out = sizes[layer - 1], sizes[layer]
        below = h[starts[layer - 1] : starts[layer - 1] + rows * fan_in]
        start = kernels[layer - 1]
        kernel = parameters[start : start + fan_in * fan_out]
        _kernel_gradient(
            below,
            delta,
            gradient[start : start + fan_in * fan_out],
            rows,
            fan_in,
            fan_out,
            panel,
            edge,
        )
        _bias_gradient(
            delta, gradient[biases[layer - 1] : biases[layer - 1] + fan_out], rows, fan_out
        )
        if layer > 1:
            _backward_error(delta, kernel, other, rows, fan_in, fan_out, panel, edge)
            slope = slopes[starts[layer - 1] : starts[layer - 1] + rows * fan_in]
            multiply_by_slope(activation, other[: rows * fan_in], below, slope)
            delta, other = other, delta
