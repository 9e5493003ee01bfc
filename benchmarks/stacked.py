"""Copies of a PyTorch module as one stack, beside as many trainings written by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

from benchmarks import machine
from benchmarks.measure import Contestant, Effort, interleaved, of_times, seconds
from benchmarks.table import Median, Row
from shrinkage.data import Data
from shrinkage.engine.pool import train
from shrinkage.frameworks.answers import answer_of
from shrinkage.frameworks.arrays import own_data, own_rows
from shrinkage.lesson.toys import toy
from shrinkage.network import Network
from shrinkage.penalties import L2
from shrinkage.study import Trial
from shrinkage.torch.networks import made_by, network_of
from shrinkage.training import Training

COPIES, BATCH, RATE, LAM = 16, 32, 0.002, 0.001
BAR = 3.0
_ROWS, _HELD = 960, 320


def small_cnn() -> nn.Module:
    """Two convolutions and an output layer, 1,818 parameters with 10 classes."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64, 10),
    )


@dataclass(frozen=True)
class Setting:
    """How the trainings by hand are run: the optimizer's implementation and PyTorch's threads."""

    fused: bool
    threads: int

    def __str__(self) -> str:
        adam = "fused Adam" if self.fused else "Adam (foreach)"
        return f"{adam}, {self.threads} thread{'s' if self.threads > 1 else ''}"


def by_hand(
    copies: int, epochs: int, setting: Setting, make: Callable[[], nn.Module] = small_cnn
) -> float:
    """Train so many modules one after another; wall-clock seconds."""
    torch.set_num_threads(setting.threads)
    images, labels = (torch.tensor(array) for array in digits())
    begin = time.perf_counter()
    for seed in range(copies):
        torch.manual_seed(seed)
        module = make()
        kernels = [layer.weight for layer in module.modules() if isinstance(layer, nn.Conv2d)]
        rest = [p for p in module.parameters() if all(p is not kernel for kernel in kernels)]
        groups = [{"params": kernels, "weight_decay": LAM}, {"params": rest}]
        optimizer = torch.optim.Adam(groups, lr=RATE, eps=1e-7, fused=setting.fused)
        for epoch in range(epochs):
            for rows in torch.randperm(_ROWS).split(BATCH):
                optimizer.zero_grad()
                F.cross_entropy(module(images[rows]), labels[rows]).backward()
                optimizer.step()
            if epoch % 2:  # as often as this package validates here
                with torch.no_grad():
                    F.cross_entropy(module(images[_ROWS:]), labels[_ROWS:])
    return time.perf_counter() - begin


def digits() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Images and labels."""
    inputs, labels = load_digits(return_X_y=True)
    count = _ROWS + _HELD
    images = (inputs[:count] / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    return images, labels[:count]


def rows(effort: Effort) -> list[Row]:
    """The small network on digits; multilayer perceptrons; a GPU where there is one."""
    before = torch.get_num_threads()
    try:
        return [*_convolutional(effort), _perceptrons(effort), *gpu_rows(effort)]
    finally:
        torch.set_num_threads(before)


def _convolutional(effort: Effort) -> list[Row]:
    epochs = effort.size(10, 1)
    cores = machine.cores()
    images, labels = digits()
    train_rows = own_rows(images[:_ROWS], labels[:_ROWS], "train_data")
    held = own_rows(images[_ROWS:], labels[_ROWS:], "val_data")
    module = made_by(small_cnn)
    answer = answer_of(labels, 10, None, "SmallCNN")
    data = own_data(train_rows, held, None, answer, folds=2)
    network = network_of(small_cnn, module, images, 10)
    training = Training(
        data.loss, epochs=epochs, batch_size=BATCH, learning_rate=RATE, schedule="constant"
    )
    trials = [Trial(network, training, L2(), LAM, 0, seed) for seed in range(COPIES)]

    def stacked() -> float:
        torch.set_num_threads(cores)
        return seconds(lambda: list(train(trials, data)))

    stacked()
    settings = [Setting(fused, threads) for fused in (True, False) for threads in {1, cores}]
    times = {setting: min(by_hand(2, epochs, setting) for _ in "12") for setting in settings}
    fastest = min(times, key=lambda setting: times[setting])
    context = get_context("spawn")
    with ProcessPoolExecutor(cores, mp_context=context) as pool:
        each = COPIES // cores
        list(pool.map(by_hand, [1] * cores, [1] * cores, [fastest] * cores))  # imports

        def on_all_cores() -> float:
            alone = Setting(fastest.fused, 1)
            return seconds(
                lambda: list(pool.map(by_hand, [each] * cores, [epochs] * cores, [alone] * cores))
            )

        contestants: dict[str, Contestant] = {
            "ours": stacked,
            "by hand": lambda: by_hand(COPIES, epochs, fastest),
            "processes": on_all_cores,
        }
        found = interleaved(contestants, effort.rounds)
    detail = (
        f"{COPIES} copies, {epochs} epochs of {_ROWS} images, batches of {BATCH}, validated on "
        f"{_HELD} at every second epoch"
    )
    return [
        _against(
            f"{COPIES} trainings by hand / one stack, small CNN on digits",
            found["by hand"],
            found["ours"],
            f"{detail}; by hand the fastest of {len(settings)} settings: {fastest}",
            BAR,
        ),
        _against(
            f"the same in {cores} processes / one stack",
            found["processes"],
            found["ours"],
            f"{detail}; {each} copies in each process with one thread, started before",
        ),
    ]


def _against(
    name: str, peer: list[float], ours: list[float], detail: str, bar: float | None = None
) -> Row:
    ratio = of_times(peer, ours)
    middle = sorted(peer)[len(peer) // 2], sorted(ours)[len(ours) // 2]
    return Row(
        name,
        ratio.value,
        "×",
        bar,
        medians=(Median("theirs", middle[0], "s"), Median("ours", middle[1], "s")),
        best=ratio.best,
        spread=ratio.spread,
        detail=detail,
    )


def perceptron() -> nn.Module:
    """The lesson's network."""
    return nn.Sequential(
        nn.Linear(2, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1)
    )


def _lesson_trials(
    copies: int, epochs: int, device: str, at_once: int | None = None
) -> tuple[list[Trial], Data]:
    data = toy("moons", seed=0, validation=0, test=10, folds=2)
    network = network_of(
        perceptron, made_by(perceptron), data.full.inputs, 1, device=device, at_once=at_once
    )
    training = Training(data.loss, epochs=epochs, batch_size=32, learning_rate=0.01)
    return [Trial(network, training, L2(), 0.02, None, seed) for seed in range(copies)], data


def _perceptrons(effort: Effort) -> Row:
    """The engine's own kernels on the same perceptrons: on a processor these win."""
    epochs, copies = effort.size(200, 2), effort.size(16, 2)
    trials, data = _lesson_trials(copies, epochs, "cpu")
    network = Network(2, (128, 128))
    own = [Trial(network, t.training, t.penalty, t.lam, None, t.seed) for t in trials]

    def stacked() -> float:
        torch.set_num_threads(machine.cores())
        return seconds(lambda: list(train(trials, data)))

    def engine() -> float:
        return seconds(lambda: list(train(own, data)))

    stacked(), engine()
    found = interleaved({"stack": stacked, "engine": engine}, effort.rounds)
    ratio = of_times(found["stack"], found["engine"])
    return Row(
        "a stack / this package's own perceptrons, the lesson's network",
        ratio.value,
        "×",
        medians=(
            Median("stack", sorted(found["stack"])[effort.rounds // 2], "s"),
            Median("engine", sorted(found["engine"])[effort.rounds // 2], "s"),
        ),
        best=ratio.best,
        spread=ratio.spread,
        detail=f"{copies} networks 2-128-128-1, {epochs} epochs of 100 rows; on a processor a "
        "stack streams all copies through memory at every step, so perceptrons have kernels",
    )


def gpu_rows(effort: Effort, device: str = "cuda") -> list[Row]:
    """1,000 of the lesson's networks for 2,000 epochs on a GPU.

    Beside one after another (a few of them, scaled), and beside what memory allows: at every step
    weights, gradients and both moments of all copies are read and written once.
    """
    name = "1,000 of the lesson's networks on a GPU: one after another / one stack"
    if device == "cuda" and not torch.cuda.is_available():
        return [Row(name, None, "×", detail="not measured: there is no CUDA device here")]
    copies, epochs = effort.size(1000, 3), effort.size(2000, 2)
    together, data = _lesson_trials(copies, epochs, device, at_once=copies)
    few = 2
    alone, _ = _lesson_trials(few, epochs, device, at_once=1)
    list(train(together[:2], data))
    stack = seconds(lambda: list(train(together, data)))
    single = seconds(lambda: list(train(alone, data))) / few * copies
    numbers = together[0].network.places.size * copies
    steps = epochs * 4
    bandwidth = _bandwidth(device)
    least = 7 * 4 * numbers * steps / bandwidth  # w, m, v read and written; g read
    return [
        Row(
            name,
            single / stack,
            "×",
            medians=(Median("one after another", single, "s"), Median("stack", stack, "s")),
            detail=f"{copies} networks, {epochs} epochs of 100 rows; {few} timed one after another",
        ),
        Row(
            "the same beside what memory allows",
            stack / least,
            "×",
            medians=(Median("stack", stack, "s"), Median("memory alone", least, "s")),
            detail=f"{bandwidth / 1e9:,.0f} GB/s measured by copying",
        ),
    ]


def _bandwidth(device: str) -> float:
    """Bytes a second that a copy reads and writes."""
    source = torch.zeros(1 << 26, device=device)
    target = torch.empty_like(source)

    def copy() -> None:
        for _ in range(10):
            target.copy_(source)
        if device == "cuda":
            torch.cuda.synchronize()

    copy()
    return 10 * 2 * 4 * source.numel() / min(seconds(copy) for _ in range(5))
