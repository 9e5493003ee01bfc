"""What else than a penalty regularizes: the PyTorch program does it as the engine does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from shrinkage.engine.images import _moved
from shrinkage.penalties import L1, L2, ElasticNet, GroupLasso
from shrinkage.recipes.pytorch import recipe
from shrinkage.training import Augmentation

RMSPROP = {"optimizer": "rmsprop", "epsilon": 1e-4}
SGD = {"optimizer": "sgd", "learning_rate": 0.05}

# Name: (penalty, λ, settings). None of these is random in a full batch.
SAME = {
    "smoothing": (None, 0.0, {"label_smoothing": 0.2}),
    "norms": (None, 0.0, {"max_norm": 0.7}),
    "average": (L1(), 0.02, {"averaging": 0.8}),
    "linear λ": (L1(), 0.02, {"lam_schedule": "linear"}),
    "cosine λ": (L2(), 0.3, {"lam_schedule": "cosine", "lam_ramp": 0.9}),
    "rising decay": (L2(decoupled=True), 0.3, {"lam_schedule": "linear"}),
    "rising decay of sgd": (L2(decoupled=True), 0.3, {"lam_schedule": "linear", **SGD}),
    "rising elastic net": (ElasticNet(0.4), 0.05, {"lam_schedule": "linear", **RMSPROP}),
    "units": (GroupLasso(), 0.03, {}),
    "units, rmsprop": (GroupLasso(), 0.02, RMSPROP),
    "units, sgd": (GroupLasso(), 0.03, SGD),
    "inputs": (GroupLasso("inputs"), 0.03, {}),
    "rising units": (GroupLasso(), 0.15, {"lam_schedule": "linear"}),
    "relaxed": (L1(), 0.02, {"relaxed_epochs": 10}),
    "relaxed units": (GroupLasso(), 0.03, {"relaxed_epochs": 10, "averaging": 0.7}),
    "all": (
        GroupLasso(),
        0.15,
        {
            "label_smoothing": 0.1,
            "max_norm": 0.9,
            "averaging": 0.7,
            "lam_schedule": "cosine",
            "relaxed_epochs": 5,
        },
    ),
}


def put(blocks: list[Any]) -> Any:
    """A hook that gives the program's network these weights."""

    def into(model: nn.Sequential) -> None:
        with torch.no_grad():
            for tensor, block in zip(tensors(model), blocks, strict=True):
                tensor.copy_(torch.tensor(block))

    return into


def tensors(model: nn.Sequential) -> list[torch.Tensor]:
    """The network's tensors as the layout orders and shapes them."""
    linear = [layer for layer in model if isinstance(layer, nn.Linear)]
    return [layer.weight.T for layer in linear] + [layer.bias for layer in linear]


@pytest.mark.parametrize("name", SAME)
def test_it_takes_the_steps_of_the_engine(
    name: str, finding: Any, rows: Any, run: Any, engine: Any, start: Any
) -> None:
    penalty, lam, settings = SAME[name]
    told = finding("multiclass", penalty, lam, **{"epochs": 25, "schedule": "cosine"} | settings)
    given = rows(told)
    expected = engine(told, given)
    model = run(recipe(told), given, put(start(told)))["model"]
    for tensor, block, before in zip(tensors(model), expected, start(told), strict=True):
        moved = np.abs(block - before).max()
        assert moved > 1e-3
        np.testing.assert_allclose(tensor.detach().numpy(), block, atol=2e-3 * moved, rtol=0)
    if told.makes_zeros:
        ours = np.concatenate([block.ravel() for block in expected[:2]]) == 0
        theirs = np.concatenate([tensor.detach().numpy().ravel() for tensor in tensors(model)[:2]])
        assert ours.any()
        np.testing.assert_array_equal(theirs == 0, ours)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_smoothing_and_mixing_of_other_targets(
    task: Any, finding: Any, rows: Any, run: Any, engine: Any, start: Any
) -> None:
    """Two rows have one way of being mixed, and a large α mixes half and half."""
    smoothing = 0.2 if task == "binary" else 0.0
    told = finding(task, rows=2, epochs=20, mixup=1e7, label_smoothing=smoothing)
    model = run(recipe(told), rows(told), put(start(told)))["model"]
    for tensor, block in zip(tensors(model), engine(told, rows(told)), strict=True):
        np.testing.assert_allclose(tensor.detach().numpy(), block, atol=1e-3, rtol=1e-2)


def test_mixed_rows_keep_their_weights(finding: Any, rows: Any, run: Any) -> None:
    told = finding(
        *("binary", None, 0.0),
        rows=2, weighted=True, mixup=1e7, hidden=(), optimizer="sgd", momentum=0.0, epochs=1,
    )  # fmt: skip
    inputs, targets = rows(told)
    weights = np.array([0.5, 1.5])
    zero = put([np.zeros((3, 1)), np.zeros(1)])
    model = run(recipe(told), (inputs, targets), zero, w_train=weights)["model"]
    middle = inputs.mean(axis=0)
    error = (weights * (0.5 - targets)).mean()
    np.testing.assert_allclose(
        tensors(model)[0].detach().numpy()[:, 0], -0.01 * error * middle, rtol=1e-3, atol=1e-7
    )


def test_dropout_stands_in_the_network_with_its_rate(finding: Any, rows: Any, run: Any) -> None:
    told = finding("binary", dropout=0.3, input_dropout=0.1)
    model = run(recipe(told), rows(told))["model"]
    rates = [layer.p for layer in model if isinstance(layer, nn.Dropout)]
    assert rates == [0.1, 0.3, 0.3]
    assert isinstance(model[0], nn.Dropout)
    assert isinstance(model[3], nn.Dropout)
    assert not model.training


def test_noise_has_its_deviation_and_is_drawn_anew(finding: Any, rows: Any, run: Any) -> None:
    told = finding("binary", input_noise=0.25, epochs=1, batch_size=20, inputs=2000)
    given = rows(told)
    names = run(recipe(told), given)
    added = names["inputs"] - names["X"][names["rows"]]
    assert added.std().item() == pytest.approx(0.25, rel=0.02)
    assert added.mean().item() == pytest.approx(0, abs=0.01)


def test_it_stops_early_and_returns_to_the_best_epoch(finding: Any, run: Any) -> None:
    """Labels are noise, so that rows that were held back soon get worse."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((80, 3)).astype(np.float32)
    targets = rng.integers(0, 2, 80)
    told = finding(
        "binary", rows=80, hidden=(64,), epochs=400, patience=5, stopping_share=0.25,
        batch_size=16, dropout=0.1,
    )  # fmt: skip
    names = run(recipe(told), (inputs, targets))
    assert len(names["X"]) == 60
    assert len(names["X_stop"]) == 20
    assert names["epoch"] == names["best_epoch"] + 5 < 399
    with torch.no_grad():
        now = names["loss"](names["model"](names["X_stop"]), names["y_stop"]).item()
    assert now == pytest.approx(names["least"], rel=1e-5)


@pytest.mark.parametrize("averaging", [0.0, 0.5])
def test_stopping_judges_what_it_returns(
    averaging: float, finding: Any, rows: Any, run: Any
) -> None:
    told = finding(
        "multiclass", L1(), 0.02, weighted=True, patience=2, epochs=6, label_smoothing=0.2,
        averaging=averaging, relaxed_epochs=3,
    )  # fmt: skip
    inputs, targets = rows(told)
    names = run(recipe(told), (inputs, targets), w_train=np.linspace(0.5, 1.5, 40))
    with torch.no_grad():
        answers = names["model"](names["X_stop"])
        losses = nn.functional.cross_entropy(answers, names["y_stop"], reduction="none")
    weights = names["w_stop"]
    now = (weights * losses).sum() / weights.sum()
    assert now.item() == pytest.approx(names["least"], rel=1e-5)


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
    monkeypatch.setattr(
        "torch.rand", lambda *_: torch.tensor(draws[:, [0, 3, 1, 2]].T, dtype=torch.float32)
    )
    monkeypatch.setattr("torch.randint", lambda *_: torch.tensor((draws[:, 4] < 0.5).astype(int)))
    theirs = names["changed"](torch.tensor(pixels)).numpy().reshape(-1, height, width)
    ours = _moved(pixels.reshape(-1, height, width), told, draws)
    np.testing.assert_allclose(theirs, ours, atol=1e-3)


def test_images_are_standardized_by_one_scale(finding: Any, run: Any) -> None:
    told = Augmentation((2, 3), shift=0.5)
    pixels = np.random.default_rng(0).uniform(0, 16, (40, 6))
    pixels[:, 2] = 7
    names = run(
        recipe(finding("binary", inputs=6, epochs=1, augmentation=told)),
        (pixels, np.arange(40) % 2),
    )
    learnt = np.arange(6) != 2
    inputs = names["X"].numpy()
    assert inputs[:, learnt].var(axis=0).mean() == pytest.approx(1, rel=1e-4)
    np.testing.assert_array_equal(inputs[:, 2], 0)
    assert (names["inputs"][:, 2] == 0).all()
    assert not (names["inputs"] == names["X"][names["rows"]])[:, learnt].all()
