"""The Keras program does what the engine did, as far as Keras can."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from shrinkage.engine.pool import predict
from shrinkage.network import ACTIVATIONS, initialize
from shrinkage.penalties import L1, L2, ElasticNet
from shrinkage.recipes.keras import recipe

# Keras 3.15 on PyTorch lets NumPy 2.4 convert its tensors in a way that NumPy deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "adam": {"optimizer": "adam", "beta2": 0.99},
    "adamw": {"optimizer": "adamw", "beta1": 0.8},
    "rmsprop": {"optimizer": "rmsprop"},
    "momentum": {"optimizer": "sgd"},
    "nesterov": {"optimizer": "sgd", "nesterov": True},
}
PENALTIES = {"none": (None, 0.0), "L2": (L2(), 0.3), "decoupled L2": (L2(decoupled=True), 0.3)}


def variables(model: Any) -> list[Any]:
    """The network's variables in the order of the layout."""
    return [layer.kernel for layer in model.layers] + [layer.bias for layer in model.layers]


def values(model: Any) -> list[Any]:
    return [keras.ops.convert_to_numpy(variable) for variable in variables(model)]


def put(blocks: list[Any]) -> Any:
    """A hook that gives the program's network these weights."""

    def into(model: Any) -> None:
        for variable, block in zip(variables(model), blocks, strict=True):
            variable.assign(block)

    return into


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", PENALTIES)
def test_it_takes_the_steps_of_the_engine(
    name: str, optimizer: str, finding: Any, rows: Any, run: Any, engine: Any, start: Any
) -> None:
    penalty, lam = PENALTIES[name]
    told = finding("multiclass", penalty, lam, epochs=4, **OPTIMIZERS[optimizer])
    expected = engine(told, rows(told))
    model = run(recipe(told), rows(told), put(start(told)))["model"]
    for value, block, before in zip(values(model), expected, start(told), strict=True):
        moved = np.abs(block - before).max()
        assert moved > 1e-3
        np.testing.assert_allclose(value, block, atol=0.01 * moved, rtol=0)


@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("hidden", [(), (4,)], ids=["linear", "one layer"])
def test_other_heads_and_a_linear_model(
    task: Any, hidden: Any, finding: Any, rows: Any, run: Any, engine: Any, start: Any
) -> None:
    outputs = 2 if task == "regression" else 1
    told = finding(task, L2(), 0.1, hidden=hidden, outputs=outputs, epochs=8, schedule="cosine")
    model = run(recipe(told), rows(told), put(start(told)))["model"]
    for value, block in zip(values(model), engine(told, rows(told)), strict=True):
        np.testing.assert_allclose(value, block, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("penalty", [L1(), L2(), ElasticNet(0.3)], ids=lambda each: each.name)
def test_what_keras_adds_to_the_loss_is_our_penalty(
    penalty: Any, finding: Any, rows: Any, run: Any
) -> None:
    told = finding("binary", penalty, 0.03, epochs=1)
    model = run(recipe(told), rows(told))["model"]
    ours = sum(penalty.value(kernel, told.lam) for kernel in values(model)[:2])
    added = sum(keras.ops.convert_to_numpy(loss).item() for loss in model.losses)
    assert added == pytest.approx(ours, rel=1e-5)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_and_initialization(activation: str, finding: Any, rows: Any, run: Any) -> None:
    keras.utils.set_random_seed(0)
    told = finding("binary", activation=activation, hidden=(150, 200), epochs=1, learning_rate=1e-9)
    model = run(recipe(told), rows(told))["model"]
    wanted = {"he": 2 / 150, "lecun": 1 / 150, "glorot": 2 / 350}[
        told.network.hidden_initialization
    ]
    assert values(model)[1].var() == pytest.approx(wanted, rel=0.03)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_network_answers_as_ours(
    activation: str, finding: Any, rows: Any, run: Any, start: Any
) -> None:
    told = finding("binary", activation=activation, epochs=1, learning_rate=1e-12)
    inputs, targets = rows(told)
    model = run(recipe(told), (inputs, targets), put(start(told)))["model"]
    answers = keras.ops.convert_to_numpy(model(inputs))
    ours = predict(told.network, initialize(told.network, 0), inputs, told.training.loss)
    np.testing.assert_allclose(answers, ours, atol=1e-6)


def test_stopping_early_keeps_the_schedule(finding: Any, rows: Any, run: Any) -> None:
    told = finding("binary", stop=2, epochs=8, schedule="cosine")
    names = run(recipe(told), rows(told))
    assert int(names["optimizer"].iterations) == 2
    assert names["steps"] == 8


def test_weights_of_rows_and_classes_count(finding: Any, rows: Any, run: Any) -> None:
    settings = {"hidden": (), "optimizer": "sgd", "momentum": 0.0, "epochs": 1}
    plain = finding("binary", **settings)
    weighted = finding("binary", weighted=True, class_weight="balanced", **settings)
    inputs, targets = rows(plain)
    zero = put([np.zeros((3, 1)), np.zeros(1)])
    weights = np.linspace(0.5, 1.5, len(targets))
    free = values(run(recipe(plain), (inputs, targets), zero)["model"])[0]
    moved = values(run(recipe(weighted), (inputs, targets), zero, w_train=weights)["model"])[0]
    # At w = 0 every error is ½ − y; classes are of the same size, so only the rows' weights tell.
    errors = (0.5 - targets)[:, None]
    np.testing.assert_allclose(free[:, 0], -0.01 * (errors * inputs).mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(
        moved[:, 0], -0.01 * (weights[:, None] * errors * inputs).mean(axis=0), rtol=1e-4
    )
