"""Many trials: the same bits whoever computes them, in whatever order, whatever happens beside."""

import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from shrinkage.engine import pool
from shrinkage.engine.pool import Interrupted, predict, run_trial, train
from shrinkage.errors import SettingError
from shrinkage.network import Network, initialize
from shrinkage.penalties import L1, L2, ElasticNet
from shrinkage.study import Status, Trial
from shrinkage.training import Training

TRAINING = Training("binary_cross_entropy", epochs=6, batch_size=16)
NETWORK = Network(3, (20, 9))


def trial(penalty=None, lam=0.0, fold=0, seed=1, **settings):
    return Trial(NETWORK, replace(TRAINING, **settings), penalty, lam, fold, seed)


def bits(fits):
    return {
        fit.trial: (
            fit.parameters.tobytes(),
            fit.train_loss.tobytes(),
            fit.validation_loss.tobytes(),
            fit.outputs.tobytes(),
            np.float64(fit.final_train_loss).tobytes(),
        )
        for fit in fits
    }


TRIALS = [
    trial(penalty, lam, fold, seed)
    for fold in (0, 1, None)
    for seed in (1, 2)
    for penalty, lam in ((None, 0.0), (L1(), 0.01), (L2(), 0.1), (ElasticNet(), 0.01))
]


@pytest.mark.parametrize("threads", [2, 5])
def test_fits_are_the_same_to_the_last_bit_for_any_number_of_threads(make_data, threads):
    data = make_data()
    alone = bits(train(TRIALS, data, threads=1))
    assert len(alone) == len(TRIALS)
    assert bits(train(TRIALS, data, threads=threads)) == alone


def test_fits_do_not_depend_on_the_order_of_the_trials(make_data):
    data = make_data()
    assert bits(train(TRIALS[::-1], data, threads=2)) == bits(train(TRIALS, data, threads=2))


def test_any_executor_gives_the_same_bits(make_data):
    data = make_data()
    with ThreadPoolExecutor(3) as executor:
        found = bits(train(TRIALS, data, executor=executor, threads=3))
    assert found == bits(train(TRIALS, data, threads=1))


def test_few_trials_are_taken_before_they_are_needed(make_data):
    taken = []

    def watched():
        for one in TRIALS:
            taken.append(one)
            yield one

    fits = train(watched(), make_data(), threads=2)
    next(fits)
    fits.close()
    assert len(taken) <= 6


def test_closing_stops_the_threads(make_data):
    endless = [trial(epochs=10**8, seed=seed) for seed in range(4)]
    fits = train([trial(epochs=1), *endless], make_data(), threads=2)
    assert next(fits).trial.training.epochs == 1
    fits.close()  # returns only when its threads have ended
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("shrinkage")]


def test_a_stopped_trial_gives_no_fit(make_part):
    with pytest.raises(Interrupted):
        run_trial(trial(), make_part(), np.ones(1, np.uint8))


def test_a_diverged_fit_says_so_and_spoils_no_neighbour(make_data):
    data = make_data()
    wild = trial(optimizer="sgd", learning_rate=1e18, seed=7)
    fits = {fit.trial: fit for fit in train([*TRIALS, wild], data, threads=2)}
    lost = fits.pop(wild)
    assert lost.status is Status.DIVERGED
    assert not lost.ok
    assert np.isfinite(lost.parameters).all()
    assert np.isnan(lost.outputs).all()
    assert "diverged at epoch 1" in lost.message
    assert "learning rate" in lost.message
    assert bits(fits.values()) == bits(train(TRIALS, data, threads=1))


def test_nan_in_the_inputs_is_not_hidden_by_a_bounded_activation(make_part):
    part = make_part()
    part.inputs[part.train[0], 0] = np.nan
    for activation in ("tanh", "sigmoid", "relu", "gelu"):
        one = replace(trial(), network=Network(3, (8,), activation=activation))
        assert run_trial(one, part).status is Status.DIVERGED, activation


def test_the_history_is_penalty_free_and_ends_with_the_final_network(make_part):
    part = make_part()
    fit = run_trial(trial(L2(), 5.0), part)
    predicted = predict(NETWORK, fit.parameters, part.inputs, "binary_cross_entropy")
    chance = np.where(part.targets == 1, predicted, 1 - predicted)[:, 0].astype(np.float64)
    assert fit.epochs.tolist() == [2, 4, 6]
    assert fit.final_train_loss == pytest.approx(-np.log(chance[part.train]).mean(), rel=1e-5)
    assert fit.final_validation_loss == pytest.approx(
        -np.log(chance[part.validation]).mean(), rel=1e-5
    )
    np.testing.assert_array_equal(fit.outputs, predicted[part.validation])


def test_a_short_last_batch_is_used(make_part):
    part = make_part()  # 60 training rows
    whole = run_trial(trial(batch_size=60, epochs=1), part)
    ragged = run_trial(trial(batch_size=59, epochs=1), part)
    dropped = replace(part, train=part.train[:59])
    assert not np.array_equal(ragged.parameters, whole.parameters)
    assert not np.array_equal(
        ragged.parameters, run_trial(trial(batch_size=59, epochs=1), dropped).parameters
    )


@pytest.mark.parametrize("rows", [2, 3])
def test_a_handful_of_rows_trains(make_part, rows):
    part = replace(make_part(), train=np.arange(rows), validation=np.arange(rows, rows + 1))
    assert run_trial(trial(batch_size=32), part).ok


def test_weights_act_as_repeated_rows(make_part):
    part = make_part()
    weights = part.weights.copy()
    weights[part.train[:20]] = 2.0
    repeated = replace(part, train=np.concatenate([part.train, part.train[:20]]))
    # One full batch a step, no momentum: order does not matter, and the mean is over more rows.
    settings = {"optimizer": "sgd", "momentum": 0.0, "schedule": "constant", "batch_size": 1000}
    rate = 0.1
    once = replace(part, weights=weights / weights[part.train].mean())
    a = run_trial(trial(learning_rate=rate, **settings), once)
    b = run_trial(trial(learning_rate=rate, **settings), repeated)
    np.testing.assert_allclose(a.parameters, b.parameters, atol=2e-6)


def test_balanced_classes_weigh_the_same(make_part):
    part = make_part()
    few = part.train[part.targets[part.train, 0] == 1][:5]
    many = part.train[part.targets[part.train, 0] == 0]
    skewed = replace(part, train=np.concatenate([few, many]))
    settings = {"epochs": 200, "batch_size": 1000, "learning_rate": 0.01}
    plain = run_trial(replace(trial(**settings), network=Network(3, ())), skewed)
    balanced = run_trial(
        replace(trial(**settings, class_weight="balanced"), network=Network(3, ())), skewed
    )
    # The intercept of a logistic model moves towards the rare class.
    assert balanced.parameters[-1] > plain.parameters[-1] + 0.5


@pytest.mark.parametrize(("optimizer", "rate"), [("adam", 0.02), ("rmsprop", 0.02), ("sgd", 0.2)])
def test_l1_ends_where_the_penalized_objective_is_stationary(make_part, optimizer, rate):
    """The prox in the optimizer's own metric has the fixed points of the objective itself."""
    part = make_part(rows=300)
    penalty, lam = L1(), 0.02
    one = Trial(
        Network(3, (), activation="identity"),
        Training(
            "binary_cross_entropy",
            optimizer=optimizer,
            learning_rate=rate,
            epochs=3_000,
            batch_size=1_000,
            momentum=0.9,
        ),
        penalty,
        lam,
        0,
        3,
    )
    fit = run_trial(one, part)
    x, y = part.inputs[part.train].astype(float), part.targets[part.train, 0].astype(float)
    weights, intercept = fit.parameters[:3].astype(float), float(fit.parameters[3])
    residual = 1 / (1 + np.exp(-(x @ weights + intercept))) - y
    gradient = x.T @ residual / len(y)
    assert (weights == 0).any()
    assert penalty.stationarity(weights, gradient, lam).max() < 1e-3 * lam
    assert abs(residual.mean()) < 1e-5


def test_l1_leaves_exact_zeros_and_l2_none(make_part):
    part = make_part(rows=300)
    settings = {"epochs": 300, "batch_size": 32}
    assert run_trial(trial(L1(), 0.01, **settings), part).sparsity > 0.8
    assert run_trial(trial(L2(), 0.01, **settings), part).sparsity == 0.0
    assert run_trial(trial(None, 0.0, **settings), part).sparsity == 0.0


def test_penalties_leave_biases_and_the_output_layer_alone(make_part):
    fit = run_trial(trial(L1(), 1e3, epochs=300), make_part())
    assert fit.sparsity == 1.0
    assert (fit.parameters[NETWORK.inputs * 20 + 20 * 9 :] != 0).any()


def test_a_network_of_other_inputs_is_refused(make_part):
    with pytest.raises(SettingError, match="takes 5 inputs, but the data have 3 columns"):
        run_trial(replace(trial(), network=Network(5)), make_part())


def test_no_threads_are_refused(make_data):
    with pytest.raises(SettingError, match="threads is 0"):
        next(train([trial()], make_data(), threads=0))
    with pytest.raises(SettingError, match="ahead is 0"):
        next(train([trial()], make_data(), ahead=0))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"executor": 3}, r"executor is 3; give one of concurrent\.futures, such as Process"),
        ({"threads": "2"}, "threads is '2'; it must be a whole number"),
        ({"threads": 2.5}, r"threads is 2\.5; it must be a whole number"),
        ({"ahead": None}, "ahead is None; it must be a whole number"),
        ({"ahead": 0}, "ahead is 0; each thread needs at least 1 trial"),
        ({"limit": "x"}, "limit is 'x'; it must be a number of seconds"),
        ({"limit": 0}, "limit is 0 seconds; a fit needs more than none"),
        ({"limit": float("nan")}, "limit is nan seconds"),
    ],
)
def test_how_to_train_has_to_be_said_in_numbers(make_data, settings, sentence):
    with pytest.raises(SettingError, match=sentence):
        next(train(TRIALS, make_data(), **settings))


@pytest.mark.parametrize("limit", [None, 60])
@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_an_executor_that_is_shut_down_is_said(make_data, kind, limit):
    executor = kind(1)
    executor.shutdown()
    sentence = "the executor is shut down, so it takes no more trainings; make a new one"
    with pytest.raises(SettingError, match=sentence):
        list(train(TRIALS[:2], make_data(), executor=executor, threads=1, limit=limit))


def test_another_failure_of_an_executor_is_its_own(make_data):
    class Failing(ThreadPoolExecutor):
        def submit(self, *_, **__):
            raise RuntimeError("out of tea")

    with Failing(1) as executor, pytest.raises(RuntimeError, match="out of tea") as caught:
        list(train(TRIALS[:2], make_data(), executor=executor))
    assert caught.type is RuntimeError


def test_numbers_of_numpy_say_how_to_train(make_data):
    found = train(TRIALS[:2], make_data(), threads=np.int64(1), limit=np.float32(60))
    assert len(list(found)) == 2


def test_as_many_trials_are_in_flight_as_ahead_allows(make_data):
    taken = []

    def lazily():
        for one in TRIALS:
            taken.append(one)
            yield one

    fits = train(lazily(), make_data(), threads=1, ahead=3)
    first = next(fits)
    assert first.ok
    assert len(taken) == 4  # three in flight, and one for the fit that was taken
    fits.close()


def test_an_exception_in_the_consumer_stops_the_pool(make_data):
    fits = train(TRIALS, make_data(), threads=2)
    list(islice(fits, 2))
    with pytest.raises(KeyboardInterrupt):
        fits.throw(KeyboardInterrupt)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("shrinkage")]


def test_evaluation_is_spaced_so_that_it_stays_cheap():
    training = Training("binary_cross_entropy", epochs=100)
    for train_rows, validation_rows in ((80, 20), (50, 50), (10, 1_000)):
        every = pool.evaluation_interval(training, train_rows, validation_rows)
        cost = validation_rows / (3 * train_rows) / every
        assert cost <= pool.EVALUATION_SHARE or every == training.epochs


def test_l2_leaves_no_zero_where_weights_shrink_until_they_underflow(make_part):
    shrunk = run_trial(trial(L2(), 30.0, epochs=600), make_part(rows=300))
    assert np.abs(shrunk.penalized_weights).min() < 1e-37, "nothing underflowed"
    assert shrunk.sparsity == 0.0


def test_a_trial_can_start_from_given_parameters(make_data):
    data = make_data()
    fresh = initialize(NETWORK, 1)
    assert bits([run_trial(trial(), data.part(0), start=fresh)]) == bits(
        [run_trial(trial(), data.part(0))]
    )

    # Every draw follows from the seed, so the path of the other one's weights is all that differs.
    other = initialize(NETWORK, 2)
    other.setflags(write=False)
    before = other.copy()
    moved = run_trial(trial(learning_rate=1e-9, epochs=1), data.part(0), start=other)
    np.testing.assert_allclose(moved.parameters, before, atol=1e-7)
    np.testing.assert_array_equal(other, before)


def test_starts_reach_their_trials_whoever_computes(make_data):
    data = make_data()
    starts = {one: initialize(NETWORK, 50 + one.seed) for one in TRIALS[::2]}
    alone = bits(run_trial(one, data.part(one.fold), None, starts.get(one)) for one in TRIALS)
    assert bits(train(TRIALS, data, threads=2, starts=starts)) == alone
    with ThreadPoolExecutor(2) as executor:
        assert bits(train(TRIALS, data, executor=executor, starts=starts)) == alone
    unlike = bits(train(TRIALS, data, threads=1))
    assert [one for one in TRIALS if alone[one] != unlike[one]] == TRIALS[::2]


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        (np.zeros(5, np.float32), r"shape \(5,\), but the network 3-20-9-1 \(relu\) takes 279"),
        (np.zeros((1, 279), np.float32), r"shape \(1, 279\)"),
        (np.full(279, np.nan, np.float32), "279 of the initial parameters are not finite"),
    ],
)
def test_a_start_that_does_not_fit_is_refused(make_part, start, sentence):
    with pytest.raises(SettingError, match=sentence):
        run_trial(trial(), make_part(), start=start)
