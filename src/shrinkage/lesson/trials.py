"""The lesson's network and training, its seeds, and its λ in the convention that it means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from textwrap import dedent
from typing import Any

from shrinkage.conventions import convert
from shrinkage.data import Data
from shrinkage.lesson.exhibited import Job, Setting
from shrinkage.lesson.toys import toy
from shrinkage.network import Network
from shrinkage.penalties import L2, Penalty
from shrinkage.study import Trial
from shrinkage.training import Training

HIDDEN = (128, 128)
STRENGTH = 0.01
"""Of Keras' ``l2``, where the lesson starts; λ is twice that here."""
WITHOUT_AND_WITH = ("no penalty", "L2, Keras 0.01 (λ = 0.02)")
"""Labels of two networks, the second with :data:`STRENGTH`."""
_NETWORK = 'network = Network(2, (128, 128), initialization="glorot")'
_TRAINING = """\
training = Training(
    "binary_cross_entropy", learning_rate=0.01, schedule="constant", epochs={epochs}
)"""
_APART = 1_000
"""Seeds of one setting lie together, those of the next one so far away."""


def seeds_of(setting: Setting) -> range:
    """A seed for each draw of data and first weights: 0, 1, 2 … as long as `setting.seed` is 0."""
    first = _APART * setting.seed
    return range(first, first + setting.seeds)


def lesson_trial(
    data: Data,
    seed: int,
    penalty: Penalty | None = None,
    lam: float = 0.0,
    *,
    epochs: int = 2_000,
    fold: int | None = 0,
    hidden: tuple[int, ...] = HIDDEN,
    initialization: str | None = "glorot",
    **training: Any,
) -> Trial:
    """A trial as the lesson trains: 2-128-128-1, relu, Adam with a constant rate of 0.01.

    Parameters
    ----------
    data : Data
        Of :func:`shrinkage.lesson.toys.toy`.
    seed : int
        Of first weights and the order of rows.
    penalty, lam
        As in :class:`shrinkage.study.Trial`, in the package's convention.
    epochs : int, default 2000
        Passes over the rows.
    fold : int or None, default 0
        All rows, validated on fresh ones; or one of the folds.
    hidden : tuple of int, default (128, 128)
        Units of each hidden layer.
    initialization : str or None, default "glorot"
        Keras' own; None for what suits the activation.
    **training
        Other fields of :class:`shrinkage.training.Training`.

    Returns
    -------
    Trial
    """
    how = Training(data.loss, learning_rate=0.01, schedule="constant", epochs=epochs)
    network = Network(
        data.part(fold).n_inputs, hidden, data.n_outputs, initialization=initialization
    )
    return Trial(network, replace(how, **training), penalty, lam, fold, seed)


def keras_l2(strength: float) -> float:
    """λ here of Keras' ``l2(strength)``, which adds no ½.

    Examples
    --------
    >>> keras_l2(0.01)
    0.02
    """
    return float(convert(strength, "keras.l2", "shrinkage.l2").value)


def l2_trial(data: Data, seed: int, strength: float, *, epochs: int, fold: int | None = 0) -> Trial:
    """The lesson's training with Keras' ``l2(strength)``; without a penalty where that is 0."""
    penalty = L2() if strength else None
    return lesson_trial(data, seed, penalty, keras_l2(strength), epochs=epochs, fold=fold)


def both_trials(data: Data, seed: int, epochs: int) -> tuple[Trial, Trial]:
    """Without a penalty and with Keras' ``l2(0.01)``, from the same first weights."""
    return (
        l2_trial(data, seed, 0.0, epochs=epochs),
        l2_trial(data, seed, STRENGTH, epochs=epochs),
    )


def moons_jobs(setting: Setting, trials: Callable[[Data, int], Sequence[Trial]]) -> list[Job]:
    """A job for each seed, on the lesson's moons: the trials that `trials` makes of both."""
    jobs = []
    for seed in seeds_of(setting):
        data = toy(seed=seed)
        jobs.append(Job(f"moons {seed}", data, tuple(trials(data, seed))))
    return jobs


def program(text: str, epochs: int) -> str:
    """A program that an exhibit shows.

    Parameters
    ----------
    text : str
        Its lines, indented alike. ``NETWORK`` and ``TRAINING`` on lines of their own become the
        lesson's network and training, as :func:`lesson_trial` makes them.
    epochs : int
        Of that training.

    Returns
    -------
    str
        Without indentation.
    """
    lines = {"NETWORK": _NETWORK, "TRAINING": _TRAINING.format(epochs=epochs)}
    return "".join(f"{lines.get(line, line)}\n" for line in dedent(text).splitlines())
