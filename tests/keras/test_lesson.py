"""The lesson's code runs as it stands beside this room, and one line more gives the verdict."""

from __future__ import annotations

import sys
import types

import keras
import numpy as np
import pytest

from shrinkage.keras import OverfittingMonitor, judge, path, report

# Keras' own conversion of variables to NumPy; Keras prefers an Input to `input_shape`.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`:UserWarning"),
]

LESSON = """
from tensorflow.keras import regularizers

# Model without regularization (overfits)
model = Sequential([
    Dense(128, activation='relu', input_shape=(2,)),
    Dense(128, activation='relu'),
    Dense(1, activation='sigmoid')
])

# Model with L2 regularization
model_regularized = Sequential([
    Dense(128, activation='relu', input_shape=(2,),
          kernel_regularizer=regularizers.l2(0.01)),
    Dense(128, activation='relu',
          kernel_regularizer=regularizers.l2(0.01)),
    Dense(1, activation='sigmoid')  # No regularization on output layer
])
"""
"""As it stands in the lesson's text."""


@pytest.fixture
def lesson(monkeypatch):
    """The two models of the lesson; its imports find Keras 3."""
    tensorflow = types.ModuleType("tensorflow")
    tensorflow.keras = keras
    monkeypatch.setitem(sys.modules, "tensorflow", tensorflow)
    monkeypatch.setitem(sys.modules, "tensorflow.keras", keras)
    keras.utils.set_random_seed(0)
    names = {"Sequential": keras.Sequential, "Dense": keras.layers.Dense}
    exec(LESSON, names)
    return names


def test_the_lessons_code_and_one_line(lesson, moons, capsys):
    train, validation = moons
    model = lesson["model"]
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(
        *train,
        epochs=3,
        validation_data=validation,
        verbose=0,
        callbacks=[OverfittingMonitor()],  # the line
    )
    assert "The network does not seem to overfit: loss 0." in capsys.readouterr().out
    first = model.layers[0].get_weights()
    assert [array.shape for array in first] == [(2, 128), (128,)]


def test_its_regularized_network_too(lesson, moons):
    train, validation = moons
    model = lesson["model_regularized"]
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    history = model.fit(*train, epochs=3, validation_data=validation, verbose=0).history
    reading = judge(model, train, validation)
    assert reading.validation_loss < history["val_loss"][-1] - 0.5  # Keras' has the penalty in it
    assert "nats" in reading.sentence


@pytest.mark.slow
def test_a_report_of_it(moons, tmp_path):
    rows, labels = (np.concatenate(both) for both in zip(*moons, strict=True))

    def build_model():
        return keras.Sequential(
            [
                keras.Input((2,)),
                keras.layers.Dense(16, activation="relu"),
                keras.layers.Dense(16, activation="relu"),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )

    study = path(
        build_model, (rows, labels), lambdas=[0.01], folds=2, seeds=1, epochs=10, verbose=0
    )
    page = report(study, tmp_path / "report.html").read_text()
    assert "The network" in page
