"""Asking Optuna for candidates, a batch at a time."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from shrinkage.tune.joint.entry import Entry
from shrinkage.tune.joint.space import Space

if TYPE_CHECKING:
    import optuna

BATCH = 8
"""Candidates asked for at a time; fixed, so that the search does not depend on the threads."""
_RANDOM = 16
"""Candidates before the sampler begins to learn from them; the first recipes among them."""


def ask(study: optuna.Study, space: Space, seed: int, number: int, first: int) -> list[Entry]:
    """A batch of candidates, or what a stored search left of it.

    Parameters
    ----------
    study : optuna.Study
        Who is asked.
    space : Space
        What there is to choose from.
    seed : int
        Of the search.
    number : int
        Of the batch, from 0.
    first : int
        Number of its first candidate.

    Returns
    -------
    list of Entry
        Those from a stored search with their scores.
    """
    stored = [
        frozen
        for frozen in study.get_trials(deepcopy=False)
        if frozen.user_attrs.get("batch") == number
    ]
    batch = [
        Entry.stored(first + place, frozen, study, space.suggest(frozen))
        for place, frozen in enumerate(stored)
    ]
    if len(batch) < BATCH:
        batch += [
            Entry(first + place, one, space.suggest(one))
            for place, one in enumerate(
                _ask_anew(study, space, seed, number, len(batch)), start=len(batch)
            )
        ]
    return batch


def _ask_anew(
    study: optuna.Study, space: Space, seed: int, number: int, stored: int
) -> list[optuna.trial.Trial]:
    import optuna

    own = np.random.SeedSequence((seed, 0x0907_1A, number)).generate_state(1)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        # A new one for each batch: what it draws depends on the batch alone, so a search that
        # goes on from a file draws as one that was never interrupted.
        study.sampler = optuna.samplers.TPESampler(
            seed=int(own),
            n_startup_trials=_RANDOM,
            multivariate=True,
            group=True,
            constant_liar=True,
        )
    if number == 0 and not study.get_trials(deepcopy=False):
        for values in space.first()[:BATCH]:
            study.enqueue_trial(values)
    asked = []
    for _ in range(stored, BATCH):
        one = study.ask()
        space.suggest(one)
        # Last, so that a stored trial with its batch has all its parameters too.
        one.set_user_attr("batch", number)
        asked.append(one)
    return asked
