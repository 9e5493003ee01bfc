"""Each conversion beside the framework that it speaks of."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from shrinkage import conventions
from shrinkage.conventions import SETTINGS, Setting
from shrinkage.errors import SettingError

LAM = 0.3


@pytest.fixture
def weights() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(4, 3, generator=generator, dtype=torch.float64, requires_grad=True)


def gradient(value: torch.Tensor, at: torch.Tensor) -> np.ndarray[Any, Any]:
    (found,) = torch.autograd.grad(value, at)
    return found.detach().numpy()


def test_keras_regularizers_have_the_gradient_of_ours(weights: torch.Tensor) -> None:
    l1, l2 = conventions.KERAS_L1.value(LAM), conventions.KERAS_L2.value(2 * LAM)
    ours = LAM * weights.abs().sum() + 2 * LAM / 2 * weights.square().sum()
    theirs = keras.regularizers.L1L2(l1, l2)(weights)
    np.testing.assert_allclose(gradient(theirs, weights), gradient(ours, weights), rtol=1e-6)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("kind", [keras.optimizers.SGD, keras.optimizers.Adam])
def test_keras_weight_decay_is_our_decoupled_one(kind: Any) -> None:
    variable = keras.Variable(np.ones(3, np.float32))
    decay = conventions.KERAS_WEIGHT_DECAY.value(LAM, decoupled=True)
    optimizer = kind(learning_rate=0.1, weight_decay=decay)
    optimizer.apply([keras.ops.zeros(3)], [variable])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(variable), 1 - 0.1 * LAM, rtol=1e-6)


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam, torch.optim.RMSprop])
def test_weight_decay_of_pytorch_joins_the_gradient(kind: Any, weights: torch.Tensor) -> None:
    """A step on the loss with weight_decay is a step on the loss with our penalty inside."""
    after = []
    for inside in (False, True):
        w = weights.detach().clone().requires_grad_()
        decay = 0.0 if inside else conventions.TORCH_WEIGHT_DECAY.value(LAM)
        optimizer = kind([w], lr=0.1, weight_decay=decay)
        for _ in range(3):
            loss = (w - 1).pow(4).sum() + (LAM / 2 * w.square().sum() if inside else 0)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        after.append(w.detach().numpy())
    np.testing.assert_allclose(after[0], after[1], rtol=1e-12)
    assert np.abs(after[0] - weights.detach().numpy()).max() > 0.01


def test_adamw_of_pytorch_is_our_decoupled_one(weights: torch.Tensor) -> None:
    w = weights.detach().clone().requires_grad_()
    decay = conventions.TORCH_ADAMW_WEIGHT_DECAY.value(LAM, decoupled=True)
    optimizer = torch.optim.AdamW([w], lr=0.1, weight_decay=decay)
    w.grad = torch.zeros_like(w)
    optimizer.step()
    torch.testing.assert_close(w.detach(), weights.detach() * (1 - 0.1 * LAM))


@pytest.mark.parametrize("outputs", [0, 1, 3])
def test_alpha_of_scikit_learn_has_the_gradient_of_ours(outputs: int) -> None:
    """The gradient of a full-batch SGD step, from two steps of different length.

    Of a linear model, whose only kernel both penalize. 0 outputs stand for a classification.
    """
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((20, 4))
    targets: Any = np.arange(20) % 2 if not outputs else rng.standard_normal((20, outputs))
    alpha = conventions.SKLEARN_ALPHA.value(LAM, rows=20, targets=outputs)
    kind = MLPRegressor if outputs else MLPClassifier
    after = []
    for rate in (0.1, 0.2):
        model = kind(
            hidden_layer_sizes=(),
            solver="sgd",
            alpha=alpha,
            momentum=0.0,
            batch_size=20,
            learning_rate_init=rate,
            max_iter=1,
            random_state=0,
        )
        with pytest.warns(ConvergenceWarning):
            model.fit(inputs, targets[:, 0] if outputs == 1 else targets)
        after.append((model.coefs_[0], model.intercepts_[0]))
    (w1, b1), (w2, b2) = after
    theirs = (w1 - w2) / 0.1

    w = torch.tensor(2 * w1 - w2, requires_grad=True)
    answer = torch.tensor(inputs) @ w + torch.tensor(2 * b1 - b2)
    if outputs:
        loss = torch.nn.functional.mse_loss(answer, torch.tensor(targets))
    else:
        truth = torch.tensor(targets[:, None], dtype=torch.float64)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(answer, truth)
    ours = gradient(loss + LAM / 2 * w.square().sum(), w)
    # scikit-learn's squared error is outputs/2 times ours, and its penalty is too.
    np.testing.assert_allclose(theirs, ours * (outputs / 2 if outputs else 1), rtol=1e-9)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda each: f"{each.framework} {each.name}")
@pytest.mark.parametrize("targets", [0, 1, 3])
def test_there_and_back(setting: Setting, targets: int) -> None:
    about: dict[str, Any] = {"rows": 32, "targets": targets, "decoupled": setting.decoupled}
    assert setting.lam(setting.value(LAM, **about), **about) == pytest.approx(LAM)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda each: f"{each.framework} {each.name}")
def test_no_number_between_coupled_and_decoupled(setting: Setting) -> None:
    with pytest.raises(SettingError, match="no exact counterpart: Decoupled decay multiplies"):
        setting.value(LAM, rows=32, decoupled=not setting.decoupled)


def test_alpha_needs_the_rows_of_a_batch() -> None:
    with pytest.raises(SettingError, match="depends on the rows of a batch"):
        conventions.SKLEARN_ALPHA.value(LAM)
