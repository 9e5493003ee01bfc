"""What is trained: a multilayer perceptron, or a network of the user's own."""

from shrinkage.errors import SettingError
from shrinkage.network.own import OwnNetwork
from shrinkage.network.perceptron import ACTIVATIONS, INITIALIZATIONS, Network, initialize
from shrinkage.network.places import Block, Kind, Layout


def layout(network: Network | OwnNetwork) -> Layout:
    """The places of a network's kernels and biases in one flat vector.

    Parameters
    ----------
    network : Network or OwnNetwork
        The shape to lay out.

    Returns
    -------
    Layout
        Hidden kernels, output kernel, hidden biases, output bias, in this order.
    """
    return network.places


def perceptron_of(network: Network | OwnNetwork) -> Network:
    """The network, where it is one of this package's perceptrons.

    Parameters
    ----------
    network : Network or OwnNetwork
        Any.

    Raises
    ------
    SettingError
        When it is a network of the user's own.
    """
    if isinstance(network, OwnNetwork):
        raise SettingError(
            f"{network.name} is a network of another framework, and this is done for a multilayer "
            "perceptron of this package alone; give a Network"
        )
    return network


__all__ = [
    "ACTIVATIONS",
    "INITIALIZATIONS",
    "Block",
    "Kind",
    "Layout",
    "Network",
    "OwnNetwork",
    "initialize",
    "layout",
    "perceptron_of",
]
