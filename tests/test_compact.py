"""A compacted network answers what the large one answers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from shrinkage.compact import compact
from shrinkage.engine.pool import predict
from shrinkage.network import ACTIVATIONS, Network, initialize, layout

LOSSES = {1: "binary_cross_entropy", 3: "cross_entropy"}


def with_dead_parts(network, seed):
    """Random parameters, with dead units of both kinds in every layer and unused inputs."""
    rng = np.random.default_rng(seed)
    parameters = initialize(network, seed)
    places = layout(network)
    for block in places.biases:
        block.of(parameters)[:] = rng.normal(size=block.shape)
    kernels = [block.of(parameters) for block in places.kernels]
    kernels[0][rng.random(network.inputs) < 0.4] = 0.0
    for incoming, outgoing in pairwise(kernels):
        incoming[:, rng.random(incoming.shape[1]) < 0.3] = 0.0
        outgoing[rng.random(outgoing.shape[0]) < 0.3] = 0.0
    return parameters


def assert_same_outputs(network, parameters, small, loss="mean_squared_error"):
    rows = np.random.default_rng(1).normal(size=(200, network.inputs)).astype(np.float32)
    large = predict(network, parameters, rows, loss)
    again = predict(small.network, small.parameters, rows[:, small.inputs], loss)
    assert np.abs(large - again).max() <= 1e-6 * np.abs(large).max()


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("outputs", [1, 3])
def test_outputs_stay_and_parameters_go(activation, outputs):
    network = Network(6, (40, 30, 20), outputs, activation)
    parameters = with_dead_parts(network, 7)
    small = compact(network, parameters)
    assert_same_outputs(network, parameters, small)
    assert_same_outputs(network, parameters, small, LOSSES[outputs])
    assert all(left < whole for left, whole in small.units)
    assert small.before == parameters.size
    assert small.after == layout(small.network).size < small.before / 2


def test_nothing_dead_nothing_changes():
    network = Network(5, (7, 6), 2)
    parameters = initialize(network, 0)
    small = compact(network, parameters)
    assert small.network.sizes == network.sizes
    np.testing.assert_array_equal(small.parameters, parameters)
    np.testing.assert_array_equal(small.inputs, np.arange(5))


def test_what_remains_cannot_be_made_smaller():
    network = Network(6, (40, 30, 20), 2, "tanh")
    once = compact(network, with_dead_parts(network, 3))
    twice = compact(once.network, once.parameters)
    assert twice.network == once.network
    np.testing.assert_array_equal(twice.parameters, once.parameters)


def test_a_removed_unit_can_make_others_removable():
    """Input 0 → unit 0 → unit 0 → nothing: all of that chain goes, up to the input."""
    network = Network(2, (2, 2), 1)
    places = layout(network)
    parameters = np.zeros(places.size, dtype=np.float32)
    first, second, last = (block.of(parameters) for block in places.kernels)
    first[:] = second[:] = np.eye(2)
    last[1] = 1.0
    small = compact(network, parameters)
    assert small.network.sizes == (1, 1, 1, 1)
    np.testing.assert_array_equal(small.inputs, [1])
    assert_same_outputs(network, parameters, small)


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_a_network_that_is_all_zero_keeps_one_unit_per_layer_and_one_input(activation):
    network = Network(4, (5, 3), 2, activation)
    parameters = np.zeros(layout(network).size, dtype=np.float32)
    for block in layout(network).biases:
        block.of(parameters)[:] = 0.7
    layout(network).kernels[2].of(parameters)[:] = 0.5
    small = compact(network, parameters)
    assert small.network.sizes == (1, 1, 1, 2)
    assert_same_outputs(network, parameters, small)


def test_a_linear_model_loses_only_inputs():
    network = Network(3, (), 2)
    parameters = initialize(network, 0)
    layout(network).kernels[0].of(parameters)[1] = 0.0
    small = compact(network, parameters)
    assert small.inputs.tolist() == [0, 2]
    assert small.units == ()
    assert_same_outputs(network, parameters, small)


def test_the_original_is_left_alone():
    network = Network(6, (40, 30), 2)
    parameters = with_dead_parts(network, 3)
    before = parameters.copy()
    compact(network, parameters)
    np.testing.assert_array_equal(parameters, before)
