"""Problems that come with the package: toys in the plane and scikit-learn's small tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shrinkage.errors import SettingError, require_known

if TYPE_CHECKING:
    import pandas as pd

Points = tuple[NDArray[np.float64], NDArray[np.int64]]

TOY_PROBLEMS = ("moons", "circles", "spirals", "xor", "blobs")
REAL_PROBLEMS = ("breast_cancer", "wine", "digits", "diabetes")
BUNDLED = TOY_PROBLEMS + REAL_PROBLEMS

_TOY_SAMPLES = 1_000
_MINIMUM_SAMPLES = 10
# Noise at which the classes overlap, so that a wide network has something to memorize.
_TOY_NOISE = {"moons": 0.35, "circles": 0.2, "spirals": 0.25, "xor": 0.25, "blobs": 1.0}
_TOY_CLASSES = {
    "moons": ("upper", "lower"),
    "circles": ("outer", "inner"),
    "spirals": ("first", "second"),
    "xor": ("same sign", "opposite sign"),
    "blobs": ("left", "right", "top"),
}


def bundled(
    name: str, samples: int | None = None, noise: float | None = None, seed: int = 0
) -> tuple[pd.DataFrame, str]:
    """A bundled problem as a table.

    Parameters
    ----------
    name : str
        One of :data:`BUNDLED`.
    samples : int or None, default None
        Rows of a toy problem, at least 10; 1,000 when None.
    noise : float or None, default None
        Standard deviation of the normal noise added to a toy problem's points.
    seed : int, default 0
        Of the toy problem.

    Returns
    -------
    table : DataFrame
        Inputs and the target as the last column.
    target : str
        The target's name.

    Raises
    ------
    SettingError
        On an unknown name, or samples or noise that cannot be used.
    """
    require_known("bundled problem", name, BUNDLED)
    if name in REAL_PROBLEMS:
        for option, value in (("samples", samples), ("noise", noise)):
            if value is not None:
                raise SettingError(
                    f"{option} was given, but {name} is real data; it applies to the toy problems "
                    f"{', '.join(TOY_PROBLEMS)}"
                )
        return _real(name)
    samples = _TOY_SAMPLES if samples is None else samples
    noise = _TOY_NOISE[name] if noise is None else noise
    if samples < _MINIMUM_SAMPLES:
        raise SettingError(
            f"samples is {samples}; a toy problem needs at least {_MINIMUM_SAMPLES} rows"
        )
    if not 0 <= noise < float("inf"):
        raise SettingError(f"noise is {noise}; it must be 0 or a positive, finite number")
    return _toy(name, samples, noise, seed)


def _toy(name: str, samples: int, noise: float, seed: int) -> tuple[pd.DataFrame, str]:
    import pandas as pd

    rng = np.random.default_rng(seed)
    draw = {
        "moons": _moons,
        "circles": _circles,
        "spirals": _spirals,
        "xor": _xor,
        "blobs": _blobs,
    }[name]
    points, labels = draw(samples, rng)
    points = points + noise * rng.standard_normal(points.shape)
    table = pd.DataFrame(points, columns=["x1", "x2"])
    table["class"] = pd.Categorical.from_codes(
        labels.astype(np.intp), categories=list(_TOY_CLASSES[name])
    )
    return table, "class"


def _labels(samples: int, classes: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.permutation(np.arange(samples) % classes).astype(np.int64)


def _moons(samples: int, rng: np.random.Generator) -> Points:
    labels = _labels(samples, 2, rng)
    angle = np.pi * rng.random(samples)
    upper = np.column_stack([np.cos(angle), np.sin(angle)])
    lower = np.column_stack([1 - np.cos(angle), 0.5 - np.sin(angle)])
    return np.where(labels[:, None] == 0, upper, lower), labels


def _circles(samples: int, rng: np.random.Generator) -> Points:
    labels = _labels(samples, 2, rng)
    angle = 2 * np.pi * rng.random(samples)
    radius = np.where(labels == 0, 1.0, 0.5)
    return radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]), labels


def _spirals(samples: int, rng: np.random.Generator) -> Points:
    """Two arms of one and a half turns, up to a radius of 3."""
    labels = _labels(samples, 2, rng)
    # The root spreads the points evenly along the arms.
    along = np.sqrt(rng.random(samples))
    angle = 3 * np.pi * along + np.pi * labels
    return 3 * along[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]), labels


def _xor(samples: int, rng: np.random.Generator) -> Points:
    labels = _labels(samples, 2, rng)
    points = rng.uniform(-1, 1, (samples, 2))
    wrong = (points[:, 0] * points[:, 1] < 0) != (labels == 1)
    points[wrong, 1] *= -1
    return points, labels


def _blobs(samples: int, rng: np.random.Generator) -> Points:
    labels = _labels(samples, 3, rng)
    centers = np.array([[-1.2, 0.0], [1.2, 0.0], [0.0, 2.0]])
    return centers[labels], labels


def _real(name: str) -> tuple[pd.DataFrame, str]:
    import pandas as pd
    from sklearn import datasets

    if name == "diabetes":
        bunch = datasets.load_diabetes(scaled=False)
    else:
        bunch = getattr(datasets, f"load_{name}")()
    table = pd.DataFrame(bunch.data, columns=[str(column) for column in bunch.feature_names])
    if name == "diabetes":
        table["progression"] = bunch.target
        return table, "progression"
    target = {"breast_cancer": "diagnosis", "wine": "cultivar", "digits": "digit"}[name]
    classes = [str(label) for label in bunch.target_names]
    table[target] = pd.Categorical.from_codes(bunch.target, categories=classes)
    return table, target
