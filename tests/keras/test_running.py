"""In which order the layers of a model run, without a trace left in it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from shrinkage.errors import SettingError
from shrinkage.keras.running import run_order
from shrinkage.keras.values import numpy_of


class Twice(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.last = layers.Dense(2, name="last")
        self.inner = keras.Sequential(
            [layers.Dense(4, name="one"), layers.Dropout(0.5, name="off")]
        )
        self.recurrent = layers.LSTM(4, name="memory")
        self.norm = layers.BatchNormalization(name="norm")

    def call(self, rows: Any, training: bool = False) -> Any:
        rows = self.inner(self.inner(rows))
        steps = keras.ops.expand_dims(self.norm(rows, training=training), 1)
        return self.last(self.recurrent(steps))


@pytest.fixture
def model() -> Any:
    made = Twice()
    made(np.ones((2, 4)))
    return made


def test_layers_as_they_run(model: Any) -> None:
    names = [layer.name for layer in run_order(model, np.ones((2, 4)))]
    wanted = ("one", "off", "norm", "memory", "lstm_cell", "last")
    seen = [name for name in names if name in wanted or name.startswith("lstm_cell")]
    assert [name.partition("_cell_")[0] for name in seen][:6] == [
        *("one", "off", "one", "off", "norm", "memory")
    ]
    assert seen[-1] == "last"


def test_no_trace_is_left(model: Any) -> None:
    before = [numpy_of(weight) for weight in model.weights]
    answer = numpy_of(model(np.ones((2, 4))))
    run_order(model, np.full((2, 4), 3.0))
    assert all(np.array_equal(a, numpy_of(b)) for a, b in zip(before, model.weights))
    assert not any("call" in layer.__dict__ for layer in model._flatten_layers())
    np.testing.assert_array_equal(numpy_of(model(np.ones((2, 4)))), answer)


def test_a_call_of_the_users_own_comes_back(model: Any) -> None:
    layer = model.last
    inner = layer.call
    layer.__dict__["call"] = own = lambda *rows, **named: 2.0 * inner(*rows, **named)
    run_order(model, np.ones((2, 4)))
    assert layer.__dict__["call"] is own


def test_an_example_that_does_not_fit(model: Any) -> None:
    with pytest.raises(SettingError, match=r"cannot be run on the example \(.*shape") as refused:
        run_order(model, np.ones((2, 7)))
    assert "\x1b" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not any("call" in layer.__dict__ for layer in model._flatten_layers())
