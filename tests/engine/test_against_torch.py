"""The engine beside PyTorch: gradients by autograd, trajectories of optimizers, activations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from shrinkage.data import Part
from shrinkage.engine import kernel
from shrinkage.engine.pool import predict, run_trial, shape_of
from shrinkage.network import ACTIVATIONS, Network, initialize, layout
from shrinkage.penalties import L2, Penalty
from shrinkage.study import Trial
from shrinkage.training import Loss, Training

ACTIVATION_OF_TORCH: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": torch.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "elu": torch.nn.functional.elu,
    "selu": torch.selu,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "identity": torch.nn.Identity(),
}
HEADS: list[tuple[Loss, int]] = [
    ("binary_cross_entropy", 1),
    ("cross_entropy", 3),
    ("mean_squared_error", 1),
    ("mean_squared_error", 3),
]
# Widths below, at and above those of the registers, and the special case of a single unit.
SHAPES = [(5, ()), (1, (1,)), (3, (33,)), (2, (7, 1, 9)), (17, (31, 16, 130))]


def rows_for(
    network: Network, loss: str, rows: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Inputs, targets as the engine wants them, and uneven sample weights."""
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((rows, network.inputs))
    if loss == "mean_squared_error":
        targets = rng.standard_normal((rows, network.outputs))
    else:
        targets = rng.integers(max(network.outputs, 2), size=(rows, 1)).astype(np.float64)
    return inputs, targets, rng.uniform(0.2, 2.0, rows)


def loss_in_torch(
    network: Network,
    loss: str,
    parts: list[torch.Tensor],
    inputs: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor,
) -> torch.Tensor:
    """Mean loss of the network whose blocks, in the layout's order, are `parts`."""
    half = len(parts) // 2
    h = inputs
    for layer, (weight, bias) in enumerate(zip(parts[:half], parts[half:], strict=True), start=1):
        h = h @ weight + bias
        if layer < half:
            h = ACTIVATION_OF_TORCH[network.activation](h)
    functional = torch.nn.functional
    if loss == "binary_cross_entropy":
        each = functional.binary_cross_entropy_with_logits(h, targets, reduction="none")[:, 0]
    elif loss == "cross_entropy":
        each = functional.cross_entropy(h, targets[:, 0].long(), reduction="none")
    else:
        each = functional.mse_loss(h, targets, reduction="none").mean(dim=1)
    return (weights * each).mean()


def blocks_in_torch(network: Network, parameters: NDArray[np.floating[Any]]) -> list[torch.Tensor]:
    """The flat vector as leaves in double precision."""
    return [
        torch.tensor(block.of(parameters), dtype=torch.float64, requires_grad=True)
        for block in layout(network).blocks
    ]


def flat(tensors: list[torch.Tensor]) -> NDArray[np.float64]:
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors]).numpy()


def engine_gradient(
    network: Network,
    loss: str,
    parameters: NDArray[np.floating[Any]],
    arrays: tuple[NDArray[np.floating[Any]], ...],
    dtype: type,
) -> tuple[float, NDArray[np.floating[Any]]]:
    gradient = np.full(parameters.size, np.nan, dtype)
    at = parameters.astype(dtype)
    value = kernel.loss_and_gradient(
        shape_of(network, loss),
        at,
        kernel.Rows(*(array.astype(dtype) for array in arrays)),
        gradient,
        kernel.no_noise(at),
        np.uint64(0),
    )
    return value, gradient


@pytest.mark.slow  # compiles the kernel in both precisions, unless it is on disk
@pytest.mark.parametrize(("loss", "outputs"), HEADS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_are_those_of_autograd(activation: str, loss: Loss, outputs: int) -> None:
    for seed, (inputs, hidden) in enumerate(SHAPES):
        network = Network(inputs, hidden, outputs, activation)
        rng = np.random.default_rng(seed)
        parameters = initialize(network, seed) + 0.1 * rng.standard_normal(layout(network).size)
        # What single precision can hold, so that both precisions get the same numbers.
        parameters = parameters.astype(np.float32).astype(np.float64)
        drawn = rows_for(network, loss, rows=13 + seed, seed=seed)
        arrays = tuple(array.astype(np.float32).astype(np.float64) for array in drawn)

        leaves = blocks_in_torch(network, parameters)
        expected = loss_in_torch(network, loss, leaves, *map(torch.tensor, arrays))
        expected.backward()
        true = flat([leaf.grad for leaf in leaves if leaf.grad is not None])
        size = np.abs(true).max()

        for dtype, tolerance in ((np.float64, 1e-10), (np.float32, 1e-5)):
            value, gradient = engine_gradient(network, loss, parameters, arrays, dtype)
            # The kernel returns the mean over the rows, whatever their weights.
            assert value == pytest.approx(expected.item(), rel=tolerance), (hidden, dtype)
            np.testing.assert_allclose(
                gradient, true, rtol=tolerance, atol=tolerance * size, err_msg=f"{hidden} {dtype}"
            )


STEPS = 12
RATE = 0.01
DECAY = 0.3


def torch_optimizer(training: Training, groups: list[dict[str, Any]], decoupled: bool) -> Any:
    """The optimizer of PyTorch with the same settings."""
    if training.optimizer == "sgd":
        return torch.optim.SGD(
            groups, training.learning_rate, training.momentum, nesterov=training.nesterov
        )
    if training.optimizer == "rmsprop":
        return torch.optim.RMSprop(
            groups, training.learning_rate, alpha=training.rho, eps=training.epsilon
        )
    kind = torch.optim.AdamW if decoupled else torch.optim.Adam
    return kind(
        groups,
        training.learning_rate,
        betas=(training.beta1, training.beta2),
        eps=training.epsilon,
        weight_decay=0.0,
    )


TRAJECTORIES: dict[str, tuple[dict[str, Any], Penalty | None]] = {
    "adam": ({"optimizer": "adam"}, None),
    "adam, L2": ({"optimizer": "adam"}, L2()),
    "adam, decoupled L2": ({"optimizer": "adam"}, L2(decoupled=True)),
    "adam, other settings": (
        {"optimizer": "adam", "beta1": 0.7, "beta2": 0.95, "epsilon": 1e-3},
        L2(),
    ),
    "adamw": ({"optimizer": "adamw"}, None),
    "adamw, L2": ({"optimizer": "adamw"}, L2()),
    "rmsprop": ({"optimizer": "rmsprop", "epsilon": 1e-5}, None),
    "rmsprop, L2": ({"optimizer": "rmsprop", "rho": 0.8, "epsilon": 1e-5}, L2()),
    "rmsprop, decoupled L2": ({"optimizer": "rmsprop", "epsilon": 1e-5}, L2(decoupled=True)),
    "momentum": ({"optimizer": "sgd"}, None),
    "momentum, L2": ({"optimizer": "sgd", "momentum": 0.8}, L2()),
    "momentum, decoupled L2": ({"optimizer": "sgd"}, L2(decoupled=True)),
    "no momentum": ({"optimizer": "sgd", "momentum": 0.0}, L2()),
    "nesterov": ({"optimizer": "sgd", "nesterov": True}, None),
    "nesterov, L2": ({"optimizer": "sgd", "nesterov": True}, L2()),
}


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
@pytest.mark.parametrize("name", TRAJECTORIES)
def test_trajectories_are_those_of_torch_optim(name: str, schedule: str) -> None:
    follow_torch(name, schedule, penalize_output=False)


@pytest.mark.parametrize("name", ["adam, L2", "adam, decoupled L2", "nesterov, L2"])
def test_the_output_kernel_can_be_penalized_too(name: str) -> None:
    follow_torch(name, "constant", penalize_output=True)


def follow_torch(name: str, schedule: str, penalize_output: bool) -> None:
    """The same steps from the same parameters, with the penalty on the same kernels."""
    settings, penalty = TRAJECTORIES[name]
    network = Network(4, (9, 6), 3, "tanh", penalize_output=penalize_output)
    inputs, targets, weights = rows_for(network, "cross_entropy", rows=30, seed=5)
    training = Training(
        "cross_entropy",
        learning_rate=RATE,
        schedule=schedule,
        epochs=STEPS,
        batch_size=64,
        **settings,
    )
    trial = Trial(network, training, penalty, DECAY if penalty else 0.0, None, seed=3)
    fit = run_trial(trial, part_of(inputs, targets, weights))

    leaves = blocks_in_torch(network, initialize(network, trial.seed))
    shrunk = len(network.hidden) + penalize_output
    kernels, rest = leaves[:shrunk], leaves[shrunk:]
    # Where PyTorch has no decoupled decay, it is one multiplication before the step.
    decoupled = bool(penalty and penalty.decoupled) or training.optimizer == "adamw"
    by_hand = decoupled and training.optimizer in ("sgd", "rmsprop")
    groups = [
        {"params": kernels, "weight_decay": trial.lam if not by_hand else 0.0},
        {"params": rest},
    ]
    optimizer = torch_optimizer(training, groups, decoupled)
    arrays = [torch.tensor(array, dtype=torch.float64) for array in (inputs, targets, weights)]
    for step in range(STEPS):
        if schedule == "cosine":
            for group in optimizer.param_groups:
                group["lr"] = RATE * (1 + np.cos(np.pi * step / STEPS)) / 2
        optimizer.zero_grad()
        loss_in_torch(network, training.loss, leaves, *arrays).backward()
        if by_hand:
            with torch.no_grad():
                for leaf in kernels:
                    leaf.mul_(1 - optimizer.param_groups[0]["lr"] * trial.lam)
        optimizer.step()

    start = initialize(network, trial.seed)
    moved = np.abs(flat(leaves) - start).max()
    assert moved > 1e-3
    np.testing.assert_allclose(fit.parameters, flat(leaves), rtol=0, atol=1e-4 * moved)


def part_of(
    inputs: NDArray[np.float64], targets: NDArray[np.float64], weights: NDArray[np.float64]
) -> Part:
    """All rows to train on, none to validate on."""
    rows, columns = inputs.shape
    return Part(
        inputs=inputs.astype(np.float32),
        targets=targets.astype(np.float32),
        weights=weights.astype(np.float32),
        train=np.arange(rows),
        validation=np.empty(0, np.int64),
        columns=tuple(f"x{column}" for column in range(columns)),
        center=np.zeros(columns),
        scale=np.ones(columns),
        target_center=np.zeros(1),
        target_scale=np.ones(1),
    )


def test_the_last_batch_is_short_and_counts_its_own_rows() -> None:
    network = Network(3, (), 1)
    inputs, targets, weights = rows_for(network, "mean_squared_error", rows=5, seed=1)
    training = Training(
        "mean_squared_error", "sgd", RATE, "constant", epochs=1, batch_size=4, momentum=0.0
    )
    fits = [
        run_trial(Trial(network, replace(training, batch_size=size), None, 0.0, None, 0), part)
        for part in [part_of(inputs, targets, weights)]
        for size in (4, 5)
    ]
    start = initialize(network, 0)
    assert ceil(5 / training.batch_size) == 2
    # Whatever the order of rows, some row was alone in its batch, with all of its gradient.
    candidates = [
        steps_in_torch(
            network, start, (inputs, targets, weights), [np.delete(np.arange(5), alone), [alone]]
        )
        for alone in range(5)
    ]
    errors = [np.abs(fits[0].parameters - candidate).max() for candidate in candidates]
    assert min(errors) < 1e-6
    assert np.abs(fits[1].parameters - fits[0].parameters).max() > 1e-4


def steps_in_torch(
    network: Network,
    start: NDArray[np.float32],
    drawn: tuple[NDArray[np.float64], ...],
    batches: list[Any],
    loss: str = "mean_squared_error",
) -> NDArray[np.float64]:
    """Plain gradient descent over the batches, one after another."""
    leaves = blocks_in_torch(network, start)
    optimizer = torch.optim.SGD(leaves, RATE)
    for rows in batches:
        optimizer.zero_grad()
        loss_in_torch(network, loss, leaves, *(torch.tensor(a[rows]) for a in drawn)).backward()
        optimizer.step()
    return flat(leaves)


def test_rows_that_are_not_shuffled_come_in_their_order_in_every_epoch() -> None:
    network = Network(3, (4,), 1, "tanh")
    drawn = rows_for(network, "mean_squared_error", rows=11, seed=2)
    training = Training(
        "mean_squared_error", "sgd", RATE, "constant", epochs=3, batch_size=4, momentum=0.0
    )
    batches = [np.arange(11)[begin : begin + 4] for begin in (0, 4, 8)] * training.epochs
    start = initialize(network, 0)
    expected = steps_in_torch(network, start, drawn, batches)
    found, shuffled = (
        run_trial(
            Trial(network, replace(training, shuffle=shuffle), None, 0.0, None, 0), part_of(*drawn)
        ).parameters
        for shuffle in (False, True)
    )
    moved = np.abs(expected - start).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * moved)
    assert np.abs(shuffled - expected).max() > 1e-3 * moved


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_are_those_of_torch(activation: str) -> None:
    """One unit that passes its input through the activation, and nothing else."""
    network = Network(1, (1,), 1, activation)
    around_zero = np.concatenate([[0.0, -0.0], np.logspace(-30, 0, 61), -np.logspace(-30, 0, 61)])
    grid = np.concatenate([around_zero, np.linspace(-100, 100, 20_001), [1e-8, -1e-8]])
    inputs = grid.astype(np.float32)[:, None]
    parameters = np.array([1, 1, 0, 0], np.float32)
    answers = predict(network, parameters, inputs, "mean_squared_error")[:, 0]

    exact = ACTIVATION_OF_TORCH[activation](torch.tensor(inputs, dtype=torch.float64))[:, 0].numpy()
    assert np.isfinite(answers).all()
    # gelu's normal distribution function has an absolute error of 1e-7, so its relative error grows
    # where it is almost 0. Below 1e-38, where sigmoid ends and silu is that times 88, all is 0.
    relative = 0.0 if activation == "gelu" else 1e-6
    absolute = 1e-6 if activation == "gelu" else 1e-35
    error = np.abs(answers - exact)
    allowed = absolute + np.maximum(relative, 1e-6 * (grid > 0)) * np.abs(exact)
    worst = int(np.argmax(error / allowed))
    assert (error <= allowed).all(), (grid[worst], answers[worst], exact[worst])
