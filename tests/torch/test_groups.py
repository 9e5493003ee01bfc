"""Weight decay for some parameters of a module and none for the others."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from shrinkage.errors import SettingError
from shrinkage.torch import parameter_groups


def convolutional() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2)
    )


def test_every_parameter_is_in_one_group() -> None:
    model = convolutional()
    first, rest = parameter_groups(model, 0.1)
    assert first["params"] == [model[0].weight]
    assert (first["weight_decay"], rest["weight_decay"]) == (0.1, 0.0)
    both = {id(p) for group in (first, rest) for p in group["params"]}
    assert both == {id(p) for p in model.parameters()}
    assert len(first["params"]) + len(rest["params"]) == len(list(model.parameters()))


def test_other_selections() -> None:
    model = convolutional()
    first, _ = parameter_groups(model, 0.1, on=("hidden kernels", "output kernels"))
    assert first["params"] == [model[0].weight, model[4].weight]
    (everything,) = parameter_groups(model, 0.1, on="*")
    assert len(everything["params"]) == 6
    first, _ = parameter_groups(model, 0.1, output="0", on="output kernels")
    assert first["params"] == [model[0].weight]


def test_frozen_parameters_are_left_out() -> None:
    model = convolutional()
    model[1].requires_grad_(False)
    assert sum(len(group["params"]) for group in parameter_groups(model, 0.1)) == 4


def test_tied_weights_are_handed_over_once() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    groups = parameter_groups(model, 0.1)
    assert sum(len(group["params"]) for group in groups) == 5
    torch.optim.SGD(groups, lr=0.1)  # would warn of duplicates


def test_wrapped_modules() -> None:
    model = convolutional()
    for wrapped in (torch.compile(model, backend="eager"), nn.DataParallel(model)):
        assert parameter_groups(wrapped, 0.1) == parameter_groups(model, 0.1)


def test_bad_input() -> None:
    with pytest.raises(SettingError, match="weight_decay is -1; it must be 0 or larger"):
        parameter_groups(convolutional(), -1)
    with pytest.raises(SettingError, match=r"no parameter is called 'hiden kernels'; did you mean"):
        parameter_groups(convolutional(), 0.1, on="hiden kernels")
