"""One network, one table, and the gradient that the engine itself descends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from shrinkage.data import Part
from shrinkage.data.numeric import Arrays, from_arrays
from shrinkage.engine.pool import run_trial
from shrinkage.network import Network, layout
from shrinkage.penalties import Penalty
from shrinkage.study import Trial
from shrinkage.training import Training

ROWS, INPUTS, HIDDEN = 24, 5, (4, 3)
RATE = 0.25
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bench:
    """The same weights and the same rows for every framework.

    `targets` is 0 for a classification, else the columns of a regression's target. No weight is
    small, so that a step crosses no zero, where L1 has no gradient.
    """

    targets: int
    inputs: Floats
    target: Floats
    start: NDArray[np.float32]
    part: Part

    @property
    def network(self) -> Network:
        return Network(INPUTS, hidden=HIDDEN, outputs=self.targets or 1, activation="tanh")

    def arrays(self, flat: NDArray[Any]) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """Kernels (fan-in, fan-out) and biases of a flat vector."""
        places = layout(self.network)
        kernels = [block.of(flat) for block in places.kernels]
        return kernels, [block.of(flat) for block in places.biases]

    def flat(self, kernels: list[Any], biases: list[Any]) -> Floats:
        return np.concatenate(
            [np.asarray(each, np.float64).ravel() for each in (*kernels, *biases)]
        )

    def stepped(
        self, penalty: Penalty, lam: float, *, output: bool = False, **training: Any
    ) -> Floats:
        """Parameters after one step of the engine on all rows."""
        loss = "mean_squared_error" if self.targets else "binary_cross_entropy"
        how = Training(
            loss=loss,
            **{"optimizer": "sgd", "momentum": 0.0, "learning_rate": RATE}
            | {"schedule": "constant", "epochs": 1, "batch_size": ROWS}
            | training,
        )
        network = replace(self.network, penalize_output=output)
        trial = Trial(network, how, penalty, lam, None, 0)
        return np.asarray(run_trial(trial, self.part, start=self.start).parameters, np.float64)

    def gradient(self, penalty: Penalty, lam: float, *, output: bool = False) -> Floats:
        """Of the engine's penalized objective, flat: what its step of SGD went along."""
        return (self.start - self.stepped(penalty, lam, output=output)) / RATE

    @staticmethod
    def assert_same(found: Any, ours: Any) -> None:
        """To 1e-5 of its size."""
        difference = np.linalg.norm(np.asarray(found) - np.asarray(ours))
        assert difference <= 1e-5 * np.linalg.norm(ours)

    def module(self) -> torch.nn.Sequential:
        """The network in PyTorch."""
        kernels, biases = self.arrays(self.start)
        layers: list[torch.nn.Module] = []
        for kernel, bias in zip(kernels, biases):
            layer = torch.nn.Linear(*kernel.shape, dtype=torch.float64)
            with torch.no_grad():
                layer.weight.copy_(torch.tensor(kernel.T))
                layer.bias.copy_(torch.tensor(bias))
            layers += [layer, torch.nn.Tanh()]
        return torch.nn.Sequential(*layers[:-1])

    def loss(self, answers: torch.Tensor) -> torch.Tensor:
        """Ours: mean log loss, or mean squared error without a ½."""
        truth = torch.tensor(self.target, dtype=answers.dtype)
        if self.targets:
            return torch.nn.functional.mse_loss(answers, truth)
        return torch.nn.functional.binary_cross_entropy_with_logits(answers, truth)


def make(targets: int) -> Bench:
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((ROWS, INPUTS)).astype(np.float32).astype(np.float64)
    target: Floats = (np.arange(ROWS) % 2.0)[:, None]
    if targets:
        target = rng.standard_normal((ROWS, targets)).astype(np.float32).astype(np.float64)
    data = from_arrays(
        Arrays(inputs, target, np.ones(ROWS)),
        classes=None if targets else ("no", "yes"),
        standardize=False,
        merge=False,
    )
    network = Network(INPUTS, hidden=HIDDEN, outputs=targets or 1, activation="tanh")
    size = layout(network).size
    start = rng.choice([-1.0, 1.0], size) * rng.uniform(0.3, 0.6, size)
    return Bench(targets, inputs, target, start.astype(np.float32), data.full)


@pytest.fixture(params=[0, 1, 3], ids=["classes", "one target", "three targets"])
def bench(request: pytest.FixtureRequest) -> Bench:
    return make(request.param)
