"""One descent of a stack, from its first step to its last; copies that end leave it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shrinkage.engine.noise import shuffle
from shrinkage.engine.pool import evaluation_interval
from shrinkage.engine.stacked.copies import Copies
from shrinkage.engine.stacked.gradients import Batch
from shrinkage.engine.stacked.steps import Steps, Strengths
from shrinkage.study import Fit, Status
from shrinkage.training import Training, ramp

_EVERY = 0.2
"""Seconds between two words about progress."""


class Descent:
    """One descent of a stack.

    Parameters
    ----------
    copies : Copies
        Where they stand; changed.
    training : Training
        How.
    over : callable
        Whether to give up, asked before every step.
    told : callable
        Told now and then which share of all is done.
    penalize : bool, default True
        Whether penalties act; otherwise what is zero stays zero.
    """

    def __init__(
        self,
        copies: Copies,
        training: Training,
        over: Callable[[], bool],
        told: Callable[[float], None],
        *,
        penalize: bool = True,
    ) -> None:
        self._copies = copies
        self._training = training
        self._over = over
        self._told = told
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
        self._order = copies.train.copy()
        self._looked = self._told_at = time.perf_counter()
        self._seconds = np.zeros(count)

    def fits(self) -> Iterator[Fit]:
        """Train, and yield copies as they end."""
        copies, how = self._copies, self._training
        rows = copies.train.shape[1]
        every = evaluation_interval(how, rows, copies.validation.shape[1])
        size = min(how.batch_size, rows)
        total_steps = how.epochs * math.ceil(rows / size)
        step, seen, sums = 0, 0, torch.zeros(len(copies.trials), device=copies.vectors.device)
        for epoch in range(1, how.epochs + 1):
            if how.shuffle:
                for order, trial in zip(self._order, copies.trials):
                    shuffle(order, np.uint64(trial.seed), epoch - 1)
            for first in range(0, rows, size):
                if self._over():
                    return
                batch = copies.batch(self._order[:, first : first + size], step)
                sums += self._step(batch, step, total_steps)
                step += 1
                self._tell(step / total_steps)
            seen += rows
            if epoch % every and epoch != how.epochs:
                continue
            ended = yield from self._look(epoch, sums.cpu().numpy() / seen)
            seen, sums = 0, torch.zeros(len(copies.trials), device=copies.vectors.device)
            if ended:
                return

    def _tell(self, share: float) -> None:
        """How far it is, a few times a second at most."""
        now = time.perf_counter()
        if now - self._told_at > _EVERY:
            self._told_at = now
            self._told(share)

    def _step(self, batch: Batch, step: int, total_steps: int) -> Tensor:
        copies, how = self._copies, self._training
        losses = copies.gradients(copies.vectors, batch, self._gradient)
        share = 1.0
        if how.schedule == "cosine":
            share = 0.5 * (1.0 + math.cos(math.pi * step / total_steps))
        along = ramp(how.lam_schedule, step, how.lam_ramp * total_steps)
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
        losses, _ = copies.evaluate(copies.validation, self._over)
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
        now = time.perf_counter()
        self._seconds += (now - self._looked) / len(done)  # each copy's share of the stack's time
        self._looked = now
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
        finals, _ = copies.evaluate(copies.train, self._over, which)
        held = copies.validation
        _, outputs = copies.evaluate(held, self._over, which, answers=True)
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
                seconds=float(self._seconds[copy]),
            )

    def _keep(self, kept: NDArray[np.int64]) -> None:
        """Let the copies go that have ended."""
        index = self._copies.take(kept)
        self._steps.take(index)
        self._gradient, self._finite = self._gradient[index], self._finite[index]
        self._frozen = None if self._frozen is None else self._frozen[index]
        self._best = None if self._best is None else self._best[index]
        self._least, self._best_epoch = self._least[kept], self._best_epoch[kept]
        self._order, self._seconds = self._order[kept], self._seconds[kept]
        self._entries = [(at, train[kept], held[kept]) for at, train, held in self._entries]
