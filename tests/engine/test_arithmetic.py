"""Elementary functions against NumPy in double precision, and the subnormal mode."""

import numpy as np
import pytest
from numba import njit
from scipy.special import erf

from shrinkage.engine.arithmetic import exp, expm1, flush_subnormals, normal_cdf, restore_mode


@njit
def apply_exp(x, out):
    for i in range(x.size):
        out[i] = exp(x[i])


@njit
def apply_expm1(x, out):
    for i in range(x.size):
        out[i] = expm1(x[i])


@njit
def apply_cdf(x, density, out):
    for i in range(x.size):
        out[i] = normal_cdf(x[i], density[i])


GRID = np.concatenate(
    [np.linspace(-86, 87, 20_001), np.geomspace(1e-30, 1, 500), -np.geomspace(1e-30, 1, 500), [0.0]]
)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 3e-7), (np.float64, 1e-15)])
@pytest.mark.parametrize(("function", "truth"), [(apply_exp, np.exp), (apply_expm1, np.expm1)])
def test_exponentials_are_accurate_to_rounding(function, truth, dtype, tolerance):
    x = GRID.astype(dtype)
    out = np.empty_like(x)
    function(x, out)
    np.testing.assert_allclose(out, truth(x.astype(np.float64)), rtol=tolerance, atol=0)


def test_the_normal_distribution_function():
    x = np.linspace(-12, 12, 4_001, dtype=np.float32)
    density = np.exp(-(x.astype(np.float64) ** 2) / 2).astype(np.float32)
    out = np.empty_like(x)
    apply_cdf(x, density, out)
    np.testing.assert_allclose(out, 0.5 * (1 + erf(x.astype(np.float64) / np.sqrt(2))), atol=2e-7)


@njit
def halve(numbers, flush):
    mode = flush_subnormals() if flush else 0
    for i in range(numbers.size):
        numbers[i] = numbers[i] * np.float32(0.5)
    if flush:
        restore_mode(mode)


def test_subnormals_vanish_inside_and_come_back_after():
    smallest = np.full(100, np.finfo(np.float32).tiny)
    flushed, kept = smallest.copy(), smallest.copy()
    halve(flushed, True)
    assert (flushed == 0.0).all()
    halve(kept, False)
    assert (kept == smallest / 2).all(), "the thread is as it was"
    assert (kept > 0).all()
