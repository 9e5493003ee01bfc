"""A multilayer perceptron: its shape, and how its weights start."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from shrinkage.errors import SettingError, require_known
from shrinkage.network.places import Block, Layout

ACTIVATIONS = ("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "tanh", "sigmoid", "identity")
INITIALIZATIONS = ("he", "glorot", "lecun")

_MATCHING_INITIALIZATION = {
    "relu": "he",
    "leaky_relu": "he",
    "elu": "he",
    "gelu": "he",
    "silu": "he",
    "selu": "lecun",
    "tanh": "glorot",
    "sigmoid": "glorot",
    "identity": "glorot",
}


@dataclass(frozen=True)
class Network:
    """A multilayer perceptron: its sizes, its activation and how its weights start.

    Parameters
    ----------
    inputs : int
        Number of input columns, at least 1.
    hidden : tuple of int, default (128, 128)
        Units of each hidden layer, each at least 1. Empty for a linear model.
    outputs : int, default 1
        1 for a binary class or one regression target, else the number of classes or targets.
    activation : str, default "relu"
        One of :data:`ACTIVATIONS`, after every hidden layer. ``leaky_relu`` has slope 0.01 and
        ``elu`` has alpha 1, as in PyTorch; ``gelu`` is the exact one, x·Φ(x).
    initialization : str or None, default None
        One of :data:`INITIALIZATIONS`; None chooses by activation: He for the relu family
        (He et al. 2015), LeCun for selu (Klambauer et al. 2017), Glorot else (Glorot & Bengio
        2010). Draws are normal; biases start at 0; the output layer always uses Glorot.
    penalize_output : bool, default False
        Whether penalties act on the output kernel too, as scikit-learn's ``alpha`` does. A group
        lasso and a limit of norms are about hidden units, and stay with hidden kernels.

    Raises
    ------
    SettingError
        On a size below 1 or an unknown name.

    Examples
    --------
    >>> str(Network(inputs=4, hidden=(16, 8), outputs=3, activation="gelu"))
    '4-16-8-3 (gelu)'
    """

    inputs: int
    hidden: tuple[int, ...] = (128, 128)
    outputs: int = 1
    activation: str = "relu"
    initialization: str | None = None
    penalize_output: bool = False

    def __post_init__(self) -> None:
        for name, size in (("inputs", self.inputs), ("outputs", self.outputs)):
            if size < 1:
                raise SettingError(f"a network needs at least 1 of {name}, got {size}")
        for position, size in enumerate(self.hidden, start=1):
            if size < 1:
                raise SettingError(
                    f"hidden layer {position} has {size} units; every hidden layer needs at least 1"
                )
        require_known("activation", self.activation, ACTIVATIONS)
        if self.initialization is not None:
            require_known("initialization", self.initialization, INITIALIZATIONS)

    @property
    def places(self) -> Layout:
        """Where its kernels and biases lie; see :func:`shrinkage.network.layout`."""
        return _places(self)

    def taking(self, inputs: int) -> Network:
        """The same network for another number of inputs."""
        return replace(self, inputs=inputs)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Width of every layer, the input first and the output last."""
        return (self.inputs, *self.hidden, self.outputs)

    @property
    def hidden_initialization(self) -> str:
        """How hidden kernels start: as said, else as fits the activation."""
        return self.initialization or _MATCHING_INITIALIZATION[self.activation]

    def __str__(self) -> str:
        kind = self.activation if self.hidden else "linear"
        return "-".join(str(size) for size in self.sizes) + f" ({kind})"


@cache
def _places(network: Network) -> Layout:
    """Hidden kernels, output kernel, hidden biases, output bias, in this order."""
    sizes = network.sizes
    last = len(sizes) - 1
    kernels = [(layer, (sizes[layer - 1], sizes[layer])) for layer in range(1, last + 1)]
    biases = [(layer, (sizes[layer],)) for layer in range(1, last + 1)]
    blocks: list[Block] = []
    start = 0
    for word, arrays in (("kernel", kernels), ("bias", biases)):
        for layer, shape in arrays:
            place = "output" if layer == last else "hidden"
            block = Block(layer, f"{place} {word}", start, shape)  # type: ignore[arg-type]  # a Kind by construction
            blocks.append(block)
            start = block.stop
    return Layout(tuple(blocks), network.penalize_output)


def initialize(network: Network, seed: int) -> NDArray[np.float32]:
    """Fresh parameters.

    Parameters
    ----------
    network : Network
        What to initialize.
    seed : int
        Same seed and shape, same numbers.

    Returns
    -------
    ndarray of float32, shape (P,)
        Normal kernels with the variance of the network's initialization; zero biases.
    """
    places = network.places
    rng = np.random.default_rng(seed)
    parameters = np.zeros(places.size, dtype=np.float32)
    hidden = network.hidden_initialization
    for block in places.kernels:
        fan_in, fan_out = block.shape
        scheme = hidden if block.kind == "hidden kernel" else "glorot"
        variance = {"he": 2 / fan_in, "lecun": 1 / fan_in, "glorot": 2 / (fan_in + fan_out)}[scheme]
        block.of(parameters)[:] = sqrt(variance) * rng.standard_normal(block.shape)
    return parameters
