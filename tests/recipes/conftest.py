"""What tests of recipes share: a run of a program, and the engine's training beside it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shrinkage.data import Part, Task
from shrinkage.engine.pool import run_trial
from shrinkage.network import Network, initialize, layout
from shrinkage.penalties import Penalty
from shrinkage.recipes import Prescription
from shrinkage.study import Trial
from shrinkage.training import Loss, Training

LOSSES: dict[Task, Loss] = {
    "binary": "binary_cross_entropy",
    "multiclass": "cross_entropy",
    "regression": "mean_squared_error",
}
Rows = tuple[NDArray[np.float32], NDArray[Any]]


@pytest.fixture(scope="session")
def finding() -> Callable[..., Prescription]:
    """A small prescription, of one full batch and a constant rate unless told otherwise."""

    def make(
        task: Task, penalty: Penalty | None = None, lam: float = 0.0, **settings: Any
    ) -> Prescription:
        outputs = settings.pop("outputs", {"binary": 1, "multiclass": 3, "regression": 1}[task])
        network = Network(
            settings.pop("inputs", 3),
            settings.pop("hidden", (6, 5)),
            outputs,
            settings.pop("activation", "tanh"),
        )
        about = {
            name: settings.pop(name) for name in ("stop", "best_l2", "weighted") if name in settings
        }
        count = settings.pop("rows", 40)
        training = Training(
            LOSSES[task],
            **(
                {"schedule": "constant", "epochs": 3, "batch_size": 64, "learning_rate": 0.01}
                | settings
            ),
        )
        return Prescription(network, training, task, count, penalty, lam, **about)

    return make


@pytest.fixture(scope="session")
def rows() -> Callable[[Prescription], Rows]:
    """Standardized inputs, and targets in the shape that the programs ask for."""

    def make(finding: Prescription) -> Rows:
        rng = np.random.default_rng(0)
        inputs = rng.standard_normal((finding.rows, finding.network.inputs)).astype(np.float32)
        if finding.task == "regression":
            outputs = finding.network.outputs
            targets = rng.standard_normal((finding.rows, outputs)).astype(np.float32)
            return inputs, targets[:, 0] if outputs == 1 else targets
        return inputs, np.arange(finding.rows) % max(finding.network.outputs, 2)

    return make


@pytest.fixture(scope="session")
def run() -> Callable[..., dict[str, Any]]:
    """Run a program, and return its names.

    `start` is called once, as soon as the model stands and before anything trains it.
    """

    def execute(
        source: str, given: Rows, start: Callable[[Any], None] | None = None, **names: Any
    ) -> dict[str, Any]:
        namespace: dict[str, Any] = {"X_train": given[0], "y_train": given[1], **names}
        for statement in ast.parse(source).body:
            assigns = isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0])
            if start and assigns in ("X", "steps", "optimizer"):
                start(namespace["model"])
                start = None
            program = ast.Module([statement], [])
            exec(compile(program, "recipe", "exec"), namespace)
        return namespace

    return execute


@pytest.fixture(scope="session")
def engine() -> Callable[[Prescription, Rows], list[NDArray[np.float32]]]:
    """The blocks that the engine ends with, starting from ``initialize(network, 0)``."""

    def train(finding: Prescription, given: Rows) -> list[NDArray[np.float32]]:
        inputs, targets = given
        columns = inputs.shape[1]
        part = Part(
            inputs=inputs,
            targets=targets.reshape(len(inputs), -1).astype(np.float32),
            weights=np.ones(len(inputs), np.float32),
            train=np.arange(len(inputs)),
            validation=np.empty(0, np.int64),
            columns=tuple(f"x{column}" for column in range(columns)),
            center=np.zeros(columns),
            scale=np.ones(columns),
            target_center=np.zeros(1),
            target_scale=np.ones(1),
        )
        trial = Trial(finding.network, finding.training, finding.penalty, finding.lam, None, 0)
        return blocks(finding.network, run_trial(trial, part).parameters)

    return train


@pytest.fixture(scope="session")
def start() -> Callable[[Prescription], list[NDArray[np.float32]]]:
    """The blocks that the engine starts with: kernels from the input on, then biases."""

    def initial(finding: Prescription) -> list[NDArray[np.float32]]:
        return blocks(finding.network, initialize(finding.network, 0))

    return initial


def blocks(network: Network, parameters: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return [np.array(block.of(parameters)) for block in layout(network).blocks]


@pytest.fixture(scope="session")
def other_training() -> Callable[..., Prescription]:
    """The same finding with other settings of its training."""

    def change(finding: Prescription, **settings: Any) -> Prescription:
        return replace(finding, training=replace(finding.training, **settings))

    return change
