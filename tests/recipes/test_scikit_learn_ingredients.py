"""What else than a penalty regularizes: scikit-learn's program does it, or says that it cannot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

from shrinkage.engine.images import _moved
from shrinkage.penalties import L1, L2, GroupLasso
from shrinkage.recipes.scikit_learn import recipe
from shrinkage.training import Augmentation


def comments(source: str) -> str:
    lines = [line[2:] for line in source.splitlines() if line.startswith("# ")]
    return " ".join(lines)


def test_dropout_is_said_to_be_missing(finding: Any) -> None:
    source = recipe(finding("binary", dropout=0.3))
    assert "has no dropout of hidden units (0.3 was found)" in comments(source)
    assert "model.fit(" in source


def test_a_second_training_and_groups_are_said_to_be_missing(finding: Any) -> None:
    said = comments(recipe(finding("binary", GroupLasso(), 0.1, relaxed_epochs=5, best_l2=0.5)))
    assert "has no second training without penalty, since no weight is exactly zero" in said
    assert "Group lasso on units cannot be expressed here; alpha is the best L2" in said


def test_norms_are_limited(finding: Any, rows: Any, run: Any) -> None:
    told = finding("binary", max_norm=0.5)
    model = run(recipe(told), rows(told))["model"]
    norms = [np.linalg.norm(kernel, axis=0) for kernel in model.coefs_]
    assert max(norms[0].max(), norms[1].max()) <= 0.5 + 1e-6
    assert norms[2].max() > 0.5
    assert "limits norms once in an epoch" in comments(recipe(told))


def test_noise_and_dropout_of_inputs(finding: Any, run: Any) -> None:
    inputs = np.random.default_rng(0).standard_normal((40, 500))
    targets = np.arange(40) % 2
    noisy = run(recipe(finding("binary", inputs=500, input_noise=0.25)), (inputs, targets))
    added = noisy["X"] - inputs
    assert added.std() == pytest.approx(0.25, rel=0.03)
    thinned = run(recipe(finding("binary", inputs=500, input_dropout=0.2)), (inputs, targets))
    zero = thinned["X"] == 0
    assert zero.mean() == pytest.approx(0.2, abs=0.01)
    np.testing.assert_allclose(thinned["X"][~zero], inputs[~zero] / 0.8)


def test_smoothed_labels_are_another_class_now_and_then(finding: Any, run: Any) -> None:
    inputs, targets = np.zeros((4000, 3)), np.arange(4000) % 3
    told = finding("multiclass", rows=4000, label_smoothing=0.3, epochs=1, batch_size=1000)
    names = run(recipe(told), (inputs, targets))
    assert np.mean(names["y"] != targets) == pytest.approx(0.3 * 2 / 3, abs=0.02)
    assert set(names["y"]) == {0, 1, 2}


def test_mixed_rows_take_either_class_by_its_share(finding: Any, run: Any) -> None:
    inputs = np.random.default_rng(0).standard_normal((4000, 3))
    targets, weights = np.arange(4000) % 3, np.arange(4000) / 2000
    told = finding("multiclass", rows=4000, mixup=0.5, epochs=1, batch_size=1000, weighted=True)
    names = run(recipe(told), (inputs, targets), w_train=weights)
    own, other = names["own"], names["other"]
    np.testing.assert_allclose(
        names["X"], own[:, None] * inputs + (1 - own)[:, None] * inputs[other]
    )
    kept = names["w"] == weights
    np.testing.assert_array_equal(names["y"], np.where(kept, targets, targets[other]))
    np.testing.assert_array_equal(names["w"], np.where(kept, weights, weights[other]))
    assert kept[own > 0.9].mean() > 0.9
    assert kept[own < 0.1].mean() < 0.1


def test_mixed_numbers(finding: Any, run: Any) -> None:
    inputs = np.random.default_rng(0).standard_normal((40, 3))
    targets, weights = inputs.sum(axis=1), np.linspace(0.5, 1.5, 40)
    told = finding("regression", mixup=1e7, epochs=1, weighted=True)
    names = run(recipe(told), (inputs, targets), w_train=weights)
    other = names["other"]
    np.testing.assert_allclose(names["w"], (weights + weights[other]) / 2, rtol=1e-3)
    mean = (weights * targets + weights[other] * targets[other]) / (weights + weights[other])
    np.testing.assert_allclose(names["y"], mean, atol=1e-2)


def test_the_average_of_epochs(
    finding: Any, rows: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    train = MLPClassifier.partial_fit

    def partial_fit(model: Any, *given: Any, **settings: Any) -> Any:
        train(model, *given, **settings)
        seen.append([kernel.copy() for kernel in model.coefs_])
        return model

    monkeypatch.setattr(MLPClassifier, "partial_fit", partial_fit)
    told = finding("binary", epochs=3, averaging=0.9, batch_size=10)
    model = run(recipe(told), rows(told))["model"]
    keep = 0.9**4
    for kernel, first, second, third in zip(model.coefs_, *seen, strict=True):
        expected = keep * (keep * first + (1 - keep) * second) + (1 - keep) * third
        np.testing.assert_allclose(kernel, expected, rtol=1e-6)


@pytest.mark.parametrize(("schedule", "third"), [("linear", 0.5), ("cosine", 0.5)])
def test_alpha_rises(
    schedule: str,
    third: float,
    finding: Any,
    rows: Any,
    run: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[float] = []
    train = MLPClassifier.partial_fit

    def partial_fit(model: Any, *given: Any, **settings: Any) -> Any:
        seen.append(model.alpha)
        return train(model, *given, **settings)

    monkeypatch.setattr(MLPClassifier, "partial_fit", partial_fit)
    told = finding("binary", L2(), 0.1, epochs=8, lam_schedule=schedule, lam_ramp=0.5)
    run(recipe(told), rows(told))
    assert seen[0] == 0
    assert seen[2] == pytest.approx(third * 0.1 * 40)
    assert seen[4:] == pytest.approx([0.1 * 40] * 4)
    assert seen == sorted(seen)


@pytest.mark.parametrize("averaging", [0.0, 0.5])
def test_it_stops_early_and_returns_to_the_best_epoch(
    averaging: float, finding: Any, run: Any
) -> None:
    """Labels are noise, so that rows that were held back soon get worse."""
    rng = np.random.default_rng(0)
    inputs, targets = rng.standard_normal((80, 3)), rng.integers(0, 3, 80)
    told = finding(
        "multiclass", L1(), 0.001, rows=80, hidden=(64,), epochs=200, patience=3, weighted=True,
        stopping_share=0.25, batch_size=16, averaging=averaging, learning_rate=0.03,
    )  # fmt: skip
    names = run(recipe(told), (inputs, targets), w_train=rng.uniform(0.5, 1.5, 80))
    assert len(names["X_train"]) == 60
    assert names["epoch"] == names["best_epoch"] + 3 < 199
    answers = names["model"].predict_proba(names["X_stop"])
    now = log_loss(names["y_stop"], answers, sample_weight=names["w_stop"], labels=[0, 1, 2])
    assert now == pytest.approx(names["least"])


def test_early_stopping_of_a_regression(finding: Any, rows: Any, run: Any) -> None:
    told = finding("regression", patience=1, epochs=50, learning_rate=0.1)
    names = run(recipe(told), rows(told))
    error = np.mean((names["model"].predict(names["X_stop"]) - names["y_stop"]) ** 2)
    assert error == pytest.approx(names["least"])


@pytest.mark.parametrize("shape", [(8, 8), (6, 10)])
@pytest.mark.parametrize("flip", [True, False])
def test_images_are_changed_as_in_the_engine(
    shape: tuple[int, int], flip: bool, finding: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    height, width = shape
    told = Augmentation(shape, rotate=30, shift=0.2, scale=0.3, flip=flip)
    pixels = np.random.default_rng(0).uniform(0, 16, (40, height * width)).astype(np.float32)
    pixels[:, 3] = 5
    source = recipe(
        finding("binary", inputs=height * width, epochs=1, augmentation=told, patience=1)
    )
    names = run(source, (pixels, np.arange(40) % 2))
    assert (names["X"][:, 3] == 0).all()
    assert names["X"].var(axis=0)[np.arange(height * width) != 3].mean() < 1.5
    draws = np.random.default_rng(1).random((40, 5))
    monkeypatch.setattr("numpy.random.uniform", lambda *_: 2 * draws[:, :4].T[..., None, None] - 1)
    monkeypatch.setattr("numpy.random.random", lambda *_: draws[:, 4])
    theirs = names["changed"](pixels).reshape(-1, height, width)
    ours = _moved(pixels.reshape(-1, height, width), told, draws)
    np.testing.assert_allclose(theirs, ours, atol=1e-3)
