"""One step of an optimizer over the flat vector, with the penalty inside the same loop.

The L1 part is a proximal step in the metric of the optimizer: each weight is soft-thresholded by
λ₁ times the step that *its own* gradient was multiplied by. Then a weight becomes exactly zero, and
the fixed points are the stationary points of the penalized objective under Adam too. The L2 part
is added to the gradient, or decoupled: w ← (1 − learning rate · λ₂)·w.

A weight that the data never push (a unit that is off for every row) has a second moment of 0, so
its step is learning rate / ε and even a tiny λ₁ makes it zero at once: stationary, as it should be.
"""

from __future__ import annotations

import math

from numba import njit

from shrinkage.engine.arithmetic import FAST
from shrinkage.training import OPTIMIZERS

CODES = {name: code for code, name in enumerate(OPTIMIZERS)}
ADAM, ADAMW, RMSPROP, SGD = range(len(OPTIMIZERS))


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def soft_threshold(w, threshold, zero):
    """The proximal map of threshold·|w|; the threshold is at least 0, `zero` of its type."""
    return max(w - threshold, zero) + min(w + threshold, zero)


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def _adam(w, g, m, v, rate, correct_m, correct_v, beta1, beta2, epsilon, l1, l2, decay):
    one, zero = w.dtype.type(1), w.dtype.type(0)
    fresh1, fresh2 = one - beta1, one - beta2
    rate_m = rate * correct_m
    for i in range(w.size):
        gradient = g[i] + l2 * w[i]
        first = beta1 * m[i] + fresh1 * gradient
        second = beta2 * v[i] + fresh2 * gradient * gradient
        m[i], v[i] = first, second
        scale = one / (math.sqrt(second * correct_v) + epsilon)
        moved = w[i] * decay - rate_m * scale * first
        w[i] = soft_threshold(moved, rate * scale * l1, zero)


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def _rmsprop(w, g, v, rate, rho, epsilon, l1, l2, decay):
    one, zero = w.dtype.type(1), w.dtype.type(0)
    for i in range(w.size):
        gradient = g[i] + l2 * w[i]
        second = rho * v[i] + (one - rho) * gradient * gradient
        v[i] = second
        step = rate / (math.sqrt(second) + epsilon)
        w[i] = soft_threshold(w[i] * decay - step * gradient, step * l1, zero)


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def _sgd(w, g, m, rate, momentum, nesterov, l1, l2, decay):
    # Velocity m settles at gradient/(1 − momentum), so a threshold outside it needs that factor
    # too, or the fixed point is that of (1 − momentum)·λ₁.
    zero = w.dtype.type(0)
    threshold = rate * l1 / (w.dtype.type(1) - momentum)
    for i in range(w.size):
        gradient = g[i] + l2 * w[i]
        velocity = momentum * m[i] + gradient
        m[i] = velocity
        direction = gradient + momentum * velocity if nesterov else velocity
        w[i] = soft_threshold(w[i] * decay - rate * direction, threshold, zero)


@njit(nogil=True, error_model="numpy", fastmath=FAST)
def update(optimizer, w, g, m, v, step, rate, settings, l1, l2, decoupled):
    """Move the weights `w` (n,) by one step against the gradient `g` (n,), in place.

    Parameters
    ----------
    optimizer : int
        One of the constants of this module.
    m, v : array (n,)
        First and second moment (velocity in `m` for SGD), updated in place.
    step : int
        From 1.
    rate : float
        Learning rate of this step.
    settings : array (5,)
        momentum (negative for Nesterov's), beta1, beta2, rho, epsilon, in double precision.
    l1, l2 : float
        λ₁ and λ₂ of this step.
    decoupled : bool
        Whether λ₂ acts as w ← (1 − rate·λ₂)·w instead of through the gradient.
    """
    number = w.dtype.type
    decay = number(1.0 - rate * l2) if decoupled else number(1.0)
    coupled = number(0.0) if decoupled else number(l2)
    momentum, beta1, beta2 = settings[0], settings[1], settings[2]
    rho, epsilon = settings[3], settings[4]
    if optimizer == RMSPROP:
        _rmsprop(
            w, g, v, number(rate), number(rho), number(epsilon), number(l1), coupled, decay
        )  # fmt: skip
    elif optimizer == SGD:
        nesterov = momentum < 0
        _sgd(w, g, m, number(rate), number(abs(momentum)), nesterov, number(l1), coupled, decay)
    else:
        correct_m = number(1 / (1 - beta1**step))
        correct_v = number(1 / (1 - beta2**step))
        _adam(
            w, g, m, v, number(rate), correct_m, correct_v,
            number(beta1), number(beta2), number(epsilon), number(l1), coupled, decay,
        )  # fmt: skip
