"""Every penalty, driven by one list: a new one is tested by being listed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize, minimize_scalar
from sklearn.linear_model import ElasticNet as SklearnElasticNet
from sklearn.linear_model import Lasso

from shrinkage.errors import SettingError
from shrinkage.penalties import (
    L1,
    L2,
    PENALTIES,
    ElasticNet,
    GroupLasso,
    Penalty,
    describe,
    parse_penalty,
)

ALL: list[Penalty] = [
    L1(),
    L2(),
    L2(decoupled=True),
    ElasticNet(),
    ElasticNet(0.1),
    ElasticNet(0.0),
    ElasticNet(1.0),
    GroupLasso("units"),
    GroupLasso("inputs"),
]
every_penalty = pytest.mark.parametrize("penalty", ALL, ids=str)
weight_by_weight = pytest.mark.parametrize(
    "penalty", [penalty for penalty in ALL if penalty.groups is None], ids=str
)
over_units_and_inputs = pytest.mark.parametrize("over", ["units", "inputs"])

numbers = st.floats(-5, 5, allow_subnormal=False)
vectors = arrays(np.float64, 4, elements=numbers)
kernels = arrays(np.float64, (3, 2), elements=numbers)
lams = st.floats(0, 3, allow_subnormal=False)
steps = st.floats(0.01, 3)
step_kernels = arrays(np.float64, (3, 2), elements=steps)


@every_penalty
@given(w=kernels, u=kernels, lam=lams, step=st.one_of(steps, step_kernels))
def test_prox_satisfies_the_three_point_inequality(penalty, w, u, lam, step):
    z = penalty.prox(w, lam, step)

    def objective(x):
        return penalty.value(x, lam) + np.sum((x - w) ** 2 / (2 * step))

    slack = 1e-9 * (1 + np.max(1 / step))
    assert objective(z) <= objective(u) - np.sum((u - z) ** 2 / (2 * step)) + slack


@every_penalty
@given(w=numbers, lam=lams, step=steps)
def test_prox_is_the_minimizer(penalty, w, lam, step):
    found = minimize_scalar(
        lambda u: penalty.value(np.array([u]), lam) + (u - w) ** 2 / (2 * step),
        bounds=(-6, 6),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert penalty.prox(np.array([w]), lam, step)[0] == pytest.approx(found.x, abs=1e-5)


@weight_by_weight
@given(w=vectors, lam=lams, step=arrays(np.float64, 4, elements=steps))
def test_prox_with_one_step_per_weight_is_the_prox_of_each_weight(penalty, w, lam, step):
    together = penalty.prox(w, lam, step)
    alone = [penalty.prox(w[i : i + 1], lam, float(step[i]))[0] for i in range(4)]
    np.testing.assert_array_equal(together, alone)


@every_penalty
@given(w=kernels, lam=lams, step=st.one_of(steps, step_kernels))
def test_the_minimizer_of_the_prox_problem_is_stationary(penalty, w, lam, step):
    z = penalty.prox(w, lam, step)
    np.testing.assert_allclose(penalty.stationarity(z, (z - w) / step, lam), 0, atol=1e-9)


@weight_by_weight
@given(w=st.sampled_from([-1.5, 0.0, 0.3]), grad=numbers, lam=lams)
def test_stationarity_is_the_distance_to_the_subdifferential(penalty, w, grad, lam):
    kink = np.linspace(-1, 1, 2001) if w == 0 else np.sign(w)
    subgradients = lam * (penalty.l1_share * kink + penalty.l2_share * w)
    expected = np.min(np.abs(grad + subgradients))
    found = penalty.stationarity(np.array([w]), np.array([grad]), lam)[0]
    assert found == pytest.approx(expected, abs=lam * 1e-3 + 1e-12)


@every_penalty
@given(w=kernels, lam=lams)
def test_value_is_what_the_shares_say(penalty, w, lam):
    lam1, lam2, lam3 = (
        lam * share for share in (penalty.l1_share, penalty.l2_share, penalty.group_share)
    )
    groups = w.T if penalty.groups == "units" else w
    norms = [np.sqrt(len(group)) * np.linalg.norm(group) for group in groups]
    expected = lam1 * np.abs(w).sum() + lam2 / 2 * np.square(w).sum() + lam3 * sum(norms)
    assert penalty.value(w, lam) == pytest.approx(expected)


@every_penalty
def test_prox_keeps_shape_and_single_precision(penalty):
    w = np.array([[0.5, -2.0, 0.001]], dtype=np.float32)
    for step in (0.1, np.float64(0.1), np.full(3, 0.1), np.full((1, 3), 0.1)):
        found = penalty.prox(w, 0.5, step)
        assert found.dtype == np.float32
        assert found.shape == w.shape
    np.testing.assert_array_equal(penalty.prox(w, 0.0, 0.1), w)


@pytest.mark.parametrize("penalty", [L1(), ElasticNet()], ids=str)
def test_l1_makes_exact_positive_zeros(penalty):
    found = penalty.prox(np.array([-0.04, 0.04, -0.0], dtype=np.float32), 1.0, 0.1)
    assert np.all(found == 0)
    assert not np.signbit(found).any()


def test_l2_makes_no_zeros():
    assert np.all(L2().prox(np.full(5, 1e-6), 10.0, 1.0) > 0)


@every_penalty
@given(grad=kernels)
def test_zero_is_stationary_from_lam_max_on_and_not_below(penalty, grad):
    lam = penalty.lam_max(grad)
    zeros = np.zeros((3, 2))
    if not np.isfinite(lam):
        assert penalty.l1_share == 0
        assert penalty.stationarity(zeros, grad, 1e6).max() > 0
        return
    np.testing.assert_allclose(penalty.stationarity(zeros, grad, lam), 0, atol=1e-12)
    if lam > 0:
        assert penalty.stationarity(zeros, grad, 0.99 * lam).max() > 0


@over_units_and_inputs
@settings(max_examples=30)
@given(w=kernels, lam=st.floats(0.01, 1), step=step_kernels)
def test_the_group_prox_is_what_a_general_optimizer_finds(over, w, lam, step):
    penalty = GroupLasso(over)

    def objective(flat):
        u = flat.reshape(3, 2)
        return penalty.value(u, lam) + np.sum((u - w) ** 2 / (2 * step))

    found = penalty.prox(w, lam, step)
    peer = minimize(objective, w.ravel(), method="Powell", options={"xtol": 1e-9, "ftol": 1e-12})
    assert objective(found.ravel()) <= peer.fun + 1e-9 * (1 + abs(peer.fun))


@over_units_and_inputs
def test_a_group_dies_as_a_whole_and_exactly(over):
    weak, strong = [-0.02, 0.01, -0.0], [0.4, 0.0, -0.3]
    w = np.array([weak, strong, weak, strong], dtype=np.float32)
    w = w.T if over == "units" else w
    found = GroupLasso(over).prox(w, 1.0, 0.02)
    groups = found.T if over == "units" else found
    np.testing.assert_array_equal(groups != 0, [[False] * 3, [True, False, True]] * 2)
    assert not np.signbit(found[found == 0]).any()


@given(w=kernels, lam=lams, step=steps)
def test_a_group_shrinks_by_one_factor_where_steps_are_equal(w, lam, step):
    norms = np.linalg.norm(w, axis=0)
    reach = step * lam * np.sqrt(3)
    expected = w * np.maximum(1 - reach / np.where(norms > 0, norms, 1), 0)
    np.testing.assert_allclose(GroupLasso("units").prox(w, lam, step), expected, atol=1e-12)


@given(w=vectors, lam=lams, step=steps)
def test_the_inputs_of_a_single_unit_are_groups_of_one_weight_as_in_l1(w, lam, step):
    found = GroupLasso("inputs").prox(w, lam, step)
    np.testing.assert_allclose(found, L1().prox(w, lam, step), rtol=1e-12)
    np.testing.assert_array_equal(found == 0, L1().prox(w, lam, step) == 0)


def test_the_group_prox_survives_steps_of_very_different_size():
    w = np.array([[1.0], [1e-3], [2.0], [0.0]])
    step = np.array([[1e-6], [5e4], [0.0], [0.0]])
    found = GroupLasso("units").prox(w, 0.01, step)
    assert found[2, 0] == 2.0
    assert found[0, 0] == pytest.approx(1.0, abs=1e-6)
    assert 0 < found[1, 0] < 1e-5
    np.testing.assert_array_equal(GroupLasso("units").prox(w * 0, 0.01, step), w * 0)


def proximal_gradient(penalty, x, y, lam, iterations=5_000):
    """ISTA on ½ mean squared error (Beck & Teboulle 2009)."""
    step = len(y) / np.linalg.norm(x, 2) ** 2
    w = np.zeros(x.shape[1])
    for _ in range(iterations):
        gradient = x.T @ (x @ w - y) / len(y)
        w = penalty.prox(w - step * gradient, lam, step)
    assert penalty.stationarity(w, x.T @ (x @ w - y) / len(y), lam).max() < 1e-9
    return w


@pytest.fixture
def regression():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 8))
    return x, x @ np.array([2.0, -1.0, 0.5, 0, 0, 0, 0, 0]) + rng.normal(size=60)


def test_fixed_points_are_those_of_scikit_learns_lasso(regression):
    x, y = regression
    expected = Lasso(alpha=0.3, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(x, y).coef_
    found = proximal_gradient(L1(), x, y, 0.3)
    np.testing.assert_allclose(found, expected, atol=1e-7)
    np.testing.assert_array_equal(found == 0, expected == 0)
    assert 0 < np.count_nonzero(found) < 8


@pytest.mark.parametrize("ratio", [0.2, 0.7])
def test_fixed_points_are_those_of_scikit_learns_elastic_net(regression, ratio):
    x, y = regression
    peer = SklearnElasticNet(
        alpha=0.4, l1_ratio=ratio, fit_intercept=False, tol=1e-12, max_iter=100_000
    )
    found = proximal_gradient(ElasticNet(ratio), x, y, 0.4)
    np.testing.assert_allclose(found, peer.fit(x, y).coef_, atol=1e-7)


def test_fixed_points_of_l2_solve_the_ridge_equations(regression):
    x, y = regression
    expected = np.linalg.solve(x.T @ x / 60 + 0.4 * np.eye(8), x.T @ y / 60)
    np.testing.assert_allclose(proximal_gradient(L2(), x, y, 0.4), expected, atol=1e-9)


def test_lasso_is_empty_at_lam_max_and_not_just_below(regression):
    x, y = regression
    lam = L1().lam_max(x.T @ y / 60)
    assert not proximal_gradient(L1(), x, y, lam).any()
    assert proximal_gradient(L1(), x, y, 0.95 * lam).any()


def test_names_lead_to_penalties():
    assert [parse_penalty(name) for name in PENALTIES] == list(PENALTIES.values())
    assert parse_penalty(" ELASTIC net ") == ElasticNet()
    assert all(penalty.name == name for name, penalty in PENALTIES.items())


@pytest.mark.parametrize(
    ("wrong", "meant"), [("elastic", "elastic_net"), ("L-1", "l1"), ("l11", "l1")]
)
def test_an_unknown_name_gets_a_suggestion(wrong, meant):
    with pytest.raises(SettingError, match=f"unknown penalty '{wrong}'; did you mean '{meant}"):
        parse_penalty(wrong)


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_a_ratio_outside_0_to_1_is_refused(ratio):
    with pytest.raises(SettingError, match="l1_ratio is"):
        ElasticNet(ratio)


def test_groups_over_something_else_are_refused():
    with pytest.raises(SettingError, match="unknown group 'unit'; did you mean 'units'"):
        GroupLasso("unit")  # type: ignore[arg-type]  # what a person may type


@every_penalty
def test_penalties_are_values(penalty):
    assert hash(penalty) == hash(type(penalty)(**vars(penalty)))
    assert eval(repr(penalty)) == penalty


def test_a_point_of_the_path_has_a_label():
    assert describe(ElasticNet(), 0.012345) == "elastic net, λ = 0.0123"
    assert describe(L2(), 0.0) == describe(None, 0.0) == "no penalty"


@pytest.mark.parametrize(
    ("lam", "text"),
    [
        (1e-8, "0.00000001"),
        (1e-05, "0.00001"),
        (0.031622776, "0.0316"),
        (1.0, "1"),
        (31.6, "31.6"),
        (1e3, "1,000"),
        (31623.0, "31,600"),
        (1e-12, "1e-12"),
    ],
)
def test_lambda_reads_without_powers_of_ten(lam, text):
    assert describe(L2(), lam) == f"L2, λ = {text}"
