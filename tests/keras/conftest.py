"""What the tests of Keras models share: rows, and a small network."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from shrinkage.data import bundled, prepare


@pytest.fixture(scope="session")
def moons():
    """Two half moons: (training rows, labels), (validation rows, labels)."""
    data = prepare(*bundled("moons", samples=160), name="moons", folds=2, repeats=1)
    part = data.part(0)
    rows = part.inputs.astype(np.float32)
    labels = part.targets.astype(np.float32)
    return (rows[part.train], labels[part.train]), (
        rows[part.validation],
        labels[part.validation],
    )


@pytest.fixture
def network():
    """A function that builds the lesson's network, small."""

    def build(*, units=16, head="sigmoid", seed=0):
        keras.utils.set_random_seed(seed)
        return keras.Sequential(
            [
                keras.Input((2,)),
                keras.layers.Dense(units, activation="relu", name="one"),
                keras.layers.Dense(units, activation="relu", name="two"),
                keras.layers.Dense(1, activation=head, name="answer"),
            ]
        )

    return build
