"""The register-tile product against NumPy's, for shapes that meet every edge of the tile."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shrinkage.engine.gemm import multiply, panel_width

SIZES = st.integers(1, 70)


def product(a, b, *, transpose_a=False, transpose_b=False, bias=None):
    """a·b through the kernel, from operands stored as they are."""
    m, k = a.shape[::-1] if transpose_a else a.shape
    n = b.shape[0] if transpose_b else b.shape[1]
    width = panel_width(a.dtype)
    c = np.full(m * n + 64, np.nan, a.dtype)
    panel, edge = np.empty(k * width, a.dtype), np.empty((m + 1) * width, a.dtype)
    steps = (1, a.shape[1]) if transpose_a else (a.shape[1], 1)
    multiply(
        a.ravel(), steps[0], steps[1], b.ravel(), b.shape[1], transpose_b,
        a.ravel()[:0] if bias is None else bias, c[: m * n], m, n, k, panel, edge,
    )  # fmt: skip
    assert np.isnan(c[m * n :]).all(), "it wrote beyond the result"
    return c[: m * n].reshape(m, n)


@given(m=SIZES, k=SIZES, n=SIZES, ta=st.booleans(), tb=st.booleans(), seed=st.integers(0, 99))
def test_every_shape_and_transposition_agrees_with_numpy(m, k, n, ta, tb, seed):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((k, m) if ta else (m, k)).astype(np.float32)
    b = rng.standard_normal((n, k) if tb else (k, n)).astype(np.float32)
    bias = rng.standard_normal(n).astype(np.float32)
    left, right = (a.T if ta else a).astype(np.float64), (b.T if tb else b).astype(np.float64)

    found = product(a, b, transpose_a=ta, transpose_b=tb, bias=bias)

    # k roundings of sums no larger than Σ|a||b|, in single precision.
    bound = (k + 1) * np.finfo(np.float32).eps * (np.abs(left) @ np.abs(right) + np.abs(bias))
    assert (np.abs(found - (left @ right + bias)) <= bound).all()


def test_rows_do_not_depend_on_how_many_are_computed_together():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((37, 29)).astype(np.float32)
    b = rng.standard_normal((29, 41)).astype(np.float32)

    together = product(a, b)
    alone = np.vstack([product(a[i : i + 1], b) for i in range(37)])

    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_visible(value):
    a = np.ones((3, 5), np.float32)
    a[1, 2] = value
    found = product(a, np.ones((5, 4), np.float32))
    assert np.isfinite(found[[0, 2]]).all()
    assert not np.isfinite(found[1]).any()
