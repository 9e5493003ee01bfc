"""What else than a penalty regularizes: the Keras program does it, as far as Keras can."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from shrinkage.engine.images import _moved
from shrinkage.penalties import L1, L2, ElasticNet, GroupLasso
from shrinkage.recipes.keras import recipe
from shrinkage.training import Augmentation

# Keras 3.15 on PyTorch lets NumPy 2.4 convert its tensors in a way that NumPy deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

RMSPROP = {"optimizer": "rmsprop"}
# Keras keeps the rate inside of the velocity, which is the same only while the rate is.
SGD = {"optimizer": "sgd", "schedule": "constant"}

# Name: (penalty, λ, settings). None of these is random in a full batch.
SAME = {
    "smoothing": (None, 0.0, {"label_smoothing": 0.2}),
    "norms": (None, 0.0, {"max_norm": 0.7}),
    "linear λ": (L1(), 0.05, {"lam_schedule": "linear"}),
    "cosine λ": (L2(), 0.3, {"lam_schedule": "cosine", "lam_ramp": 0.9}),
    "rising decay": (L2(decoupled=True), 0.3, {"lam_schedule": "linear"}),
    "rising decay of adamw": (L2(), 0.3, {"lam_schedule": "linear", "optimizer": "adamw"}),
    "rising elastic net": (ElasticNet(0.4), 0.1, {"lam_schedule": "linear", **RMSPROP}),
    "units": (GroupLasso(), 0.15, {}),
    "units, rmsprop": (GroupLasso(), 0.05, RMSPROP),
    "units, sgd": (GroupLasso(), 0.3, SGD),
    "inputs": (GroupLasso("inputs"), 0.15, {}),
    "relaxed": (L1(), 0.05, {"relaxed_epochs": 5}),
    "relaxed L2": (L2(), 0.3, {"relaxed_epochs": 5, **SGD}),
    "all": (
        GroupLasso(),
        0.1,
        {"label_smoothing": 0.1, "max_norm": 0.9, "lam_schedule": "cosine", "relaxed_epochs": 3},
    ),
}


def dense(model: Any) -> list[Any]:
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]


def variables(model: Any) -> list[Any]:
    """The network's variables in the order of the layout."""
    return [layer.kernel for layer in dense(model)] + [layer.bias for layer in dense(model)]


def values(model: Any) -> list[Any]:
    return [keras.ops.convert_to_numpy(variable) for variable in variables(model)]


def put(blocks: list[Any]) -> Any:
    """A hook that gives the program's network these weights."""

    def into(model: Any) -> None:
        for variable, block in zip(variables(model), blocks, strict=True):
            variable.assign(block)

    return into


@pytest.mark.parametrize("name", SAME)
def test_it_takes_the_steps_of_the_engine(
    name: str, finding: Any, rows: Any, run: Any, engine: Any, start: Any
) -> None:
    penalty, lam, settings = SAME[name]
    told = finding("multiclass", penalty, lam, **{"epochs": 10, "schedule": "cosine"} | settings)
    expected = engine(told, rows(told))
    model = run(recipe(told), rows(told), put(start(told)))["model"]
    for value, block, before in zip(values(model), expected, start(told), strict=True):
        moved = np.abs(block - before).max()
        assert moved > 1e-3
        # Of a second training, more: Adam begins anew, with another place for its epsilon.
        part = 0.06 if told.training.relaxed_epochs else 0.01
        np.testing.assert_allclose(value, block, atol=part * moved, rtol=0)
    if told.makes_zeros:
        ours = np.concatenate([block.ravel() for block in expected[:2]]) == 0
        assert ours.any()
        theirs = np.concatenate([value.ravel() for value in values(model)[:2]]) == 0
        np.testing.assert_array_equal(theirs, ours)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_smoothed_and_mixed_targets(
    task: Any, finding: Any, rows: Any, run: Any, engine: Any, start: Any
) -> None:
    """Two rows have one way of being mixed, and a large α mixes half and half."""
    smoothing = 0.0 if task == "regression" else 0.2
    told = finding(task, rows=2, epochs=4, mixup=1e7, label_smoothing=smoothing)
    model = run(recipe(told), rows(told), put(start(told)))["model"]
    for value, block in zip(values(model), engine(told, rows(told)), strict=True):
        np.testing.assert_allclose(value, block, atol=0.01)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_mixed_rows_keep_their_weights(task: Any, finding: Any, rows: Any, run: Any) -> None:
    told = finding(
        *(task, None, 0.0),
        rows=2, weighted=True, mixup=1e7, hidden=(), optimizer="sgd", momentum=0.0, epochs=1,
    )  # fmt: skip
    inputs, targets = rows(told)
    weights = np.array([0.5, 1.5])
    outputs = told.network.outputs
    zero = put([np.zeros((3, outputs)), np.zeros(outputs)])
    model = run(recipe(told), (inputs, targets), zero, w_train=weights)["model"]
    truth = targets[:, None] if task == "binary" else np.eye(3)[targets]
    error = (weights[:, None] * (1 / max(outputs, 2) - truth)).mean(axis=0)
    expected = -0.01 * inputs.mean(axis=0)[:, None] * error
    np.testing.assert_allclose(values(model)[0], expected, rtol=1e-3, atol=1e-7)


def test_dropout_and_noise_stand_in_the_network(finding: Any, rows: Any, run: Any) -> None:
    settings = {"dropout": 0.3, "input_dropout": 0.1, "input_noise": 0.25}
    model = run(recipe(finding("binary", **settings)), rows(finding("binary")))["model"]
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["GaussianNoise", "Dropout", *["Dense", "Dropout"] * 2, "Dense"]
    drops = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert drops == [0.1, 0.3, 0.3]
    assert model.layers[0].stddev == 0.25


def test_decay_spares_the_rest_among_other_layers(finding: Any, rows: Any, run: Any) -> None:
    told = finding("binary", L2(decoupled=True), 0.3, dropout=0.3)
    names = run(recipe(told), rows(told))
    decays = [names["optimizer"]._use_weight_decay(one) for one in variables(names["model"])]
    assert decays == [True, True, False, False, False, False]


def test_the_average_of_two_steps(finding: Any, rows: Any, run: Any, start: Any) -> None:
    """The first step's weights, and the decay's share of the second's."""
    after = [
        values(run(recipe(told), rows(told), put(start(told)))["model"])
        for told in (finding("binary", epochs=1), finding("binary", epochs=2))
    ]
    told = finding("binary", epochs=2, averaging=0.7)
    model = run(recipe(told), rows(told), put(start(told)))["model"]
    for value, first, second in zip(values(model), *after, strict=True):
        np.testing.assert_allclose(value, 0.7 * first + 0.3 * second, atol=1e-6)


@pytest.mark.parametrize("averaging", [0.0, 0.5])
def test_it_stops_early_and_returns_to_the_best_epoch(
    averaging: float, finding: Any, run: Any
) -> None:
    """Labels are noise, so that rows that were held back soon get worse."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((80, 3)).astype(np.float32)
    targets = rng.integers(0, 3, 80)
    told = finding(
        "multiclass", L2(), 0.001, rows=80, hidden=(64,), epochs=60, patience=3, weighted=True,
        stopping_share=0.25, batch_size=16, label_smoothing=0.1, averaging=averaging,
        learning_rate=0.03,
    )  # fmt: skip
    names = run(recipe(told), (inputs, targets), w_train=rng.uniform(0.5, 1.5, 80))
    assert len(names["X_train"]) == 60
    assert len(names["X_stop"]) == 20
    history = names["model"].history.history["val_data_loss"]
    assert len(history) == int(np.argmin(history)) + 1 + 3 < 60
    answers = keras.ops.convert_to_numpy(names["model"](names["X_stop"]))
    losses = -np.log((answers * names["y_stop"]).sum(axis=1))
    now = np.average(losses, weights=names["w_stop"])
    assert now == pytest.approx(min(history), rel=1e-4)


@pytest.mark.parametrize("shape", [(8, 8), (6, 10)])
def test_images_are_changed_as_in_the_engine(
    shape: tuple[int, int], finding: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    height, width = shape
    told = Augmentation(shape, rotate=30, shift=0.2, scale=0.3, flip=True)
    pixels = np.random.default_rng(0).uniform(0, 16, (40, height * width)).astype(np.float32)
    source = recipe(finding("binary", inputs=height * width, epochs=1, augmentation=told))
    names = run(source, (pixels, np.arange(40) % 2))
    draws = np.random.default_rng(1).random((40, 5))
    monkeypatch.setattr("numpy.random.uniform", lambda *_: 2 * draws[:, :4].T[..., None, None] - 1)
    monkeypatch.setattr("numpy.random.random", lambda *_: draws[:, 4])
    theirs = names["changed"](pixels).reshape(-1, height, width)
    ours = _moved(pixels.reshape(-1, height, width), told, draws)
    np.testing.assert_allclose(theirs, ours, atol=1e-3)


def test_batches_of_images_are_standardized_and_cover_every_row(finding: Any, run: Any) -> None:
    told = Augmentation((2, 3))
    pixels = np.random.default_rng(0).uniform(0, 16, (40, 6))
    source = recipe(
        finding("binary", inputs=6, epochs=1, augmentation=told, batch_size=16, weighted=True)
    )
    targets = np.arange(40) % 2
    names = run(source, (pixels, targets), w_train=np.linspace(0.5, 1.5, 40))
    batches = names["Batches"]()
    batches.on_epoch_begin()
    inputs, targets, weights = map(np.concatenate, zip(*(batches[k] for k in range(3))))
    assert len(batches) == 3
    order = np.argsort(weights)
    np.testing.assert_allclose(inputs[order], names["standardized"](pixels), atol=1e-5)
    np.testing.assert_array_equal(targets[order], np.arange(40) % 2)
    assert inputs.var(axis=0).mean() == pytest.approx(1, rel=1e-4)
