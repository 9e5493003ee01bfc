"""One training of a Keras model after another, as this package's engine would do it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from math import ceil
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from shrinkage.data import Data, Part
from shrinkage.engine.noise import shuffle
from shrinkage.engine.pool import after_head, evaluation_interval, joined, row_weights, rows_of
from shrinkage.errors import SettingError
from shrinkage.keras.networks import KerasNetwork
from shrinkage.keras.seeding import seeded, set_seed
from shrinkage.keras.strength import settle
from shrinkage.keras.workers import Worker
from shrinkage.penalties import Penalty
from shrinkage.study import Fit, Status, Trial
from shrinkage.training import Training, ramp

_REFUSED = {
    "dropout": "keras.layers.Dropout",
    "input_dropout": "a keras.layers.Dropout in front",
    "input_noise": "keras.layers.GaussianNoise",
    "mixup": "mixed rows",
    "label_smoothing": "no smoothing",
    "max_norm": "keras.constraints.MaxNorm",
    "averaging": "no averaging",
    "augmentation": "Keras' layers for images",
    "polish": "no polish",
}
"""Settings that concern this package's perceptrons, and what a model has instead."""
_MOST = 32
"""Compiled models that are kept."""


def train_each(
    network: KerasNetwork,
    trials: Iterable[Trial],
    data: Data,
    expired: Callable[[], bool] | None = None,
) -> Iterator[Fit]:
    """Train trials about one model; see :func:`shrinkage.train`.

    A model that was compiled for one trial is used again, with fresh weights and optimizer, for
    those that differ in λ, seed and rows alone; under a learning rate that falls, where there are
    as many steps.

    Raises
    ------
    SettingError
        When a trial is about another network, or asks for what a model must have in itself.
    """
    for trial in trials:
        if expired is not None and expired():
            return
        part = data.part(trial.fold)
        _check(network, trial, part)
        fit = _trained(network, trial, part, expired)
        if fit is None:
            return
        yield fit


def _check(network: KerasNetwork, trial: Trial, part: Part) -> None:
    if trial.network is not network:
        raise SettingError(
            f"a trial is about {trial.network}, but the others are about {network}; train the "
            "networks one after the other"
        )
    network.taking(part.n_inputs)
    for name, instead in _REFUSED.items():
        if getattr(trial.training, name):
            raise SettingError(
                f"{name} is {getattr(trial.training, name)}, but a model of your own must have it "
                f"in itself: use {instead}, and leave out {name}"
            )


def _trained(
    network: KerasNetwork,
    trial: Trial,
    part: Part,
    expired: Callable[[], bool] | None,
) -> Fit | None:
    """One training, and the relaxed one after it; None where the time was up before its end."""
    begun = time.perf_counter()
    how, relaxed = replace(trial.training, relaxed_epochs=0), trial.training.relaxed_epochs
    fit = _descended(network, trial, how, part, expired)
    if fit is not None and relaxed and fit.ok:
        patience = how.patience and min(how.patience, relaxed)
        how = replace(how, epochs=relaxed, patience=patience)
        second = _descended(network, trial, how, part, expired, fit.parameters)
        fit = None if second is None else joined(fit, second)
    return None if fit is None else replace(fit, seconds=time.perf_counter() - begun)


def _descended(
    network: KerasNetwork,
    trial: Trial,
    how: Training,
    part: Part,
    expired: Callable[[], bool] | None,
    start: NDArray[np.float32] | None = None,
) -> Fit | None:
    """One descent; from a `start` on without the penalty, and what is zero there stays so."""
    train, _ = rows_of(trial, part)
    penalty = trial.penalty if trial.lam and start is None else None
    steps = how.epochs * ceil(train.size / min(how.batch_size, train.size))
    worker = _worker(network, how, penalty, steps, relaxed=start is not None)
    worker.begin(network, trial.seed, trial.lam, start)
    descent = _Descent(worker, network, trial, how, part, expired)
    with seeded(trial.seed):
        worker.model.fit(
            descent.batches(),
            steps_per_epoch=descent.steps,
            epochs=how.epochs,
            verbose=0,
            shuffle=False,
            callbacks=[descent],
        )
    return None if descent.given_up else descent.fit()


def _worker(
    network: KerasNetwork, how: Training, penalty: Penalty | None, steps: int, *, relaxed: bool
) -> Worker:
    """One that was made for this before, by an earlier stage of a search perhaps, or a new one."""
    key = (how, penalty, steps if how.schedule == "cosine" else None, relaxed)
    worker: Worker | None = network.workers.pop(key, None)
    if worker is None:
        worker = Worker.made(network, how, penalty, steps, relaxed=relaxed)
    network.workers[key] = worker  # at the end, behind those that were not asked for
    if len(network.workers) > _MOST:
        del network.workers[next(iter(network.workers))]
    return worker


class _Descent(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no annotations
    """Follows one training: batches, losses, stopping early, divergence."""

    def __init__(
        self,
        worker: Worker,
        network: KerasNetwork,
        trial: Trial,
        how: Training,
        part: Part,
        expired: Callable[[], bool] | None,
    ) -> None:
        super().__init__()
        self._worker, self._network, self._trial, self._part = worker, network, trial, part
        self._how = how
        self._expired, self.given_up = expired, False
        self._train, self._held = rows_of(trial, part)
        self._weights = row_weights(part, how)
        self._batch = min(how.batch_size, self._train.size)
        self.steps = ceil(self._train.size / self._batch)
        self._every = evaluation_interval(how, self._train.size, self._held.size)
        self._entries: list[tuple[int, float, float]] = []
        self._sum, self._epochs = 0.0, 0
        self._least, self._best_epoch, self._status = np.inf, 0, Status.COMPLETED
        self._best: NDArray[np.float32] | None = None
        self._finite = network.vector_of(worker.model)
        self._stopped, self._step = 0, 0

    def batches(self) -> Iterator[tuple[Any, ...]]:
        """The same rows in the same order as the engine takes them."""
        order, how = self._train.copy(), self._how
        inputs, targets = self._network.rows(self._part.inputs), self._part.targets
        if how.loss == "cross_entropy" or self._network.logits_of_two:
            targets = targets.astype(np.int32)
        for epoch in range(how.epochs + 1):  # one more: Keras asks ahead
            if how.shuffle:
                shuffle(order, np.uint64(self._trial.seed), epoch)
            for first in range(0, order.size, self._batch):
                rows = order[first : first + self._batch]
                yield inputs[rows], targets[rows], self._weights[rows]

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002  # Keras' signature
        """Draws begin here: PyTorch's dropout has one state for all, which Keras used before."""
        set_seed(self._trial.seed)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002  # Keras' signature
        """λ that rises does so step by step."""
        how = self._how
        if how.lam_schedule == "constant" or self._worker.proximal is None:
            return
        along = ramp(how.lam_schedule, self._step, how.lam_ramp * how.epochs * self.steps)
        settle(self.model)
        self._worker.strengthen(along * self._trial.lam)
        self._step += 1

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the losses where the engine would."""
        how, epoch = self._how, epoch + 1
        self._stopped = epoch
        self._sum += float((logs or {})["loss"])
        self._epochs += 1
        if self._expired is not None and self._expired():
            self.given_up = self.model.stop_training = True
            return
        if epoch % self._every and epoch != how.epochs:
            return
        train, held = self._sum / self._epochs, self._loss(self._held)
        self._sum, self._epochs = 0.0, 0
        vector = self._network.vector_of(self.model)
        finite = np.isfinite(vector).all() and np.isfinite(train)
        if not (finite and (np.isfinite(held) or not self._held.size)):
            self._status, self.model.stop_training = Status.DIVERGED, True
            return
        self._finite = vector
        self._entries.append((epoch, train, held))
        if how.patience is None:
            return
        if held < self._least:
            self._least, self._best_epoch, self._best = held, epoch, vector
        elif epoch - self._best_epoch >= how.patience:
            self._status, self.model.stop_training = Status.STOPPED_EARLY, True

    def fit(self) -> Fit:
        """The answer to the trial."""
        network, validates = self._network, self._part.validation.size > 0
        diverged = self._status is Status.DIVERGED
        vector = self._finite if diverged or self._best is None else self._best
        network.put(vector, self._worker.model)
        rows = self._held if validates else self._held[:0]
        logits = network.answers(self._worker.model, self._part.inputs[rows])
        outputs = after_head(logits, self._how.loss)
        return Fit(
            trial=self._trial,
            parameters=vector.copy(),
            epochs=np.array([epoch for epoch, _, _ in self._entries], dtype=np.int64),
            train_loss=np.array([train for _, train, _ in self._entries]),
            validation_loss=np.array([held for _, _, held in self._entries]),
            final_train_loss=float("nan") if diverged else self._loss(self._train),
            outputs=np.full_like(outputs, np.nan) if diverged else outputs,
            status=self._status,
            stopped_at=self._stopped,
            best_epoch=None if diverged else self._best_epoch or None,
        )

    def _loss(self, rows: NDArray[np.int64]) -> float:
        """Mean loss of the data with the model as it is; NaN without rows."""
        if not rows.size:
            return float("nan")
        logits = self._network.answers(self._worker.model, self._part.inputs[rows])
        losses = row_losses(logits, self._part.targets[rows], self._how.loss)
        return float(np.average(losses, weights=self._weights[rows]))


def row_losses(
    logits: NDArray[np.floating[Any]], targets: NDArray[np.floating[Any]], loss: str
) -> NDArray[np.float64]:
    """The loss of each row in double precision, from what a network answers before the head.

    Parameters
    ----------
    logits : ndarray, shape (rows, outputs)
        Log odds, logits or predictions.
    targets : ndarray, shape (rows, 1) or (rows, outputs)
        0 or 1, indices of classes, or numbers.
    loss : str
        One of :data:`shrinkage.training.LOSSES`.
    """
    z, y = logits.astype(np.float64), targets.astype(np.float64)
    if loss == "binary_cross_entropy":
        return np.asarray(np.logaddexp(0.0, z[:, 0]) - y[:, 0] * z[:, 0])
    if loss == "cross_entropy":
        own = np.take_along_axis(z, y[:, :1].astype(np.int64), axis=1)[:, 0]
        return np.asarray(logsumexp(z, axis=1) - own)
    return np.asarray(np.square(z - y).mean(axis=1))
