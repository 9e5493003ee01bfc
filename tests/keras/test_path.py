"""A path of a Keras model: the engine's own answers, and everything that reads a study."""

from __future__ import annotations

import random

import keras
import numpy as np
import pytest
from keras import layers

from shrinkage import diagnose
from shrinkage.data import bundled, prepare
from shrinkage.engine.pool import run_trial
from shrinkage.errors import DataError, SettingError
from shrinkage.keras import model_of, path, report
from shrinkage.keras.factories import answered, made_by
from shrinkage.keras.networks import network_of
from shrinkage.keras.values import numpy_of
from shrinkage.keras.workers import Worker
from shrinkage.network import Network, layout
from shrinkage.penalties import L1, L2, GroupLasso
from shrinkage.study import Status, Trial
from shrinkage.training import Training

# Keras' own conversion of variables to NumPy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def data():
    return prepare(*bundled("moons", samples=100), name="moons", folds=2, repeats=1)


def build():
    return keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(8, activation="tanh"),
            layers.Dense(6, activation="tanh"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def own(data, factory=build):
    model = made_by(factory)
    rows = data.full.inputs
    _, head = answered(model, rows[:2])
    return network_of(factory, model, rows, data.n_outputs, head=head, logits_of_two=False)


@pytest.mark.parametrize(
    ("penalty", "settings"),
    [
        (None, {}),
        # Keras' momentum has the learning rates of the past in it, the engine's today's alone.
        (L2(), {"optimizer": "sgd", "learning_rate": 0.1, "schedule": "constant"}),
        (L1(), {"lam_schedule": "linear", "lam_ramp": 0.5}),
        (GroupLasso("inputs"), {"schedule": "constant", "patience": 4}),
        (L1(), {"relaxed_epochs": 8}),
        (L1(), {"relaxed_epochs": 20, "schedule": "constant", "patience": 6}),
    ],
    ids=str,
)
def test_it_answers_what_the_engine_answers(data, penalty, settings):
    """From the same weights, over the same rows in the same order, for twenty epochs."""
    part, lam = data.part(0), 0.02 if penalty else 0.0
    how = {"learning_rate": 0.01, "epsilon": 1e-12} | settings
    training = Training(data.loss, epochs=20, batch_size=16, **how)
    network = own(data)
    (fit,) = network.train([Trial(network, training, penalty, lam, 0, seed=5)], data)
    perceptron = Network(2, (8, 6), activation="tanh")
    start = np.zeros(layout(perceptron).size, dtype=np.float32)
    first = network.fresh(5)
    for layer, kernel in zip(first.layers, layout(perceptron).kernels, strict=True):
        kernel.of(start)[...] = numpy_of(layer.kernel)
    twin = run_trial(Trial(perceptron, training, penalty, lam, 0, seed=5), part, start=start)
    assert fit.status is twin.status
    assert fit.best_epoch == twin.best_epoch
    np.testing.assert_array_equal(fit.epochs, twin.epochs)
    np.testing.assert_allclose(fit.train_loss, twin.train_loss, atol=1e-4)
    np.testing.assert_allclose(fit.validation_loss, twin.validation_loss, atol=1e-4)
    np.testing.assert_allclose(fit.outputs, twin.outputs, atol=1e-4)
    assert fit.final_train_loss == pytest.approx(twin.final_train_loss, abs=1e-4)
    np.testing.assert_allclose(fit.penalized_weights, twin.penalized_weights, atol=1e-4)
    assert fit.sparsity == twin.sparsity


@pytest.fixture(scope="module")
def study(data):
    rows, labels = data.full.inputs[data.full.train], data.full.targets[data.full.train, 0]
    test = (data.test.inputs, data.test.targets[:, 0].astype(int))
    return path(
        build,
        (rows, labels.astype(int)),
        penalties=("l1", L2()),
        lambdas=[0.003, 0.03],
        test_data=test,
        folds=2,
        seeds=2,
        epochs=12,
        learning_rate=0.02,
        verbose=0,
    )


def test_a_study_like_any_other(study, tmp_path):
    assert not study.missing
    assert diagnose(study).sentence.startswith("The network ")
    zeros = [fit.sparsity for fit in study.fits if fit.trial.penalty == L1()]
    assert max(zeros) > 0.1
    assert report(study, tmp_path / "report.html").read_text().count("sequential")


def test_the_model_of_a_fit_answers_probabilities(study, data):
    fit = study.refits[0]
    model = model_of(fit)
    rows = data.test.inputs[:20]
    logits = fit.trial.network.logits(fit.parameters, rows)[:, 0]
    found = numpy_of(model(rows))[:, 0]
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits)), atol=1e-6)
    with pytest.raises(SettingError, match="are not kept"):
        model_of(study.fold_fits[0].forget())


def test_what_an_l1_leaves_is_trained_once_more_without_it(data):
    """Also where a kernel has a limit of its own."""

    def limited():
        limit = keras.constraints.MaxNorm(1.0)
        return keras.Sequential(
            [
                keras.Input((2,)),
                layers.Dense(12, "relu", kernel_constraint=limit, name="first"),
                layers.Dense(12, "relu"),
                layers.Dense(1),
            ]
        )

    labels = data.full.targets[:, 0].astype(int)
    found = path(
        limited,
        (data.full.inputs, labels),
        penalties="l1",
        lambdas=[0.01],
        folds=2,
        seeds=1,
        epochs=12,
        learning_rate=0.05,
        verbose=0,
    )
    relaxed = [fit for fit in found.fits if fit.trial.training.relaxed_epochs]
    assert [fit.trial.fold for fit in relaxed] == [0, 1, None]
    first = {
        (fit.trial.fold, fit.trial.seed): fit
        for fit in found.fits
        if fit.trial.penalty and fit not in relaxed
    }
    for fit in relaxed:
        before = first[fit.trial.fold, fit.trial.seed]
        assert fit.sparsity == before.sparsity > 0.1
        assert fit.final_train_loss < before.final_train_loss
        assert fit.stopped_at == 2 * before.stopped_at
    zero = first[None, relaxed[-1].trial.seed].penalized_weights == 0
    np.testing.assert_array_equal(relaxed[-1].penalized_weights == 0, zero)
    kernel = numpy_of(model_of(relaxed[-1]).get_layer("first").kernel)
    assert np.linalg.norm(kernel, axis=0).max() < 1.0 + 1e-6


@pytest.mark.slow
def test_what_was_compiled_is_used_again_in_every_stage(data, monkeypatch):
    """Whatever λ and seed, and by folds that differ by a row but have as many steps."""
    made, original = [], Worker.made

    def counted(network, how, penalty, steps, *, relaxed):
        made.append((penalty, steps, relaxed))
        return original(network, how, penalty, steps, relaxed=relaxed)

    monkeypatch.setattr(Worker, "made", staticmethod(counted))
    rows = data.full.inputs[:45]
    found = path(
        build,
        (rows, data.full.targets[:45, 0].astype(int)),
        penalties="l1",
        lambdas=[0.005, 0.01],
        folds=2,
        seeds=1,
        batch_size=16,
        epochs=6,
        learning_rate=0.05,
        rule="one_standard_error",
        verbose=0,
    )
    assert {part.train.size for part in found.data.parts} == {22, 23}
    assert any(fit.trial.training.relaxed_epochs for fit in found.refits)
    kinds = [(None, False), (L1(), False), (None, True)]
    assert sorted(made, key=str) == sorted(
        ((penalty, steps, relaxed) for penalty, relaxed in kinds for steps in (12, 18)), key=str
    )
    assert not found.trials[0].network.workers


def drawn():
    """A number of everybody's generator."""
    numbers = [random.random(), float(numpy_of(keras.random.normal(())))]
    numbers.append(np.random.rand())  # noqa: NPY002  # the one that Keras seeds
    if keras.backend.backend() == "torch":
        import torch

        numbers.append(torch.rand(()).item())
    return numbers


def test_nobody_elses_random_numbers_change(data):
    keras.utils.set_random_seed(7)
    expected = drawn()
    keras.utils.set_random_seed(7)
    own(data).fresh(3)
    assert drawn() == expected


def test_the_same_trial_has_the_same_fit_whatever_came_before(data):
    def noisy():
        return keras.Sequential(
            [keras.Input((2,)), layers.Dense(8, "relu"), layers.Dropout(0.5), layers.Dense(1)]
        )

    network = own(data, noisy)
    training = Training(data.loss, epochs=3, batch_size=16)
    trials = [Trial(network, training, L1(), lam, 0, seed=1) for lam in (0.001, 0.1)]
    both = list(network.train(trials, data))
    (alone,) = network.train(trials[1:], data)
    np.testing.assert_array_equal(both[1].parameters, alone.parameters)
    assert np.any(both[0].parameters != alone.parameters)


def test_a_training_that_diverges_says_so(data):
    network = own(
        data, lambda: keras.Sequential([keras.Input((2,)), layers.Dense(4), layers.Dense(1)])
    )
    training = Training(
        "mean_squared_error", epochs=40, optimizer="sgd", learning_rate=1e6, schedule="constant"
    )
    (fit,) = network.train([Trial(network, training, None, 0.0, 0, seed=0)], data)
    assert fit.status is Status.DIVERGED
    assert np.isfinite(fit.parameters).all()
    assert np.isnan(fit.outputs).all()


def test_images_normalization_and_several_classes():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(48, 6, 6, 1)).astype(np.float32)
    labels = rng.integers(0, 3, size=48)
    images[labels == 1, :3] += 2.0
    images[labels == 2, 3:] += 2.0

    def convolutional():
        model = keras.Sequential(
            [
                keras.Input((6, 6, 1)),
                layers.Conv2D(4, 3, use_bias=False),
                layers.BatchNormalization(),
                layers.ReLU(),
                layers.Flatten(),
                layers.Dense(3, activation="softmax"),
            ]
        )
        model.compile(keras.optimizers.RMSprop(0.02), "categorical_crossentropy")
        return model

    found = path(
        convolutional,
        (images, np.eye(3)[labels]),
        penalties="group_units",
        lambdas=[0.05],
        folds=2,
        seeds=1,
        epochs=8,
        verbose=0,
    )
    training = found.trials[0].training
    assert (training.optimizer, training.learning_rate) == ("rmsprop", pytest.approx(0.02))
    bare = next(fit for fit in found.refits if fit.trial.penalty is None)
    assert bare.final_train_loss < 0.5
    assert numpy_of(model_of(bare)(images)).argmax(axis=1).tolist() == (
        bare.trial.network.logits(bare.parameters, images.reshape(48, -1)).argmax(axis=1).tolist()
    )


def test_validation_rows_of_ones_own_and_tokens(data):
    rng = np.random.default_rng(1)
    words = rng.integers(0, 9, size=(60, 5))
    labels = (words == 3).any(axis=1).astype(int)

    def recurrent():
        return keras.Sequential(
            [
                keras.Input((5,), dtype="int32"),
                layers.Embedding(9, 4),
                layers.GlobalMaxPooling1D(),
                layers.Dense(6, "relu"),
                layers.Dense(2),
            ]
        )

    found = path(
        recurrent,
        (words[:40], labels[:40]),
        (words[40:], labels[40:]),
        penalties=L2(),
        lambdas=[0.01],
        seeds=2,
        epochs=2,
        verbose=0,
    )
    assert found.data.independent
    assert not found.missing
    assert found.fits[0].trial.network.logits_of_two


def test_regularizers_of_the_model_are_left_out_and_said(data):
    def penalized():
        return keras.Sequential(
            [keras.Input((2,)), layers.Dense(4, kernel_regularizer="l2"), layers.Dense(1)]
        )

    rows = data.full.inputs[data.full.train]
    labels = data.full.targets[data.full.train, 0].astype(int)
    with pytest.warns(UserWarning, match="regularizers of dense.* are left out"):
        path(
            penalized, (rows, labels), penalties="l2", lambdas=[0.1], folds=2, seeds=1, epochs=1,
            verbose=0,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        (build(), "was given a Sequential"),
        (lambda: 3, "makes a int"),
        (lambda: keras.Sequential([layers.Dense(1)]), "without building it"),
        (
            lambda: keras.Sequential([keras.Input((2,)), layers.Dense(2), layers.Softmax()]),
            "ends with a Softmax layer",
        ),
        (lambda: keras.Sequential([keras.Input((3,)), layers.Dense(1)]), "fails on rows of shape"),
        (lambda: keras.Sequential([keras.Input((2,)), layers.Dense(1)]), "no hidden kernel"),
    ],
)
def test_factories_that_cannot_be_used(data, factory, message):
    rows, labels = data.full.inputs, data.full.targets[:, 0].astype(int)
    with pytest.raises(SettingError, match=message):
        path(factory, (rows, labels), verbose=0)


def seeding():
    keras.utils.set_random_seed(0)
    return build()


def starting(layer):
    """A factory whose hidden layer comes from elsewhere."""
    return lambda: keras.Sequential([keras.Input((2,)), layer(), layers.Dense(1, use_bias=False)])


def test_seeds_must_be_draws():
    """One model, one layer, or a seed within the factory: every draw would be the same."""
    one, layer = build(), layers.Dense(4)
    for factory, message in (
        (lambda: one, "return the same '.*' and 5 more"),
        (starting(lambda: layer), "return the same '.*' and 1 more"),
        (seeding, r"calls keras\.utils\.set_random_seed itself"),
    ):
        with pytest.raises(SettingError, match=message):
            made_by(factory)
    made_by(starting(lambda: layers.Dense(4)))
    layer.trainable = False  # as what was trained before often is
    made_by(starting(lambda: layer))


def test_first_weights_that_are_the_same_for_every_seed_are_said():
    def starting_at(first):
        return lambda: keras.Sequential(
            [
                keras.Input((2,)),
                layers.Dense(4, kernel_initializer=first),
                layers.Dense(1, kernel_initializer="ones"),
            ]
        )

    made_by(starting_at("glorot_uniform"))
    with pytest.warns(UserWarning, match="the same first weights whatever the seed"):
        made_by(starting_at("ones"))


def test_what_a_model_must_have_in_itself(data):
    network = own(data)
    training = Training(data.loss, dropout=0.5)
    with pytest.raises(SettingError, match=r"dropout is 0\.5.*keras\.layers\.Dropout"):
        next(network.train([Trial(network, training, None, 0.0, 0, seed=0)], data))
    with pytest.raises(DataError, match="train_data is a ndarray"):
        path(build, data.full.inputs, verbose=0)
