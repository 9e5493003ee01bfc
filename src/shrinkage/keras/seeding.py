"""A seed for one thing, and everybody else's random numbers as if nothing had happened."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np
from keras.src.backend.common import global_state

# Where Keras keeps what `keras.utils.set_random_seed` sets (src/utils/rng_utils.py).
_ATTRIBUTES = ("global_random_seed", "global_seed_generator")


def set_seed(seed: int) -> None:
    """``keras.utils.set_random_seed`` for any whole number."""
    keras.utils.set_random_seed(int(seed % (1 << 31)))


def seed_of_all() -> int | None:
    """The seed that was set last for everything that has none of its own."""
    found: int | None = global_state.get_global_attribute(_ATTRIBUTES[0])
    return found


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Keras, NumPy, Python and the backend with a seed, each put back afterwards.

    Parameters
    ----------
    seed : int
        Not negative.
    """
    before = {name: global_state.get_global_attribute(name) for name in _ATTRIBUTES}
    python, numbers = random.getstate(), np.random.get_state()  # noqa: NPY002  # as Keras sets it
    torch = sys.modules.get("torch") if keras.backend.backend() == "torch" else None
    drawn = None if torch is None else torch.get_rng_state()
    try:
        set_seed(seed)
        yield
    finally:
        for name, value in before.items():
            global_state.set_global_attribute(name, value)
        random.setstate(python)
        np.random.set_state(numbers)  # noqa: NPY002  # as above
        if torch is not None:
            torch.set_rng_state(drawn)
