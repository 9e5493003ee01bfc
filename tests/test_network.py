from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shrinkage.errors import SettingError
from shrinkage.network import ACTIVATIONS, Network, initialize, layout

NETWORKS = st.builds(
    Network,
    inputs=st.integers(1, 20),
    hidden=st.lists(st.integers(1, 20), max_size=4).map(tuple),
    outputs=st.integers(1, 5),
    penalize_output=st.booleans(),
)


@given(NETWORKS)
def test_blocks_cover_the_vector_without_gap_or_overlap(network):
    places = layout(network)
    stop = 0
    for block in places.blocks:
        assert block.start == stop
        stop = block.stop
    sizes = network.sizes
    expected = sum(a * b + b for a, b in pairwise(sizes))
    assert stop == places.size == expected


@given(NETWORKS)
def test_penalties_reach_every_hidden_kernel_and_the_output_kernel_when_asked_to(network):
    places = layout(network)
    covered = np.zeros(places.size, bool)
    covered[places.penalized] = True
    for block in places.blocks:
        expected = block.kind == "hidden kernel" or (
            block.kind == "output kernel" and (network.penalize_output or not network.hidden)
        )
        assert covered[block.start : block.stop].all() == expected
        assert covered[block.start : block.stop].any() == expected


def test_blocks_are_views_with_names_for_people():
    network = Network(2, (3,), 1)
    parameters = np.arange(layout(network).size, dtype=np.float32)
    kernel = layout(network).kernels[0]
    kernel.of(parameters)[:] = -1
    assert (parameters[:6] == -1).all()
    assert [block.name for block in layout(network).blocks] == [
        "layer 1 kernel",
        "output kernel",
        "layer 1 bias",
        "output bias",
    ]


@pytest.mark.parametrize(
    ("activation", "variance"),
    [("relu", 2 / 400), ("selu", 1 / 400), ("tanh", 2 / 700)],
)
def test_initial_weights_have_the_variance_that_suits_the_activation(activation, variance):
    network = Network(400, (300,), activation=activation)
    parameters = initialize(network, 0)
    kernel = layout(network).kernels[0].of(parameters)
    assert kernel.var() == pytest.approx(variance, rel=0.03)
    assert all((block.of(parameters) == 0).all() for block in layout(network).biases)


def test_initialization_can_be_said_and_repeats_with_its_seed():
    network = Network(400, (300,), activation="tanh", initialization="he")
    kernel = layout(network).kernels[0].of(initialize(network, 0))
    assert kernel.var() == pytest.approx(2 / 400, rel=0.03)
    np.testing.assert_array_equal(initialize(network, 5), initialize(network, 5))
    assert not np.array_equal(initialize(network, 5), initialize(network, 6))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"inputs": 0}, "at least 1 of inputs, got 0"),
        ({"hidden": (8, 0)}, "hidden layer 2 has 0 units"),
        ({"activation": "rellu"}, "unknown activation 'rellu'; did you mean 'relu'"),
        ({"initialization": "xavier"}, "unknown initialization 'xavier'"),
    ],
)
def test_impossible_networks_are_refused(settings, sentence):
    with pytest.raises(SettingError, match=sentence.replace("?", r"\?")):
        Network(**({"inputs": 2} | settings))


def test_a_network_prints_as_its_sizes():
    assert str(Network(2)) == "2-128-128-1 (relu)"
    assert str(Network(2, ())) == "2-1 (linear)"
    assert len(ACTIVATIONS) == 9
