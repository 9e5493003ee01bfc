"""Copies of a module trained together, from their first step to their last."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shrinkage.data import Data, Part
from shrinkage.engine.noise import shuffle
from shrinkage.engine.pool import after_head, evaluation_interval, joined, row_weights, rows_of
from shrinkage.engine.stacked.gradients import Batch, Gradients, row_losses, why_not_stacked
from shrinkage.engine.stacked.module import ModuleNetwork
from shrinkage.engine.stacked.rewriting import step_keys
from shrinkage.engine.stacked.steps import Steps, Strengths
from shrinkage.errors import SettingError
from shrinkage.study import Fit, Status, Trial
from shrinkage.training import Training

_STACK = 1 << 26
"""Numbers that a stack may hold, about: copies times what each needs for a step."""
_MOST_COPIES = 256
_ROWS_AT_ONCE = 1024
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
    for members in stacks.values():
        stacked = len(members) > 1 and network.at_once != 1
        if stacked and _reason(network, members[:2], data) is not None:
            stacked = False
        most = _copies(network, members[0].training) if stacked else 1
        for first in range(0, len(members), most):
            some = members[first : first + most]
            yield from _train(network, some, data, expired, stacked=stacked)
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
    # A copy without groups can take part where there are some; its λ of groups is 0.
    return common, groups, train.size, validation.size


def _copies(network: ModuleNetwork, training: Training) -> int:
    """Copies in one stack."""
    if network.at_once is not None:
        return network.at_once
    each = 5 * network.places.size + 20 * training.batch_size * network.inputs
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


class _Rows(NamedTuple):
    """Rows of all parts of a stack under each other, and where each part's begin.

    Parts may share their inputs, which then are there once; their weights may differ.
    """

    inputs: Tensor
    targets: Tensor
    weights: Tensor
    starts: dict[int, int]


class Copies:
    """A stack: its copies' numbers, rows and what they have reached.

    Parameters
    ----------
    network : ModuleNetwork
        Whose copies they are.
    trials : sequence of Trial
        One for each copy.
    data : Data
        Their rows.
    stacked : bool
        Whether they run as one program.
    """

    def __init__(
        self, network: ModuleNetwork, trials: Sequence[Trial], data: Data, *, stacked: bool
    ) -> None:
        self.network = network
        self.trials = list(trials)
        self.training = trials[0].training
        device = network.device
        parts = [data.part(trial.fold) for trial in trials]
        self._rows = _gathered(parts, self.training, device)
        pairs = [rows_of(trial, part) for trial, part in zip(trials, parts)]
        self._starts = np.array(
            [(self._rows.starts[id(part.inputs)], self._rows.starts[id(part)]) for part in parts]
        )
        self.train = np.stack([train for train, _ in pairs])
        self.validation = np.stack([held for _, held in pairs])
        self._parts = [part.validation.size > 0 for part in parts]
        seeds = np.array([trial.seed for trial in trials], dtype=np.uint64)
        self.seeds = torch.tensor(seeds.view(np.int64), device=device)
        start = np.stack([network.initialize(trial.seed) for trial in trials])
        self.vectors = torch.tensor(start, device=device)
        self.gradients = Gradients(
            network, self.training.loss, self.training.label_smoothing, stacked=stacked
        )
        self.places = np.arange(len(trials))

    def take(self, kept: NDArray[np.int64]) -> Tensor:
        """Go on with some of the copies; returns their indices as a tensor."""
        index = torch.tensor(kept, device=self.vectors.device)
        self.vectors = self.vectors[index]
        self.seeds = self.seeds[index]
        self.train, self.validation = self.train[kept], self.validation[kept]
        self._starts, self.places = self._starts[kept], self.places[kept]
        self._parts = [self._parts[i] for i in kept]
        self.trials = [self.trials[i] for i in kept]
        return index

    def batch(
        self, rows: NDArray[np.int64], step: int, which: NDArray[np.int64] | None = None
    ) -> Batch:
        """The rows (C, B) of copies, by their index in each copy's part.

        Parameters
        ----------
        rows : ndarray of int64, shape (C, B)
            Of `which`, one of all by default.
        step : int
            Of the training, from 0.
        which : ndarray of int64, optional
            Copies.
        """
        device = self.vectors.device
        starts = self._starts if which is None else self._starts[which]
        where = torch.tensor(rows + starts[:, :1], device=device)
        weighed = torch.tensor(rows + starts[:, 1:], device=device)
        return Batch(
            inputs=self._rows.inputs[where],
            targets=self._rows.targets[where],
            weights=self._rows.weights[weighed],
            keys=step_keys(self.seeds if which is None else self.seeds[: len(rows)], step),
        )

    def evaluate(
        self, rows: NDArray[np.int64], which: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Mean penalty-free loss of each copy over its rows (C, n), and its answers (C, n, K).

        Parameters
        ----------
        rows : ndarray of int64, shape (C, n)
            Of all copies.
        which : ndarray of int64, optional
            Copies to look at; all by default.
        """
        which = np.arange(len(rows)) if which is None else which
        rows = rows[which]
        vectors = self.vectors[torch.tensor(which, device=self.vectors.device)]
        copies, count = rows.shape
        if count == 0:
            return np.full(copies, np.nan), np.empty((copies, 0, self.network.outputs), np.float32)
        step = max(_ROWS_AT_ONCE // copies, 32)
        total = torch.zeros(copies, dtype=torch.float64, device=self.vectors.device)
        mass = torch.zeros_like(total)
        answers = []
        for first in range(0, count, step):
            some = self.batch(rows[:, first : first + step], 0, which)
            logits = self.gradients.answers(vectors, some.inputs)
            losses = torch.stack(
                [row_losses(z, t, self.training.loss) for z, t in zip(logits, some.targets)]
            )
            total += (losses * some.weights).sum(dim=1, dtype=torch.float64)
            mass += some.weights.sum(dim=1, dtype=torch.float64)
            answers.append(logits.cpu())
        found = torch.cat(answers, dim=1).numpy()
        heads = [after_head(one, self.training.loss) for one in found]
        return (total / mass).cpu().numpy(), np.stack(heads)

    def validates(self, copy: int) -> bool:
        """Whether a copy's part has validation rows, or they were held back to stop early."""
        return self._parts[copy]


def _gathered(parts: Sequence[Part], training: Training, device: str) -> _Rows:
    starts: dict[int, int] = {}
    different = {id(part): part for part in parts}
    held = {id(part.inputs): part for part in parts}
    place = 0
    for key, part in held.items():
        starts[key] = place
        place += len(part.inputs)
    place = 0
    for key, part in different.items():
        starts[key] = place
        place += len(part.inputs)

    def under_each_other(arrays: list[NDArray[np.float32]]) -> Tensor:
        return torch.tensor(np.concatenate(arrays), device=device)

    return _Rows(
        under_each_other([part.inputs for part in held.values()]),
        under_each_other([part.targets for part in held.values()]),
        under_each_other([row_weights(part, training) for part in different.values()]),
        starts,
    )


def _train(
    network: ModuleNetwork,
    trials: Sequence[Trial],
    data: Data,
    expired: Callable[[], bool] | None,
    *,
    stacked: bool,
) -> Iterator[Fit]:
    """One stack to its end; its relaxed descent after it, where one is asked for."""
    copies = Copies(network, trials, data, stacked=stacked)
    relaxed = copies.training.relaxed_epochs
    firsts: list[Fit] = []
    for fit in _Descent(copies, copies.training, expired).fits():
        if relaxed and fit.ok:
            firsts.append(fit)
        else:
            yield fit
    if not firsts:
        return
    copies = Copies(network, [fit.trial for fit in firsts], data, stacked=stacked)
    copies.vectors = torch.tensor(
        np.stack([fit.parameters for fit in firsts]), device=network.device
    )
    patience = copies.training.patience
    second = replace(copies.training, epochs=relaxed, patience=patience and min(patience, relaxed))
    before = {fit.trial: fit for fit in firsts}
    for fit in _Descent(copies, second, expired, penalize=False).fits():
        yield joined(before[fit.trial], fit)


class _Descent:
    """One descent of a stack."""

    def __init__(
        self,
        copies: Copies,
        training: Training,
        expired: Callable[[], bool] | None,
        *,
        penalize: bool = True,
    ) -> None:
        self._copies = copies
        self._training = training
        self._expired = expired
        network = copies.network
        self._reach = network.places.penalized.stop
        self._trained = network.trained
        weights = copies.vectors[:, : self._trained]
        strengths = Strengths.of(copies.trials, network.device, penalize=penalize)
        self._steps = Steps(training, strengths, network.arrays, self._reach, weights)
        self._frozen = None if penalize else (weights[:, : self._reach] != 0).float()
        self._gradient = torch.empty_like(weights)
        self._finite = copies.vectors.clone()
        self._best = copies.vectors.clone() if training.patience else None
        count = len(copies.trials)
        self._least = np.full(count, np.inf)
        self._best_epoch = np.zeros(count, dtype=np.int64)
        self._entries: list[tuple[int, NDArray[np.float64], NDArray[np.float64]]] = []
        self._histories: list[NDArray[np.int64]] = []
        self._order = copies.train.copy()
        self._begun = time.perf_counter()

    def fits(self) -> Iterator[Fit]:
        """Train, and yield copies as they end."""
        copies, how = self._copies, self._training
        rows = copies.train.shape[1]
        every = evaluation_interval(how, rows, copies.validation.shape[1])
        size = min(how.batch_size, rows)
        total_steps = how.epochs * math.ceil(rows / size)
        step, seen, sums = 0, 0, torch.zeros(len(copies.trials), device=copies.vectors.device)
        for epoch in range(1, how.epochs + 1):
            if self._expired is not None and self._expired():
                return
            if how.shuffle:
                for order, trial in zip(self._order, copies.trials):
                    shuffle(order, np.uint64(trial.seed), epoch - 1)
            for first in range(0, rows, size):
                batch = copies.batch(self._order[:, first : first + size], step)
                sums += self._step(batch, step, total_steps)
                step += 1
            seen += rows
            copies.network.tell(len(copies.trials), epoch, how.epochs)
            if epoch % every and epoch != how.epochs:
                continue
            ended = yield from self._look(epoch, sums.cpu().numpy() / seen)
            seen, sums = 0, torch.zeros(len(copies.trials), device=copies.vectors.device)
            if ended:
                return

    def _step(self, batch: Batch, step: int, total_steps: int) -> Tensor:
        copies, how = self._copies, self._training
        losses = copies.gradients(copies.vectors, batch, self._gradient)
        share = 1.0
        if how.schedule == "cosine":
            share = 0.5 * (1.0 + math.cos(math.pi * step / total_steps))
        along = 1.0
        if how.lam_schedule != "constant":
            along = min(1.0, step / (how.lam_ramp * total_steps))
            if how.lam_schedule == "cosine":
                along = 0.5 * (1.0 - math.cos(math.pi * along))
        if self._frozen is not None:
            self._gradient[:, : self._reach].mul_(self._frozen)
        with torch.no_grad():
            weights = copies.vectors[:, : self._trained]
            self._steps.step(weights, self._gradient, share, along)
        return losses

    def _look(self, epoch: int, train_losses: NDArray[np.float64]) -> Generator[Fit, None, bool]:
        """Evaluate all copies; yield those that end here and let them go. Whether all have."""
        copies, how = self._copies, self._training
        last = epoch == how.epochs
        losses, _ = copies.evaluate(copies.validation)
        self._entries.append((epoch, train_losses, losses))
        finite = np.isfinite(train_losses) & torch.isfinite(copies.vectors).all(dim=1).cpu().numpy()
        self._finite[torch.tensor(finite)] = copies.vectors[torch.tensor(finite)]
        status = np.full(len(copies.trials), "", dtype=object)
        if how.patience is not None and self._best is not None:
            better = finite & (losses < self._least)
            self._least[better], self._best_epoch[better] = losses[better], epoch
            self._best[torch.tensor(better)] = copies.vectors[torch.tensor(better)]
            status[epoch - self._best_epoch >= how.patience] = Status.STOPPED_EARLY
        if last:
            status[status == ""] = Status.COMPLETED
        status[~finite] = Status.DIVERGED
        done = status != ""
        if done.any():
            yield from self._finished(np.flatnonzero(done), status, epoch)
            self._keep(np.flatnonzero(~done))
        return bool(done.all())

    def _finished(
        self, which: NDArray[np.int64], status: NDArray[np.object_], epoch: int
    ) -> Iterator[Fit]:
        """The fits of copies that have ended."""
        copies = self._copies
        for copy in which:
            if status[copy] is Status.DIVERGED:
                copies.vectors[copy] = self._finite[copy]
            elif self._best is not None and self._best_epoch[copy] > 0:
                copies.vectors[copy] = self._best[copy]
        finals, _ = copies.evaluate(copies.train, which)
        _, outputs = copies.evaluate(copies.validation, which)
        seconds = (time.perf_counter() - self._begun) / len(self._copies.trials)
        vectors = copies.vectors.cpu().numpy()
        for copy, final, answers in zip(which, finals, outputs):
            ended = status[copy]
            if ended is not Status.DIVERGED and not np.isfinite(final):
                ended = Status.DIVERGED
            entries = self._entries[:-1] if ended is Status.DIVERGED else self._entries
            shown = answers if copies.validates(copy) else answers[:0]
            if ended is Status.DIVERGED:
                shown = np.full_like(shown, np.nan)
            yield Fit(
                trial=copies.trials[copy],
                parameters=vectors[copy].copy(),
                epochs=np.array([at for at, _, _ in entries], dtype=np.int64),
                train_loss=np.array([train[copy] for _, train, _ in entries]),
                validation_loss=np.array([held[copy] for _, _, held in entries]),
                final_train_loss=float("nan") if ended is Status.DIVERGED else float(final),
                outputs=shown,
                status=ended,
                stopped_at=epoch,
                best_epoch=int(self._best_epoch[copy]) or None,
                seconds=seconds,
            )

    def _keep(self, kept: NDArray[np.int64]) -> None:
        """Let the copies go that have ended."""
        index = self._copies.take(kept)
        self._steps.take(index)
        self._gradient, self._finite = self._gradient[index], self._finite[index]
        self._frozen = None if self._frozen is None else self._frozen[index]
        self._best = None if self._best is None else self._best[index]
        self._least, self._best_epoch = self._least[kept], self._best_epoch[kept]
        self._order = self._order[kept]
        self._entries = [(at, train[kept], held[kept]) for at, train, held in self._entries]
