"""A penalty for a built model acts, on hidden kernels alone, and can be saved."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.keras import Proximal, regularize, unregularize
from shrinkage.keras.values import numpy_of
from shrinkage.penalties import L1, L2, ElasticNet, GroupLasso

# Keras' own conversion of variables to NumPy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PENALTIES = [L1(), L2(), ElasticNet(0.3), GroupLasso("units")]


def penalty_of(model):
    return sum(float(numpy_of(loss)) for loss in model.losses)


def kernels(model):
    return [numpy_of(layer.kernel) for layer in model.layers]


def many_layers():
    """One layer of each kind whose kernel lies differently."""
    rows = keras.Input((8, 1))
    hidden = layers.Conv1D(3, 2)(rows)
    hidden = layers.LSTM(3, return_sequences=True)(hidden)
    hidden = layers.MultiHeadAttention(2, 3)(hidden, hidden)
    hidden = layers.Conv1DTranspose(4, 2)(hidden)
    hidden = layers.DepthwiseConv1D(2)(hidden)
    hidden = layers.SeparableConv1D(3, 2)(hidden)
    hidden = layers.Dense(4)(layers.Flatten()(hidden))
    return keras.Model(rows, layers.Dense(1)(hidden))


def test_the_trap_is_there(network):
    """What `regularize` is for: this assignment is silently ignored."""
    model = network()
    model.layers[0].kernel_regularizer = keras.regularizers.L2(1.0)
    assert not model.losses


@pytest.mark.parametrize("penalty", PENALTIES, ids=lambda penalty: penalty.name)
def test_the_loss_changes_by_the_penalty_of_hidden_kernels(network, penalty):
    model = network()
    before = kernels(model)
    assert regularize(model, penalty, lam=0.02) is model
    expected = sum(penalty.value(kernel, 0.02) for kernel in before[:-1])
    assert penalty_of(model) == pytest.approx(expected, rel=1e-5)
    for kept, kernel in zip(kernels(model), before, strict=True):
        np.testing.assert_array_equal(kept, kernel)
    assert len(model.get_weights()) == 6  # λ is no weight


def test_it_acts_in_a_training_that_goes_on(network, moons):
    train, _ = moons
    model = network()
    model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy")
    first = model.fit(*train, batch_size=40, epochs=1, verbose=0, shuffle=False)
    steps = int(model.optimizer.iterations)
    regularize(model, L2(), lam=1.0)
    bare = kernels(model)
    again = model.fit(*train, batch_size=80, epochs=1, verbose=0, shuffle=False)
    assert int(model.optimizer.iterations) == steps + 1  # compiled state is kept
    penalty = sum(L2().value(kernel, 1.0) for kernel in bare[:-1])
    added = again.history["loss"][0] - first.history["loss"][0]
    assert added == pytest.approx(penalty, abs=0.2)
    shrunk = [np.linalg.norm(new) / np.linalg.norm(old) for new, old in zip(kernels(model), bare)]
    assert max(shrunk[:2]) < 0.95 < shrunk[2]


def test_a_penalty_is_replaced_and_taken_off(network, moons):
    train, _ = moons
    model = network()
    model.compile(keras.optimizers.SGD(0.0), "binary_crossentropy")
    losses, held = [], []
    for change in (
        lambda: regularize(model, L2(), lam=3.0),
        lambda: regularize(model, L1(), lam=3.0),
        lambda: unregularize(model),
    ):
        change()
        held.append(sum(len(layer.variables) for layer in model.layers))
        losses.append(model.fit(*train, epochs=1, verbose=0).history["loss"][0])
    one, two, _ = kernels(model)
    data = losses[2]
    assert losses[0] - data == pytest.approx(L2().value(one, 3) + L2().value(two, 3), rel=1e-3)
    assert losses[1] - data == pytest.approx(L1().value(one, 3) + L1().value(two, 3), rel=1e-3)
    assert not model.losses
    assert held == [8, 8, 6]  # λ of each hidden kernel, as long as it has one


def test_a_regularizer_of_keras_is_replaced_and_said():
    """Once: what this package put there gives way in silence."""
    model = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(4, name="one", kernel_regularizer=keras.regularizers.L1(0.5)),
            layers.Dense(4, name="two"),
            layers.Dense(1, name="out", kernel_regularizer="l2"),
        ]
    )
    message = r"regularizers of one/kernel \(L1\) are replaced; the penalty"
    with pytest.warns(UserWarning, match=message) as said:
        regularize(model, L2(), lam=0.02)
    assert said[0].filename == __file__
    output = model.layers[-1].kernel
    kept = float(numpy_of(output.regularizer(output)))
    expected = sum(L2().value(kernel, 0.02) for kernel in kernels(model)[:-1])
    assert penalty_of(model) - kept == pytest.approx(expected, rel=1e-5)
    regularize(model, L1(), lam=0.02)


def test_what_was_taken_off_is_not_replaced():
    model = keras.Sequential(
        [keras.Input((2,)), layers.Dense(4, kernel_regularizer="l1"), layers.Dense(1)]
    )
    regularize(unregularize(model), L2(), lam=0.02)
    assert penalty_of(model) == pytest.approx(L2().value(kernels(model)[0], 0.02), rel=1e-5)


def test_strengths_by_selector_and_by_place(network):
    model = network()
    one, two, _ = kernels(model)
    regularize(model, {"one": L2(), "two": L1()}, lam={"one": 0.02, "t*": 0.5})
    expected = L2().value(one, 0.02) + L1().value(two, 0.5)
    assert penalty_of(model) == pytest.approx(expected, rel=1e-5)
    regularize(model, L2(), lam=[0.1, 0.3])
    expected = L2().value(one, 0.1) + L2().value(two, 0.3)
    assert penalty_of(model) == pytest.approx(expected, rel=1e-5)


def test_inputs_are_those_of_the_network(network):
    model = regularize(network(), GroupLasso("inputs"), lam=0.1)
    one, two, _ = kernels(model)
    assert penalty_of(model) == pytest.approx(GroupLasso("inputs").value(one, 0.1), rel=1e-5)
    regularize(model, GroupLasso("inputs"), lam=0.1, on="two")
    both = GroupLasso("inputs").value(one, 0.1) + GroupLasso("inputs").value(two, 0.1)
    assert penalty_of(model) == pytest.approx(both, rel=1e-5)


@pytest.mark.parametrize("penalty", PENALTIES[:3], ids=lambda penalty: penalty.name)
def test_every_kind_of_layer_is_saved_with_its_penalty(penalty, tmp_path):
    model = regularize(many_layers(), penalty, lam=0.02)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert len(model.losses) == 12
    assert penalty_of(again) == pytest.approx(penalty_of(model), rel=1e-6)


def test_weights_alone_are_those_of_any_model(network, tmp_path):
    model = regularize(network(seed=1), L2(), lam=0.02)
    model.save_weights(tmp_path / "model.weights.h5")
    bare = network(seed=2)
    bare.load_weights(tmp_path / "model.weights.h5")
    for given, found in zip(kernels(model), kernels(bare), strict=True):
        np.testing.assert_array_equal(given, found)


@pytest.mark.parametrize("over", ["units", "inputs"])
def test_groups_lie_as_the_layer_has_them(over):
    """Against sums over the axes that each layer's documentation names."""
    model = many_layers()
    with pytest.warns(UserWarning, match=r"multi_head_attention.*call regularize again"):
        regularize(model, GroupLasso(over), lam=0.5, on="*kernel")
    units = {
        "conv1d/kernel": (0, 1),
        "lstm/lstm_cell/kernel": (0,),
        "multi_head_attention/query/kernel": (0,),
        "multi_head_attention/attention_output/kernel": (0, 1),
        "conv1d_transpose/kernel": (0, 2),
        "depthwise_conv1d/kernel": (0,),
        "separable_conv1d/depthwise_kernel": (0,),
        "separable_conv1d/pointwise_kernel": (0, 1),
        "dense/kernel": (0,),
    }
    inputs = {
        "conv1d/kernel": (0, 2),
        "lstm/lstm_cell/kernel": (1,),
        "multi_head_attention/query/kernel": (1, 2),
        "multi_head_attention/attention_output/kernel": (2,),
        "conv1d_transpose/kernel": (0, 1),
        "depthwise_conv1d/kernel": (0, 2),
        "separable_conv1d/depthwise_kernel": (0, 2),
        "separable_conv1d/pointwise_kernel": (0, 2),
        "dense/kernel": (1,),
    }
    found = {}
    for variable in model.trainable_variables:
        term = variable.regularizer
        name = "/".join(part.rstrip("_0123456789") for part in variable.path.split("/"))
        if term is None or name not in units:
            continue
        weights = numpy_of(variable).astype(np.float64)
        axes = (units if over == "units" else inputs)[name]
        size = np.prod([weights.shape[axis] for axis in axes])
        expected = 0.5 * np.sqrt(size) * np.sqrt((weights**2).sum(axis=axes)).sum()
        assert float(numpy_of(term(variable))) == pytest.approx(expected, rel=1e-5), name
        found[name] = term
    assert found.keys() == units.keys()


def test_a_dead_group_has_no_slope(network, moons):
    """The root of a sum of squares has none at 0; a plain one would give NaN."""
    train, _ = moons
    model = regularize(network(), GroupLasso("units"), lam=0.5)
    kernel = model.layers[0].kernel
    kernel.assign(np.zeros((2, 16)))
    model.compile(keras.optimizers.SGD(1.0), "binary_crossentropy")
    model.fit(*train, verbose=0)
    assert np.isfinite(numpy_of(kernel)).all()


def test_a_layer_of_ones_own_is_penalized_and_the_file_is_warned_of(tmp_path):
    class Mine(layers.Layer):
        def build(self, shape):
            self.kernel = self.add_weight(shape=(shape[-1], 4), name="kernel")

        def call(self, x):
            return x @ self.kernel

    model = keras.Sequential([keras.Input((3,)), Mine(name="mine"), layers.Dense(1)])
    with pytest.warns(UserWarning, match="mine/kernel acts, but a saved model does not carry it"):
        regularize(model, L2(), lam=0.5)
    expected = L2().value(numpy_of(model.layers[0].kernel), 0.5)
    assert penalty_of(model) == pytest.approx(expected, rel=1e-5)


def test_a_model_that_hides_its_losses_is_refused(network):
    class Deaf(keras.Sequential):
        losses = ()

    model = Deaf([keras.Input((2,)), layers.Dense(4), layers.Dense(1)])
    with pytest.raises(ShrinkageError, match=r"does not reach the loss of 'deaf.*adds 0"):
        regularize(model, L2(), lam=0.5)
    assert model.layers[0].kernel.regularizer is None
    assert model.layers[0].kernel_regularizer is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: regularize(model, L2, lam=0.1), r"a penalty such as L2\(\)"),
        (lambda model: regularize(model, L2(), lam=-0.1), "lam is -0.1"),
        (lambda model: regularize(model, L2(), lam="much"), "lam is 'much'"),
        (lambda model: regularize(model, L2(), lam=None), "lam is None"),
        (lambda model: regularize(model, L2(), lam=[0.1] * 3), "has 3 values, but .* on 2"),
        (lambda model: regularize(model, L2(), lam={"one": 0.1}), "no λ for 'two/kernel'"),
        (lambda model: regularize(model, L2(), lam=0.1, on="tow"), "did you mean 'two'"),
        (lambda model: regularize(model, {"one": 0.1}, lam=0.1), "for 'one', got 0.1"),
        (lambda model: regularize(model, {}, lam=0.1), "there is no penalty"),
        (lambda model: regularize(model, {"one": L2()}, lam=1, on="two"), "leave out `on`"),
        (lambda model: regularize(model, {"one": L2(), "o*": L1()}, lam=1), "named twice"),
        (lambda model: regularize(model, L2(decoupled=True), lam=0.1), "decoupled L2"),
        (unregularize, "no parameter of 'sequential.*' has a regularizer"),
        (lambda model: unregularize(model, on="one"), "nothing that 'one' names"),
        (lambda model: regularize(model.layers, L2(), lam=1), "a Keras model, got list"),
    ],
)
def test_what_cannot_be_meant_is_said(network, call, message):
    with pytest.raises(SettingError, match=message):
        call(network())


def test_one_penalty_is_enough(network):
    model = network()
    optimizer = Proximal(keras.optimizers.Adam(), model, L1(), lam=0.1, on="two")
    model.compile(optimizer, "binary_crossentropy")
    with pytest.raises(SettingError, match="'two/kernel' has a penalty in the optimizer"):
        regularize(model, L2(), lam=0.1)
    regularize(model, L2(), lam=0.1, on="one")


def test_frozen_layers_are_refused(network):
    model = network()
    model.trainable = False
    with pytest.raises(SettingError, match="frozen"):
        regularize(model, L2(), lam=0.1)
