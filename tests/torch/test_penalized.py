"""Penalties on a module: what they act on, what they add to a loss, and how λ changes."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from shrinkage import L1, L2, ElasticNet, GroupLasso
from shrinkage.engine import kernel
from shrinkage.errors import DataError, SettingError
from shrinkage.penalties import Penalty
from shrinkage.torch.penalized import Penalized
from shrinkage.training import ramp


def mlp() -> nn.Sequential:
    torch.manual_seed(0)
    layers = [nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 1)]
    return nn.Sequential(*layers)


def convolutions() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.ConvTranspose2d(4, 3, 2), nn.Flatten(), nn.Linear(3, 2)
    )


def as_kernel(weight: torch.Tensor) -> np.ndarray[Any, Any]:
    """(out, in, …) as the package's own kernels (in, out); a window counts as inputs."""
    return weight.detach().double().flatten(1).T.numpy()


PENALTIES = [L1(), L2(), ElasticNet(0.3), GroupLasso()]


@pytest.mark.parametrize("penalty", PENALTIES, ids=lambda p: p.name)
def test_the_value_is_that_of_the_penalty(penalty: Penalty) -> None:
    module = mlp()
    found = Penalized(module, penalty, lam=0.1).value()
    expected = sum(penalty.value(as_kernel(module[i].weight), 0.1) for i in (0, 2))
    assert found.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("penalty", PENALTIES, ids=lambda p: p.name)
def test_its_gradient_leaves_nothing_but_what_stationarity_says(penalty: Penalty) -> None:
    module = mlp().double()
    penalized = Penalized(module, penalty, lam=0.1)
    penalized.value().backward()
    for place in (0, 2):
        gradient = module[place].weight.grad
        away = penalty.stationarity(as_kernel(module[place].weight), -as_kernel(gradient), 0.1)
        np.testing.assert_allclose(away, 0, atol=1e-12)
    assert module[4].weight.grad is None
    assert module[0].bias.grad is None


def test_zero_weights_have_a_gradient() -> None:
    module = mlp()
    nn.init.zeros_(module[0].weight)
    for penalty in PENALTIES:
        module.zero_grad()
        Penalized(module, penalty, lam=1.0).value().backward()
        assert torch.equal(module[0].weight.grad, torch.zeros(5, 3))


def test_groups_of_a_convolution_are_channels() -> None:
    module = convolutions()
    own = Penalized(module, {"0.weight": GroupLasso(), "1.weight": GroupLasso("inputs")}, lam=0.1)
    direct, turned = module[0].weight, module[1].weight
    expected = 0.1 * sum((18**0.5) * one.norm() for one in direct)
    expected += 0.1 * sum((12**0.5) * one.norm() for one in turned)
    assert own.value().item() == pytest.approx(expected.item(), rel=1e-6)


def test_by_kind_inputs_are_those_of_the_network() -> None:
    assert Penalized(mlp(), GroupLasso("inputs"), lam=0.1).names == ("0.weight",)
    assert Penalized(mlp(), {"*.weight": GroupLasso("inputs")}, lam=0.1).names == (
        "0.weight", "2.weight", "4.weight",
    )  # fmt: skip


def test_a_penalty_for_each_selector() -> None:
    module = mlp()
    both = Penalized(
        module,
        {"0.weight": L1(), "2.weight": L2(), ("4", "biases"): L1()},
        lam={"0.weight": 0.1, "2": 0.2, "4": 0.3, "biases": [1, 2, 3]},
    )
    assert dict(both.lam) == {
        "0.weight": 0.1, "0.bias": 1.0, "2.weight": 0.2, "2.bias": 2.0, "4.weight": 0.3,
        "4.bias": 3.0,
    }  # fmt: skip
    alone = [
        Penalized(module, {name: L2() if name == "2.weight" else L1()}, lam=lam).value()
        for name, lam in both.lam.items()
    ]
    torch.testing.assert_close(both.value(), sum(alone))


def test_lam_in_the_order_of_the_module() -> None:
    penalized = Penalized(mlp(), L1(), lam=[0.1, 0.2])
    assert dict(penalized.lam) == {"0.weight": 0.1, "2.weight": 0.2}


def test_lam_changes_while_training_goes_on() -> None:
    module = mlp()
    penalized = Penalized(module, L1(), lam=0.1)
    before = penalized.value()
    penalized.lam = 0.2
    torch.testing.assert_close(penalized.value(), 2 * before)
    penalized.set_lam("2.*", 0.0)
    torch.testing.assert_close(penalized.value(), 0.2 * module[0].weight.abs().sum())
    penalized.lam = {"2.weight": 0.5}
    assert dict(penalized.lam) == {"0.weight": 0.2, "2.weight": 0.5}
    penalized.set_lam("hidden kernels", (1, 2))
    assert dict(penalized.lam) == {"0.weight": 1.0, "2.weight": 2.0}


def test_tied_weights_count_once_and_bare_tensors_too() -> None:
    module = mlp()
    module.append(module[2])
    assert Penalized(module, L1(), lam=1.0, output="4").names == ("0.weight", "2.weight")
    weight = module[0].weight
    twice = Penalized([weight, weight], L1(), lam=1.0)
    torch.testing.assert_close(twice.value(), weight.abs().sum())


def test_bare_tensors_by_name() -> None:
    module = mlp()
    found = Penalized(module.named_parameters(), {"*.weight": L2()}, lam=0.1)
    assert found.names == ("0.weight", "2.weight", "4.weight")
    assert Penalized(module[0].parameters(), L2(), lam=0.1).names == ("0", "1")


def test_the_value_follows_a_weight_that_was_replaced() -> None:
    module = mlp()
    penalized = Penalized(module, L1(), lam=1.0)
    module[0].weight = nn.Parameter(torch.ones(5, 3))
    module[2].weight = nn.Parameter(torch.ones(4, 5))
    assert penalized.value().item() == 35.0


def test_half_precision_is_summed_in_single() -> None:
    module = nn.Sequential(nn.Linear(100, 100), nn.Linear(100, 1)).to(torch.bfloat16)
    nn.init.ones_(module[0].weight)
    found = Penalized(module, L1(), lam=1.0).value()
    assert found.dtype == torch.float32
    assert found.item() == 10_000


# ------------------------------------------------------------------------------ joining a loss


def test_a_loss_is_joined() -> None:
    module = mlp()
    penalized = Penalized(module, L2(), lam=0.1)
    loss = module(torch.ones(6, 3)).square().mean()
    torch.testing.assert_close(penalized(loss), loss + penalized.value())
    torch.testing.assert_close(penalized.add_to(loss), loss + penalized.value())


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        (torch.ones(4), r"shape \(4,\).*loss.mean\(\)"),
        (torch.ones(4, 1), r"shape \(4, 1\)"),
        (torch.tensor(3), "int64 numbers"),
        (0.5, "a float"),
    ],
    ids=["vector", "matrix", "integer", "float"],
)
def test_a_loss_that_is_not_a_number_is_a_sentence(loss: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        Penalized(mlp(), L1(), lam=0.1)(loss)


def test_away_from_the_processor_the_penalty_stays_with_module_and_loss() -> None:
    penalized = Penalized(mlp().to("meta"), L1(), lam=0.1)
    assert penalized.value().device.type == "meta"
    assert penalized(torch.ones((), device="meta")).device.type == "meta"


def test_a_decoupled_penalty_is_no_part_of_a_loss() -> None:
    with pytest.raises(SettingError, match="decoupled, so it is no part of the loss"):
        Penalized(mlp(), L2(decoupled=True), lam=0.1).value()


# ---------------------------------------------------------------------------------- schedules


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
def test_ramps_are_those_of_the_engine(schedule: str) -> None:
    code = kernel.LAM_SCHEDULE_CODES[schedule]
    descent = kernel.Descent(*[0] * 17)._replace(lam_schedule=code, lam_ramp=0.25)
    for step in range(0, 60, 3):
        assert ramp(schedule, step, 10) == pytest.approx(
            kernel._lam_share.py_func(descent, step, 40), abs=1e-12
        )


def test_lam_rises_with_the_steps() -> None:
    penalized = Penalized(mlp(), L1(), lam=0.4, schedule="linear", steps=4)
    shares = []
    for _ in range(6):
        shares.append(penalized.current()["0.weight"])
        penalized.step()
    assert shares == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.4])


def test_a_schedule_whose_steps_nobody_counts_is_told() -> None:
    penalized = Penalized(mlp(), L1(), lam=0.4, schedule="linear", steps=4)
    loss = torch.ones(())
    for _ in range(99):
        penalized(loss)
    with pytest.warns(UserWarning, match="still is at step 0 after 100 losses"):
        penalized(loss)
    penalized(loss)


def test_a_schedule_may_be_a_function() -> None:
    penalized = Penalized(mlp(), L1(), lam=0.4, schedule=lambda step: 1 / (1 + step))
    penalized.step()
    assert penalized.current()["2.weight"] == pytest.approx(0.2)


def test_a_state_goes_on_where_it_was() -> None:
    options: dict[str, Any] = {"lam": 0.4, "schedule": "linear", "steps": 10}
    penalized = Penalized(mlp(), L1(), **options)
    penalized.set_lam("2.weight", 0.8)
    for _ in range(5):
        penalized.step()
    state = penalized.state_dict()
    penalized.step()
    other = Penalized(mlp(), L1(), lam=9.0)
    other.load_state_dict(pickle.loads(pickle.dumps(state)))
    assert other.current() == pytest.approx({"0.weight": 0.2, "2.weight": 0.4})
    other.step()
    assert other.current() == penalized.current()


def test_a_function_as_schedule_stays_when_a_state_is_loaded() -> None:
    penalized = Penalized(mlp(), L1(), lam=0.4, schedule=lambda step: step)
    state = penalized.state_dict()
    penalized.load_state_dict({**state, "step": 3})
    assert penalized.current()["0.weight"] == pytest.approx(1.2)


def test_the_state_of_another_network_is_a_sentence() -> None:
    state = Penalized(mlp(), {("0", "0.bias"): L1()}, lam=0.1).state_dict()
    with pytest.raises(SettingError, match=r"'0\.bias' has the saved λ, but not"):
        Penalized(mlp(), L1(), lam=0.1).load_state_dict(state)


def test_a_copy_and_a_pickle_go_with_their_own_module() -> None:
    module = mlp()
    penalized = Penalized(module, L1(), lam=0.1)
    for both in (
        copy.deepcopy((module, penalized)),
        pickle.loads(pickle.dumps((module, penalized))),
    ):
        other, own = both
        nn.init.ones_(other[0].weight)
        nn.init.zeros_(other[2].weight)
        assert own.value().item() == pytest.approx(1.5)
    assert penalized.value().item() != pytest.approx(1.5)


# ----------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"lam": [0.1]}, r"1 values for the penalty, which acts on 2 parameters \(0.weight, 2"),
        ({"lam": {"0.weight": 0.1}}, "no λ for '2.weight'"),
        ({"lam": {"hidden kernels": [1, 2, 3]}}, "3 values for 'hidden kernels'"),
        ({"lam": {"0.wieght": 0.1}}, "did you mean '0.weight'"),
        ({"lam": -1.0}, "λ of '0.weight' is -1.0"),
        ({"lam": float("nan")}, "is nan"),
        ({"lam": "0.1"}, "is '0.1'"),
        ({"lam": 0.1, "schedule": "linaer", "steps": 3}, "did you mean 'linear'"),
        ({"lam": 0.1, "schedule": "linear"}, "steps is None"),
        ({"lam": 0.1, "schedule": "cosine", "steps": 0}, "steps is 0"),
        ({"lam": 0.1, "schedule": 3}, "schedule is 3"),
        ({"lam": 0.1, "schedule": abs, "steps": 3}, "steps is of a ramp"),
        ({"lam": 0.1, "output": "5"}, "no layer '5'"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_used(options: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        Penalized(mlp(), L1(), **options)


@pytest.mark.parametrize(
    ("module", "penalties", "told"),
    [
        (nn.ReLU(), L1(), "ReLU has no parameters"),
        (nn.Linear(2, 2), L1(), "the network has no hidden kernel"),
        (mlp().requires_grad_(False), L1(), "is frozen"),
        (mlp(), {"1.*": L1()}, "no parameter is called '1.*'"),
        (mlp(), {"hiden kernels": L1()}, "did you mean 'hidden kernels'"),
        (mlp(), {"0": L1(), "*.weight": L2()}, "'0.weight' is named twice, by '0' and"),
        (mlp(), {}, "there is no penalty"),
        (mlp(), {"0": 0.01}, "'0' has 0.01 as penalty"),
        (mlp(), 0.01, "has 0.01 as penalty"),
        ([], L1(), "no parameters to penalize"),
        ([1.0], L1(), "'0' is a float"),
        ([torch.arange(3)], L1(), "int64 numbers"),
        ([torch.ones(3, dtype=torch.complex64)], L1(), "complex64 numbers"),
        ([torch.ones(3)], L1(), "is frozen"),
        (list(nn.LazyLinear(3).parameters()), L1(), "has no shape yet"),
    ],
    ids=str,
)
def test_nothing_to_act_on_is_a_sentence(module: Any, penalties: Any, told: str) -> None:
    with pytest.raises(SettingError, match=re.escape(told)):
        Penalized(module, penalties, lam=0.1)


def test_channels_of_a_grouped_convolution() -> None:
    module = nn.Sequential(nn.Conv1d(4, 4, 3, groups=2), nn.Linear(4, 1))
    Penalized(module, GroupLasso("units"), lam=0.1)
    with pytest.raises(SettingError, match="a convolution in 2 groups, whose inputs"):
        Penalized(module, GroupLasso("inputs"), lam=0.1)


def test_a_schedule_that_returns_nonsense() -> None:
    penalized = Penalized(mlp(), L1(), lam=0.1, schedule=lambda _: "a lot")
    with pytest.raises(SettingError, match="returned 'a lot' at step 0"):
        penalized.value()


def test_a_failed_change_changes_nothing() -> None:
    penalized = Penalized(mlp(), L1(), lam=0.1)
    with pytest.raises(SettingError):
        penalized.lam = {"0.weight": 0.5, "2.weight": -1}
    assert dict(penalized.lam) == {"0.weight": 0.1, "2.weight": 0.1}


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.out = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 1)
        self.b.weight = self.a.weight


def test_a_layer_means_the_kernel_that_it_shares() -> None:
    assert Penalized(Tied(), {"b": L2()}, lam=0.1).names == ("a.weight",)
    assert Penalized(Tied(), {"b.bias": L2()}, lam=0.1).names == ("b.bias",)
    with pytest.raises(SettingError, match=r"'a\.weight' is named twice, by 'a' and 'b'"):
        Penalized(Tied(), {"a": L2(), "b": L2()}, lam=0.1)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (3, "expected a torch.nn.Module, or tensors to be penalized, got a int"),
        (None, "got a NoneType"),
        (mlp, "got a function"),
        ([("a",)], "'0' is a tuple"),
        ("ab", "'0' is a str"),
    ],
    ids=["number", "nothing", "factory", "half a pair", "name"],
)
def test_what_is_no_module_is_a_sentence(model: Any, told: str) -> None:
    with pytest.raises(SettingError, match=told):
        Penalized(model, L1(), lam=0.1)


def test_selectors_are_names() -> None:
    with pytest.raises(SettingError, match="the selector is 3; name a kind"):
        Penalized(mlp(), {3: L1()}, lam=0.1)  # type: ignore[dict-item]  # on purpose
    with pytest.raises(SettingError, match=r"'0' has <class .*L1'> as penalty; use L1\(\)"):
        Penalized(mlp(), {"0": L1}, lam=0.1)  # type: ignore[dict-item]  # on purpose


def test_a_single_layer_is_told_the_name_of_its_own_weight() -> None:
    with pytest.raises(SettingError, match=r"no hidden kernel .*, such as 'weight'$"):
        Penalized(nn.Linear(3, 1), L1(), lam=0.1)
    assert Penalized(nn.Linear(3, 1), {"weight": L1()}, lam=0.1).names == ("weight",)
