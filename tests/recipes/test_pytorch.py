"""The PyTorch program does what the engine did."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from shrinkage.data import bundled, prepare
from shrinkage.network import ACTIVATIONS
from shrinkage.penalties import L1, L2, ElasticNet
from shrinkage.recipes.pytorch import recipe

PENALTIES = {
    "none": (None, 0.0),
    "L1": (L1(), 0.02),
    "L2": (L2(), 0.3),
    "decoupled L2": (L2(decoupled=True), 0.3),
    "elastic net": (ElasticNet(0.4), 0.05),
}
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "adam": {"optimizer": "adam", "beta2": 0.99},
    "adamw": {"optimizer": "adamw", "beta1": 0.8},
    "rmsprop": {"optimizer": "rmsprop", "epsilon": 1e-4},
    "momentum": {"optimizer": "sgd", "learning_rate": 0.05},
    "nesterov": {"optimizer": "sgd", "nesterov": True, "learning_rate": 0.05},
    "no momentum": {"optimizer": "sgd", "momentum": 0.0, "learning_rate": 0.5},
}


def put(blocks: list[Any]) -> Any:
    """A hook that gives the program's network these weights."""

    def into(model: torch.nn.Sequential) -> None:
        with torch.no_grad():
            for tensor, block in zip(tensors(model), blocks, strict=True):
                tensor.copy_(torch.tensor(block))

    return into


def tensors(model: torch.nn.Sequential) -> list[torch.Tensor]:
    """The network's tensors as the layout orders and shapes them."""
    linear = [layer for layer in model if isinstance(layer, torch.nn.Linear)]
    return [layer.weight.T for layer in linear] + [layer.bias for layer in linear]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", PENALTIES)
def test_it_takes_the_steps_of_the_engine(
    name: str, optimizer: str, finding: Any, rows: Any, run: Any, engine: Any, start: Any
) -> None:
    penalty, lam = PENALTIES[name]
    settings = {"epochs": 25, "schedule": "cosine", **OPTIMIZERS[optimizer]}
    told = finding("multiclass", penalty, lam, **settings)
    given = rows(told)
    expected = engine(told, given)
    model = run(recipe(told), given, put(start(told)))["model"]
    for tensor, block, before in zip(tensors(model), expected, start(told), strict=True):
        moved = np.abs(block - before).max()
        assert moved > 1e-3
        np.testing.assert_allclose(tensor.detach().numpy(), block, atol=1e-3 * moved, rtol=0)
    hidden = [tensor.detach().numpy() for tensor in tensors(model)[:2]]
    zeros = np.mean(np.concatenate([kernel.ravel() for kernel in hidden]) == 0)
    assert (zeros > 0) == (name in ("L1", "elastic net"))


@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("hidden", [(), (4,)], ids=["linear", "one layer"])
def test_other_heads_and_a_linear_model(
    task: Any, hidden: Any, finding: Any, rows: Any, run: Any, engine: Any, start: Any
) -> None:
    outputs = 2 if task == "regression" else 1
    told = finding(task, ElasticNet(), 0.05, hidden=hidden, outputs=outputs, epochs=20)
    model = run(recipe(told), rows(told), put(start(told)))["model"]
    for tensor, block in zip(tensors(model), engine(told, rows(told)), strict=True):
        np.testing.assert_allclose(tensor.detach().numpy(), block, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_and_initialization(activation: str, finding: Any, rows: Any, run: Any) -> None:
    told = finding("binary", activation=activation, hidden=(150, 200), epochs=1, learning_rate=1e-9)
    torch.manual_seed(0)
    model = run(recipe(told), rows(told))["model"]
    kernel = tensors(model)[1]
    wanted = {"he": 2 / 150, "lecun": 1 / 150, "glorot": 2 / 350}[
        told.network.hidden_initialization
    ]
    assert kernel.var().item() == pytest.approx(wanted, rel=0.03)
    assert tensors(model)[3].abs().max().item() < 1e-6
    below = torch.nn.functional.leaky_relu(torch.tensor(-1.0)).item()
    if activation == "leaky_relu":
        assert model[1](torch.tensor(-1.0)).item() == below == pytest.approx(-0.01)


def test_stopping_early_keeps_the_schedule(finding: Any, rows: Any, run: Any) -> None:
    told = finding("binary", stop=2, epochs=8, schedule="cosine")
    names = run(recipe(told), rows(told))
    assert names["optimizer"].param_groups[0]["lr"] == pytest.approx(
        0.01 * (1 + np.cos(np.pi * 2 / 8)) / 2
    )


def test_weights_of_rows_and_classes_count(finding: Any, rows: Any, run: Any) -> None:
    told = finding(
        "binary", weighted=True, class_weight="balanced", hidden=(), optimizer="sgd", epochs=1
    )
    inputs, targets = rows(told)
    targets = (np.arange(len(targets)) < 8).astype(int)
    weights = np.linspace(0.5, 1.5, len(targets))
    names = run(recipe(told), (inputs, targets), w_train=weights)
    balanced = np.where(targets == 1, 40 / (2 * 8), 40 / (2 * 32))
    np.testing.assert_allclose(names["w_train"], weights * balanced)
    np.testing.assert_allclose(names["w"][:, 0].numpy(), weights * balanced, rtol=1e-6)


def test_l1_leaves_most_weights_exactly_zero(finding: Any, run: Any, engine: Any) -> None:
    """On moons, from weights of its own and with minibatches, like the engine's fit."""
    table, target = bundled("moons", samples=150, noise=0.2, seed=0)
    data = prepare(table, target, folds=2, repeats=1, seed=0)
    full = data.full
    given = (full.inputs, full.targets[:, 0].astype(int))
    told = finding(
        "binary",
        L1(),
        0.005,
        hidden=(32, 32),
        activation="relu",
        epochs=150,
        batch_size=32,
        schedule="cosine",
    )
    network = replace(told.network, inputs=2)
    told = replace(told, network=network, rows=full.train.size)
    torch.manual_seed(0)
    model = run(recipe(told), given)["model"]

    def share(kernels: list[Any]) -> float:
        return float(np.mean(np.concatenate([np.ravel(kernel) for kernel in kernels]) == 0))

    zeros = share([tensor.detach().numpy() for tensor in tensors(model)[:2]])
    assert zeros >= 0.8
    assert zeros == pytest.approx(share(engine(told, given)[:2]), abs=0.05)
