"""A polish: linear models beside scikit-learn's, and certificates with hidden layers."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import ElasticNet as SklearnElasticNet
from sklearn.linear_model import Lasso, LogisticRegression, Ridge

from shrinkage.data.numeric import Arrays, from_arrays
from shrinkage.engine.pool import Interrupted, predict, row_weights, run_trial, train
from shrinkage.errors import SettingError
from shrinkage.network import Network, layout
from shrinkage.penalties import L1, L2, ElasticNet, GroupLasso
from shrinkage.study import Trial
from shrinkage.training import Augmentation, Training

ROWS, COLUMNS = 160, 9
LOSSES = {"binary": "binary_cross_entropy", "multiclass": "cross_entropy"}


def arrays(task, outputs=1, seed=0):
    """Correlated inputs of which some say nothing, and uneven sample weights."""
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((ROWS, COLUMNS)) @ (np.eye(COLUMNS) + 0.3)
    weights = np.where(np.arange(COLUMNS) % 3 == 0, rng.standard_normal(COLUMNS), 0.0)
    signal = inputs @ weights + 0.8 * rng.standard_normal(ROWS)
    if task == "binary":
        targets = (signal > 0.3)[:, None]
    elif task == "multiclass":
        targets = np.digitize(signal, np.quantile(signal, [0.4, 0.7]))[:, None]
    else:
        targets = np.column_stack([signal + k * inputs[:, 1] for k in range(outputs)])
    # What single precision holds exactly, so that both sides get the same numbers.
    inputs = inputs.astype(np.float32).astype(np.float64)
    targets = targets.astype(np.float32).astype(np.float64)
    return Arrays(inputs, targets, rng.uniform(0.5, 1.5, ROWS))


def ours(made, task, penalty, lam, outputs=1, weighted=True):
    """Kernel and bias of a polished linear model, and the fit."""
    if not weighted:
        made = replace(made, weights=np.ones(ROWS))
    classes = {"binary": (0, 1), "multiclass": (0, 1, 2)}.get(task)
    data = from_arrays(made, classes=classes, standardize=False)
    network = Network(COLUMNS, (), outputs)
    training = Training(data.loss, epochs=30, polish=1_000)
    fit = run_trial(Trial(network, training, penalty, lam, None, 0), data.part(None))
    kernel, bias = (block.of(fit.parameters) for block in layout(network).blocks)
    return kernel, bias, fit


def assert_same_model(kernel, bias, coefficients, intercept, fit):
    scale = np.abs(coefficients).max()
    np.testing.assert_array_equal(kernel.T == 0, coefficients == 0)
    assert np.abs(kernel.T - coefficients).max() < 1e-3 * scale
    np.testing.assert_allclose(kernel.T, coefficients, rtol=1e-3, atol=1e-6 * scale)
    np.testing.assert_allclose(bias, intercept, rtol=1e-3, atol=1e-4 * scale)
    # In single precision, which is what is returned, a weight of 1 is known to 6e-8.
    assert fit.stationarity < 1e-4
    assert fit.slope < 1e-6
    assert 0 < fit.polish_iterations < 1_000


PRECISE = {"tol": 1e-9, "max_iter": 100_000}


@pytest.mark.parametrize(
    ("settings", "penalty"),
    [
        ({"solver": "lbfgs"}, L2()),
        ({"solver": "saga", "l1_ratio": 1.0}, L1()),
        ({"solver": "saga", "l1_ratio": 0.4}, ElasticNet(0.4)),
    ],
)
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_linear_classifiers_are_those_of_scikit_learn(task, settings, penalty):
    made = arrays(task)
    mass, strength = made.weights.sum(), 0.08
    oracle = LogisticRegression(C=strength, **PRECISE, **settings)
    oracle.fit(made.inputs, made.targets[:, 0], sample_weight=made.weights)
    outputs = 1 if task == "binary" else 3
    kernel, bias, fit = ours(made, task, penalty, 1 / (strength * mass), outputs)
    # Softmax does not change when every intercept does.
    center = 0.0 if task == "binary" else 1.0
    assert_same_model(
        kernel,
        bias - center * bias.mean(),
        oracle.coef_,
        oracle.intercept_ - center * oracle.intercept_.mean(),
        fit,
    )
    assert fit.sparsity > 0.1 or isinstance(penalty, L2)


@pytest.mark.parametrize("outputs", [1, 3])
def test_ridge_is_that_of_scikit_learn(outputs):
    made, alpha = arrays("regression", outputs), 20.0
    oracle = Ridge(alpha).fit(made.inputs, made.targets, sample_weight=made.weights)
    # Our loss is the mean over rows and targets, without the ½ of the penalty.
    lam = 2 * alpha / (made.weights.sum() * outputs)
    kernel, bias, fit = ours(made, "regression", L2(), lam, outputs)
    coefficients = np.reshape(oracle.coef_, (outputs, COLUMNS))
    assert_same_model(kernel, bias, coefficients, oracle.intercept_, fit)


@pytest.mark.parametrize(
    ("oracle", "penalty"),
    [
        (Lasso(0.1, **PRECISE), L1()),
        (SklearnElasticNet(0.2, l1_ratio=0.7, **PRECISE), ElasticNet(0.7)),
    ],
)
def test_lasso_and_elastic_net_are_those_of_scikit_learn(oracle, penalty):
    made = arrays("regression")
    oracle.fit(made.inputs, made.targets[:, 0])
    lam = 2 * oracle.alpha  # of the loss with the ½
    kernel, bias, fit = ours(made, "regression", penalty, lam, weighted=False)
    assert_same_model(kernel, bias, oracle.coef_[None], oracle.intercept_, fit)
    assert 0.2 < fit.sparsity < 0.9


def hidden_trial(penalty, lam, activation="tanh", hidden=(12, 8), fold=0, **settings):
    training = Training("binary_cross_entropy", epochs=60, batch_size=16, polish=1_500)
    return Trial(
        Network(3, hidden, activation=activation),
        replace(training, **settings),
        penalty,
        lam,
        fold,
        1,
    )


def numbers(fit):
    return (
        fit.parameters.tobytes(),
        fit.outputs.tobytes(),
        fit.train_loss.tobytes(),
        fit.stationarity,
        fit.slope,
        fit.polish_iterations,
    )


@pytest.mark.parametrize("penalty", [L1(), L2(), ElasticNet()])
@pytest.mark.parametrize("activation", ["tanh", "gelu", "silu"])
def test_smooth_networks_end_at_a_stationary_point(make_part, activation, penalty):
    part = make_part(rows=120)
    one = hidden_trial(penalty, 0.01, activation)
    fit = run_trial(one, part)
    before = run_trial(replace(one, training=replace(one.training, polish=1)), part)
    assert before.stationarity > 0.02
    assert fit.stationarity < 1e-2
    # The objective fell on the way.
    after, first = (
        found.final_train_loss + penalty.value(found.penalized_weights, one.lam)
        for found in (fit, before)
    )
    assert after < first
    # What no penalty acts on and would grow without end is as the descent left it.
    output = layout(one.network).kernels[-1]
    np.testing.assert_array_equal(output.of(fit.parameters), output.of(before.parameters))


@pytest.mark.parametrize("penalty", [L1(), L2()])
def test_relu_gets_a_lower_objective_and_a_certificate_that_promises_nothing(make_part, penalty):
    part = make_part(rows=120)
    one = hidden_trial(penalty, 0.01, "relu")
    fit, before = (
        run_trial(replace(one, training=replace(one.training, polish=most)), part)
        for most in (600, 1)
    )
    after, first = (
        found.final_train_loss + penalty.value(found.penalized_weights, one.lam)
        for found in (fit, before)
    )
    assert after < first - 1e-4
    assert fit.stationarity >= 0


def test_a_certificate_is_that_of_autograd(make_part):
    part, penalty, lam = make_part(rows=120), ElasticNet(0.3), 0.01
    uneven = np.random.default_rng(0).uniform(0.5, 1.5, 120).astype(np.float32)
    part = replace(part, weights=uneven / uneven[part.train].mean())
    one = hidden_trial(penalty, lam, polish=40, class_weight="balanced")
    fit = run_trial(one, part)
    leaves = [
        torch.tensor(block.of(fit.parameters), dtype=torch.float64, requires_grad=True)
        for block in layout(one.network).blocks
    ]
    h = torch.tensor(part.inputs[part.train], dtype=torch.float64)
    for layer in range(3):
        h = h @ leaves[layer] + leaves[3 + layer]
        h = torch.tanh(h) if layer < 2 else h
    targets = torch.tensor(part.targets[part.train], dtype=torch.float64)
    weights = torch.tensor(row_weights(part, one.training)[part.train], dtype=torch.float64)
    each = torch.nn.functional.binary_cross_entropy_with_logits(h, targets, reduction="none")
    (weights * each[:, 0]).mean().backward()
    distances = [
        penalty.stationarity(leaf.detach().numpy(), leaf.grad.numpy(), lam) for leaf in leaves[:2]
    ]
    assert fit.stationarity == pytest.approx(max(d.max() for d in distances) / lam, rel=1e-6)
    free = max(float(leaf.grad.abs().max()) for leaf in leaves[2:])
    assert fit.slope == pytest.approx(free, rel=1e-6)


def test_all_parameters_move_where_the_penalty_acts_on_all_kernels(make_part):
    part = make_part(rows=120)
    one = hidden_trial(L2(), 0.01)
    one = replace(one, network=replace(one.network, penalize_output=True))
    fit = run_trial(one, part)
    before = run_trial(replace(one, training=replace(one.training, polish=0)), part)
    output = layout(one.network).kernels[-1]
    assert (output.of(fit.parameters) != output.of(before.parameters)).all()
    assert fit.stationarity < 1e-3
    assert fit.slope < 1e-5


def test_l1_leaves_zeros_and_l2_none(make_part):
    part = make_part(rows=120)
    assert run_trial(hidden_trial(L1(), 0.02), part).sparsity > 0.5
    assert run_trial(hidden_trial(L2(), 0.02), part).sparsity == 0.0


def test_a_relaxed_training_is_polished_without_its_penalty_and_with_its_zeros(make_part):
    part = make_part(rows=120)
    one = hidden_trial(L1(), 0.03, hidden=(6,), relaxed_epochs=5)
    before = run_trial(replace(one, training=replace(one.training, polish=0)), part)
    fit = run_trial(one, part)
    zeros = before.penalized_weights == 0
    assert 0 < zeros.mean() < 1
    np.testing.assert_array_equal(fit.penalized_weights == 0, zeros)
    assert fit.final_train_loss < before.final_train_loss
    assert fit.stationarity < 1e-3


def test_the_history_ends_with_the_polished_network(make_part):
    part = make_part(rows=120)
    one = hidden_trial(L1(), 0.01, polish=50)
    fit = run_trial(one, part)
    plain = run_trial(replace(one, training=replace(one.training, polish=0)), part)
    assert fit.epochs.tolist() == [*plain.epochs, plain.epochs[-1] + 1]
    np.testing.assert_array_equal(fit.train_loss[:-1], plain.train_loss)
    predicted = predict(one.network, fit.parameters, part.inputs, one.training.loss)
    np.testing.assert_array_equal(fit.outputs, predicted[part.validation])
    chance = np.where(part.targets == 1, predicted, 1 - predicted)[:, 0].astype(np.float64)
    for loss, rows in (
        (fit.final_train_loss, part.train),
        (fit.final_validation_loss, part.validation),
    ):
        assert loss == pytest.approx(-np.log(chance[rows]).mean(), rel=1e-5)
    assert plain.stationarity is None
    assert plain.polish_iterations == 0
    assert 1 < fit.polish_iterations <= 50


def test_polished_fits_are_the_same_bits_whoever_computes_them(make_data):
    data = make_data()
    trials = [
        hidden_trial(penalty, lam, fold=fold, polish=150, epochs=10)
        for fold in (0, 1, None)
        for penalty, lam in ((L1(), 0.01), (L2(), 0.01), (None, 0.0))
    ]
    alone = {fit.trial: numbers(fit) for fit in train(trials, data, threads=1)}
    together = {fit.trial: numbers(fit) for fit in train(trials[::-1], data, threads=3)}
    assert together == alone


def test_a_polish_stops_when_told_to(make_part):
    part, stop = make_part(rows=3_000, columns=40), np.zeros(1, np.uint8)
    one = replace(
        hidden_trial(L2(), 1e-4, epochs=1, polish=10**6), network=Network(40, (64, 64), 1, "tanh")
    )
    begun = threading.Event()

    def polishing():
        begun.set()
        return run_trial(one, part, stop)

    with ThreadPoolExecutor(1) as executor:
        future = executor.submit(polishing)
        begun.wait()
        while not future.running():
            time.sleep(0.01)
        time.sleep(0.5)
        stop[0] = 1
        with pytest.raises(Interrupted):
            future.result(timeout=30)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"dropout": 0.1}, "cannot follow dropout, which changes the loss in every step"),
        ({"input_dropout": 0.1}, "cannot follow input_dropout"),
        ({"input_noise": 0.1}, "cannot follow input_noise"),
        ({"mixup": 0.1}, "cannot follow mixup"),
        ({"augmentation": Augmentation((1, 3), flip=True)}, "cannot follow augmentation"),
        ({"label_smoothing": 0.1}, "label_smoothing, which changes the targets"),
        ({"patience": 3}, "cannot follow patience"),
        ({"averaging": 0.9}, "cannot follow averaging"),
        ({"max_norm": 1.0}, "cannot follow max_norm"),
        ({"polish": -1}, "polish is -1"),
    ],
)
def test_what_leaves_no_objective_cannot_be_polished(settings, sentence):
    with pytest.raises(SettingError, match=sentence):
        hidden_trial(L1(), 0.01, **settings)


@pytest.mark.parametrize(
    ("penalty", "settings", "sentence"),
    [
        (GroupLasso(), {}, "not made for a group lasso on units"),
        (L2(decoupled=True), {}, "decoupled"),
        (L2(), {"optimizer": "adamw"}, "decoupled"),
        (ElasticNet(), {"optimizer": "adamw"}, "decoupled"),
    ],
)
def test_a_penalty_that_is_no_part_of_the_loss_cannot_be_polished(penalty, settings, sentence):
    with pytest.raises(SettingError, match=sentence):
        hidden_trial(penalty, 0.01, **settings)
    assert hidden_trial(penalty, 0.01, polish=0, **settings).penalty is penalty


def test_l1_under_adamw_can_be_polished(make_part):
    assert run_trial(hidden_trial(L1(), 0.01, optimizer="adamw"), make_part()).stationarity < 1e-2
