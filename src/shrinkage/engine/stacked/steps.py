"""One step of an optimizer for all copies of a stack, with each copy's own penalty.

What :mod:`shrinkage.engine.optimizers` does to one flat vector, done to a matrix with one row for
each copy: the same moments, the same coupled or decoupled L2, the same proximal step in the
optimizer's own metric.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from shrinkage.engine.proximal import group_prox, soft_threshold_
from shrinkage.engine.stacked.module import Array
from shrinkage.study import Trial
from shrinkage.training import Training


@dataclass(eq=False)
class Strengths:
    """Each copy's learning rate and λ, (C, 1), and how they act."""

    rate: Tensor
    l1: Tensor
    l2: Tensor
    decoupled: Tensor
    group: Tensor
    groups: str | None

    @staticmethod
    def of(trials: Sequence[Trial], device: str, *, penalize: bool) -> Strengths:
        """Those of the trials, which have the kind of groups in common."""

        def column(values: list[float]) -> Tensor:
            return torch.tensor(values, dtype=torch.float64, device=device).float()[:, None]

        penalties = [trial.penalty if penalize else None for trial in trials]
        lams = [trial.lam for trial in trials]
        apart = [
            float(trial.training.optimizer == "adamw" or bool(p and p.decoupled))
            for trial, p in zip(trials, penalties)
        ]
        return Strengths(
            rate=column([trial.training.learning_rate for trial in trials]),
            l1=column([lam * p.l1_share if p else 0.0 for lam, p in zip(lams, penalties)]),
            l2=column([lam * p.l2_share if p else 0.0 for lam, p in zip(lams, penalties)]),
            decoupled=column(apart),
            group=column([lam * p.group_share if p else 0.0 for lam, p in zip(lams, penalties)]),
            groups=penalties[0].groups if penalties[0] else None,
        )

    def take(self, kept: Tensor) -> Strengths:
        """Those of some of the copies."""
        return Strengths(
            rate=self.rate[kept],
            l1=self.l1[kept],
            l2=self.l2[kept],
            decoupled=self.decoupled[kept],
            group=self.group[kept],
            groups=self.groups,
        )


class Steps:
    """The optimizer's state of a stack, and its step.

    Parameters
    ----------
    training : Training
        Optimizer and its settings, common to all copies; rates are in `strengths`.
    strengths : Strengths
        Of each copy.
    arrays : sequence of Array
        Of the vector; the penalized ones come first.
    penalized : int
        Length of what is penalized.
    weights : tensor, shape (C, trained)
        Of whose shape and device the moments are.
    """

    def __init__(
        self,
        training: Training,
        strengths: Strengths,
        arrays: Sequence[Array],
        penalized: int,
        weights: Tensor,
    ) -> None:
        self._training = training
        self._arrays = [array for array in arrays if array.stop <= penalized]
        self._penalized = penalized
        self._adam = training.optimizer in ("adam", "adamw")
        self._first = torch.zeros_like(weights)
        self._second = torch.zeros_like(weights[:, :0] if self._sgd else weights)
        self._taken = 0
        self._strengths = strengths
        self._look()

    @property
    def _sgd(self) -> bool:
        return self._training.optimizer == "sgd"

    def _look(self) -> None:
        """Which parts of a step are needed at all."""
        s = self._strengths
        self._scratch = torch.empty_like(self._first)
        self._coupled = s.l2 * (1.0 - s.decoupled)
        self._apart = s.l2 * s.decoupled
        self._couples, self._decays = bool(self._coupled.any()), bool(self._apart.any())
        self._thresholds = bool(s.l1.any())

    def take(self, kept: Tensor) -> None:
        """Go on with some of the copies, by their indices."""
        self._first, self._second = self._first[kept], self._second[kept]
        self._strengths = self._strengths.take(kept)
        self._look()

    def step(self, weights: Tensor, gradient: Tensor, share: float, lam_share: float) -> None:
        """Move the weights (C, trained) against their gradients, in place; those are spent.

        Parameters
        ----------
        weights, gradient : tensor, shape (C, trained)
            Of the penalty-free loss.
        share : float
            Of each copy's learning rate in this step.
        lam_share : float
            Of each copy's λ.
        """
        self._taken += 1
        penalized, s = weights[:, : self._penalized], self._strengths
        rate = s.rate * share
        if self._couples:
            gradient[:, : self._penalized].addcmul_(penalized, self._coupled * lam_share)
        if self._sgd:
            direction, metric = self._sgd_step(gradient, rate)
            scale = 1.0
        else:
            direction, metric, scale = self._adaptive_step(gradient, rate)
        if self._decays:
            penalized.mul_(1.0 - rate * self._apart * lam_share)
        weights.addcmul_(direction, metric[0], value=-scale)
        own = metric[1] if metric[1].shape[1] == 1 else metric[1][:, : self._penalized]
        if self._thresholds:
            soft_threshold_(penalized, own * (s.l1 * lam_share))
        if s.groups is not None:
            self._group_step(penalized, own.expand_as(penalized), s.group * lam_share)

    def _sgd_step(self, gradient: Tensor, rate: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Direction, and the step on it and on the penalty; see the engine's own for the latter."""
        momentum = self._training.momentum
        velocity = self._first.mul_(momentum).add_(gradient)
        if self._training.nesterov:
            velocity = torch.add(gradient, velocity, alpha=momentum, out=self._scratch)
        return velocity, (rate, rate / (1.0 - momentum))

    def _adaptive_step(
        self, gradient: Tensor, rate: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor], float]:
        """Direction, each weight's own step, and a factor that the penalty does not see."""
        how = self._training
        decay = how.beta2 if self._adam else how.rho
        self._second.mul_(decay).addcmul_(gradient, gradient, value=1.0 - decay)
        correct = 1.0 / (1.0 - how.beta2**self._taken) if self._adam else 1.0
        metric = torch.mul(self._second, correct, out=self._scratch)
        metric.sqrt_().add_(how.epsilon).reciprocal_().mul_(rate)
        if not self._adam:
            return gradient, (metric, metric), 1.0
        direction = self._first.lerp_(gradient, 1.0 - how.beta1)
        return direction, (metric, metric), 1.0 / (1.0 - how.beta1**self._taken)

    def _group_step(self, penalized: Tensor, steps: Tensor, lam: Tensor) -> None:
        """The group lasso on each kernel; that on inputs concerns the first one alone."""
        over = self._strengths.groups or "units"
        copies = len(penalized)
        for array in self._arrays if over == "units" else self._arrays[:1]:
            here = slice(array.start, array.stop)
            kernel = penalized[:, here].reshape(copies, *array.shape)
            own = steps[:, here].reshape(copies, *array.shape)
            shrunk = group_prox(kernel, own, lam[:, 0], over, lead=1)
            penalized[:, here] = shrunk.reshape(copies, -1)
