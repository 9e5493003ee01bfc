"""Random draws of a training: which units drop out, noise on inputs, mixed rows.

Every draw is a hash of (seed, step, layer, position) and of nothing else: no generator has a state
that threads could share or an interruption could lose.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from shrinkage.engine.arithmetic import log

_I = np.uint32
_LARGEST = 4_294_967_295.0


@njit(nogil=True, error_model="numpy")
def mix(key, counter):
    """A 64-bit hash of (key, counter): the output function of splitmix64 (Steele et al. 2014)."""
    z = np.uint64(key) + np.uint64(counter + 1) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(nogil=True, error_model="numpy")
def shuffle(order, seed, epoch):
    """Permute `order` in place (Fisher & Yates); draws depend on (seed, epoch, position) alone."""
    key = mix(seed, epoch)
    for i in range(order.size - 1, 0, -1):
        high = mix(key, i) >> np.uint64(32)
        j = np.int64((high * np.uint64(i + 1)) >> np.uint64(32))
        order[i], order[j] = order[j], order[i]


@njit(nogil=True, error_model="numpy", inline="always")
def _hash(position, low, high):
    """32 bits from a position and a key of 64, in operations that vectorize.

    The finalizer of a multiply-xorshift hash with the constants of Wellons' `lowbias32`.
    """
    x = _I(_I(position) + low)
    x = _I(x ^ _I(x >> _I(16)))
    x = _I(x * _I(0x7FEB352D))
    x = _I(x ^ high)
    x = _I(x ^ _I(x >> _I(15)))
    x = _I(x * _I(0x846CA68B))
    return _I(x ^ _I(x >> _I(16)))


@njit(nogil=True, error_model="numpy")
def drop(h, mask, share, key):
    """Set a share of `h` (n,) to 0 and let the others grow by 1/(1 − share), in place.

    `mask`, unless of length 0, receives what each element was multiplied by.
    """
    low, high = _I(key & np.uint64(0xFFFFFFFF)), _I(key >> np.uint64(32))
    limit = _I(share * _LARGEST)
    grown, zero = h.dtype.type(1.0 / (1.0 - share)), h.dtype.type(0)
    if mask.size > 0:
        for i in range(h.size):
            factor = grown if _hash(i, low, high) >= limit else zero
            mask[i] = factor
            h[i] *= factor
    else:
        for i in range(h.size):
            h[i] *= grown if _hash(i, low, high) >= limit else zero


@njit(nogil=True, error_model="numpy", fastmath={"contract"})
def _normal(bits):
    """A standard normal number from 32 random bits, in single precision, up to 6.2 either way.

    √2 · erf⁻¹(x) by the polynomials of Giles (2012), 'Approximating the erfinv function', table 5.
    """
    # Both tails from their own end, or 1 − x² would lose its digits.
    above = (np.float32(bits) + np.float32(0.5)) * np.float32(2.0**-32)
    below = (np.float32(_I(~bits)) + np.float32(0.5)) * np.float32(2.0**-32)
    w = -log(np.float32(4) * above * below)
    a = w - np.float32(2.5)
    p = np.float32(2.81022636e-08)
    p = np.float32(3.43273939e-07) + p * a
    p = np.float32(-3.5233877e-06) + p * a
    p = np.float32(-4.39150654e-06) + p * a
    p = np.float32(0.00021858087) + p * a
    p = np.float32(-0.00125372503) + p * a
    p = np.float32(-0.00417768164) + p * a
    p = np.float32(0.246640727) + p * a
    p = np.float32(1.50140941) + p * a
    b = np.float32(math.sqrt(max(w, np.float32(5)))) - np.float32(3)
    q = np.float32(-0.000200214257)
    q = np.float32(0.000100950558) + q * b
    q = np.float32(0.00134934322) + q * b
    q = np.float32(-0.00367342844) + q * b
    q = np.float32(0.00573950773) + q * b
    q = np.float32(-0.0076224613) + q * b
    q = np.float32(0.00943887047) + q * b
    q = np.float32(1.00167406) + q * b
    q = np.float32(2.83297682) + q * b
    x = above - below
    return np.float32(math.sqrt(2.0)) * x * (p if w < np.float32(5) else q)


@njit(nogil=True, error_model="numpy", fastmath={"contract"})
def add_normal(h, deviation, key):
    """Add normal noise to `h` (n,), in place."""
    low, high = _I(key & np.uint64(0xFFFFFFFF)), _I(key >> np.uint64(32))
    spread = np.float32(deviation)
    for i in range(h.size):
        h[i] += h.dtype.type(spread * _normal(_hash(i, low, high)))


@njit(nogil=True, error_model="numpy")
def mix_rows(h, columns, targets, width, weights, partners, shares, rows, own, indices):
    """Mix row i with row `rows` − 1 − i, in place: `own` of itself and the rest of the other.

    Parameters
    ----------
    h : array (rows · columns,)
        Inputs.
    targets : array (rows · width,)
        Numbers become their weighted mean, which is all that a squared or binary loss asks for.
    weights : array (rows,)
        Become the mean of both.
    partners, shares : array (rows,)
        When `indices`: the other row's class, and the share of the own class in the target.
    """
    one = h.dtype.type(1)
    first, second = h.dtype.type(own), one - h.dtype.type(own)
    for i in range((rows + 1) // 2):
        j = rows - 1 - i
        for c in range(columns):
            a, b = h[i * columns + c], h[j * columns + c]
            h[i * columns + c] = first * a + second * b
            h[j * columns + c] = first * b + second * a
        a, b = weights[i], weights[j]
        weights[i], weights[j] = first * a + second * b, first * b + second * a
        share_i = first * a / weights[i] if weights[i] > 0 else one
        share_j = first * b / weights[j] if weights[j] > 0 else one
        if indices:
            partners[i], partners[j] = targets[j], targets[i]
            shares[i], shares[j] = share_i, share_j
        else:
            for c in range(width):
                a, b = targets[i * width + c], targets[j * width + c]
                targets[i * width + c] = share_i * a + (one - share_i) * b
                targets[j * width + c] = share_j * b + (one - share_j) * a


@njit(nogil=True, error_model="numpy")
def limit_norms(kernel, fan_in, fan_out, largest, squares):
    """Shrink each column of a flat kernel whose norm exceeds `largest` to that norm.

    `squares` (at least fan_out,) is workspace.
    """
    for j in range(fan_out):
        squares[j] = 0
    for i in range(fan_in):
        row = kernel[i * fan_out : (i + 1) * fan_out]
        for j in range(fan_out):
            squares[j] += row[j] * row[j]
    one, bound = kernel.dtype.type(1), kernel.dtype.type(largest)
    for j in range(fan_out):
        norm = math.sqrt(squares[j])
        squares[j] = bound / norm if norm > bound else one
    for i in range(fan_in):
        row = kernel[i * fan_out : (i + 1) * fan_out]
        for j in range(fan_out):
            row[j] *= squares[j]
