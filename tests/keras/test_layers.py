"""What each parameter of a Keras model is: any make of model, shared and frozen layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from shrinkage.errors import SettingError
from shrinkage.frameworks.selectors import chosen
from shrinkage.keras.layers import layers_of, parameters_of, places_of


def kinds(model: Any, **options: Any) -> dict[str, str]:
    return {each.name: each.kind for each in parameters_of(model, **options)}


def stack(*parts: Any, shape: tuple[int, ...] = (4,)) -> Any:
    return keras.Sequential([keras.Input(shape), *parts])


def test_a_sequential_model() -> None:
    model = stack(
        layers.Dense(3, name="first"),
        layers.BatchNormalization(name="norm"),
        layers.PReLU(name="bend"),
        layers.Dense(2, name="last"),
        layers.Activation("softmax"),
    )
    assert kinds(model) == {
        "first/kernel": "hidden kernel",
        "first/bias": "bias",
        "norm/gamma": "normalization",
        "norm/beta": "normalization",
        "bend/alpha": "other",
        "last/kernel": "output kernel",
        "last/bias": "bias",
    }
    assert sum(each.size for each in parameters_of(model)) == sum(
        int(np.prod(weight.shape)) for weight in model.trainable_weights
    )


@pytest.mark.parametrize(
    ("layer", "shape", "kernels"),
    [
        (layers.Conv1D(3, 2), (8, 2), ["kernel"]),
        (layers.Conv2D(3, 2), (8, 8, 2), ["kernel"]),
        (layers.Conv2DTranspose(3, 2), (8, 8, 2), ["kernel"]),
        (layers.Conv3D(3, 2), (4, 4, 4, 2), ["kernel"]),
        (layers.DepthwiseConv2D(2), (8, 8, 2), ["kernel"]),
        (layers.SeparableConv1D(3, 2), (8, 2), ["depthwise_kernel", "pointwise_kernel"]),
        (layers.EinsumDense("abc,cd->abd", (8, 3), bias_axes="d"), (8, 2), ["kernel"]),
        (layers.TimeDistributed(layers.Dense(3)), (8, 2), ["kernel"]),
        (layers.LSTM(3), (8, 2), ["kernel", "recurrent_kernel"]),
        (layers.GRU(3), (8, 2), ["kernel", "recurrent_kernel"]),
        (layers.SimpleRNN(3), (8, 2), ["kernel", "recurrent_kernel"]),
        (layers.ConvLSTM1D(3, 2), (4, 8, 2), ["kernel", "recurrent_kernel"]),
        (layers.Bidirectional(layers.LSTM(3)), (8, 2), ["kernel", "recurrent_kernel"] * 2),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, keras.Layer) else "",
)
def test_kernels_and_biases_of_layers(
    layer: Any, shape: tuple[int, ...], kernels: list[str]
) -> None:
    model = stack(layer, layers.Flatten(), layers.Dense(1), shape=shape)
    found = parameters_of(model)[:-2]
    hidden = [each.name.rpartition("/")[2] for each in found if each.kind == "hidden kernel"]
    assert hidden == kernels
    assert {each.kind for each in found} == {"hidden kernel", "bias"}


@pytest.mark.parametrize(
    "layer",
    [
        layers.BatchNormalization(),
        layers.LayerNormalization(),
        layers.GroupNormalization(2),
        layers.RMSNormalization(),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_normalizations(layer: Any) -> None:
    found = parameters_of(stack(layer, layers.Dense(1)))[:-2]
    assert found
    assert {each.kind for each in found} == {"normalization"}


def test_embeddings_and_attention() -> None:
    tokens = keras.Input((5,), dtype="int32")
    words = layers.Embedding(7, 4, name="words")(tokens)
    attended = layers.MultiHeadAttention(2, 2, name="attend")(words, words)
    model = keras.Model(tokens, layers.Dense(1)(layers.Flatten()(attended)))
    assert kinds(model)["words/embeddings"] == "embedding"
    hidden = [name for name, kind in kinds(model).items() if kind == "hidden kernel"]
    ends = ["query", "key", "value", "attention_output"]
    assert hidden == [f"attend/{part}/kernel" for part in ends]


def test_the_layers_that_the_outputs_come_from() -> None:
    inputs = keras.Input((4,))
    trunk = layers.Dense(5, name="trunk")(inputs)
    head = keras.Sequential([layers.Dense(3, name="in"), layers.Dense(2, name="out")], name="head")
    wide, deep = layers.Dense(1, name="wide")(inputs), layers.Dense(1, name="deep")(trunk)
    both = layers.Activation("sigmoid")(layers.Add()([wide, deep]))
    model = keras.Model(inputs, {"sum": both, "class": head(trunk)})
    output = {name for name, kind in kinds(model).items() if kind == "output kernel"}
    assert output == {"wide/kernel", "deep/kernel", "head/out/kernel"}


@pytest.mark.parametrize("last", [layers.LSTM(1, name="r"), layers.Conv1D(1, 2, name="r")])
def test_a_last_layer_need_not_be_dense(last: Any) -> None:
    found = kinds(stack(layers.Dense(3, name="first"), last, shape=(5, 4)))
    assert found.pop("first/kernel") == "hidden kernel"
    assert set(found.values()) == {"output kernel", "bias"}


class Own(keras.Model):
    """Built by running, as tutorials have it."""

    def __init__(self) -> None:
        super().__init__()
        self.head = layers.Dense(1, name="head")
        self.blocks = [layers.Dense(3, name="one"), layers.Dense(3, name="two")]

    def call(self, rows: Any) -> Any:
        for block in self.blocks:
            rows = block(rows)
        return self.head(rows)


def test_a_subclassed_model() -> None:
    model = Own()
    with pytest.raises(SettingError, match=r"is not built.*call it once on a few rows"):
        parameters_of(model)
    model(np.zeros((2, 4)))
    found = kinds(model, output="head")
    assert [name for name, kind in found.items() if kind == "output kernel"] == ["head/kernel"]
    assert found["one/kernel"] == found["two/kernel"] == "hidden kernel"
    assert kinds(model)["two/kernel"] == "output kernel"  # the last that it holds
    assert kinds(model, example=np.zeros((2, 4))) == found


def test_names_are_those_that_get_layer_takes() -> None:
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, name="same")], name="inner")
    other = keras.Sequential([keras.Input((4,)), layers.Dense(4, name="same")], name="other")
    model = stack(inner, other, layers.Dense(1, name="end"))
    names = list(kinds(model))
    assert names[::2] == ["inner/same/kernel", "other/same/kernel", "end/kernel"]
    for each in parameters_of(model):
        found = model
        for part in each.layer.split("/"):
            found = found.get_layer(part)
        assert any(each.shape == tuple(weight.shape) for weight in found.weights)


def test_names_are_unique_however_layers_are_called() -> None:
    inputs = keras.Input((4,))
    first = layers.Dense(4, name="same")
    inner = keras.Model(inputs, first(inputs), name="inner")
    again = keras.Input((4,))
    model = keras.Model(again, layers.Dense(1, name="same")(inner(again)))
    assert list(kinds(model)) == [
        "inner/same/kernel",
        "inner/same/bias",
        "same/kernel",
        "same/bias",
    ]


def test_layers_are_listed_once_with_their_names_from_the_top() -> None:
    parts = [layers.Dense(4, name="one"), layers.Dropout(0.5, name="off")]
    inner = keras.Sequential(parts, name="inner")
    model = stack(inner, layers.Dense(1, name="end"))
    found = layers_of(model)
    listed = [name for name, layer in found if not isinstance(layer, layers.InputLayer)]
    assert listed == ["", "inner", "inner/one", "inner/off", "end"]


def test_a_recurrent_layer_is_named_not_its_cell() -> None:
    first, *_ = parameters_of(stack(layers.LSTM(3, name="r"), layers.Dense(1), shape=(5, 4)))
    assert (first.layer, first.layer_type) == ("r", "LSTM")
    assert len(chosen("r", parameters_of(stack(layers.LSTM(3, name="r"), shape=(5, 4))))) == 2


def test_a_layer_that_is_used_twice_counts_once() -> None:
    inputs = keras.Input((4,))
    twice = layers.Dense(4, name="twice")
    model = keras.Model(inputs, layers.Dense(1, name="end")(twice(twice(inputs))))
    assert list(kinds(model)) == ["twice/kernel", "twice/bias", "end/kernel", "end/bias"]


class Tied(keras.Layer):
    """Answers with the kernel of another layer."""

    def __init__(self, source: Any) -> None:
        super().__init__(name="tied")
        self.kernel = source.kernel

    def call(self, rows: Any) -> Any:
        return keras.ops.matmul(rows, keras.ops.transpose(self.kernel))


def test_tied_weights_count_once_and_know_their_other_name() -> None:
    inputs = keras.Input((4,))
    first = layers.Dense(3, name="first")
    hidden = first(inputs)
    model = keras.Model(inputs, Tied(first)(hidden))
    kernel, _ = parameters_of(model)
    assert (kernel.name, kernel.shared) == ("first/kernel", ("tied/kernel",))
    assert kernel.kind == "output kernel"  # one array that does both


def test_a_wrapper_does_not_tie_what_it_wraps() -> None:
    wrapped = layers.SpectralNormalization(layers.Dense(3, name="inner"), name="outer")
    model = stack(layers.Dense(3, name="first"), wrapped, layers.Dense(1))
    kernel = parameters_of(model)[2]
    assert (kernel.name, kernel.layer_type) == ("outer/inner/kernel", "Dense")
    assert kernel.shared == ()


@pytest.mark.parametrize(
    "freeze",
    [
        lambda model: setattr(model.get_layer("first"), "trainable", False),
        lambda model: setattr(model.get_layer("first").kernel, "trainable", False),
    ],
    ids=["layer", "variable"],
)
def test_frozen_parameters_are_listed_and_said_to_be(freeze: Callable[[Any], None]) -> None:
    model = stack(layers.Dense(3, name="first"), layers.Dense(1, name="last"))
    freeze(model)
    frozen = {each.name for each in parameters_of(model) if not each.trainable}
    assert "first/kernel" in frozen
    assert not any(name.startswith("last") for name in frozen)
    everything = {id(place.variable) for place in places_of(model) if place.parameter.trainable}
    assert everything == {id(variable) for variable in model.trainable_variables}


def test_places_hold_the_variables_themselves() -> None:
    model = stack(layers.Dense(3, name="first"), layers.Dense(1))
    first = places_of(model)[0]
    assert first.variable is model.get_layer("first").kernel
    assert first.layer is model.get_layer("first")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: 3, "expected a Keras model, got int"),
        (lambda: stack(layers.Flatten()), "no parameters, so there is nothing to regularize"),
        (lambda: keras.Sequential([layers.Dense(1)]), "is not built"),
    ],
)
def test_bad_models(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        parameters_of(make())


def test_an_output_layer_that_is_not_there() -> None:
    model = stack(layers.Dense(3, name="first"), layers.Dense(1, name="answer"))
    with pytest.raises(SettingError, match=r"no layer 'anwser' .* did you mean 'answer'"):
        parameters_of(model, output="anwser")
    assert kinds(model, output="first")["first/kernel"] == "output kernel"


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Layer InputLayer:UserWarning")
def test_quantized_kernels_are_refused() -> None:
    model = stack(layers.Dense(8, name="first"), layers.Dense(1))
    model.quantize("int8")
    with pytest.raises(SettingError, match=r"layer 'first' is quantized \(int8\)"):
        parameters_of(model)
