"""Proximal steps on tensors: against NumPy's, which are tested against their own definition."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shrinkage import L1, GroupLasso
from shrinkage.engine.proximal import (
    group_prox,
    shrink_groups_in_metric_,
    shrink_in_metric_,
    soft_threshold_,
)
from shrinkage.errors import SettingError


def draw(seed: int, shape: tuple[int, ...], spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights, some of them zero, and a step of its own for each."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=shape) * (rng.random(shape) < 0.8)
    return weights, np.exp(rng.normal(0, spread, size=shape))


def by_numpy(
    over: str, weights: np.ndarray, step: np.ndarray, lam: float, dtype: type
) -> np.ndarray:
    """GroupLasso's own step on a kernel (out, in, *window), which it wants as (in, out)."""
    out, inputs = weights.shape[:2]
    penalty = GroupLasso(over)
    if over == "units":
        flat = [a.reshape(out, -1).T for a in (weights, step)]
        return penalty.prox(flat[0].astype(dtype), lam, flat[1]).T.reshape(weights.shape)
    flat = [np.moveaxis(a, 1, 0).reshape(inputs, -1) for a in (weights, step)]
    found = penalty.prox(flat[0].astype(dtype), lam, flat[1])
    return np.moveaxis(found.reshape(inputs, out, *weights.shape[2:]), 0, 1)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(1e-6, 3), st.sampled_from([np.float32, np.float64]))
def test_the_soft_threshold_is_that_of_numpy_to_the_bit(seed: int, lam: float, dtype: type) -> None:
    weights, step = draw(seed, (7, 5), 1.0)
    weights, threshold = weights.astype(dtype), (lam * step).astype(dtype)
    moved = torch.from_numpy(weights.copy())
    soft_threshold_(moved, torch.from_numpy(threshold))
    expected = L1().prox(weights, 1.0, threshold)
    assert moved.numpy().tobytes() == expected.tobytes()


def test_zeros_have_no_sign_and_one_threshold_serves_all() -> None:
    weights = torch.tensor([-0.3, -0.05, -0.0, 0.05, 0.3])
    soft_threshold_(weights, 0.1)
    torch.testing.assert_close(weights, torch.tensor([-0.2, 0.0, 0.0, 0.0, 0.2]))
    assert not torch.signbit(weights[1:4]).any()


def test_the_soft_threshold_acts_on_a_parameter_and_leaves_its_graph_alone() -> None:
    weights = torch.nn.Parameter(torch.tensor([1.0, 0.01]))
    soft_threshold_(weights, 0.1)
    assert weights.tolist() == pytest.approx([0.9, 0.0])
    assert weights.is_leaf
    assert weights.requires_grad


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    lam=st.sampled_from([0.0, 0.01, 0.1, 0.3, 1.0, 10.0]),
    spread=st.sampled_from([0.0, 1.0, 4.0]),
    over=st.sampled_from(["units", "inputs"]),
    shape=st.sampled_from([(4, 3), (5, 1), (1, 6), (3, 2, 5), (4, 3, 2, 2)]),
)
def test_groups_shrink_as_in_numpy(
    seed: int, lam: float, spread: float, over: str, shape: tuple[int, ...]
) -> None:
    weights, step = draw(seed, shape, spread)
    found = group_prox(torch.from_numpy(weights), torch.from_numpy(step), lam, over)
    expected = by_numpy(over, weights, step, lam, np.float64)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-12)
    assert np.array_equal(found.numpy() == 0, expected == 0)


@pytest.mark.parametrize("over", ["units", "inputs"])
def test_single_precision_is_as_near_as_it_can_be(over: str) -> None:
    for seed in range(20):
        weights, step = draw(seed, (16, 40), 3.0)
        found = group_prox(
            torch.from_numpy(weights.astype(np.float32)),
            torch.from_numpy(step.astype(np.float32)),
            0.02,
            over,
        )
        assert found.dtype == torch.float32
        exact = by_numpy(over, weights, step, 0.02, np.float64)
        np.testing.assert_allclose(found.numpy(), exact, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("over", ["units", "inputs"])
@pytest.mark.parametrize("lead", [1, 2])
def test_a_stack_is_each_of_its_networks_with_its_own_lambda(over: str, lead: int) -> None:
    copies = (3,) if lead == 1 else (3, 2)
    weights, step = draw(5, (*copies, 4, 3, 2), 1.0)
    lams = torch.rand(copies, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = group_prox(torch.from_numpy(weights), torch.from_numpy(step), lams, over, lead)
    assert found.shape == weights.shape
    for place in np.ndindex(*copies):
        alone = group_prox(
            torch.from_numpy(weights[place]),
            torch.from_numpy(step[place]),
            float(lams[place]),
            over,
        )
        torch.testing.assert_close(found[place], alone)


@pytest.mark.parametrize("over", ["units", "inputs"])
@pytest.mark.parametrize("lead", [0, 2])
def test_one_step_for_all_weights_is_the_same_step_for_each(over: str, lead: int) -> None:
    copies = (3, 2)[:lead]
    weights = torch.from_numpy(draw(6, (*copies, 4, 3, 2), 1.0)[0])
    weights[..., 0, :, :] = 0.0
    weights[..., :, 0, :] *= -1e-3
    ones = (1,) * 3 if lead else ()
    step = torch.full((*copies, *ones), 0.3, dtype=weights.dtype)
    lam = torch.full(copies, 0.7, dtype=weights.dtype) if lead else 0.7
    found = group_prox(weights, step, lam, over, lead)
    each = group_prox(weights, torch.full_like(weights, 0.3), lam, over, lead)
    torch.testing.assert_close(found, each)
    assert not torch.signbit(found[found == 0]).any()
    assert (found == 0).any(dim=-1).any()


def test_a_vector_is_a_kernel_of_one_output() -> None:
    weights = torch.tensor([3.0, 4.0])
    as_kernel = group_prox(weights[None], torch.ones(1, 2), 0.5, "units")[0]
    torch.testing.assert_close(group_prox(weights, torch.ones(2), 0.5, "units"), as_kernel)
    single = group_prox(weights, torch.ones(2), 0.5, "inputs")
    torch.testing.assert_close(single, torch.tensor([2.5, 3.5]))


def test_an_infinite_step_kills_and_a_step_of_zero_moves_nothing() -> None:
    weights = torch.tensor([[0.5, -2.0], [1.0, 3.0]])
    gone = group_prox(weights, torch.full_like(weights, torch.inf), 0.1, "units")
    assert torch.equal(gone, torch.zeros(2, 2))
    assert not torch.signbit(gone).any()
    assert torch.equal(group_prox(weights, torch.zeros_like(weights), 0.1, "units"), weights)


def test_half_precision_stays_half() -> None:
    weights = torch.tensor([[3.0, 4.0]], dtype=torch.bfloat16)
    found = group_prox(weights, torch.ones(1, 2), 0.5, "units")
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), torch.tensor([[2.576, 3.434]]), rtol=0.01, atol=0)


def test_a_fixed_number_of_steps_is_enough_where_none_can_be_asked() -> None:
    compiled = torch.compile(group_prox, backend="eager", fullgraph=True)
    for seed in range(10):
        weights, step = (torch.from_numpy(a) for a in draw(seed, (12, 30), 4.0))
        plain = group_prox(weights, step, 0.05, "units")
        torch.testing.assert_close(
            compiled(weights, step, 0.05, "units"), plain, rtol=1e-6, atol=1e-9
        )


def test_no_weights_are_no_weights() -> None:
    assert group_prox(torch.empty(0, 3), torch.empty(0, 3), 0.1, "units").shape == (0, 3)
    assert group_prox(torch.empty(3, 0), torch.empty(3, 0), 0.1, "units").shape == (3, 0)


def test_an_unknown_group_is_a_sentence() -> None:
    with pytest.raises(SettingError, match="did you mean 'units'"):
        group_prox(torch.ones(2, 2), torch.ones(2, 2), 0.1, "unit")


def moments(seed: int, shape: tuple[int, ...], dtype: torch.dtype) -> tuple[torch.Tensor, ...]:
    """Weights and second moments, some of these 0, as of a unit that is never on."""
    weights, moment = draw(seed, shape, 2.0)
    moment[..., 0] = 0
    return torch.from_numpy(weights).to(dtype), torch.from_numpy(moment).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("rooted", [True, False])
def test_one_pass_in_a_metric_is_what_many_are(dtype: torch.dtype, rooted: bool) -> None:
    for seed in range(10):
        weights, moment = moments(seed, (9, 7), dtype)
        size = moment.sqrt() if rooted else moment
        expected = weights.clone()
        soft_threshold_(expected, 0.3 / (size + 1e-3))
        turned = weights.T.contiguous().T  # not contiguous, so it takes the passes one by one
        shrink_in_metric_(turned, moment, 0.3, 1e-3, rooted)
        shrink_in_metric_(weights, moment, 0.3, 1e-3, rooted)
        torch.testing.assert_close(weights, expected)
        torch.testing.assert_close(turned, expected)
        assert torch.equal(weights == 0, expected == 0)
        assert bool((weights == 0).any())
        assert not torch.signbit(weights[weights == 0]).any()


def test_what_is_not_a_number_stays_so() -> None:
    weights = torch.tensor([float("nan"), 1.0, float("inf")])
    shrink_in_metric_(weights, torch.ones(3), 0.5)
    assert torch.isnan(weights[0])
    assert weights[1:].tolist() == [0.5, float("inf")]


@pytest.mark.parametrize("over", ["units", "inputs"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(12, 9), (5, 3, 2, 2)], ids=str)
def test_groups_row_by_row_are_all_groups_at_once(
    over: str, dtype: torch.dtype, shape: tuple[int, ...]
) -> None:
    for seed in range(10):
        weights, moment = moments(seed, shape, dtype)
        expected = group_prox(weights, 0.05 / (moment.sqrt() + 1e-3), 1.0, over)
        found = weights.clone()
        shrink_groups_in_metric_(found, moment, 0.05, 1e-3, over=over)
        torch.testing.assert_close(found, expected)
        assert torch.equal(found == 0, expected == 0)
