"""Weight decay for some parameters of a Keras model and none for the others."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from shrinkage.errors import SettingError
from shrinkage.keras import decay_only
from shrinkage.keras.values import numpy_of


def small() -> Any:
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(3, name="a"),
            layers.BatchNormalization(name="n"),
            layers.Dense(2, name="b"),
        ]
    )


def decayed(model: Any, optimizer: Any) -> set[str]:
    """Names of what a step without any gradient of a loss changes."""
    for variable in model.trainable_variables:
        variable.assign(variable + 1.0)  # biases start at 0, where nothing shrinks
    before = [numpy_of(v) for v in model.trainable_variables]
    nothing = [keras.ops.zeros(v.shape) for v in model.trainable_variables]
    optimizer.apply(nothing, model.trainable_variables)
    after = [numpy_of(v) for v in model.trainable_variables]
    return {
        "/".join(v.path.split("/")[-2:])
        for v, one, other in zip(model.trainable_variables, before, after)
        if not np.array_equal(one, other)
    }


def test_hidden_kernels_alone_decay() -> None:
    model = small()
    optimizer = keras.optimizers.AdamW(0.1, weight_decay=0.1)
    assert decay_only(optimizer, model) is optimizer
    assert decayed(model, optimizer) == {"a/kernel"}
    everything = keras.optimizers.AdamW(0.1, weight_decay=0.1)
    assert len(decayed(small(), everything)) == 6


def test_other_selections() -> None:
    model = small()
    optimizer = keras.optimizers.SGD(0.1, weight_decay=0.1)
    decay_only(optimizer, model, on=["output kernels", "n"])
    assert decayed(model, optimizer) == {"b/kernel", "n/gamma", "n/beta"}


def test_bad_input() -> None:
    model = small()
    with pytest.raises(SettingError, match="SGD has no weight_decay, so nothing decays"):
        decay_only(keras.optimizers.SGD(0.1), model)
    built = keras.optimizers.AdamW(0.1)
    built.build(model.trainable_variables)
    with pytest.raises(SettingError, match=r"has been built already.*compile the model again"):
        decay_only(built, model)
    with pytest.raises(SettingError, match="the network has no embedding"):
        decay_only(keras.optimizers.AdamW(0.1), model, on="embeddings")
