"""Models from a person's factory: made, asked for answers, looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import keras
import numpy as np
from numpy.typing import NDArray

from shrinkage.errors import SettingError
from shrinkage.frameworks.starts import check_starts
from shrinkage.keras.layers import layers_of
from shrinkage.keras.seeding import seed_of_all, seeded
from shrinkage.keras.values import numpy_of

Head = Literal["none", "sigmoid", "softmax"]


def made_by(factory: Callable[[], Any]) -> Any:
    """A built model from the factory.

    Raises
    ------
    SettingError
        When the factory is no function, does not make a built Keras model, or not a fresh one each
        time.

    Warns
    -----
    UserWarning
        When two models start from the same weights, though their seeds differ.
    """
    if isinstance(factory, keras.Model) or not callable(factory):
        raise SettingError(
            f"a path trains many fresh models, but it was given a {type(factory).__name__}; give a "
            "function that makes one, such as build_model"
        )
    model, reseeds = _drawn(factory, 0)
    again, reseeds_again = _drawn(factory, 1)
    pairs = [
        (one, other)
        for one, other in zip(model.trainable_variables, again.trainable_variables, strict=False)
        if one.shape == other.shape
    ]
    check_starts(
        [one.path for one, other in pairs if one is other],
        reseeds=reseeds or reseeds_again,
        same=bool(pairs) and all(_equal(one, other) for one, other in pairs),
        seeding="keras.utils.set_random_seed",
        stacklevel=3,
    )
    return model


def _drawn(factory: Callable[[], Any], seed: int) -> tuple[Any, bool]:
    """A model made under a seed, and whether the factory set another one."""
    with seeded(seed):
        model = factory()
        reseeds = seed_of_all() != seed
    if not isinstance(model, keras.Model):
        raise SettingError(
            f"the factory makes a {type(model).__name__}, not a keras.Model; let it return the "
            "model alone"
        )
    if not model.built:
        raise SettingError(
            f"the factory makes the model '{model.name}' without building it; give it a "
            "keras.Input, or let the factory call model.build(…)"
        )
    return model, reseeds


def _equal(one: Any, other: Any) -> bool:
    return bool(np.array_equal(numpy_of(one), numpy_of(other)))


def answered(model: Any, rows: NDArray[Any]) -> tuple[int, Head]:
    """How many numbers a model answers for a row, and through which head.

    Raises
    ------
    SettingError
        When it fails on the rows, has several outputs, or gives probabilities in a way that cannot
        be left out.
    """
    try:
        found = model(rows, training=False)
    except Exception as error:
        said = " ".join(str(error).split())[:200]
        raise SettingError(
            f"the model '{model.name}' fails on rows of shape {rows.shape}: {said}"
        ) from error
    if not keras.ops.is_tensor(found) or len(found.shape) > 2 or found.shape[0] != len(rows):
        raise SettingError(
            f"the model '{model.name}' has several outputs or answers no (rows, outputs); a path "
            "needs one such tensor, so let the factory make a model of that output alone"
        )
    outputs = 1 if len(found.shape) == 1 else int(found.shape[1])
    last = last_layer(model)
    activation = getattr(last, "activation", None)
    if activation is keras.activations.sigmoid:
        return outputs, "sigmoid"
    if activation is keras.activations.softmax:
        return outputs, "softmax"
    if isinstance(last, keras.layers.Softmax):
        raise SettingError(
            f"the model '{model.name}' ends with a Softmax layer; leave it out, or give its last "
            "dense layer activation='softmax', since losses here take logits"
        )
    return outputs, "none"


def last_layer(model: Any) -> Any:
    """The innermost layer that is run last, as far as the model tells."""
    own = getattr(model, "layers", None) or [model]
    last = own[-1]
    return last_layer(last) if isinstance(last, keras.Model) else last


def regularized(model: Any) -> tuple[str, ...]:
    """Names of layers whose weights carry a regularizer, which a path leaves out."""
    return tuple(
        name
        for name, layer in layers_of(model)
        if any(variable.regularizer is not None for variable in layer._trainable_variables)
    )
