"""PyTorch's weight_decay beside the engine: the gradient and the decay, read off one step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from shrinkage.conventions import TORCH_WEIGHT_DECAY, convert
from shrinkage.penalties import L2

VALUE = 0.17


def step(bench: Any, kind: Any, decay: float, **settings: Any) -> tuple[Any, Any]:
    """Flat parameters after one step with `decay` on the hidden kernels, and the optimizer."""
    module = bench.module()
    linear = [layer for layer in module if isinstance(layer, torch.nn.Linear)]
    rest = [linear[-1].weight, *(layer.bias for layer in linear)]
    hidden = [layer.weight for layer in linear[:-1]]
    groups = [{"params": hidden, "weight_decay": decay}, {"params": rest, "weight_decay": 0.0}]
    optimizer = kind(groups, **settings)
    bench.loss(module(torch.tensor(bench.inputs))).backward()
    optimizer.step()
    return gathered(bench, linear, lambda each: each), (
        optimizer,
        lambda of: gathered(bench, linear, of),
    )


def gathered(bench: Any, linear: list[torch.nn.Linear], of: Any) -> Any:
    """What `of` makes of every parameter, in the order of the engine's."""
    kernels = [of(layer.weight).detach().numpy().T for layer in linear]
    return bench.flat(kernels, [of(layer.bias).detach().numpy() for layer in linear])


def test_weight_decay_of_sgd_has_the_gradient_of_ours(bench: Any) -> None:
    lam = convert(VALUE, "torch.sgd", "shrinkage.l2").value
    after, _ = step(bench, torch.optim.SGD, VALUE, lr=0.5)
    theirs = (bench.start.astype(np.float64) - after) / 0.5
    bench.assert_same(theirs, bench.gradient(L2(), lam))
    with pytest.raises(AssertionError):
        bench.assert_same(theirs, bench.gradient(L2(), 1.01 * lam))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_weight_decay_of_sgd_enters_before_the_momentum(bench: Any, momentum: float) -> None:
    """The buffer holds it, so momentum makes it no weaker beside the gradient."""
    _, (optimizer, over) = step(bench, torch.optim.SGD, VALUE, lr=0.5, momentum=momentum)
    if momentum:
        buffered = over(lambda each: optimizer.state[each]["momentum_buffer"])
        bench.assert_same(buffered, bench.gradient(L2(), VALUE))


def test_weight_decay_of_adam_has_the_gradient_of_ours(bench: Any) -> None:
    """The first moment after one step is (1 − β₁) times it."""
    lam = convert(VALUE, "torch.adam", "shrinkage.l2").value
    _, (optimizer, over) = step(bench, torch.optim.Adam, VALUE, lr=0.1, betas=(0.9, 0.999))
    theirs = over(lambda each: optimizer.state[each]["exp_avg"] / (1 - 0.9))
    bench.assert_same(theirs, bench.gradient(L2(), lam))
    with pytest.raises(AssertionError):
        bench.assert_same(theirs, bench.gradient(L2(), 1.01 * lam))


def test_adamw_takes_the_step_of_our_decoupled_one(bench: Any) -> None:
    lam = convert(VALUE, "torch.adamw", "shrinkage.l2.decoupled", learning_rate=0.1).value
    theirs, _ = step(bench, torch.optim.AdamW, VALUE, lr=0.1, eps=1e-7)
    how = {"optimizer": "adamw", "learning_rate": 0.1, "epsilon": 1e-7}
    bench.assert_same(theirs, bench.stepped(L2(), lam, **how))
    stronger = bench.stepped(L2(), 1.01 * lam, **how)
    with pytest.raises(AssertionError):
        bench.assert_same(theirs, stronger)


def test_adamw_at_another_learning_rate_keeps_the_decay_of_a_step() -> None:
    """Without gradients, one step at each rate leaves the same weights."""
    after = []
    other = convert(0.17, "torch.adamw", "torch.adamw", learning_rate=0.1, to_learning_rate=0.004)
    for rate, decay in ((0.1, 0.17), (0.004, other.value)):
        w = torch.ones(3, dtype=torch.float64, requires_grad=True)
        w.grad = torch.zeros_like(w)
        torch.optim.AdamW([w], lr=rate, weight_decay=decay).step()
        after.append(w.detach())
    torch.testing.assert_close(after[0], after[1], rtol=1e-12, atol=0)
    assert float(after[0][0]) == pytest.approx(1 - 0.1 * 0.17)


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam, torch.optim.RMSprop])
def test_weight_decay_joins_the_gradient(kind: Any) -> None:
    """Three steps on the loss with weight_decay are those with our penalty inside the loss."""
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    after = []
    for inside in (False, True):
        w = start.clone().requires_grad_()
        decay = 0.0 if inside else TORCH_WEIGHT_DECAY.value(0.3)
        optimizer = kind([w], lr=0.1, weight_decay=decay)
        for _ in range(3):
            loss = (w - 1).pow(4).sum() + (0.3 / 2 * w.square().sum() if inside else 0)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        after.append(w.detach().numpy())
    np.testing.assert_allclose(after[0], after[1], rtol=1e-12)
    assert np.abs(after[0] - start.numpy()).max() > 0.01


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW])
def test_every_parameter_decays_unless_it_has_a_group_of_its_own(kind: Any) -> None:
    layer = torch.nn.Linear(2, 2)
    layer.bias.data.fill_(1.0)
    for parameter in layer.parameters():
        parameter.grad = torch.zeros_like(parameter)
    kind(layer.parameters(), lr=0.1, weight_decay=0.5).step()
    assert float(layer.bias.detach().max()) < 1
