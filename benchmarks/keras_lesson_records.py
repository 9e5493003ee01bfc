"""What is measured of one training of the lesson's network, and all of it on disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.stored import Stored
from shrinkage.network import Network, layout

FOLDER = Path(__file__).parent / "results" / "keras_lesson"
TINY = 1e-3
"""Weights below this in absolute value are counted beside those that are exactly zero."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Key:
    """Whose network (``"Keras"`` or ``"shrinkage"``), with which regularizer, of which seed."""

    who: str
    regularizer: str
    seed: int
    epochs: int


@dataclass(frozen=True)
class Record:
    """One training.

    Parameters
    ----------
    key : Key
        Which.
    low, high, spread : float
        Least and largest weight of the first kernel, and their standard deviation.
    hidden_spread : float
        Standard deviation of the weights of both hidden kernels.
    zeros, tiny : float
        Share of the weights of both hidden kernels that is exactly zero, and that is below
        :data:`TINY` in absolute value.
    train, validation, test : float
        Accuracies.
    loss, objective : float
        Mean log loss over the training rows, in nats, without and with the penalty.
    seconds : float
        Of the training.
    versions : dict
        Of the packages behind it.
    machine, measured : str
        Where and when.
    """

    key: Key
    low: float
    high: float
    spread: float
    hidden_spread: float
    zeros: float
    tiny: float
    train: float
    validation: float
    test: float
    loss: float
    objective: float
    seconds: float
    versions: dict[str, str]
    machine: str
    measured: str


def weights_of(parameters: NDArray[np.float32], network: Network) -> dict[str, float]:
    """Range, spread and zeros of the hidden kernels, by the fields of :class:`Record`."""
    places = layout(network)
    first = places.kernels[0].of(parameters).astype(np.float64)
    hidden = parameters[places.penalized].astype(np.float64)
    return {
        "low": float(first.min()),
        "high": float(first.max()),
        "spread": float(first.std()),
        "hidden_spread": float(hidden.std()),
        "zeros": float(np.mean(hidden == 0.0)),
        "tiny": float(np.mean(np.abs(hidden) < TINY)),
    }


def flat(arrays: Iterable[NDArray[np.float32]], network: Network) -> NDArray[np.float32]:
    """Keras' arrays (kernel and bias of each layer in turn) as this package's flat vector."""
    given = list(arrays)
    places = layout(network)
    parameters = np.empty(places.size, dtype=np.float32)
    for blocks, own in ((places.kernels, given[0::2]), (places.biases, given[1::2])):
        for block, array in zip(blocks, own, strict=True):
            block.of(parameters)[...] = array
    return parameters


class Records(Stored[Record]):
    """All records of a folder, in one file; None keeps them in memory only."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__(
            folder,
            lambda stored: Record(**stored | {"key": Key(**stored["key"])}),
            lambda _record: "fits",
        )

    def column(self, who: str, regularizer: str, field: str, epochs: int) -> Floats:
        """One number of each seed, in the order of the seeds."""
        found = {
            record.key.seed: getattr(record, field)
            for record in self
            if (record.key.who, record.key.regularizer, record.key.epochs)
            == (who, regularizer, epochs)
        }
        return np.array([found[seed] for seed in sorted(found)])
