"""Keras' regularizers and decay beside the engine: same weights, same rows, same gradient."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import torch

from shrinkage.conventions import convert
from shrinkage.penalties import L1, L2, ElasticNet, Penalty

VALUE = 0.17
CASES: dict[str, tuple[Any, Any, str]] = {
    "keras.l1": (keras.regularizers.L1(VALUE), VALUE, "shrinkage.l1"),
    "keras.l2": (keras.regularizers.L2(VALUE), VALUE, "shrinkage.l2"),
    "keras.l1_l2": (
        keras.regularizers.L1L2(l1=VALUE, l2=0.05),
        (VALUE, 0.05),
        "shrinkage.elastic_net",
    ),
}


def gradient(bench: Any, regularizer: Any) -> list[Any]:
    """Of the loss that Keras trains, for each variable."""
    hidden = [
        keras.layers.Dense(units, "tanh", kernel_regularizer=regularizer)
        for units in bench.network.hidden
    ]
    output = keras.layers.Dense(bench.network.outputs)
    model = keras.Sequential([keras.Input((bench.network.inputs,)), *hidden, output])
    kernels, biases = bench.arrays(bench.start)
    model.set_weights([each for pair in zip(kernels, biases) for each in pair])
    kind = keras.losses.MeanSquaredError() if bench.targets else None
    kind = kind or keras.losses.BinaryCrossentropy(from_logits=True)
    answers = model(torch.tensor(bench.inputs, dtype=torch.float32))
    total = kind(torch.tensor(bench.target, dtype=torch.float32), answers) + sum(model.losses)
    variables = [variable.value for variable in model.trainable_variables]
    found = [each.numpy() for each in torch.autograd.grad(total, variables)]
    return list(bench.flat(found[0::2], found[1::2]))


@pytest.mark.parametrize("name", CASES)
def test_regularizer_has_the_gradient_of_ours(bench: Any, name: str) -> None:
    regularizer, value, ours = CASES[name]
    lam, *ratio = convert(value, name, ours).values.values()
    penalties: dict[str, Penalty] = {"shrinkage.l1": L1(), "shrinkage.l2": L2()}
    penalty = penalties.get(ours) or ElasticNet(*ratio)
    theirs = gradient(bench, regularizer)
    bench.assert_same(theirs, bench.gradient(penalty, lam))
    with pytest.raises(AssertionError):  # so much as one percent of λ would be seen
        bench.assert_same(theirs, bench.gradient(penalty, 1.01 * lam))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("kind", [keras.optimizers.SGD, keras.optimizers.Adam])
def test_weight_decay_is_our_decoupled_one(kind: Any) -> None:
    """Of every variable, a bias too: without gradients only decay moves it."""
    variable = keras.Variable(np.ones(3, np.float32), name="bias")
    decay = convert(0.3, "shrinkage.l2.decoupled", "keras.weight_decay", learning_rate=0.1).value
    optimizer = kind(learning_rate=0.1, weight_decay=decay)
    optimizer.apply([keras.ops.zeros(3)], [variable])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(variable), 1 - 0.1 * 0.3, rtol=1e-6)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_decay_outside_momentum_is_weaker_beside_the_gradient() -> None:
    """It acts as λ(1 − momentum), which (1 − w) / w is at the fixed point of ½(w − 1)²."""
    momentum, decay = 0.8, 0.5
    variable = keras.Variable(np.zeros(1, np.float32))
    optimizer = keras.optimizers.SGD(learning_rate=0.1, momentum=momentum, weight_decay=decay)
    for _ in range(150):
        optimizer.apply([variable.value.detach() - 1], [variable])
    found = float(keras.ops.convert_to_numpy(variable)[0])
    assert (1 - found) / found == pytest.approx(decay * (1 - momentum), rel=1e-5)
