"""A module answers what the network answers, and is like any other module."""

from __future__ import annotations

import copy
import io
import pickle

import numpy as np
import pytest
import torch

from shrinkage.exports import agreement_of, to_torch
from shrinkage.network import ACTIVATIONS


def run(module, rows):
    with torch.no_grad():
        return module(torch.as_tensor(rows)).numpy()


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(), (9, 5)])
def test_every_activation_and_depth(trained, rows, activation, hidden):
    predictor = trained("multiclass", activation=activation, hidden=hidden)
    given = rows(predictor)
    found = run(to_torch(predictor), given)
    np.testing.assert_allclose(found, predictor.probabilities(given), atol=1e-6)


def test_two_classes_have_one_probability(trained, rows):
    predictor = trained()
    given = rows(predictor)
    found = run(to_torch(predictor), given)
    np.testing.assert_allclose(found, predictor.probabilities(given)[:, 1:], atol=1e-6)


@pytest.mark.parametrize("task", ["regression", "two targets"])
def test_predictions_come_in_the_targets_units(trained, rows, task):
    predictor = trained(task, target_center=1e9, target_scale=1.0)
    given = rows(predictor)
    found = run(to_torch(predictor), given)
    np.testing.assert_allclose(found, predictor.predictions(given), rtol=0, atol=1e-5)


def test_rows_in_single_precision_are_taken_too(trained, rows):
    predictor = trained()
    given = rows(predictor).astype(np.float32)
    found = run(to_torch(predictor), given)
    np.testing.assert_allclose(found, predictor.probabilities(given)[:, 1:], atol=1e-6)


def test_values_far_away_are_cut_off_as_in_training(trained):
    predictor = trained("regression")
    given = predictor.center + np.where(np.isinf(predictor.scale), 1, predictor.scale) * 1e9
    found = run(to_torch(predictor), given[None])
    np.testing.assert_allclose(found, predictor.predictions(given[None]), rtol=1e-6)


def test_the_state_can_be_taken_over(trained, rows):
    predictor = trained()
    module = to_torch(predictor)
    state = module.state_dict()
    for number, (kernel, bias) in enumerate(zip(predictor.kernels, predictor.biases), start=1):
        name = "output" if number == 3 else f"hidden_{number}"
        np.testing.assert_array_equal(state[f"{name}.weight"].numpy(), kernel.T)
        np.testing.assert_array_equal(state[f"{name}.bias"].numpy(), bias)
    other = copy.deepcopy(module)
    for parameter in other.parameters():
        torch.nn.init.zeros_(parameter)
    other.load_state_dict(state)
    given = rows(predictor, 10)
    np.testing.assert_array_equal(run(other, given), run(module, given))


def test_it_can_be_pickled_and_saved(trained, rows):
    predictor = trained("two targets")
    module = to_torch(predictor)
    given = rows(predictor, 10)
    again = pickle.loads(pickle.dumps(module))
    np.testing.assert_array_equal(run(again, given), run(module, given))
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    again.load_state_dict(torch.load(file, weights_only=True))
    assert agreement_of(predictor, again).holds


def test_other_precisions(trained, rows):
    predictor = trained("two targets", center=(0, 0, 0, 0), scale=(1, 1, 1, 1))
    given = rows(predictor)
    double = run(to_torch(predictor).double(), given)
    assert double.dtype == np.float64
    np.testing.assert_allclose(double, predictor.predictions(given), atol=1e-4)
    single = run(to_torch(predictor).float(), given.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, predictor.predictions(given), atol=1e-3)


def test_it_can_be_trained_on(trained, rows):
    predictor = trained(dropout=0.5, input_dropout=0.2)
    module = to_torch(predictor)
    kinds = [type(part).__name__ for part in module]
    assert kinds == [
        "Standardize",
        "Dropout",
        *("Linear", "ReLU", "Dropout"),
        *("Linear", "ReLU", "Dropout"),
        *("Linear", "Sigmoid"),
    ]
    assert not module.training
    assert sum(p.numel() for p in module.parameters()) == predictor.parameters.size
    module.train()
    given = torch.as_tensor(rows(predictor, 40))
    assert not torch.equal(module(given), module(given))
    assert agreement_of(predictor, module).holds
    assert module.training
    loss = torch.nn.functional.binary_cross_entropy(module(given), torch.ones(40, 1))
    loss.backward()
    assert all(p.grad is not None for p in module.parameters())
