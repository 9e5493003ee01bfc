"""Exact zeros under any optimizer whose metric is known, with the fixed points of the objective."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import optimizers
from scipy.special import expit

from shrinkage.data import bundled, prepare
from shrinkage.engine.pool import run_trial
from shrinkage.errors import SettingError
from shrinkage.keras import Proximal
from shrinkage.keras.shrinking import shrink
from shrinkage.keras.values import numpy_of
from shrinkage.network import Network, layout
from shrinkage.penalties import L1, L2, ElasticNet, GroupLasso
from shrinkage.study import Trial
from shrinkage.training import Training

# Keras' own conversion of variables to NumPy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def hidden(model):
    return np.concatenate([numpy_of(layer.kernel).ravel() for layer in model.layers[:-1]])


def test_l1_leaves_four_weights_in_five_exactly_zero(network, moons):
    train, validation = moons
    model = network(units=32)
    optimizer = Proximal(optimizers.Adam(0.01), model, L1(), lam=0.005)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    model.fit(*train, epochs=100, verbose=0)
    assert np.mean(hidden(model) == 0.0) > 0.8
    assert model.evaluate(*validation, verbose=0)[1] > 0.8
    assert np.all(numpy_of(model.layers[-1].kernel) != 0.0)
    assert not model.losses  # what Keras shows is the loss of the data


def test_a_group_lasso_removes_whole_units(network, moons):
    train, _ = moons
    model = network()
    model.compile(
        Proximal(optimizers.Adam(0.01), model, GroupLasso("units"), lam=0.005),
        "binary_crossentropy",
    )
    model.fit(*train, epochs=100, verbose=0)
    kernel = numpy_of(model.layers[1].kernel)
    dead = np.all(kernel == 0.0, axis=0)
    assert 0 < dead.sum() < 16
    assert np.all(kernel[:, ~dead].any(axis=0))


# -------------------------------------------------------------------- beside this package's engine

ENGINE = {
    "adam": lambda: optimizers.Adam(0.01, epsilon=1e-12),
    "adamw": lambda: optimizers.AdamW(0.01, epsilon=1e-12, weight_decay=0.0),
    # Keras adds ε under the root, the engine beside it.
    "rmsprop": lambda: optimizers.RMSprop(0.003, rho=0.9, epsilon=1e-24),
    "sgd": lambda: optimizers.SGD(0.05, momentum=0.9),
    "nesterov": lambda: optimizers.SGD(0.05, momentum=0.9, nesterov=True),
}


@pytest.mark.parametrize("name", ENGINE)
@pytest.mark.parametrize(
    "penalty", [L1(), L2(), ElasticNet(0.4), GroupLasso("units")], ids=lambda one: one.name
)
def test_each_step_is_the_engines(name, penalty):
    """Twelve minibatches from the same weights over the same rows in the same order."""
    lam = 0.05
    data = prepare(*bundled("moons", samples=64), name="moons", folds=2, repeats=1)
    part = data.part(0)
    architecture = Network(2, (8, 6), activation="tanh")
    places = layout(architecture)
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(8, activation="tanh"),
            keras.layers.Dense(6, activation="tanh"),
            keras.layers.Dense(1),
        ]
    )
    start = np.zeros(places.size, dtype=np.float32)
    for layer, kernel in zip(model.layers, places.kernels, strict=True):
        kernel.of(start)[...] = numpy_of(layer.kernel)
    optimizer = ENGINE[name]()
    training = Training(
        data.loss,
        optimizer="sgd" if name == "nesterov" else name,
        learning_rate=float(optimizer.learning_rate),
        schedule="constant",
        epochs=6,
        batch_size=(part.train.size + 1) // 2,
        shuffle=False,
        momentum=0.9,
        nesterov=name == "nesterov",
        epsilon=1e-12,
    )
    fit = run_trial(Trial(architecture, training, penalty, lam, 0, seed=0), part, start=start)
    model.compile(
        Proximal(optimizer, model, penalty, lam=lam),
        keras.losses.BinaryCrossentropy(from_logits=True),
    )
    rows = part.inputs[part.train].astype(np.float32)
    labels = part.targets[part.train].astype(np.float32)
    model.fit(rows, labels, batch_size=training.batch_size, epochs=6, shuffle=False, verbose=0)
    for layer, kernel, bias in zip(model.layers, places.kernels, places.biases, strict=True):
        found = numpy_of(layer.kernel)
        np.testing.assert_allclose(found, kernel.of(fit.parameters), atol=1e-5)
        np.testing.assert_allclose(numpy_of(layer.bias), bias.of(fit.parameters), atol=1e-5)
        np.testing.assert_array_equal(found == 0.0, kernel.of(fit.parameters) == 0.0)
    if penalty.l1_share:
        assert np.any(fit.penalized_weights == 0.0)


# ------------------------------------------------------------------- fixed points of the objective


def cosine(rate, steps=400):
    return optimizers.schedules.CosineDecay(rate, steps, alpha=1e-3)


OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(cosine(1.0)),
    "momentum": lambda: optimizers.SGD(cosine(0.3), momentum=0.8),
    "clipped norm": lambda: optimizers.SGD(cosine(3.0), clipnorm=0.03),
    "clipped norm of all": lambda: optimizers.Adam(cosine(0.1), global_clipnorm=0.02),
    "clipped value": lambda: optimizers.SGD(cosine(3.0), clipvalue=0.01),
    "adam": lambda: optimizers.Adam(cosine(0.1)),
    "amsgrad": lambda: optimizers.Adam(cosine(0.1), amsgrad=True),
    "rmsprop": lambda: optimizers.RMSprop(cosine(0.02), momentum=0.5),
    "centered": lambda: optimizers.RMSprop(cosine(0.01), centered=True, rho=0.5, epsilon=1e-4),
    "adamax": lambda: optimizers.Adamax(cosine(0.1)),
    "nadam": lambda: optimizers.Nadam(cosine(0.1)),
    "adagrad": lambda: optimizers.Adagrad(cosine(0.5)),
    "accumulated": lambda: optimizers.Adam(cosine(0.1, 800), gradient_accumulation_steps=2),
    "scaled": lambda: optimizers.SGD(cosine(1.0), loss_scale_factor=8.0),
}


@pytest.fixture(scope="module")
def logistic():
    """Rows of which some inputs tell something about the class."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(120, 8))
    truth = rows @ np.array([1.5, -1.0, 0.5, 0, 0, 0, 0, 0])
    labels = rng.uniform(size=120) < expit(truth)
    return rows.astype(np.float32), labels[:, None].astype(np.float32)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_ends_where_the_penalized_loss_is_stationary(name, logistic):
    """On a convex problem, by the subdifferential in double precision."""
    rows, labels = logistic
    penalty, lam = ElasticNet(0.8), 0.05
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1, use_bias=False)])
    kernel = model.layers[0].kernel
    kernel.assign(np.full((8, 1), 0.3))
    optimizer = Proximal(OPTIMIZERS[name](), model, penalty, lam=lam, on="*kernel")
    optimizer.build([kernel])
    scale = optimizer.inner_optimizer.loss_scale_factor or 1.0

    def slope():
        weights = numpy_of(kernel).astype(np.float64)
        return rows.T @ (expit(rows @ weights) - labels) / len(rows)

    for _ in range(800 if name == "accumulated" else 400):
        optimizer.apply([keras.ops.convert_to_tensor(scale * slope(), dtype="float32")])
    weights = numpy_of(kernel).astype(np.float64)
    assert penalty.stationarity(weights, slope(), lam).max() < 0.02 * lam
    assert 2 < np.sum(weights == 0.0) < 8


# --------------------------------------------------------------------------- the step by itself


@pytest.mark.parametrize("within", [(0,), (1,), (0, 2)], ids=str)
@pytest.mark.parametrize("lam", [0.0, 0.05, 0.3, 5.0])
def test_the_group_step_is_numpys(within, lam):
    rng = np.random.default_rng(1)
    kernel, step = rng.normal(size=(5, 4, 3)), rng.uniform(0.01, 2.0, size=(5, 4, 3))
    kernel[0, 0] = 0.0
    found = numpy_of(
        shrink(
            GroupLasso("units"),
            keras.ops.cast(kernel, "float32"),
            keras.ops.cast(lam, "float32"),
            keras.ops.cast(step, "float32"),
            within,
        )
    )
    members = int(np.prod([kernel.shape[axis] for axis in within]))
    flat = [np.moveaxis(a, within, range(len(within))).reshape(members, -1) for a in (kernel, step)]
    expected = GroupLasso("units").prox(flat[0], lam, flat[1])
    shown = np.moveaxis(found, within, range(len(within))).reshape(members, -1)
    np.testing.assert_allclose(shown, expected, atol=2e-6)
    np.testing.assert_array_equal(shown == 0.0, expected == 0.0)
    assert not np.signbit(found[found == 0.0]).any()


# ------------------------------------------------------------------- what optimizers are used with


def test_steps_that_are_accumulated_in_fit(network, moons):
    """Two halves of a batch, accumulated, are the batch; a velocity counts whole steps alone."""
    train, _ = moons
    rows, labels = train[0][:64], train[1][:64]
    kernels = []
    for steps in (None, 2):
        model = network()
        # Keras' schedules count the halves; both fall after the third whole step.
        rate = optimizers.schedules.PiecewiseConstantDecay([5 if steps else 2], [0.2, 0.02])
        inner = optimizers.SGD(rate, momentum=0.8, gradient_accumulation_steps=steps)
        model.compile(Proximal(inner, model, L1(), lam=0.01), "binary_crossentropy")
        size = 64 // (steps or 1)
        model.fit(rows, labels, batch_size=size, epochs=6, shuffle=False, verbose=0)
        kernels.append(hidden(model))
    np.testing.assert_allclose(kernels[0], kernels[1], atol=1e-5)
    np.testing.assert_array_equal(kernels[0] == 0.0, kernels[1] == 0.0)
    assert np.any(kernels[0] == 0.0)


def test_the_average_keeps_the_zeros(network, moons):
    train, _ = moons
    model = network()
    optimizer = optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9)
    model.compile(Proximal(optimizer, model, L1(), lam=0.01), "binary_crossentropy")
    last = {}

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):  # noqa: ARG002  # Keras' signature
            last["weights"] = hidden(model)

    model.fit(*train, epochs=40, verbose=0, callbacks=[Look()])
    averaged = hidden(model)
    assert np.mean(averaged == 0.0) > 0.5
    assert np.all(averaged[last["weights"] == 0.0] == 0.0)
    assert np.any(averaged != last["weights"])


def test_mixed_precision(network, moons):
    train, _ = moons
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = network()
    finally:
        keras.mixed_precision.set_global_policy("float32")
    model.compile(Proximal(optimizers.Adam(0.01), model, L1(), lam=0.01), "binary_crossentropy")
    assert isinstance(model.optimizer, optimizers.LossScaleOptimizer)
    model.fit(*train, epochs=30, verbose=0)
    assert np.mean(hidden(model) == 0.0) > 0.5
    assert np.isfinite(hidden(model)).all()


def test_a_saved_model_goes_on_as_if_nothing_had_happened(network, moons, tmp_path):
    train, _ = moons
    model = network()
    inner = optimizers.Adam(cosine(0.01))
    model.compile(
        Proximal(inner, model, {"one": L1(), "two": GroupLasso()}, lam=[0.01, 0.005]),
        "binary_crossentropy",
    )
    model.fit(*train, epochs=5, verbose=0)
    model.optimizer.rules[1].lam.assign(0.003)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert [round(float(rule.lam), 6) for rule in again.optimizer.rules] == [0.01, 0.003]
    for one in (model, again):
        one.fit(*train, epochs=5, verbose=0, shuffle=False)
    np.testing.assert_array_equal(hidden(again), hidden(model))


def test_the_learning_rate_is_the_optimizers(network):
    model = network()
    optimizer = Proximal(optimizers.SGD(0.1), model, L1(), lam=0.01)
    optimizer.learning_rate = 0.05
    assert float(optimizer.inner_optimizer.learning_rate) == pytest.approx(0.05)
    assert float(optimizer.learning_rate) == pytest.approx(0.05)
    assert optimizer.scale_loss(2.0) == 2.0


def test_a_frozen_layer_is_missed_and_another_model_too(network, moons):
    train, _ = moons
    model = network()
    optimizer = Proximal(optimizers.SGD(0.1), model, L1(), lam=0.01)
    model.layers[1].trainable = False
    model.compile(optimizer, "binary_crossentropy")
    with pytest.raises(SettingError, match=r"'.*two/kernel' has a penalty but is not among"):
        model.fit(*train, verbose=0)
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    optimizer = Proximal(optimizers.SGD(0.1), network(), L1(), lam=0.01)
    other.compile(optimizer, "mse")
    with pytest.raises(SettingError, match="made for another model"):
        other.fit(*train, verbose=0)


class Mine(optimizers.SGD):
    """An optimizer of the user's own."""

    def update_step(self, gradient, variable, learning_rate):
        variable.assign(variable - learning_rate * keras.ops.sign(gradient))


@pytest.mark.parametrize(
    ("optimizer", "reason"),
    [
        (optimizers.Lion, "the same amount"),
        (optimizers.Lamb, "ratio of two norms"),
        (optimizers.Adadelta, "its own last steps"),
        (optimizers.Ftrl, "l1_regularization_strength"),
        (optimizers.Adafactor, "size of all weights"),
        (optimizers.Muon, "orthogonal"),
        (lambda: "adm", "optimizer is 'adm', which Keras does not know"),
        (lambda: 3, "optimizer is 3"),
        (lambda: Mine(0.1), "Mine: how far it moves"),
        (lambda: optimizers.LossScaleOptimizer(optimizers.Adam()), "wrap that one"),
        (lambda: optimizers.Adam(use_ema=True, ema_overwrite_frequency=5), "leave it None"),
    ],
)
def test_optimizers_without_a_known_metric_are_refused(network, optimizer, reason):
    with pytest.raises(SettingError, match=reason):
        Proximal(optimizer(), network(), L1(), lam=0.01)


def test_one_proximal_step_is_enough(network):
    model = network()
    inner = optimizers.SGD(0.1)
    first = Proximal(inner, model, L1(), lam=0.01)
    for again in (first, inner):
        with pytest.raises(SettingError, match="has a proximal step already"):
            Proximal(again, model, L1(), lam=0.01)
