"""A Keras model answers what the network answers and adds the same penalty to its loss."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from shrinkage.errors import ShrinkageError
from shrinkage.exports import agreement_of, to_keras
from shrinkage.exports.keras_regularizers import GroupLasso as Regularizer
from shrinkage.network import ACTIVATIONS
from shrinkage.penalties import L1, L2, ElasticNet, GroupLasso

# Keras' own conversion of PyTorch's tensors to NumPy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PENALTIES = [L1(), L2(), ElasticNet(0.3), GroupLasso("units"), GroupLasso("inputs")]


def run(model, rows):
    return model.predict(rows, verbose=0)


def penalty_of(model):
    return sum(float(keras.ops.stop_gradient(loss)) for loss in model.losses)


def single(rows):
    return rows.astype(np.float32).astype(np.float64)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(), (9, 5)])
def test_every_activation_and_depth(trained, rows, activation, hidden):
    predictor = trained("multiclass", activation=activation, hidden=hidden)
    given = single(rows(predictor))
    found = run(to_keras(predictor), given)
    np.testing.assert_allclose(found, predictor.probabilities(given), atol=1e-6)


def test_two_classes_have_one_probability(trained, rows):
    predictor = trained()
    given = single(rows(predictor))
    found = run(to_keras(predictor), given)
    np.testing.assert_allclose(found, predictor.probabilities(given)[:, 1:], atol=1e-6)


@pytest.mark.parametrize("task", ["regression", "two targets"])
def test_predictions_come_in_the_targets_units(trained, rows, task):
    predictor = trained(task)
    given = single(rows(predictor))
    found = run(to_keras(predictor), given)
    np.testing.assert_allclose(found, predictor.predictions(given), rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_very_small_units(trained, rows, layout):
    """Keras takes no deviation below 1e-7, and reads a vector of scales as one of channels."""
    before = keras.config.image_data_format()
    keras.config.set_image_data_format(layout)
    try:
        predictor = trained(
            "two targets",
            scale=(1e-12, 1.0, np.inf, 1e-3),
            center=(3e-12, 0.0, 0.0, 0.0),
            target_center=1e-11,
            target_scale=1e-12,
        )
        given = single(rows(predictor))
        found = run(to_keras(predictor), given)
    finally:
        keras.config.set_image_data_format(before)
    np.testing.assert_allclose(found, predictor.predictions(given), rtol=1e-5, atol=1e-17)


@pytest.mark.parametrize("penalty", PENALTIES, ids=lambda penalty: penalty.name)
@pytest.mark.parametrize("penalize_output", [False, True])
@pytest.mark.parametrize("hidden", [(), (9, 5)])
def test_it_adds_the_same_penalty(trained, penalty, penalize_output, hidden):
    predictor = trained("binary", penalty, 0.02, penalize_output=penalize_output, hidden=hidden)
    model = to_keras(predictor)
    reached = predictor.kernels
    if hidden and not penalize_output:
        reached = reached[:-1]
    if penalty.groups == "inputs":
        reached = reached[:1]
    expected = sum(penalty.value(kernel, 0.02) for kernel in reached)
    assert penalty_of(model) == pytest.approx(expected, rel=1e-5)
    assert not to_keras(predictor, regularizers=False).losses


@pytest.mark.parametrize("settings", [{"optimizer": "adamw"}, {"penalty": L2(decoupled=True)}])
def test_decoupled_decay_is_no_regularizer(trained, settings):
    predictor = trained("binary", settings.pop("penalty", L2()), 0.02, **settings)
    model = to_keras(predictor)
    assert not model.losses
    assert "weight_decay" in str(agreement_of(predictor, model))


@pytest.mark.parametrize("penalty", [None, *PENALTIES], ids=str)
def test_it_can_be_saved(trained, rows, tmp_path, penalty):
    predictor = trained("binary", penalty, 0.02 if penalty else 0.0, activation="leaky_relu")
    model = to_keras(predictor)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    given = rows(predictor, 20)
    np.testing.assert_array_equal(run(again, given), run(model, given))
    assert penalty_of(again) == penalty_of(model)


@pytest.mark.parametrize("over", ["units", "inputs"])
def test_the_group_lasso_has_a_gradient_where_a_group_is_zero(over):
    import torch

    kernel = np.random.default_rng(0).normal(size=(4, 3))
    kernel[:, 1] = kernel[2] = 0.0
    weights = torch.tensor(kernel, requires_grad=True)
    Regularizer(0.5, over)(weights).backward()
    found = weights.grad.numpy()
    assert np.isfinite(found).all()
    # Where it is stationary, the gradient of a loss would be the opposite of the penalty's.
    assert GroupLasso(over).stationarity(kernel, -found, 0.5).max() < 1e-12


def test_the_group_lasso_refuses_nonsense():
    with pytest.raises(ShrinkageError, match="unknown group 'unit'; did you mean 'units'"):
        Regularizer(0.1, "unit")
    with pytest.raises(ShrinkageError, match="lam is -1"):
        Regularizer(-1.0)


def test_it_can_be_trained_on(trained, rows):
    predictor = trained(
        "binary", L2(), 0.01, dropout=0.5, input_dropout=0.1, input_noise=0.2, max_norm=3.0
    )
    model = to_keras(predictor)
    assert [layer.name for layer in model.layers] == [
        "standardize",
        "input_noise",
        "input_dropout",
        *("hidden_1", "dropout_1"),
        *("hidden_2", "dropout_2"),
        "output",
    ]
    limits = [layer.kernel_constraint for layer in model.layers if hasattr(layer, "kernel")]
    assert [limit and limit.max_value for limit in limits] == [3.0, 3.0, None]
    model.compile("adam", "binary_crossentropy")
    given = rows(predictor, 64)
    shown = model.fit(given, np.arange(64) % 2, epochs=1, verbose=0).history["loss"]
    assert np.isfinite(shown).all()
    assert not agreement_of(predictor, model).holds


def test_a_target_that_single_precision_loses(trained):
    """Keras casts rows to single precision, not what it answers."""
    predictor = trained("regression", target_center=1e9, target_scale=1.0)
    found = agreement_of(predictor, to_keras(predictor))
    assert found.holds
    assert found.precision == "single"
    assert "takes rows in single precision" in str(found)
