"""Settings of what is not installed here: their documented objective or step, beside the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from shrinkage.conventions import SETTINGS, convert
from shrinkage.penalties import L1, L2, ElasticNet, Penalty

RATE = 0.25
Tensors = list[torch.Tensor]


def absolute(hidden: Tensors) -> Any:
    return sum(each.abs().sum() for each in hidden)


def squared(hidden: Tensors) -> Any:
    return sum(each.square().sum() for each in hidden)


# What each adds to its loss, where the loss is a mean over 24 rows.
OBJECTIVES: dict[str, tuple[Any, Callable[[Tensors], Any]]] = {
    "lesson.l1": (5.0, lambda w: 5.0 / (2 * 24) * absolute(w)),
    "lesson.l2": (5.0, lambda w: 5.0 / (2 * 24) * squared(w)),
    "lesson.update": (0.17, lambda w: 0.17 / 2 * squared(w)),
    "glmnet": (
        (0.3, 0.4),
        lambda w: 0.3 * ((1 - 0.4) / 2 * squared(w) + 0.4 * absolute(w)),
    ),
    "playground.l1": (0.05, lambda w: 0.05 * absolute(w)),
    "playground.l2": (0.17, lambda w: 0.17 / 2 * squared(w)),
    "fastai.wd.coupled": (0.17, lambda w: 0.17 / 2 * squared(w)),
    "optax.add_decayed_weights": (0.17, lambda w: 0.17 / 2 * squared(w)),
}
HALF = {"glmnet", "playground.l1", "playground.l2"}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_objective_has_the_gradient_of_ours(bench: Any, name: str) -> None:
    value, added = OBJECTIVES[name]
    if name.startswith("playground") and not bench.targets:
        pytest.skip("its only loss is a squared error")
    if name == "glmnet" and bench.targets > 1:
        pytest.skip("it penalizes several targets as a group")
    around: dict[str, Any] = {"rows": 24, "targets": bench.targets}
    lam, share = convert(value, name, "shrinkage.elastic_net", **around).values.values()
    module = bench.module()
    linear = [layer for layer in module if isinstance(layer, torch.nn.Linear)]
    # A squared error is ½ Σ over targets there, a mean without the ½ here.
    scale = bench.targets / 2 if name in HALF and bench.targets else 1
    loss = scale * bench.loss(module(torch.tensor(bench.inputs)))
    (loss + added([layer.weight for layer in linear[:-1]])).backward()
    kernels = [layer.weight.grad.numpy().T for layer in linear]
    theirs = bench.flat(kernels, [layer.bias.grad.numpy() for layer in linear])
    bench.assert_same(theirs, scale * bench.gradient(ElasticNet(share), lam))
    stronger = bench.gradient(ElasticNet(share), 1.01 * lam)
    with pytest.raises(AssertionError):
        bench.assert_same(theirs, scale * stronger)


def test_the_lessons_update_rule_is_a_step_of_the_engine(bench: Any) -> None:
    """w ← w(1 − αλ) − α ∂L/∂w, with the gradient that the engine has without a penalty."""
    lam = convert(0.17, "lesson.update", "shrinkage.l2").value
    kernels, biases = bench.arrays(bench.start.astype(np.float64))
    decay = bench.flat(
        [*(0.17 * kernel for kernel in kernels[:-1]), 0 * kernels[-1]],
        [0 * bias for bias in biases],
    )
    slope = bench.gradient(L2(), 0.0)
    bench.assert_same(bench.stepped(L2(), lam), bench.start - RATE * (slope + decay))


@pytest.mark.parametrize("name", ["fastai.wd", "optax.adamw"])
def test_decay_times_the_learning_rate_is_our_decoupled_one(bench: Any, name: str) -> None:
    """Both take w − lr · wd · w, beside the step that the engine takes without decay."""
    lam = convert(0.17, name, "shrinkage.l2.decoupled", learning_rate=0.1).value
    how = {"optimizer": "adamw", "learning_rate": 0.1}
    kernels, biases = bench.arrays(bench.start.astype(np.float64))
    decay = bench.flat(
        [*(0.1 * 0.17 * kernel for kernel in kernels[:-1]), 0 * kernels[-1]],
        [0 * bias for bias in biases],
    )
    bench.assert_same(bench.stepped(L2(), lam, **how), bench.stepped(L2(), 0.0, **how) - decay)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_lassonets_threshold_after_the_momentum(momentum: float) -> None:
    """A threshold of lambda_ · lr after heavy-ball steps rests where ours at λ₁ is stationary."""
    lambda_, rate = 0.5, 0.05
    lam = convert(lambda_, "lassonet", "shrinkage.l1", momentum=momentum).value
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((40, 5))
    target = inputs @ np.array([2.0, -1.0, 0.5, 0.0, 0.0])
    w, speed = np.zeros(5), np.zeros(5)
    for _ in range(2000):
        slope = 2 * inputs.T @ (inputs @ w - target) / 40
        speed = momentum * speed + slope
        moved = w - rate * speed
        w = np.sign(moved) * np.maximum(np.abs(moved) - lambda_ * rate, 0)
    slope = 2 * inputs.T @ (inputs @ w - target) / 40
    assert L1().stationarity(w, slope, lam).max() < 1e-9
    assert L1().stationarity(w, slope, 1.01 * lam).max() > 1e-4
    assert lam == pytest.approx(lambda_ * (1 - momentum))


MEASURED = {
    *OBJECTIVES,
    *("fastai.wd", "optax.adamw", "lassonet"),
    *("keras.l1", "keras.l2", "keras.l1_l2", "keras.weight_decay"),
    *("torch.sgd", "torch.adam", "torch.adamw"),
    *("sklearn.mlp", "sklearn.mlp.lbfgs", "sklearn.logistic"),
    *("sklearn.lasso", "sklearn.ridge", "sklearn.elasticnet"),
    *("shrinkage.l1", "shrinkage.l2", "shrinkage.elastic_net", "shrinkage.l2.decoupled"),
}


def test_every_setting_is_measured_somewhere() -> None:
    """Here, or in the tests of its framework; a new one is not forgotten."""
    assert {setting.name for setting in SETTINGS} == MEASURED


OURS: dict[str, Penalty] = {"shrinkage.l1": L1(), "shrinkage.l2": L2()}


@pytest.mark.parametrize("name", OURS)
def test_our_own_setting_is_the_penalty_itself(name: str) -> None:
    w = np.array([0.5, -2.0])
    lam, share = convert(0.3, name, "shrinkage.elastic_net").values.values()
    assert ElasticNet(share).value(w, lam) == pytest.approx(OURS[name].value(w, 0.3))
