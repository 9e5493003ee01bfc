"""The compiled proximal step against the one of `shrinkage.penalties`, and its promises."""

from __future__ import annotations

import numpy as np
import pytest

from shrinkage.engine.groups import CODES, INPUTS, NONE, UNITS, shrink_groups, work_size
from shrinkage.engine.optimizers import CODES as OPTIMIZER_CODES
from shrinkage.penalties import GroupLasso

SETTINGS = np.array([0.9, 0.9, 0.999, 0.95, 1e-7])
RATE = 0.01

every_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZER_CODES)
every_group = pytest.mark.parametrize("over", ["units", "inputs"])


def steps_of(optimizer, v, step):
    """What the optimizer multiplied each weight's gradient by."""
    if optimizer == "sgd":
        return np.full_like(v, RATE / (1 - 0.9))
    if optimizer == "rmsprop":
        return RATE / (np.sqrt(v) + 1e-7)
    return RATE / (np.sqrt(v / (1 - 0.999**step)) + 1e-7)


def shrunk(w, v, over, optimizer, lam, step=7):
    flat = w.ravel().copy()
    shrink_groups(
        over, OPTIMIZER_CODES[optimizer], flat, v.ravel(), np.empty_like(flat),
        np.empty(work_size(*w.shape), w.dtype), *w.shape, step, RATE, SETTINGS, lam,
    )  # fmt: skip
    return flat.reshape(w.shape)


def kernel(seed, shape, dtype=np.float64):
    """Weights of every size, some zero, and second moments over many powers of ten."""
    rng = np.random.default_rng(seed)
    w = rng.normal(size=shape) * 10 ** rng.uniform(-3, 0.5, size=shape[1])
    w *= 10 ** rng.uniform(-3, 0.5, size=(shape[0], 1))
    w[rng.random(shape) < 0.1] = 0.0
    v = 10 ** rng.uniform(-9, 0, size=shape)
    v[rng.random(shape) < 0.02] = 0.0
    return w.astype(dtype), v.astype(dtype)


@every_optimizer
@every_group
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (17, 33), (40, 8)])
def test_it_is_the_prox_of_the_penalty_in_the_optimizers_metric(optimizer, over, shape):
    for seed, lam in enumerate((1e-4, 1e-2, 0.3)):
        w, v = kernel(seed, shape)
        expected = GroupLasso(over).prox(w, lam, steps_of(optimizer, v, 7))
        found = shrunk(w, v, CODES[over], optimizer, lam)
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-300)
        np.testing.assert_array_equal(found == 0, expected == 0)


@every_group
def test_single_precision_is_the_same_to_its_rounding(over):
    w, v = kernel(3, (50, 30), np.float32)
    double = shrunk(w.astype(float), v.astype(float), CODES[over], "adam", 0.3)
    found = shrunk(w, v, CODES[over], "adam", 0.3)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, double, rtol=2e-5, atol=1e-12)
    axis = 0 if over == "units" else 1
    dead = ~double.any(axis=axis)
    assert 0 < np.count_nonzero(dead) < dead.size
    np.testing.assert_array_equal(~found.any(axis=axis), dead)


@every_group
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_zeros_are_positive_zeros(over, dtype):
    w, v = kernel(4, (30, 30), dtype)
    w[w == 0] = -0.0
    found = shrunk(w, v, CODES[over], "adam", 0.3)
    assert not np.signbit(found[found == 0]).any()


@every_optimizer
def test_without_groups_or_without_a_penalty_nothing_happens(optimizer):
    w, v = kernel(5, (6, 6))
    np.testing.assert_array_equal(shrunk(w, v, NONE, optimizer, 1.0), w)
    np.testing.assert_array_equal(shrunk(w, v, UNITS, optimizer, 0.0), w)


def test_a_negligible_penalty_neither_kills_nor_breaks():
    w, v = kernel(6, (8, 8), np.float32)
    for over in (UNITS, INPUTS):
        np.testing.assert_allclose(shrunk(w, v + 1, over, "adam", 1e-34), w, rtol=1e-6)


@every_group
def test_a_weight_that_is_no_number_is_not_hidden_by_a_zero(over):
    w, v = kernel(7, (6, 6))
    w[2, 3] = np.nan
    assert np.isnan(shrunk(w, v, CODES[over], "adam", 10.0)).any()
