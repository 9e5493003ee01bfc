"""The copies of a stack: their numbers, their rows, and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shrinkage.data import Data, Part
from shrinkage.engine.objective import Interrupted
from shrinkage.engine.pool import after_head, row_weights, rows_of
from shrinkage.engine.stacked.gradients import Batch, Gradients, row_losses
from shrinkage.engine.stacked.module import ModuleNetwork
from shrinkage.engine.stacked.rewriting import step_keys
from shrinkage.study import Trial
from shrinkage.training import Training

_ROWS_AT_ONCE = 1024


class _Rows(NamedTuple):
    """Rows of all parts of a stack under each other, and where each part's begin.

    Parts may share their inputs, which then are there once; targets and weights are of each part.
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
    fresh : bool, default True
        Whether first weights are made; otherwise :attr:`vectors` is still to be set.
    """

    def __init__(
        self,
        network: ModuleNetwork,
        trials: Sequence[Trial],
        data: Data,
        *,
        stacked: bool,
        fresh: bool = True,
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
        self._validates = [part.validation.size > 0 for part in parts]
        seeds = np.array([trial.seed for trial in trials], dtype=np.uint64)
        self.seeds = torch.tensor(seeds.view(np.int64), device=device)
        starts = [network.initialize(trial.seed) for trial in trials] if fresh else []
        self.vectors = torch.tensor(np.array(starts, dtype=np.float32), device=device)
        self.gradients = Gradients(
            network, self.training.loss, self.training.label_smoothing, stacked=stacked
        )

    def take(self, kept: NDArray[np.int64]) -> Tensor:
        """Go on with some of the copies; returns their indices as a tensor."""
        index = torch.tensor(kept, device=self.vectors.device)
        self.vectors = self.vectors[index]
        self.seeds = self.seeds[index]
        self.train, self.validation = self.train[kept], self.validation[kept]
        self._starts = self._starts[kept]
        self._validates = [self._validates[i] for i in kept]
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
        own = torch.tensor(rows + starts[:, 1:], device=device)
        return Batch(
            inputs=self._rows.inputs[where],
            targets=self._rows.targets[own],
            weights=self._rows.weights[own],
            keys=step_keys(self.seeds if which is None else self.seeds[which], step),
        )

    def evaluate(
        self,
        rows: NDArray[np.int64],
        over: Callable[[], bool],
        which: NDArray[np.int64] | None = None,
        *,
        answers: bool = False,
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Mean penalty-free loss of each copy over its rows (C, n), and its answers (C, n, K).

        Parameters
        ----------
        rows : ndarray of int64, shape (C, n)
            Of all copies.
        over : callable
            Whether to give up, asked now and then.
        which : ndarray of int64, optional
            Copies to look at; all by default.
        answers : bool, default False
            Whether answers are wanted; without, there are none for any row.

        Raises
        ------
        Interrupted
            When it is to give up.
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
        said = []
        for first in range(0, count, step):
            if over():
                raise Interrupted
            some = self.batch(rows[:, first : first + step], 0, which)
            logits = self.gradients.answers(vectors, some.inputs)
            losses = torch.stack(
                [row_losses(z, t, self.training.loss) for z, t in zip(logits, some.targets)]
            )
            total += (losses * some.weights).sum(dim=1, dtype=torch.float64)
            mass += some.weights.sum(dim=1, dtype=torch.float64)
            if answers:
                said.append(logits)
        means = (total / mass).cpu().numpy()
        if not said:
            return means, np.empty((copies, 0, self.network.outputs), np.float32)
        heads = [
            after_head(one, self.training.loss) for one in torch.cat(said, dim=1).cpu().numpy()
        ]
        return means, np.stack(heads)

    def validates(self, copy: int) -> bool:
        """Whether a copy's part has validation rows, or they were held back to stop early."""
        return self._validates[copy]


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
        under_each_other([part.targets for part in different.values()]),
        under_each_other([row_weights(part, training) for part in different.values()]),
        starts,
    )
