from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shrinkage.network import ACTIVATIONS, Network, initialize, layout
from shrinkage.study import Fit, Status, Trial
from shrinkage.training import Training
from shrinkage.verify.derivatives import logits, logits_and_jacobians
from shrinkage.verify.norms import spectral_product
from shrinkage.verify.smoothness import jacobian_norms, lipschitz


def fit_of(network, seed=0, loss="cross_entropy", biases=0.3):
    """A network that nothing trained, with biases that are not zero."""
    parameters = initialize(network, seed)
    rng = np.random.default_rng(seed)
    for block in layout(network).biases:
        block.of(parameters)[:] = biases * rng.standard_normal(block.shape)
    none = np.zeros(0)
    return Fit(
        trial=Trial(network, Training(loss), None, 0.0, None, seed),
        parameters=parameters,
        epochs=none.astype(np.int64),
        train_loss=none,
        validation_loss=none,
        final_train_loss=0.0,
        outputs=np.zeros((0, network.outputs), np.float32),
        status=Status.COMPLETED,
        stopped_at=0,
    )


def rows_of(count, columns, seed=1):
    return np.random.default_rng(seed).standard_normal((count, columns)).astype(np.float32)


def torch_module(fit):
    """The same network in PyTorch, in double precision."""
    import torch
    from torch import nn

    kinds = {
        "relu": nn.ReLU,
        "leaky_relu": nn.LeakyReLU,
        "elu": nn.ELU,
        "selu": nn.SELU,
        "gelu": nn.GELU,
        "silu": nn.SiLU,
        "tanh": nn.Tanh,
        "sigmoid": nn.Sigmoid,
        "identity": nn.Identity,
    }
    network, places = fit.trial.network, layout(fit.trial.network)
    parts = []
    for kernel, bias in zip(places.kernels, places.biases, strict=True):
        linear = nn.Linear(*kernel.shape, dtype=torch.float64)
        linear.weight.data = torch.from_numpy(kernel.of(fit.parameters).T.astype(np.float64))
        linear.bias.data = torch.from_numpy(bias.of(fit.parameters).astype(np.float64))
        parts += [linear, kinds[network.activation]()]
    return nn.Sequential(*parts[:-1])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("hidden", "outputs"), [((7, 5), 1), ((7, 5), 3), ((), 1), ((4,), 6)])
def test_jacobians_are_those_of_autograd(activation, hidden, outputs):
    import torch

    fit = fit_of(Network(4, hidden, outputs, activation))
    inputs = rows_of(6, 4)
    module = torch_module(fit)
    rows = torch.from_numpy(inputs.astype(np.float64))
    expected = torch.stack([torch.autograd.functional.jacobian(module, row) for row in rows])
    answers, found = logits_and_jacobians(fit, inputs)
    np.testing.assert_allclose(answers, module(rows).detach().numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-9, atol=1e-12)
    norms = torch.linalg.matrix_norm(expected, ord=2).numpy()
    np.testing.assert_allclose(jacobian_norms(fit, inputs), norms, rtol=1e-7)
    np.testing.assert_array_equal(logits(fit, inputs), answers)


def test_hundreds_of_inputs_in_pieces(monkeypatch):
    fit = fit_of(Network(300, (20,), 4))
    inputs = rows_of(50, 300)
    whole = jacobian_norms(fit, inputs)
    monkeypatch.setattr("shrinkage.verify.smoothness._HELD", 4 * 300 * 7)
    np.testing.assert_allclose(jacobian_norms(fit, inputs), whole, rtol=1e-12)
    expected = np.linalg.norm(logits_and_jacobians(fit, inputs)[1], ord=2, axis=(1, 2))
    np.testing.assert_allclose(whole, expected, rtol=1e-7)


def test_a_linear_model_has_one_slope_everywhere():
    fit = fit_of(Network(5, (), 1), loss="mean_squared_error")
    slope = np.linalg.norm(fit.parameters[:5].astype(np.float64))
    np.testing.assert_allclose(jacobian_norms(fit, rows_of(9, 5)), slope, rtol=1e-12)
    assert lipschitz(fit, rows_of(9, 5)) == pytest.approx(slope)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_slopes_on_rows_below_slopes_between_below_the_bound(activation, outputs):
    fit = fit_of(Network(3, (16, 16), outputs, activation))
    inputs = rows_of(40, 3)
    on_rows = jacobian_norms(fit, inputs).max()
    found = lipschitz(fit, inputs)
    assert on_rows <= found <= spectral_product(fit)


def step(steepness):
    """Of one input, σ(steepness · (x − ½)) · 10: flat at 0 and at 1, steep between them."""
    network = Network(1, (1,), 1, "sigmoid")
    fit = fit_of(network, biases=0.0)
    parameters = np.array([steepness, 10.0, -steepness / 2, 0.0], np.float32)
    return replace(fit, parameters=parameters)


def test_a_step_between_two_rows_is_found():
    fit, inputs = step(40.0), np.array([[0.0], [1.0]], np.float32)
    assert jacobian_norms(fit, inputs).max() < 1e-5
    assert lipschitz(fit, inputs) == pytest.approx(40.0 * 10.0 / 4)  # the sigmoid's steepest slope


def test_a_step_between_two_looks_is_seen_from_row_to_row():
    fit = step(10_000.0)
    moved = replace(fit, parameters=np.array([1e4, 10.0, -6e3, 0.0], np.float32))  # at x = 0.6
    inputs = np.array([[0.0], [1.0]], np.float32)
    assert lipschitz(moved, inputs) == pytest.approx(10.0)  # the rise over the distance


def test_equal_rows_and_one_row_have_no_way_between_them():
    fit = fit_of(Network(2, (8,), 1))
    one = rows_of(1, 2)
    assert lipschitz(fit, one) == pytest.approx(jacobian_norms(fit, one)[0])
    assert lipschitz(fit, np.repeat(one, 5, axis=0)) == pytest.approx(jacobian_norms(fit, one)[0])


def test_no_rows_have_no_norms():
    assert jacobian_norms(fit_of(Network(2, (8,), 1)), rows_of(0, 2)).shape == (0,)
