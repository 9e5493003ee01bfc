"""Proximal optimizers: beside the engine, at their fixed points, and in an optimizer's place."""

from __future__ import annotations

import copy
import io
import pickle
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn, optim

from shrinkage import L1, L2, ElasticNet, GroupLasso
from shrinkage.engine import groups
from shrinkage.engine.optimizers import CODES, update
from shrinkage.errors import SettingError
from shrinkage.penalties import Penalty
from shrinkage.torch.penalized import Penalized
from shrinkage.torch.proximal import Proximal

Make = Callable[[Iterable[Any]], optim.Optimizer]

OPTIMIZERS: dict[str, Make] = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.02, momentum=0.9),
    "nesterov": lambda p: optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True),
    "dampened": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.5),
    "adam": lambda p: optim.Adam(p, lr=0.02),
    "amsgrad": lambda p: optim.Adam(p, lr=0.02, amsgrad=True),
    "fused": lambda p: optim.Adam(p, lr=0.02, fused=True),
    "foreach": lambda p: optim.Adam(p, lr=0.02, foreach=True),
    "tensor rate": lambda p: optim.Adam(p, lr=torch.tensor(0.02)),
    "adamw": lambda p: optim.AdamW(p, lr=0.02, weight_decay=0),
    "nadam": lambda p: optim.NAdam(p, lr=0.02),
    "radam": lambda p: optim.RAdam(p, lr=0.1),
    "adamax": lambda p: optim.Adamax(p, lr=0.05),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.2, lr_decay=1e-4),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.01),
    "rmsprop with momentum": lambda p: optim.RMSprop(p, lr=0.005, momentum=0.8),
    "centered": lambda p: optim.RMSprop(p, lr=0.01, centered=True),
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads cost more than they bring on networks of this size."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def mlp(seed: int = 0, width: int = 8) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(3, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1)
    )


def batch(rows: int = 24, seed: int = 0) -> tuple[Tensor, Tensor]:
    draws = torch.Generator().manual_seed(seed)
    inputs = torch.randn(rows, 3, generator=draws)
    return inputs, inputs[:, :1] - 0.5 * inputs[:, 1:2].square()


def loss_of(module: nn.Module, rows: slice = slice(None)) -> Tensor:
    inputs, targets = batch()
    return nn.functional.mse_loss(module(inputs[rows]), targets[rows])


def train(module: nn.Module, optimizer: optim.Optimizer, steps: int = 5) -> nn.Module:
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(module).backward()
        optimizer.step()
    return module


def weights(module: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in module.parameters()])


# ------------------------------------------------------------------------- beside the engine


ENGINE: dict[str, tuple[str, Make]] = {
    "adam": ("adam", lambda p: optim.Adam(p, lr=0.05, eps=1e-7)),
    "adamw": ("adamw", lambda p: optim.AdamW(p, lr=0.05, eps=1e-7, weight_decay=0)),
    "rmsprop": ("rmsprop", lambda p: optim.RMSprop(p, lr=0.05, alpha=0.9, eps=1e-7)),
    "momentum": ("sgd", lambda p: optim.SGD(p, lr=0.05, momentum=0.9)),
    "nesterov": ("sgd", lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True)),
}


@pytest.mark.parametrize(
    "penalty",
    [L1(), L2(), L2(decoupled=True), ElasticNet(0.4), GroupLasso(), GroupLasso("inputs")],
    ids=lambda p: p.name + ("_decoupled" if p.decoupled else ""),
)
@pytest.mark.parametrize("name", ENGINE)
def test_each_step_is_the_engines(name: str, penalty: Penalty) -> None:
    rng = np.random.default_rng(3)
    code, make = ENGINE[name]
    kernel = rng.normal(size=(6, 4))  # (fan-in, fan-out)
    kernel[2], kernel[:, 3] = 0.05 * kernel[2], 0.05 * kernel[:, 3]
    weight = nn.Parameter(torch.from_numpy(kernel.T.copy()))
    optimizer = Proximal(make([weight]), [weight], penalty, lam=0.08)
    flat = kernel.flatten()
    first, second = np.zeros_like(flat), np.zeros_like(flat)
    settings = np.array([-0.9 if name == "nesterov" else 0.9, 0.9, 0.999, 0.9, 1e-7])
    for step in range(1, 13):
        gradient = rng.normal(size=(6, 4)) * 0.2 * np.abs(kernel)
        spent = gradient.flatten()
        update(
            CODES[code], flat, spent, first, second, step, 0.05, settings,
            0.08 * penalty.l1_share, 0.08 * penalty.l2_share, penalty.decoupled or name == "adamw",
        )  # fmt: skip
        groups.shrink_groups(
            groups.CODES[penalty.groups], CODES[code], flat, second, spent, np.empty(24), 6, 4,
            step, 0.05, settings, 0.08 * penalty.group_share,
        )  # fmt: skip
        weight.grad = torch.from_numpy(gradient.T.copy())
        optimizer.step()
        found = weight.detach().numpy().T.flatten()
        np.testing.assert_allclose(found, flat, rtol=1e-7, atol=1e-12)
        assert np.array_equal(found == 0, flat == 0)
    if not penalty.l2_share:
        assert (flat == 0).any()


# --------------------------------------------------------------------------- at its fixed points


@pytest.mark.parametrize(
    ("name", "penalty"),
    [
        pytest.param(name, penalty, id=f"{name}-{penalty.name}")
        for name in OPTIMIZERS
        for penalty in (L1(), ElasticNet(0.5), GroupLasso())
        if not (name == "adamw" and penalty.l2_share)  # decoupled: at rest elsewhere
        if penalty == L1() or name not in ("fused", "foreach", "tensor rate")  # all Adam's
    ],
)
def test_it_comes_to_rest_where_the_penalized_loss_is_stationary(
    name: str, penalty: Penalty
) -> None:
    draws = torch.Generator().manual_seed(1)
    inputs = torch.randn(40, 6, generator=draws, dtype=torch.float64)
    targets = inputs @ torch.tensor([[1.0, -0.7, 0, 0, 0.02, 0]] * 3, dtype=torch.float64).T
    targets = targets * torch.tensor([1.0, 0.4, 0.05])
    weight = nn.Parameter(torch.full((3, 6), 0.3, dtype=torch.float64))
    optimizer = Proximal(OPTIMIZERS[name]([weight]), [weight], penalty, lam=0.1)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, 300)

    def slope() -> Tensor:
        optimizer.zero_grad()
        (inputs @ weight.T - targets).square().mean(0).sum().backward()
        assert weight.grad is not None
        return weight.grad

    for _ in range(300):
        slope()
        optimizer.step()
        schedule.step()
    away = penalty.stationarity(weight.detach().T.numpy(), slope().T.numpy(), 0.1)
    assert away.max() < 2e-3
    assert 0 < int((weight == 0).sum()) < 18
    assert not torch.signbit(weight[weight == 0]).any()


# ------------------------------------------------------------------------- what it acts on, how


def test_zeros_are_exact_and_only_in_hidden_kernels() -> None:
    module = mlp()
    train(module, Proximal(optim.Adam(module.parameters(), lr=0.02), module, L1(), lam=0.1), 80)
    assert all(bool((module[place].weight == 0).any()) for place in (0, 2))
    assert all(bool((module[place].bias != 0).all()) for place in (0, 2, 4))
    assert bool((module[4].weight != 0).all())


def test_without_lambda_it_is_the_optimizer() -> None:
    for name, make in OPTIMIZERS.items():
        bare, other = mlp(), mlp()
        train(bare, make(bare.parameters()))
        train(other, Proximal(make(other.parameters()), other, ElasticNet(), lam=0.0))
        assert torch.equal(weights(bare), weights(other)), name


def test_the_coupled_l2_part_is_the_optimizers_own_weight_decay() -> None:
    for name in ("adam", "nesterov", "rmsprop", "adagrad"):
        decayed, other = mlp(), mlp()
        kernels = [decayed[0].weight, decayed[2].weight]
        rest = [p for p in decayed.parameters() if all(p is not kernel for kernel in kernels)]
        own = OPTIMIZERS[name](
            [{"params": kernels, "weight_decay": 0.3}, {"params": rest, "weight_decay": 0.0}]
        )
        train(decayed, own)
        train(other, Proximal(OPTIMIZERS[name](other.parameters()), other, L2(), lam=0.3))
        torch.testing.assert_close(weights(decayed), weights(other), rtol=1e-5, atol=1e-6)


def test_under_adamw_it_is_the_optimizers_own_weight_decay_too() -> None:
    decayed, other = mlp(), mlp()
    kernels = [decayed[0].weight, decayed[2].weight]
    rest = [p for p in decayed.parameters() if all(p is not kernel for kernel in kernels)]
    both = [{"params": kernels, "weight_decay": 0.3}, {"params": rest, "weight_decay": 0.0}]
    train(decayed, optim.AdamW(both, lr=0.02))
    bare = optim.AdamW(other.parameters(), lr=0.02, weight_decay=0)
    train(other, Proximal(bare, other, L2(), lam=0.3))
    torch.testing.assert_close(weights(decayed), weights(other), rtol=1e-5, atol=1e-6)


def test_gradients_stay_those_of_the_loss() -> None:
    module = mlp()
    optimizer = Proximal(optim.SGD(module.parameters(), lr=0.1), module, L2(), lam=5.0)
    loss_of(module).backward()
    before = [p.grad for p in module.parameters()]
    copies = [p.grad.clone() for p in module.parameters()]
    optimizer.step()
    for parameter, gradient, copied in zip(module.parameters(), before, copies, strict=True):
        assert parameter.grad is gradient
        assert torch.equal(gradient, copied)


def test_maximizing_subtracts_the_penalty() -> None:
    up, down = mlp(), mlp()
    ascent = optim.SGD(up.parameters(), lr=0.05, maximize=True)
    upwards = Proximal(ascent, up, ElasticNet(), lam=0.2)
    downwards = Proximal(optim.SGD(down.parameters(), lr=0.05), down, ElasticNet(), lam=0.2)
    for _ in range(5):
        upwards.zero_grad()
        (-loss_of(up)).backward()
        upwards.step()
    assert torch.allclose(weights(train(down, downwards)), weights(up))


def test_groups_of_parameters_have_their_own_rate() -> None:
    module = mlp()
    bare = optim.SGD(
        [{"params": module[0].parameters(), "lr": 0.5}, {"params": module[2:].parameters()}],
        lr=0.125,
    )
    optimizer = Proximal(bare, module, L1(), lam=0.25)
    before = [module[place].weight.detach().clone() for place in (0, 2)]
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for place, was, rate in zip((0, 2), before, (0.5, 0.125), strict=True):
        expected = L1().prox(was.numpy(), 0.25, rate)
        np.testing.assert_allclose(module[place].weight.detach().numpy(), expected)


def test_what_gets_no_gradient_is_not_shrunk() -> None:
    module = mlp()
    optimizer = Proximal(optim.Adam(module.parameters()), module, ElasticNet(), lam=0.5)
    train(module, optimizer)
    before = module[0].weight.detach().clone()
    optimizer.zero_grad()
    loss_of(module).backward()
    module[0].weight.grad = None
    optimizer.step()
    assert torch.equal(module[0].weight, before)


def test_layers_of_a_convolution_lose_channels() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv1d(2, 6, 3), nn.ConvTranspose1d(6, 4, 2), nn.Flatten(), nn.Linear(28, 1)
    )
    bare = optim.Adam(module.parameters(), lr=0.01)
    optimizer = Proximal(bare, module, GroupLasso(), lam=0.05)
    inputs = torch.randn(16, 2, 8)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.mse_loss(module(inputs), inputs[:, :1].mean(2)).backward()
        optimizer.step()
    for kernel in (module[0].weight, module[1].weight.transpose(0, 1)):
        dead = (kernel == 0).flatten(1)
        assert torch.equal(dead.any(1), dead.all(1))
    assert bool((module[0].weight == 0).any() | (module[1].weight == 0).any())


# ----------------------------------------------------------------------------- λ while it trains


def test_lam_can_be_changed_and_rises() -> None:
    module = mlp()
    bare = optim.SGD(module.parameters(), lr=0.5)
    optimizer = Proximal(bare, module, L1(), lam=0.5, schedule="linear", steps=2)
    lost = []
    for turn in range(4):
        if turn == 3:
            optimizer.set_lam("0.weight", 0.0)
        before = module[0].weight.detach().abs().sum()
        for parameter in module.parameters():
            parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
        lost.append((before - module[0].weight.detach().abs().sum()).item())
    assert lost[0] == lost[3] == 0.0
    assert 0 < lost[1] < lost[2]
    optimizer.lam = 1e6
    optimizer.step()
    assert bool((module[0].weight == 0).all())
    assert optimizer.lam["0.weight"] == 1e6


def test_one_lam_for_the_optimizer_and_for_what_is_shown() -> None:
    module = mlp()
    penalized = Penalized(module, L1(), lam=0.1)
    optimizer = Proximal(optim.Adam(module.parameters()), penalized)
    penalized.lam = 0.3
    assert optimizer.lam["0.weight"] == 0.3
    kernels = module[0].weight.abs().sum() + module[2].weight.abs().sum()
    torch.testing.assert_close(optimizer.value(), 0.3 * kernels)


# ------------------------------------------------------------------------- in the optimizer's place


def test_learning_rate_schedulers_drive_it() -> None:
    module = mlp()
    optimizer = Proximal(
        optim.SGD(module.parameters(), lr=1.0, momentum=0.5), module, L1(), lam=0.01
    )
    halving = optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    cycle = optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=10)
    for scheduler in (halving, cycle):
        train(module, optimizer, 1)
        scheduler.step()
    assert optimizer.param_groups is optimizer.optimizer.param_groups
    assert optimizer.param_groups[0]["momentum"] != 0.5  # the cycle moves it


def test_gradients_are_accumulated() -> None:
    whole, halves = mlp(), mlp()
    train(whole, Proximal(optim.Adam(whole.parameters()), whole, ElasticNet(), lam=0.1))
    optimizer = Proximal(optim.Adam(halves.parameters()), halves, ElasticNet(), lam=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        for rows in (slice(0, 12), slice(12, 24)):
            (loss_of(halves, rows) / 2).backward()
        optimizer.step()
    torch.testing.assert_close(weights(halves), weights(whole), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["adam", "fused", "nesterov"])
def test_a_step_that_grad_scaler_skips_shrinks_nothing(name: str) -> None:
    module, other = mlp(), mlp()
    optimizer = Proximal(OPTIMIZERS[name](module.parameters()), module, ElasticNet(), lam=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    for turn in range(6):
        optimizer.zero_grad()
        scaler.scale(loss_of(module)).backward()
        before = weights(module)
        if turn == 3:
            module[4].bias.grad.fill_(torch.inf)
        scaler.step(optimizer)
        scaler.update()
        assert torch.equal(before, weights(module)) == (turn == 3)
    assert optimizer.penalized.strength.step == 5
    own = Proximal(OPTIMIZERS[name](other.parameters()), other, ElasticNet(), lam=0.1)
    torch.testing.assert_close(weights(train(other, own)), weights(module), rtol=1e-4, atol=1e-6)


def test_autocast_leaves_the_weights_exact() -> None:
    module = mlp()
    optimizer = Proximal(optim.Adam(module.parameters(), lr=0.02), module, L1(), lam=0.1)
    for _ in range(40):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = optimizer.penalized(loss_of(module).float())
        loss.backward()
        optimizer.step()
    assert module[0].weight.dtype == torch.float32
    assert bool((module[0].weight == 0).any())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(dtype: torch.dtype) -> None:
    module = mlp().to(dtype)
    optimizer = Proximal(optim.AdamW(module.parameters(), weight_decay=0), module, L1(), lam=9.0)
    for parameter in module.parameters():
        parameter.grad = torch.full_like(parameter, 0.01)
    for _ in range(60):
        optimizer.step()
    assert bool((module[2].weight == 0).any())
    assert bool(torch.isfinite(weights(module)).all())


def test_a_compiled_module_is_the_same() -> None:
    plain, other = mlp(), mlp()
    compiled = torch.compile(other, backend="eager")
    train(plain, Proximal(optim.Adam(plain.parameters()), plain, L1(), lam=0.1))
    train(compiled, Proximal(optim.Adam(compiled.parameters()), compiled, L1(), lam=0.1))
    torch.testing.assert_close(weights(other), weights(plain))


# PyTorch's compiler imports what PyTorch has deprecated.
@pytest.mark.filterwarnings("ignore:.*torch.jit.script_method:DeprecationWarning")
@pytest.mark.parametrize("name", ["adam", "nesterov", "rmsprop"])
def test_the_step_itself_can_be_compiled(name: str) -> None:
    plain, other = mlp(), mlp()
    train(plain, Proximal(OPTIMIZERS[name](plain.parameters()), plain, ElasticNet(), lam=0.1))
    optimizer = Proximal(OPTIMIZERS[name](other.parameters()), other, ElasticNet(), lam=0.1)
    step = torch.compile(optimizer.step, backend="eager")
    for _ in range(5):
        optimizer.zero_grad()
        loss_of(other).backward()
        step()
    torch.testing.assert_close(weights(other), weights(plain))
    assert optimizer.penalized.strength.step == 5


def test_a_closure_is_evaluated_once() -> None:
    plain, other = mlp(), mlp()
    optimizer = Proximal(optim.Adam(other.parameters()), other, ElasticNet(), lam=0.1)
    losses: list[Tensor] = []

    def closure() -> Tensor:
        optimizer.zero_grad()
        losses.append(loss_of(other))
        losses[-1].backward()
        return losses[-1]

    returned = [optimizer.step(closure) for _ in range(5)]
    assert [id(loss) for loss in returned] == [id(loss) for loss in losses]
    own = Proximal(optim.Adam(plain.parameters()), plain, ElasticNet(), lam=0.1)
    assert torch.equal(weights(train(plain, own)), weights(other))


def test_hooks_are_called() -> None:
    module = mlp()
    optimizer = Proximal(optim.Adam(module.parameters()), module, L1(), lam=0.1)
    called: list[str] = []
    optimizer.register_step_pre_hook(lambda *_: called.append("before"))
    optimizer.register_step_post_hook(lambda *_: called.append("after"))
    optimizer.register_state_dict_post_hook(lambda *_: called.append("state"))
    train(module, optimizer, 1)
    optimizer.state_dict()
    assert called == ["before", "after", "state"]


# --------------------------------------------------------------------------- kept and restored


@pytest.mark.parametrize("name", ["nesterov", "adam", "amsgrad", "rmsprop", "adagrad"])
def test_a_state_goes_on_where_it_was(name: str) -> None:
    options: dict[str, Any] = {"lam": 0.1, "schedule": "linear", "steps": 12}
    module = mlp()
    optimizer = Proximal(OPTIMIZERS[name](module.parameters()), module, ElasticNet(), **options)
    train(module, optimizer)
    optimizer.set_lam("2.weight", 0.2)
    file = io.BytesIO()
    torch.save({"module": module.state_dict(), "optimizer": optimizer.state_dict()}, file)
    train(module, optimizer)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    other = mlp(seed=7)
    other.load_state_dict(saved["module"])
    again = Proximal(OPTIMIZERS[name](other.parameters()), other, ElasticNet(), **options)
    again.load_state_dict(saved["optimizer"])
    assert torch.equal(weights(train(other, again)), weights(module))
    assert dict(again.lam) == {"0.weight": 0.1, "2.weight": 0.2}


def test_the_state_of_a_bare_optimizer_can_be_loaded() -> None:
    module = mlp()
    bare = optim.Adam(module.parameters(), lr=0.5)
    train(module, bare)
    state = copy.deepcopy(bare.state_dict())
    optimizer = Proximal(optim.Adam(module.parameters()), module, L1(), lam=0.1)
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert dict(optimizer.lam) == {"0.weight": 0.1, "2.weight": 0.1}


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda both: pickle.loads(pickle.dumps(both))])
def test_a_pickle_and_a_copy_go_on_with_their_module(copied: Callable[[Any], Any]) -> None:
    module = mlp()
    optimizer = Proximal(
        optim.Adam(module.parameters(), lr=0.02), module, L1(), lam=0.1, schedule="cosine", steps=9
    )
    optim.lr_scheduler.StepLR(optimizer, 100)  # replaces `step` by a wrapper
    train(module, optimizer)
    other, own = copied((module, optimizer))
    train(module, optimizer)
    train(other, own)
    assert torch.equal(weights(module), weights(other))
    assert own.penalized.strength.step == 10


def test_a_group_that_is_added_is_trained() -> None:
    module, extra = mlp(), nn.Parameter(torch.ones(2))
    optimizer = Proximal(optim.SGD(module.parameters(), lr=0.1), module, L1(), lam=0.1)
    optimizer.add_param_group({"params": [extra], "lr": 1.0})
    extra.grad = torch.ones(2)
    optimizer.step()
    assert torch.equal(extra, torch.zeros(2))
    assert len(optimizer.param_groups) == len(optimizer.optimizer.param_groups) == 2


def test_what_it_says_of_itself() -> None:
    module = mlp()
    optimizer = Proximal(optim.Adam(module.parameters()), module, L1(), lam=0.1)
    assert re.search(r"Proximal \(\n +Adam \((.|\n)*0.weight: L1, λ = 0.1", repr(optimizer))


# ----------------------------------------------------------------------------------- bad input


class Own(optim.SGD):
    """With a step of its own."""

    def step(self, closure: Any = None) -> Any:
        return super().step(closure)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (optim.LBFGS, "LBFGS takes steps along a curve"),
        (optim.Adadelta, "multiplies each gradient is not known here"),
        (optim.Rprop, "Rprop"),
        (lambda p: Own(p, lr=0.1), "what Own multiplies"),
        (lambda p: optim.Adam(p, differentiable=True), "differentiable"),
        (list, "a list cannot be wrapped"),
    ],
    ids=["lbfgs", "adadelta", "rprop", "own step", "differentiable", "no optimizer"],
)
def test_optimizers_that_cannot_be_wrapped(make: Callable[[Any], Any], told: str) -> None:
    module = mlp()
    with pytest.raises(SettingError, match=told):
        Proximal(make(module.parameters()), module, L1(), lam=0.1)


def test_a_subclass_that_leaves_the_step_alone_is_as_its_base() -> None:
    class Fast(optim.Adam):
        def __init__(self, parameters: Any) -> None:
            super().__init__(parameters, lr=0.1)

    module = mlp()
    Proximal(Fast(module.parameters()), module, L1(), lam=0.1)


def test_it_is_not_wrapped_twice() -> None:
    module = mlp()
    once = Proximal(optim.Adam(module.parameters()), module, L1(), lam=0.1)
    with pytest.raises(SettingError, match="a Proximal cannot be wrapped"):
        Proximal(once, module, L1(), lam=0.1)


def test_penalties_and_lam_are_given_once() -> None:
    module = mlp()
    bare = optim.Adam(module.parameters())
    with pytest.raises(SettingError, match="a penalty and its λ are needed"):
        Proximal(bare, module, L1())
    with pytest.raises(SettingError, match="has its penalties, λ and schedule already"):
        Proximal(bare, Penalized(module, L1(), lam=0.1), lam=0.1)
    with pytest.raises(SettingError, match="has its penalties, λ and schedule already"):
        Proximal(bare, Penalized(module, L1(), lam=0.1), schedule="linear", steps=5)


def test_the_optimizer_has_to_hold_what_is_penalized() -> None:
    module = mlp()
    with pytest.raises(SettingError, match="holds none of the 2 penalized"):
        Proximal(optim.Adam(mlp().parameters()), module, L1(), lam=0.1)
    with pytest.raises(SettingError, match="lacks 1 of the 2 penalized"):
        Proximal(optim.Adam(module[2:].parameters()), module, L1(), lam=0.1)


def test_a_parameter_that_was_replaced_before_or_after() -> None:
    module = mlp()
    bare = optim.Adam(module.parameters())
    optimizer = Proximal(bare, module, L1(), lam=0.1)
    module[0].weight = nn.Parameter(torch.ones(8, 3))
    loss_of(module).backward()
    with pytest.raises(SettingError, match="was replaced after"):
        optimizer.step()
    with pytest.raises(SettingError, match="the optimizer lacks"):
        Proximal(bare, module, L1(), lam=0.1)


def test_weight_decay_beside_it() -> None:
    module = mlp()
    decayed = optim.AdamW(module.parameters())
    with pytest.raises(SettingError, match=r"weight_decay=0.01 .* penalized twice"):
        Proximal(decayed, module, ElasticNet(), lam=0.1)
    with pytest.warns(UserWarning, match=r"'0.weight' has weight_decay=0.01 .* L1 on top"):
        Proximal(decayed, module, L1(), lam=0.1)
    kernels = [{"params": [module[0].weight, module[2].weight], "weight_decay": 0.0}]
    rest = [*module[4].parameters(), module[0].bias]
    Proximal(optim.AdamW([*kernels, {"params": rest}]), module, ElasticNet(), lam=0.1)


def test_a_sparse_gradient() -> None:
    module = nn.Sequential(nn.Embedding(5, 3, sparse=True), nn.Linear(3, 1))
    bare = optim.SGD(module.parameters(), lr=0.1)
    optimizer = Proximal(bare, module, {"embeddings": L1()}, lam=0.1)
    module(torch.tensor([1, 2])).sum().backward()
    with pytest.raises(SettingError, match="is sparse, and most"):
        optimizer.step()


def test_a_step_that_is_refused_moves_nothing() -> None:
    module = nn.Sequential(nn.Embedding(5, 3), nn.Embedding(5, 3, sparse=True), nn.Linear(3, 1))
    bare = optim.SGD(module.parameters(), lr=0.1)
    optimizer = Proximal(bare, module, {"embeddings": L2(decoupled=True)}, lam=0.5)
    places = torch.tensor([1, 2])
    module[2](module[0](places) + module[1](places)).sum().backward()
    before = weights(module)
    with pytest.raises(SettingError, match="is sparse, and most"):
        optimizer.step()
    assert torch.equal(weights(module), before)


def test_a_module_may_change_its_precision() -> None:
    module = mlp()
    optimizer = Proximal(optim.SGD(module.parameters(), lr=0.1), module, ElasticNet(), lam=0.1)
    train(module, optimizer, 2)
    module.double()
    for parameter in module.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    assert module[0].weight.dtype == torch.float64


def test_the_state_on_another_device() -> None:
    module = mlp()
    optimizer = Proximal(optim.Adam(module.parameters()), module, L1(), lam=0.1)
    train(module, optimizer, 1)
    state = optimizer.state[module[0].weight]
    state["exp_avg_sq"] = state["exp_avg_sq"].to("meta")
    with pytest.raises(SettingError, match=r"is on cpu, but .* state of it on meta"):
        train(module, optimizer, 1)


def test_a_failed_step_leaves_the_gradients_as_they_were() -> None:
    module = mlp()
    optimizer = Proximal(optim.SGD(module.parameters(), lr=0.1), module, L2(), lam=0.1)

    def broken() -> Tensor:
        raise RuntimeError("no loss today")

    loss_of(module).backward()
    before = [p.grad for p in module.parameters()]
    with pytest.raises(RuntimeError, match="no loss today"):
        optimizer.step(broken)
    assert [p.grad for p in module.parameters()] == before
