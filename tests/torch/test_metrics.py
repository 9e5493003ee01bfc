"""Metrics of optimizers: numbers at hand and tensors on a device say the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from torch import nn, optim

from shrinkage.torch import metrics
from shrinkage.torch.metrics import metric_of

OPTIMIZERS: dict[str, Callable[[Iterable[Any]], optim.Optimizer]] = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.5),
    "adam": lambda p: optim.Adam(p, lr=0.1),
    "amsgrad": lambda p: optim.Adam(p, lr=0.1, amsgrad=True),
    "nadam": lambda p: optim.NAdam(p, lr=0.1),
    "radam": lambda p: optim.RAdam(p, lr=0.1),
    "adamax": lambda p: optim.Adamax(p, lr=0.1),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.1, momentum=0.5),
    "centered": lambda p: optim.RMSprop(p, lr=0.1, centered=True),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_tensors_on_a_device_give_the_same_metric(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    weight = nn.Parameter(torch.ones(4, 3))
    optimizer = OPTIMIZERS[name]([weight])
    metric = metric_of(optimizer)
    for _ in range(12):
        weight.grad = torch.randn(4, 3)
        optimizer.step()
        group, state = optimizer.param_groups[0], optimizer.state[weight]
        at_hand = torch.as_tensor(metric(group, state).step())
        with monkeypatch.context() as patched:
            # Not read: as where that would wait for a GPU.
            patched.setattr(metrics, "number", torch.as_tensor)
            waiting = torch.as_tensor(metric({**group, "lr": torch.tensor(0.1)}, state).step())
        # RAdam's rectification subtracts near equals, in single precision there as in PyTorch.
        near = 1e-2 if name == "radam" else 1e-4
        torch.testing.assert_close(waiting, at_hand.expand_as(waiting), rtol=near, atol=0)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_is_what_a_gradient_is_multiplied_by(name: str) -> None:
    """A change of the gradient, kept up, moves a weight by the metric times that per step."""
    start, change = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64), 1e-7

    def last_steps(push: float) -> tuple[torch.Tensor, torch.Tensor]:
        weight = nn.Parameter(start.clone())
        optimizer = OPTIMIZERS[name]([weight])
        optimizer.param_groups[0]["lr_decay"] = 0.0
        found = []
        for step in range(400):
            found.append(weight.detach().clone())
            # Noise that cancels in two steps keeps the second moment what it is.
            noise = torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64) * (-1) ** step
            weight.grad = noise + push
            optimizer.step()
        metric = metric_of(optimizer)(optimizer.param_groups[0], optimizer.state[weight])
        step_of_each = torch.as_tensor(metric.step(), dtype=torch.float64).expand(3)
        return (found[-2] - weight.detach()) / 2, step_of_each

    moved, metric = last_steps(change)
    without, _ = last_steps(0.0)
    # Adamax scales by the largest gradient, which the push itself changes: the mean of 0.1/1.9.
    near = 0.06 if name == "adamax" else 0.02
    torch.testing.assert_close((moved - without) / change, metric, rtol=near, atol=0)
