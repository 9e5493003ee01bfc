from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import gaussian_kde

from shrinkage.network import layout
from shrinkage.penalties import L1
from shrinkage.verify.weights import QUANTILES, compare_weights, summarize, weights_along


def area(summary):
    return summary.density.sum() * (summary.x[1] - summary.x[0])


def test_numbers_are_numpys():
    w = np.random.default_rng(0).normal(size=1_000)
    w[:300] = 0.0
    found = summarize(w, "a", 0.1, np.linspace(-6, 6, 401))
    assert (found.count, found.zeros, found.lam, found.label) == (1_000, 0.3, 0.1, "a")
    assert (found.minimum, found.maximum) == (w.min(), w.max())
    assert (found.mean, found.std) == pytest.approx((w.mean(), w.std()))
    np.testing.assert_allclose(found.quantiles, np.quantile(w, QUANTILES))


@pytest.mark.parametrize("zeros", [0, 400, 999, 1_000])
def test_the_density_leaves_the_zeros_out(zeros):
    w = np.random.default_rng(0).normal(size=1_000)
    w[:zeros] = 0.0
    found = summarize(w, "a", 0.0, np.linspace(-6, 6, 401))
    assert area(found) == pytest.approx(1 - zeros / 1_000, abs=1e-4)
    assert np.all(found.density >= 0)


def test_the_density_is_a_kernel_density():
    w = np.random.default_rng(1).normal(size=5_000)
    found = summarize(w, "a", 0.0, np.linspace(-6, 6, 401))
    np.testing.assert_allclose(found.density, gaussian_kde(w)(found.x), atol=0.02)


def test_equal_weights_are_a_spike():
    found = summarize(np.full(10, 0.5), "a", 0.0, np.linspace(0, 1, 402))
    assert area(found) == pytest.approx(1.0, abs=1e-4)
    assert np.count_nonzero(found.density) == 1


def test_before_and_after_share_their_bins(make_data, make_fit):
    data = make_data()
    before, after = make_fit(data, hidden=(8, 5)), make_fit(data, hidden=(8, 5), shrink=0.1)
    found = compare_weights(before, after, ("none", "L1"))
    assert [pair.name for pair in found] == [
        "all hidden kernels",
        "layer 1 kernel",
        "layer 2 kernel",
    ]
    for pair in found:
        np.testing.assert_array_equal(pair.before.x, pair.after.x)
        assert area(pair.before) == pytest.approx(1.0, abs=1e-3)
        assert area(pair.after) == pytest.approx(1.0, abs=1e-3)
        assert pair.after.std == pytest.approx(0.1 * pair.before.std, rel=1e-5)
        assert (pair.before.label, pair.after.label) == ("none", "L1")
    assert [pair.before.count for pair in found] == [56, 16, 40]
    second = layout(before.trial.network).kernels[1].of(before.parameters)
    assert found[2].before.maximum == pytest.approx(second.max())


def test_a_linear_model_has_one_kernel_to_compare(make_data, make_fit):
    data = make_data()
    found = compare_weights(make_fit(data, hidden=()), make_fit(data, hidden=(), shrink=0.5))
    assert [pair.name for pair in found] == ["output kernel"]
    assert found[0].before.count == 2


def test_a_network_of_zeros_can_be_shown(make_data, make_fit):
    data = make_data()
    empty = make_fit(data, shrink=0.0)
    found = compare_weights(empty, empty)
    assert found[0].before.zeros == 1.0
    assert np.all(np.isfinite(found[0].before.x))
    assert "exact zeros 100.0% → 100.0%" in str(found[0])


def test_the_path_shares_its_bins(make_data, make_fit):
    data = make_data()
    fits = [make_fit(data, penalty=L1(), lam=lam, shrink=1 / (1 + lam)) for lam in (0.0, 1.0, 9.0)]
    found = weights_along(fits, ["a", "b", "c"])
    assert [(one.label, one.lam) for one in found] == [("a", 0.0), ("b", 1.0), ("c", 9.0)]
    for one in found:
        assert one.x is not None
        np.testing.assert_array_equal(one.x, found[0].x)
        assert area(one) == pytest.approx(1.0, abs=1e-3)
    assert weights_along([], []) == ()


def test_networks_of_different_depth_are_compared_where_both_have_a_layer(make_data, make_fit):
    data = make_data()
    before, after = make_fit(data, hidden=(8, 5)), make_fit(data, hidden=(6,), shrink=0.1)
    found = compare_weights(before, after)
    assert [one.name for one in found] == ["all hidden kernels", "layer 1 kernel"]
    together = found[0]
    for summary, fit in ((together.before, before), (together.after, after)):
        own = fit.parameters[layout(fit.trial.network).penalized]
        assert (summary.count, summary.maximum) == (own.size, pytest.approx(own.max()))
