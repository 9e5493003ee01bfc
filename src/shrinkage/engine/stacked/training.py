"""Trials about a module: which of them share a stack, and all stacks side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch

from shrinkage.data import Data
from shrinkage.engine.objective import Interrupted
from shrinkage.engine.pool import available_threads, joined, rows_of
from shrinkage.engine.stacked.copies import Copies
from shrinkage.engine.stacked.descent import Descent
from shrinkage.engine.stacked.gradients import why_not_stacked
from shrinkage.engine.stacked.module import ModuleNetwork, seeded
from shrinkage.engine.stacked.parallel import side_by_side
from shrinkage.errors import SettingError
from shrinkage.study import Fit, Trial
from shrinkage.training import Training

_STACK = 1 << 26
"""Numbers that a stack may hold, about: copies times what each needs for a step."""
_MOST_COPIES = 256
_FEWEST = 4
"""Copies in a thread below which they had better share one."""
_REFUSED = {
    "dropout": "nn.Dropout layers in the module",
    "input_dropout": "an nn.Dropout layer in front",
    "input_noise": "a layer that adds it",
    "mixup": "mixed rows",
    "max_norm": "a constraint of your own",
    "averaging": "no averaging",
    "augmentation": "augmented rows",
    "polish": "no polish",
}
"""Settings of a training that concern this package's perceptrons, and what does it instead."""


def train_copies(
    network: ModuleNetwork,
    trials: Iterable[Trial],
    data: Data,
    expired: Callable[[], bool] | None = None,
) -> Iterator[Fit]:
    """Train trials about one module; see :func:`shrinkage.train`.

    Trials that differ in λ, learning rate, seed and rows alone share a stack; others follow each
    other. Fits come out as their copies end.

    Raises
    ------
    SettingError
        When a trial is about another network, or its training asks for what a module must have in
        itself.
    """
    stacks: dict[Any, list[Trial]] = {}
    for trial in trials:
        _check(network, trial, data)
        stacks.setdefault(_key(trial, data), []).append(trial)
    progress = _Progress(network)
    for members in stacks.values():
        stacked = len(members) > 1 and network.at_once != 1
        if stacked and _reason(network, members[:2], data) is not None:
            stacked = False
        most = _copies(network, members[0].training) if stacked else 1
        for first in range(0, len(members), most):
            some = members[first : first + most]
            works = [
                _Stack(network, shard, data, progress, stacked=stacked).fits
                for shard in _shards(network, some)
            ]
            for fit in side_by_side(works, expired):
                progress.done(fit.trial)
                yield fit
            if expired is not None and expired():
                return


def _check(network: ModuleNetwork, trial: Trial, data: Data) -> None:
    if trial.network is not network:
        raise SettingError(
            f"a trial is about {trial.network}, but the others are about {network}; train the "
            "networks one after the other"
        )
    network.taking(data.part(trial.fold).n_inputs)
    for name, instead in _REFUSED.items():
        if getattr(trial.training, name):
            raise SettingError(
                f"{name} is {getattr(trial.training, name)}, but a module of your own must have it "
                f"in itself: use {instead}, and leave out {name}"
            )


def _key(trial: Trial, data: Data) -> Any:
    """What copies of one stack have in common."""
    train, validation = rows_of(trial, data.part(trial.fold))
    common = replace(trial.training, learning_rate=1.0)
    groups = trial.penalty.groups if trial.penalty else None
    return common, groups, train.size, validation.size


def _copies(network: ModuleNetwork, training: Training) -> int:
    """Copies in one stack."""
    if network.at_once is not None:
        return network.at_once
    each = 5 * network.places.size + 20 * training.batch_size * network.inputs
    if torch.device(network.device).type != "cpu":  # its memory is fast, and there is a lot of it
        return int(np.clip(16 * _STACK // each, 1, 16 * _MOST_COPIES))
    return int(np.clip(_STACK // each, 1, _MOST_COPIES))


def _reason(network: ModuleNetwork, trials: Sequence[Trial], data: Data) -> str | None:
    """Why the module cannot be stacked, asked once."""
    loss = trials[0].training.loss
    if loss not in network.reasons:
        copies = Copies(network, trials, data, stacked=True)
        rows = copies.train[:, : min(4, copies.train.shape[1])]
        batch = copies.batch(rows, 0)
        network.reasons[loss] = why_not_stacked(network, loss, copies.vectors, batch) or ""
    return network.reasons[loss] or None


def _shards(network: ModuleNetwork, trials: Sequence[Trial]) -> list[list[Trial]]:
    """The copies dealt out over the cores of a processor; a GPU takes them all at once."""
    cores = available_threads() if torch.device(network.device).type == "cpu" else 1
    count = int(np.clip(len(trials) // _FEWEST, 1, cores))
    return [list(trials[shard::count]) for shard in range(count)]


class _Progress:
    """How far all copies under way are, in whole copies."""

    def __init__(self, network: ModuleNetwork) -> None:
        self._network = network
        self._shares: dict[Trial, float] = {}

    def tell(self, trials: Sequence[Trial], share: float) -> None:
        """So far these have come."""
        self._shares |= dict.fromkeys(trials, share)
        self._network.tell(int(sum(list(self._shares.values()))))

    def done(self, trial: Trial) -> None:
        """This one is counted as a fit from now on."""
        self._shares.pop(trial, None)


class _Stack:
    """Some trials as one program, or one of them alone.

    What draws from PyTorch's generator (first weights) is done when it is made, in the thread of
    whoever makes it; the module's structure is a copy of its own, since running it with other
    numbers changes it for a moment.
    """

    def __init__(
        self,
        network: ModuleNetwork,
        trials: Sequence[Trial],
        data: Data,
        progress: _Progress,
        *,
        stacked: bool,
    ) -> None:
        self._network = replace(network, skeleton=deepcopy(network.skeleton))
        self._data = data
        self._stacked = stacked
        self._progress = progress
        self._copies = Copies(self._network, trials, data, stacked=stacked)

    def fits(self, over: Callable[[], bool]) -> Iterator[Fit]:
        """Train; what draws random numbers in its own way begins with the seed of its copy."""
        with suppress(Interrupted):
            if self._stacked:
                yield from self._descents(over)
                return
            with seeded(self._copies.trials[0].seed):
                found = list(self._descents(over))
            yield from found

    def _descents(self, over: Callable[[], bool]) -> Iterator[Fit]:
        """To the end; the relaxed descent after it, where one is asked for."""
        copies, network = self._copies, self._network
        training, relaxed = copies.training, copies.training.relaxed_epochs
        everyone = list(copies.trials)
        epochs = training.epochs + relaxed

        def told(share: float, before: int = 0, of: int = training.epochs) -> None:
            self._progress.tell(everyone, (before + share * of) / epochs)

        firsts: list[Fit] = []
        for fit in Descent(copies, training, over, told).fits():
            if relaxed and fit.ok:
                firsts.append(fit)
            else:
                everyone.remove(fit.trial)
                yield fit
        if not firsts:
            return
        copies = Copies(
            network, [fit.trial for fit in firsts], self._data, stacked=self._stacked, fresh=False
        )
        copies.vectors = torch.tensor(
            np.stack([fit.parameters for fit in firsts]), device=network.device
        )
        patience = training.patience
        second = replace(training, epochs=relaxed, patience=patience and min(patience, relaxed))
        before = {fit.trial: fit for fit in firsts}
        again = partial(told, before=training.epochs, of=relaxed)
        for fit in Descent(copies, second, over, again, penalize=False).fits():
            everyone.remove(fit.trial)
            yield joined(before[fit.trial], fit)
