"""A network without what is constant or leads nowhere: the same outputs, and a way back."""

import numpy as np
import pytest

from shrinkage.engine.pool import predict
from shrinkage.engine.reduction import reduce_network
from shrinkage.network import Network, layout


def sparse(network, seed, share=0.8):
    """Parameters of which most kernel entries are zero, with biases that are not."""
    rng = np.random.default_rng(seed)
    parameters = rng.standard_normal(layout(network).size)
    kernels = slice(0, layout(network).kernels[-1].stop)
    parameters[kernels] *= rng.random(kernels.stop) > share
    return parameters


def outputs(network, parameters, inputs):
    return predict(network, parameters.astype(np.float32), inputs, "mean_squared_error")


NETWORKS = [
    Network(9, (12, 7), 3, "tanh"),
    Network(6, (10,), 1, "sigmoid"),
    Network(5, (6, 6, 6), 2, "silu", penalize_output=True),
    Network(8, (), 4),
]


@pytest.mark.parametrize("settle", [False, True])
@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_what_is_left_answers_the_same(network, settle):
    inputs = np.random.default_rng(9).standard_normal((30, network.inputs)).astype(np.float32)
    smaller = 0
    for seed in range(20):
        parameters = sparse(network, seed)
        kept = parameters.copy()
        nothing = np.zeros(parameters.size, bool)
        whole, left = reduce_network(network, parameters, nothing, settle=settle)
        np.testing.assert_array_equal(parameters, kept)
        expected = outputs(network, parameters, inputs)
        np.testing.assert_allclose(outputs(network, whole, inputs), expected, atol=1e-5)
        found = outputs(left.network, left.of(whole), inputs[:, left.inputs])
        np.testing.assert_allclose(found, expected, atol=1e-5)
        smaller += left.network.sizes < network.sizes
        np.testing.assert_allclose(left.into(whole, left.of(whole)), whole, atol=1e-12)
    assert smaller > 10


@pytest.mark.parametrize("network", NETWORKS[:3], ids=str)
def test_other_parameters_of_what_is_left_mean_the_same_in_the_whole(network):
    inputs = np.random.default_rng(9).standard_normal((30, network.inputs)).astype(np.float32)
    rng = np.random.default_rng(1)
    for seed in range(20):
        parameters = sparse(network, seed)
        whole, left = reduce_network(
            network, parameters, np.zeros_like(parameters, bool), settle=True
        )
        small = left.of(whole)
        small = np.where(small == 0, 0.0, small + 0.1 * rng.standard_normal(small.size))
        expected = outputs(left.network, small, inputs[:, left.inputs])
        found = outputs(network, left.into(whole, small), inputs)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_weights_that_make_no_difference_become_zero_and_the_penalty_falls():
    network = Network(3, (4, 4), 2, "tanh")
    parameters = sparse(network, 0, share=0.0)
    first, second, _ = (block.of(parameters) for block in layout(network).kernels)
    first[:, 1] = 0.0  # a constant unit
    second[2] = 0.0  # a unit that leads nowhere
    whole, left = reduce_network(network, parameters, np.zeros(parameters.size, bool), settle=True)
    new_first, new_second, new_last = (block.of(whole) for block in layout(network).kernels)
    assert (new_second[1] == 0).all()
    assert (new_first[:, 2] == 0).all()
    np.testing.assert_array_equal(new_last, layout(network).kernels[2].of(parameters))
    assert left.network.hidden == (2, 4)


def test_a_zero_that_enters_keeps_its_unit():
    network = Network(3, (4,), 1, "tanh")
    parameters = sparse(network, 0, share=0.0)
    kernel = layout(network).kernels[0]
    kernel.of(parameters)[:, 1:3] = 0.0
    entering = np.zeros(parameters.size, bool)
    entering[kernel.start + 2] = True  # from input 0 into unit 2
    _, left = reduce_network(network, parameters, entering, settle=True)
    assert left.network.hidden == (3,)


def test_a_network_whose_outputs_are_constant_stays_whole():
    network = Network(3, (4, 4), 2, "tanh")
    parameters = sparse(network, 0, share=0.0)
    layout(network).kernels[1].of(parameters)[:] = 0.0
    whole, left = reduce_network(network, parameters, np.zeros(parameters.size, bool), settle=True)
    assert left.network == network
    np.testing.assert_array_equal(left.of(whole), parameters)
