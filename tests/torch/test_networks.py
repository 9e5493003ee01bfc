"""Modules from a factory: made anew each time, on a device that there is."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from shrinkage.errors import SettingError
from shrinkage.torch import path
from shrinkage.torch.networks import device_of, made_by


def fresh():
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


ONE = fresh()
BACKBONE = nn.Linear(3, 4)


def seeding_itself():
    torch.manual_seed(0)
    return fresh()


def seeding_itself_as_the_path_does_at_first():
    torch.manual_seed(1)
    return fresh()


def with_a_part_of_another():
    return nn.Sequential(BACKBONE, nn.ReLU(), nn.Linear(4, 2))


NORMED = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).requires_grad_(False)


def with_statistics_of_another():
    return nn.Sequential(NORMED, nn.Linear(4, 2))


@pytest.mark.parametrize(
    ("factory", "sentence"),
    [
        (with_statistics_of_another, r"return the same '0\.1\.running_mean' and 1 more"),
        (lambda: ONE, r"two calls of the factory return the same '0\.weight' and 3 more"),
        (with_a_part_of_another, r"return the same '0\.weight' and 1 more"),
        (seeding_itself, r"calls torch\.manual_seed itself, so every seed would start from the s"),
        (seeding_itself_as_the_path_does_at_first, r"calls torch\.manual_seed itself"),
        (lambda: fresh().to("meta"), r"makes '0\.weight' on the meta device"),
        (lambda: None, "the factory makes a NoneType"),
    ],
)
def test_a_factory_that_makes_no_draws(factory, sentence):
    with pytest.raises(SettingError, match=sentence) as caught:
        made_by(factory)
    assert "\n" not in str(caught.value)


def test_a_path_of_one_module_is_refused_before_anything_is_trained():
    rows = np.eye(8, 3, dtype="float32"), np.arange(8) % 2
    with pytest.raises(SettingError, match="return the same"):
        path(lambda: ONE, rows, penalties="l2", lambdas=[0.1], seeds=3, verbose=0)


def loaded():
    return copy.deepcopy(ONE)


def constant():
    module = nn.Linear(3, 2)
    nn.init.zeros_(module.weight)
    nn.init.zeros_(module.bias)
    return module


def of_its_own_generator():
    module = fresh()
    for p in module.parameters():
        nn.init.normal_(p, generator=torch.Generator().manual_seed(3))
    return module


@pytest.mark.parametrize("factory", [loaded, constant, of_its_own_generator])
def test_the_same_start_may_be_meant_and_is_said(factory):
    rows = np.eye(8, 3, dtype="float32"), np.arange(8) % 2
    with pytest.warns(UserWarning, match="the same first weights whatever the seed") as caught:
        path(factory, rows, penalties="l2", lambdas=[0.1], seeds=1, folds=2, epochs=1, on="*",
             verbose=0)  # fmt: skip
    assert caught[0].filename == __file__


def frozen_part_of_another():
    module = with_a_part_of_another()
    return nn.Sequential(module[0].requires_grad_(False), nn.ReLU(), nn.Linear(4, 2))


def loaded_with_a_new_head():
    module = copy.deepcopy(ONE)
    module[2] = nn.Linear(4, 2)
    return module


@pytest.mark.parametrize("factory", [fresh, loaded_with_a_new_head, frozen_part_of_another])
def test_draws_are_fine_and_leave_the_generator_alone(factory):
    before = torch.random.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made_by(factory)
    BACKBONE.requires_grad_(True)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    ("device", "sentence"),
    [
        ("abc", r"the device 'abc' cannot be used here \(Expected one of cpu"),
        ("cuda:99", r"the device 'cuda:99' cannot be used here"),
        (object(), "cannot be used here"),
        ("meta", "the device 'meta' holds no numbers"),
    ],
)
def test_a_device_that_there_is_not(device, sentence):
    with pytest.raises(SettingError, match=sentence) as caught:
        device_of(device)
    assert "\n" not in str(caught.value)


def test_devices_by_name_and_as_pytorch_has_them():
    assert device_of(None) is None
    assert device_of("cpu") == device_of(torch.device("cpu")) == "cpu"
