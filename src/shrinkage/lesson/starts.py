"""Ways to start: weights that no scheme would draw, columns as they were measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data, TestSet, bundled
from shrinkage.data.numeric import Arrays, from_arrays, scaled
from shrinkage.lesson.exhibited import Job, Setting
from shrinkage.lesson.toys import toy
from shrinkage.lesson.trials import lesson_trial
from shrinkage.network import Network, layout

TRAINED = 100
"""Rows of breast_cancer to train on; the others test."""
_VALIDATED = 10
"""So few rows, that losses can be noted after every epoch at no cost."""
_DRAWS = 7
"""Keeps the draws of weights apart from others of the same seed."""


WAYS = (
    "moons as they are, Glorot",
    "moons as they are, He",
    "moons as they are, all weights 0",
    "moons as they are, normal draws of deviation 1",
    "moons normalized, Glorot",
    "breast_cancer as it is",
    "breast_cancer normalized",
)
"""Each way to start, in the order of its jobs."""
GLOROT, HE, ZEROS, NORMAL, NORMALIZED, RAW, READY = range(len(WAYS))


def zero_weights(network: Network) -> NDArray[np.float32]:
    """All parameters 0."""
    return np.zeros(layout(network).size, dtype=np.float32)


def drawn_weights(network: Network, seed: int) -> NDArray[np.float32]:
    """Every kernel from the standard normal distribution, whatever its width; biases 0.

    Parameters
    ----------
    network : Network
        Its shape.
    seed : int
        Same seed, same numbers.

    Returns
    -------
    ndarray of float32, shape (P,)
    """
    places, rng = layout(network), np.random.default_rng((seed, _DRAWS))
    parameters = zero_weights(network)
    for block in places.kernels:
        block.of(parameters)[:] = rng.standard_normal(block.shape)
    return parameters


def measured_table(seed: int, *, standardize: bool) -> Data:
    """The breast_cancer table with its columns as they were measured, or normalized.

    Parameters
    ----------
    seed : int
        Which rows are trained on.
    standardize : bool
        Inputs to mean 0 and deviation 1 over the training rows.

    Returns
    -------
    Data
        Fold 0 trains on 100 rows; the others are tested on, and a few of them validated.
    """
    table, target = bundled("breast_cancer")
    classes = table[target].cat
    rows = Arrays(
        table.drop(columns=target).to_numpy(dtype=np.float64),
        classes.codes.to_numpy(dtype=np.float64)[:, None],
        np.ones(len(table)),
    )
    order = np.random.default_rng((seed, _DRAWS)).permutation(len(rows))
    own, others = rows.take(order[:TRAINED]), rows.take(order[TRAINED:])
    data = from_arrays(
        own,
        classes=tuple(classes.categories),
        held_out=others.take(np.arange(_VALIDATED)),
        standardize=standardize,
        merge=False,
        columns=tuple(map(str, table.columns.drop(target))),
        name="breast_cancer",
    )
    inputs = scaled(others.inputs, data.full.center, data.full.scale)
    weights = np.ones(len(others), dtype=np.float32)
    return replace(data, test=TestSet(inputs, others.targets, weights))


def epochs_of(setting: Setting) -> int:
    """A quarter of the lesson's: a start shows early."""
    return max(setting.epochs // 4, 1)


def start_jobs(seed: int, setting: Setting) -> list[Job]:
    """One for each of :data:`WAYS`, each with one trial."""
    epochs = epochs_of(setting)
    plain, normalized = (
        toy(seed=seed, validation=_VALIDATED, standardize=standardize)
        for standardize in (False, True)
    )
    glorot = lesson_trial(plain, seed, epochs=epochs)
    he = lesson_trial(plain, seed, epochs=epochs, initialization="he")
    zeros = {glorot: zero_weights(glorot.perceptron)}
    normal = {glorot: drawn_weights(glorot.perceptron, seed)}
    tables = [measured_table(seed, standardize=standardize) for standardize in (False, True)]
    return [
        Job(f"Glorot {seed}", plain, (glorot,)),
        Job(f"He {seed}", plain, (he,)),
        Job(f"zeros {seed}", plain, (glorot,), starts=zeros),
        Job(f"normal {seed}", plain, (glorot,), starts=normal),
        Job(f"normalized {seed}", normalized, (lesson_trial(normalized, seed, epochs=epochs),)),
        *(
            Job(f"table {seed}", data, (lesson_trial(data, seed, epochs=epochs),))
            for data in tables
        ),
    ]
