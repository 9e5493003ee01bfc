"""Activations on a whole batch, in place, and their derivatives."""

from __future__ import annotations

import math

from numba import njit

from shrinkage.engine.arithmetic import FAST, exp, expm1, normal_cdf
from shrinkage.network import ACTIVATIONS

CODES = {name: code for code, name in enumerate(ACTIVATIONS)}
RELU, LEAKY_RELU, ELU, SELU, GELU, SILU, TANH, SIGMOID, IDENTITY = range(len(ACTIVATIONS))

LEAK = 0.01
SELU_SCALE = 1.0507009873554805  # Klambauer et al. 2017, equation 14
SELU_ALPHA = 1.6732632423543772
_ROOT_TWO_PI = math.sqrt(2 * math.pi)


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def activate(code, z, slope):
    """Replace pre-activations `z` by activations.

    Parameters
    ----------
    code : int
        One of the constants of this module.
    z : array (n,)
        Overwritten.
    slope : array (n,)
        Receives the derivative where it cannot be told from the activation (gelu, silu); of length
        0 when no backward pass follows.
    """
    one = z.dtype.type(1)
    zero = z.dtype.type(0)
    half = z.dtype.type(0.5)
    if code == RELU:
        for i in range(z.size):
            z[i] = max(z[i], zero)
    elif code == LEAKY_RELU:
        leak = z.dtype.type(LEAK)
        for i in range(z.size):
            z[i] = z[i] if z[i] > zero else leak * z[i]
    elif code == ELU:
        for i in range(z.size):
            below = expm1(min(z[i], zero))
            z[i] = z[i] if z[i] > zero else below
    elif code == SELU:
        scale = z.dtype.type(SELU_SCALE)
        low = z.dtype.type(SELU_SCALE * SELU_ALPHA)
        for i in range(z.size):
            below = low * expm1(min(z[i], zero))
            z[i] = scale * z[i] if z[i] > zero else below
    elif code == GELU:
        share = z.dtype.type(1 / _ROOT_TWO_PI)
        for i in range(z.size):
            density = exp(-half * z[i] * z[i])
            below = normal_cdf(z[i], density)
            if slope.size > 0:
                slope[i] = below + z[i] * share * density
            z[i] = z[i] * below
    elif code == SILU:
        for i in range(z.size):
            gate = one / (one + exp(-z[i]))
            if slope.size > 0:
                slope[i] = gate * (one + z[i] * (one - gate))
            z[i] = z[i] * gate
    elif code == TANH:
        two = z.dtype.type(2)
        for i in range(z.size):
            grown = expm1(two * min(max(z[i], z.dtype.type(-20)), z.dtype.type(20)))
            z[i] = grown / (grown + two)
    elif code == SIGMOID:
        for i in range(z.size):
            z[i] = one / (one + exp(-z[i]))


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def multiply_by_slope(code, delta, h, slope):
    """Multiply `delta` (n,) by the derivative at the activations `h` (n,), in place."""
    one = delta.dtype.type(1)
    zero = delta.dtype.type(0)
    if code == RELU:
        for i in range(delta.size):
            delta[i] = delta[i] if h[i] > zero else zero
    elif code == LEAKY_RELU:
        leak = delta.dtype.type(LEAK)
        for i in range(delta.size):
            delta[i] = delta[i] if h[i] > zero else leak * delta[i]
    elif code == ELU:
        for i in range(delta.size):
            delta[i] = delta[i] if h[i] > zero else delta[i] * (h[i] + one)
    elif code == SELU:
        scale = delta.dtype.type(SELU_SCALE)
        low = delta.dtype.type(SELU_SCALE * SELU_ALPHA)
        for i in range(delta.size):
            delta[i] = delta[i] * (scale if h[i] > zero else h[i] + low)
    elif code in (GELU, SILU):
        for i in range(delta.size):
            delta[i] = delta[i] * slope[i]
    elif code == TANH:
        for i in range(delta.size):
            delta[i] = delta[i] * (one - h[i] * h[i])
    elif code == SIGMOID:
        for i in range(delta.size):
            delta[i] = delta[i] * h[i] * (one - h[i])
