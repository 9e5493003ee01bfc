"""What a training may use beside its penalty: each does what it says, whoever computes it."""

from dataclasses import replace

import numpy as np
import pytest

from shrinkage.engine import kernel, pool
from shrinkage.engine.pool import predict, run_trial, train
from shrinkage.network import Network, layout
from shrinkage.penalties import L1, GroupLasso
from shrinkage.study import Status, Trial
from shrinkage.training import Training

TRAINING = Training("binary_cross_entropy", epochs=8, batch_size=16)
NETWORK = Network(3, (20, 9))
EVERYTHING = {
    "dropout": 0.3,
    "input_dropout": 0.1,
    "input_noise": 0.1,
    "mixup": 0.4,
    "label_smoothing": 0.1,
    "patience": 5,
    "max_norm": 2.0,
    "averaging": 0.9,
    "lam_schedule": "cosine",
    "relaxed_epochs": 3,
}


def trial(penalty=None, lam=0.0, fold=0, seed=1, rows=None, **settings):
    return Trial(NETWORK, replace(TRAINING, **settings), penalty, lam, fold, seed, rows)


def same(a, b):
    return all(
        np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True)
        for name in ("parameters", "train_loss", "validation_loss", "outputs", "epochs")
    )


TRIALS = [
    trial(L1(), 0.01, fold, 1, **{name: value})
    for name, value in EVERYTHING.items()
    for fold in (0, None)
] + [trial(L1(), 0.01, fold, seed, **EVERYTHING) for fold in (1, None) for seed in (1, 2)]


@pytest.mark.parametrize("threads", [2, 5])
def test_every_ingredient_gives_the_same_bits_for_any_number_of_threads(make_data, threads):
    data = make_data()
    alone = {fit.trial: fit for fit in train(TRIALS, data, threads=1)}
    for fit in train(TRIALS[::-1], data, threads=threads):
        assert same(fit, alone[fit.trial]), fit.trial


@pytest.mark.parametrize("name", list(EVERYTHING))
def test_every_ingredient_matters(make_part, name):
    part = make_part()
    without = run_trial(trial(L1(), 0.01), part)
    value = 1 if name == "patience" else EVERYTHING[name]
    settings = {name: value} | ({"epochs": 200} if name == "patience" else {})
    with_it = run_trial(trial(L1(), 0.01, **settings), part)
    assert with_it.ok
    assert (with_it.parameters != without.parameters).any()


@pytest.mark.parametrize(("task", "outputs"), [("multiclass", 3), ("regression", 1)])
def test_everything_at_once_trains_for_every_task(make_part, task, outputs):
    loss = {"multiclass": "cross_entropy", "regression": "mean_squared_error"}[task]
    smoothing = 0.0 if task == "regression" else 0.1
    settings = EVERYTHING | {"label_smoothing": smoothing, "loss": loss, "epochs": 60}
    one = replace(trial(L1(), 0.001, **settings), network=Network(3, (20, 9), outputs))
    part = make_part(rows=300, task=task)
    fit = run_trial(one, part)
    plain = predict(fit.trial.network, fit.parameters, part.inputs[part.validation], loss)
    np.testing.assert_array_equal(plain, fit.outputs)
    assert fit.final_validation_loss < (np.log(3) if task == "multiclass" else 1.0)


def test_a_halted_training_goes_on_as_if_it_had_not_been(make_part):
    part, training = make_part(), trial(**(EVERYTHING | {"relaxed_epochs": 0})).training
    one = trial(L1(), 0.01, **(EVERYTHING | {"relaxed_epochs": 0}))
    whole = run_trial(one, part)
    parameters = pool.initialize(NETWORK, 1)
    rows = kernel.Rows(part.inputs, part.targets, part.weights)
    every = pool.evaluation_interval(training, part.train.size, part.validation.size)
    state = kernel.make_state(parameters, part.train, True, True)
    losses, outputs = np.empty((2, 8)), np.empty((part.validation.size, 1), np.float32)
    descent = pool._descent(one, training, every, penalize=True)
    noise = pool._noise(training, 1, part.train.size, parameters[:0])
    shape, stop = pool.shape_of(NETWORK, training.loss), np.zeros(1, np.uint8)
    for until in (1, 2, 5, 8):
        status, _, _ = kernel.train_network(
            shape, descent, noise, rows, rows, part.train, part.validation, parameters, state,
            until, losses[0], losses[1], outputs, stop,
        )  # fmt: skip
        if status != kernel.UNFINISHED:
            break
    np.testing.assert_array_equal(parameters, whole.parameters)
    np.testing.assert_array_equal(outputs, whole.outputs)


def test_early_stopping_restores_the_best_epoch(make_part):
    part = make_part(rows=60)
    fit = run_trial(trial(epochs=400, patience=30, learning_rate=0.02), part)
    assert fit.status is Status.STOPPED_EARLY
    assert fit.stopped_at >= fit.best_epoch + 30
    assert fit.epochs[-1] == fit.stopped_at < 400
    best = np.argmin(fit.validation_loss)
    assert fit.epochs[best] == fit.best_epoch
    assert fit.final_validation_loss == fit.validation_loss[best]
    targets = part.targets[part.validation]
    loss = -np.log(np.where(targets > 0, fit.outputs, 1 - fit.outputs)).mean()
    assert fit.final_validation_loss == pytest.approx(loss, rel=1e-5)
    assert f"after epoch {fit.best_epoch}" in fit.message


def test_early_stopping_of_a_refit_holds_training_rows_back(make_data):
    data = make_data()
    fit = run_trial(trial(fold=None, epochs=400, patience=20, learning_rate=0.02), data.full)
    assert fit.status is Status.STOPPED_EARLY
    assert fit.outputs.shape == (0, 1)
    assert np.isfinite(fit.validation_loss).all()


def test_averaging_is_that_of_the_parameters_after_every_step(make_part):
    part = make_part()
    last = [run_trial(trial(epochs=8), part)]
    averaged = run_trial(trial(epochs=8, averaging=0.9), part)
    # One step at a time: the same descent, halted after each epoch of a single batch.
    whole = replace(TRAINING, batch_size=60)
    steps = [
        run_trial(
            Trial(NETWORK, replace(whole, schedule="constant", epochs=n), None, 0.0, 0, 1), part
        )
        for n in range(1, 9)
    ]
    average = pool.initialize(NETWORK, 1).astype(np.float64)
    for step, fit in enumerate(steps, start=1):
        keep = min(0.9, (1 + step) / (10 + step))
        average = keep * average + (1 - keep) * fit.parameters
    expected = run_trial(
        Trial(NETWORK, replace(whole, schedule="constant", averaging=0.9), None, 0.0, 0, 1), part
    )
    np.testing.assert_allclose(expected.parameters, average, rtol=1e-4, atol=1e-6)
    assert not np.array_equal(averaged.parameters, last[0].parameters)


def test_a_weight_that_ends_at_zero_is_zero_in_the_average(make_part):
    plain = run_trial(trial(L1(), 0.05, epochs=40), make_part())
    averaged = run_trial(trial(L1(), 0.05, epochs=40, averaging=0.99), make_part())
    assert plain.sparsity > 0.3
    assert averaged.sparsity >= plain.sparsity


def test_no_unit_exceeds_the_largest_norm(make_part):
    fit = run_trial(trial(max_norm=0.8, epochs=20), make_part())
    for block in layout(NETWORK).kernels:
        norms = np.linalg.norm(block.of(fit.parameters), axis=0)
        if block.kind == "hidden kernel":
            assert norms.max() <= 0.8 * (1 + 1e-5)
    free = run_trial(trial(epochs=20), make_part())
    assert np.linalg.norm(layout(NETWORK).kernels[0].of(free.parameters), axis=0).max() > 0.8


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("constant", [1, 1, 1]), ("linear", [0, 0.5, 1]), ("cosine", [0, 0.5, 1])],
)
def test_lambda_rises_as_said(schedule, expected):
    one = trial(L1(), 0.01, lam_schedule=schedule, lam_ramp=0.5)
    descent = pool._descent(one, one.training, 1, penalize=True)
    found = [kernel._lam_share(descent, step, 100) for step in (0, 25, 50)]
    assert found == pytest.approx(expected)
    assert kernel._lam_share(descent, 99, 100) == 1


def test_a_relaxed_fit_keeps_its_zeros_and_fits_closer(make_part):
    part = make_part(rows=300)
    plain = run_trial(trial(L1(), 0.02, epochs=60), part)
    relaxed = run_trial(trial(L1(), 0.02, epochs=60, relaxed_epochs=60), part)
    penalized = layout(NETWORK).penalized
    np.testing.assert_array_equal(
        relaxed.parameters[penalized] == 0, plain.parameters[penalized] == 0
    )
    assert plain.sparsity > 0.3
    assert relaxed.final_train_loss < plain.final_train_loss
    assert relaxed.epochs[-1] == 120
    np.testing.assert_array_equal(
        relaxed.validation_loss[: plain.epochs.size], plain.validation_loss
    )


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
@pytest.mark.parametrize(
    ("over", "network", "task"),
    [
        ("units", Network(3, (12,), activation="tanh"), "binary"),
        # Behind a hidden layer the free output kernel would make up for small rows.
        ("inputs", Network(3, (), 3), "multiclass"),
    ],
)
def test_a_group_lasso_kills_whole_groups_and_is_stationary(
    make_part, over, network, task, optimizer
):
    """At a long training's end each group is zero or its gradient is balanced by the penalty."""
    rate, lam, penalty = 0.05 if optimizer == "sgd" else 0.005, 0.05, GroupLasso(over)
    part = make_part(rows=120, task=task)
    training = replace(
        TRAINING,
        loss="cross_entropy" if task == "multiclass" else TRAINING.loss,
        epochs=8000,
        batch_size=200,
        optimizer=optimizer,
        learning_rate=rate,
    )
    fit = run_trial(Trial(network, training, penalty, lam, 0, 2), part)
    weights = layout(network).kernels[0].of(fit.parameters)
    norms = np.linalg.norm(weights, axis=0 if over == "units" else 1)
    assert 0 < np.count_nonzero(norms) < norms.size
    arrays = (part.inputs, part.targets, part.weights)
    rows = kernel.Rows(*(array[part.train].astype(np.float64) for array in arrays))
    parameters = fit.parameters.astype(np.float64)
    gradient = np.empty(parameters.size)
    shape, noise = pool.shape_of(network, training.loss), kernel.no_noise(parameters)
    kernel.loss_and_gradient(shape, parameters, rows, gradient, noise, np.uint64(0))
    slope = layout(network).kernels[0].of(gradient)
    distance = penalty.stationarity(weights.astype(np.float64), slope, lam)
    assert np.max(distance) < 0.02 * lam * np.sqrt(weights.size / norms.size)


def test_a_part_of_the_rows_is_trained_on(make_part):
    part = make_part()
    few = run_trial(trial(rows=20, epochs=200), part)
    assert few.ok
    assert few.outputs.shape == (part.validation.size, 1)
    assert few.final_train_loss < run_trial(trial(epochs=200), part).final_train_loss


def test_l1_on_the_output_kernel_makes_zeros_there_that_relaxing_keeps(make_part):
    part, wide = make_part(rows=300), replace(NETWORK, penalize_output=True)
    settings = {"epochs": 200, "relaxed_epochs": 5}
    narrow_fit = run_trial(trial(L1(), 0.02, **settings), part)
    fit = run_trial(replace(trial(L1(), 0.02, **settings), network=wide), part)
    before = run_trial(replace(trial(L1(), 0.02, epochs=200), network=wide), part)
    output = layout(wide).kernels[-1]
    zeros = output.of(fit.parameters) == 0
    assert 0 < zeros.mean() < 1
    np.testing.assert_array_equal(zeros, output.of(before.parameters) == 0)
    assert (output.of(narrow_fit.parameters) != 0).all()
    assert fit.sparsity == np.mean(fit.parameters[: output.stop] == 0)


@pytest.mark.parametrize(
    ("penalty", "settings"), [(GroupLasso("units"), {}), (None, {"max_norm": 0.5})]
)
def test_what_is_about_hidden_units_leaves_the_output_kernel_alone(make_part, penalty, settings):
    lam = 0.01 if penalty else 0.0
    narrow, wide = (
        run_trial(replace(trial(penalty, lam, **settings), network=network), make_part())
        for network in (NETWORK, replace(NETWORK, penalize_output=True))
    )
    np.testing.assert_array_equal(narrow.parameters, wide.parameters)
