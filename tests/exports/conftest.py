"""What tests of exports share: trained networks, made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from shrinkage.network import Network, initialize, layout
from shrinkage.penalties import Penalty
from shrinkage.predictor import Predictor
from shrinkage.training import Training

INPUTS = 4
TASKS = {
    "binary": ("binary_cross_entropy", np.array(["no", "yes"])),
    "multiclass": ("cross_entropy", np.array([2, 3, 5])),
    "regression": ("mean_squared_error", None),
    "two targets": ("mean_squared_error", None),
}
OUTPUTS = {"binary": 1, "multiclass": 3, "regression": 1, "two targets": 2}


@pytest.fixture(scope="session")
def trained() -> Callable[..., Predictor]:
    """A network with weights and biases of ordinary sizes; one of its inputs was constant."""

    def make(
        task: str = "binary",
        penalty: Penalty | None = None,
        lam: float = 0.0,
        *,
        activation: str = "relu",
        hidden: tuple[int, ...] = (9, 5),
        penalize_output: bool = False,
        classes: Any = None,
        center: Any = (0.5, -300.0, 1e4, 7.0),
        scale: Any = (1e-3, 10.0, 2e3, np.inf),
        target_center: float = 40.0,
        target_scale: float = 12.0,
        **training: Any,
    ) -> Predictor:
        loss, known = TASKS[task]
        outputs = OUTPUTS[task]
        network = Network(
            INPUTS, hidden, outputs, activation=activation, penalize_output=penalize_output
        )
        parameters = initialize(network, 3)
        rng = np.random.default_rng(3)
        for block in layout(network).biases:
            block.of(parameters)[:] = rng.normal(size=block.shape)
        parameters[::7] = 0.0
        regression = known is None
        return Predictor(
            network=network,
            training=Training(loss, **training),
            penalty=penalty,
            lam=lam,
            parameters=parameters,
            center=np.array(center),
            scale=np.array(scale),
            target_center=np.full(outputs, target_center if regression else 0.0),
            target_scale=np.full(outputs, target_scale if regression else 1.0),
            classes=known if classes is None else np.asarray(classes),
            columns=("a", "b", "c", "d"),
            rows=100,
        )

    return make


@pytest.fixture(scope="session")
def rows() -> Callable[..., np.ndarray]:
    """Raw rows around the training rows, the constant input anything."""

    def draw(predictor: Predictor, count: int = 300, seed: int = 5) -> np.ndarray:
        rng = np.random.default_rng(seed)
        spread = np.where(np.isinf(predictor.scale), 5.0, predictor.scale)
        return predictor.center + 2 * spread * rng.standard_normal((count, INPUTS))

    return draw
