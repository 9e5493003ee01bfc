"""Proximal steps after those of a PyTorch optimizer: what they cost, and where they lead."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, pairwise
from statistics import mean, median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks import machine
from benchmarks.measure import Contestant, Effort, interleaved, of_times
from benchmarks.table import Median, Row
from shrinkage.data import Data, Part, bundled, prepare
from shrinkage.engine.noise import shuffle
from shrinkage.engine.pool import run_trial
from shrinkage.network import initialize, layout
from shrinkage.penalties import L1, ElasticNet, GroupLasso, Penalty
from shrinkage.study import Trial
from shrinkage.torch import Proximal
from shrinkage.tune import Search, candidates, default_training, plan

OVERHEAD = 1.15
APART = 1.0
ZEROS = 80.0
SIZES, BATCH = (784, 512, 512, 10), 128
_BATCHES = 64

Bare = Callable[[Any], torch.optim.Optimizer]


@dataclass(frozen=True)
class Case:
    """An optimizer and the penalty that it is to bring to zero."""

    name: str
    bare: Bare
    penalty: Penalty
    bar: float | None = None


CASES = (
    Case("Adam, L1", torch.optim.Adam, L1(), OVERHEAD),
    Case("Adam, elastic net", torch.optim.Adam, ElasticNet()),
    Case("Adam, group lasso on units", torch.optim.Adam, GroupLasso()),
    Case("SGD with momentum, L1", lambda p: torch.optim.SGD(p, momentum=0.9), L1()),
)


def rows(effort: Effort) -> list[Row]:
    """Time of a step first, then objective and zeros on moons."""
    cores = machine.cores()
    return [
        _overhead(CASES[0], cores, effort),
        *(_overhead(case, 1, effort) for case in CASES),
        *_moons(effort),
    ]


def _overhead(case: Case, threads: int, effort: Effort) -> Row:
    """A training step (forward, backward and update) with and without the proximal step."""
    steps = effort.size(10, 2)  # short rounds, of which some meet an undisturbed machine
    # Threads that wait are busy, so that processor time says something of one thread alone.
    clock = time.perf_counter if threads > 1 else time.thread_time
    what = "wall-clock time" if threads > 1 else "processor time"

    def contestant(proximal: bool) -> Contestant:
        step = _step(case, proximal)
        step()  # makes the optimizer's state

        def take() -> float:
            begin = clock()
            for _ in range(steps):
                step()
            return (clock() - begin) / steps

        return take

    with _threads(threads):
        contestants = {"with": contestant(True), "without": contestant(False)}
        times = interleaved(contestants, effort.size(10 * effort.rounds + 1, 3))
    ratio = of_times(times["with"], times["without"])
    return Row(
        f"a training step with the proximal step beside one without: {case.name}, "
        f"{threads} {'thread' if threads == 1 else 'threads'}",
        ratio.value,
        "×",
        case.bar,
        "at most",
        tuple(Median(who, 1e3 * median(times[who]), "ms") for who in times),
        ratio.best,
        ratio.spread,
        f"{'-'.join(map(str, SIZES))}, batch {BATCH}; {what}, rounds of {steps} steps",
    )


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _step(case: Case, proximal: bool) -> Callable[[], None]:
    torch.manual_seed(0)
    layers = [nn.Linear(*sizes) for sizes in pairwise(SIZES)]
    module = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
    optimizer = case.bare(module.parameters())
    if proximal:
        optimizer = Proximal(optimizer, module, case.penalty, lam=1e-5)
    # Too many to be learnt by heart: gradients that fade to subnormal numbers slow every step down.
    inputs = torch.randn(_BATCHES, BATCH, SIZES[0])
    labels = torch.randint(SIZES[-1], (_BATCHES, BATCH))
    turns = cycle(range(_BATCHES))

    def step() -> None:
        turn = next(turns)
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(inputs[turn]), labels[turn]).backward()
        optimizer.step()

    return step


def _moons(effort: Effort) -> list[Row]:
    """The chosen λ of L1, trained by the engine and in PyTorch: same weights, same batches."""
    table, target = bundled("moons")
    quick: dict[str, Any] = {"folds": 2, "repeats": 1} if effort.quick else {}
    data = prepare(table, target, name="moons", **quick)
    trial = _chosen(data, effort)
    seeds = range(effort.size(5, 1))
    here, there, zeros = [], [], []
    for seed in seeds:
        own = Trial(trial.network, trial.training, trial.penalty, trial.lam, trial.fold, seed)
        part = data.part(own.fold)
        here.append(objective(own, part, run_trial(own, part).parameters))
        with _threads(1):  # more cost time on a network of this size
            found = train_in_torch(own, part)
        there.append(objective(own, part, found))
        zeros.append(float(np.mean(found[layout(own.network).penalized] == 0)))
    detail = (
        f"{trial.network}, Adam, {trial.training.epochs} epochs, λ = {trial.lam:g} as chosen; "
        f"means of {len(seeds)} seeds, each from the same first weights and batches"
    )
    apart = 100 * abs(mean(there) / mean(here) - 1)
    each = ", ".join(f"{100 * (b / a - 1):+.2g} %" for a, b in zip(here, there))
    medians = (Median("Proximal(Adam)", mean(there), ""), Median("engine", mean(here), ""))
    return [
        Row(
            "penalized objective of Proximal(Adam) apart from the engine's, moons",
            *(apart, "%", APART, "at most", medians),
            detail=f"{detail}; by seed {each}",
        ),
        Row(
            "hidden weights exactly zero on moons, Proximal(Adam)",
            *(100 * mean(zeros), "%", ZEROS, "at least"),
            detail=detail,
        ),
    ]


def _chosen(data: Data, effort: Effort) -> Trial:
    """The trial of the first fold at the λ with the least validation loss."""
    training = default_training(data, epochs=20 if effort.quick else None)
    search = Search(data, plan(data, penalties=(L1(),), training=training, refits=1))
    for _ in search:
        pass
    points = [point for point in candidates(search.study) if point.penalty is not None]
    best = min(points, key=lambda point: point.mean_validation)
    trials = (fit.trial for fit in search.study.fits)
    return next(
        t for t in trials if t.penalty == best.penalty and t.lam == best.lam and t.fold == 0
    )


def objective(trial: Trial, part: Part, parameters: NDArray[np.float32]) -> float:
    """Mean loss on the training rows with the penalty, in double precision."""
    module = _module(trial, parameters).double()
    inputs, targets = _rows(part, part.train)
    with torch.no_grad():
        loss = nn.functional.binary_cross_entropy_with_logits(module(inputs.double()), targets)
    assert trial.penalty is not None
    return float(loss) + trial.penalty.value(parameters[layout(trial.network).penalized], trial.lam)


def train_in_torch(trial: Trial, part: Part) -> NDArray[np.float32]:
    """What the engine does with a trial, by Proximal(Adam); flat as the engine's."""
    training, network = trial.training, trial.network
    module = _module(trial, initialize(network, trial.seed))
    bare = torch.optim.Adam(
        module.parameters(),
        training.learning_rate,
        (training.beta1, training.beta2),
        training.epsilon,
    )
    optimizer = Proximal(bare, module, trial.penalty, lam=trial.lam)
    order = part.train.copy()
    steps = training.epochs * math.ceil(order.size / training.batch_size)
    schedule = (
        torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        if training.schedule == "cosine"
        else None
    )
    for epoch in range(training.epochs):
        if training.shuffle:
            shuffle(order, np.uint64(trial.seed), epoch)
        for start in range(0, order.size, training.batch_size):
            inputs, targets = _rows(part, order[start : start + training.batch_size])
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(
                module(inputs), targets.to(inputs.dtype)
            )
            loss.backward()
            optimizer.step()
            if schedule is not None:
                schedule.step()
    linear = [layer for layer in module if isinstance(layer, nn.Linear)]
    kernels = [layer.weight.detach().T.flatten() for layer in linear]
    biases = [layer.bias.detach() for layer in linear]
    return np.asarray(torch.cat([*kernels, *biases]).numpy())


def _rows(part: Part, which: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    inputs = torch.from_numpy(part.inputs[which])
    return inputs, torch.from_numpy(part.targets[which].astype(np.float64))


def _module(trial: Trial, parameters: NDArray[np.float32]) -> nn.Sequential:
    """A perceptron of ReLU with these flat parameters."""
    blocks = layout(trial.network).blocks
    half = len(blocks) // 2
    layers: list[nn.Module] = []
    for kernel, bias in zip(blocks[:half], blocks[half:]):
        layer = nn.Linear(*kernel.shape)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(kernel.of(parameters).T.copy()))
            layer.bias.copy_(torch.from_numpy(bias.of(parameters).copy()))
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])
