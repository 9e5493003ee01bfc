"""The engine against the machine: how much of a large product's rate small networks reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks import sgemm
from benchmarks.machine import cores
from benchmarks.measure import Effort, interleaved, of_rates, seconds
from benchmarks.problems import problem
from benchmarks.table import Median, Row
from benchmarks.worker import Worker
from shrinkage.data import Data
from shrinkage.engine.pool import train
from shrinkage.network import Network
from shrinkage.study import Trial
from shrinkage.training import Training

SAMPLES = 3200
"""Moons; a fifth is set aside, and the 2,560 rows left make full batches of 32 and of 256."""


@dataclass(frozen=True)
class Case:
    """A network and a batch size, with the share of sgemm's rate that it has to reach."""

    network: Network
    batch: int
    epochs: int
    bar: float
    aim: float | None = None

    @property
    def name(self) -> str:
        sizes = "-".join(map(str, self.network.sizes))
        return f"gradient rate / sgemm: {sizes}, batch {self.batch}"

    def trials(self, data: Data, count: int) -> list[Trial]:
        training = Training(data.loss, epochs=self.epochs, batch_size=self.batch)
        return [Trial(self.network, training, None, 0.0, None, seed) for seed in range(count)]

    @property
    def operations(self) -> int:
        """Floating-point operations of the gradient in one step.

        A kernel takes part in three products: forward, its gradient, and the error passed down,
        which the first layer does not need.
        """
        sizes = self.network.sizes
        kernels = [above * below for above, below in zip(sizes[1:], sizes[:-1])]
        return 2 * self.batch * (3 * sum(kernels) - kernels[0])


def cases(effort: Effort) -> list[Case]:
    small, wide = Network(2, (128, 128)), Network(2, (512, 512))
    return [
        Case(small, 32, effort.size(250, 10), 0.45, 0.60),
        Case(small, 256, effort.size(400, 20), 0.70),
        Case(wide, 256, effort.size(30, 2), 0.85),
    ]


def rows(effort: Effort) -> list[Row]:
    """One row for each network."""
    data = problem("moons", SAMPLES)
    threads, size = cores(), effort.size(sgemm.SIZE, 1024)
    fits = 2 * threads
    chosen = cases(effort)

    def engine(case: Case) -> Callable[[], float]:
        steps = case.epochs * (data.full.train.size // case.batch) * fits
        trials = case.trials(data, fits)
        return lambda: steps * case.operations / seconds(lambda: list(train(trials, data)))

    def product(worker: Worker) -> Callable[[], float]:
        return lambda: float(worker.ask(size=size)["rate"])

    for case in chosen:
        assert data.full.train.size % case.batch == 0
    list(train(chosen[0].trials(data, 1), data))  # compiles
    with sgemm.workers() as workers:
        contestants = {str(kind): product(worker) for kind, worker in workers.items()}
        contestants |= {case.name: engine(case) for case in chosen}
        rates = interleaved(contestants, effort.rounds)
        products = {str(kind): rates[str(kind)] for kind in workers}
    return [_row(case, rates[case.name], products, threads) for case in chosen]


def _row(case: Case, rates: list[float], products: dict[str, list[float]], threads: int) -> Row:
    """The bar is judged by the fastest product, the others are told."""
    best = max(products, key=lambda kind: median(products[kind]))
    share, rate = of_rates(rates, products[best]), median(rates)
    step = case.operations * threads / rate
    detail = [f"{threads} fits at a time, Adam, {step * 1e6:.3g} µs a step"]
    detail += [
        f"{of_rates(rates, products[kind]).value:.2f} of sgemm, {kind}"
        for kind in products
        if kind != best
    ]
    if case.aim:
        detail.append(f"aim beyond the bar: {case.aim:g}")
    return Row(
        case.name,
        share.value,
        bar=case.bar,
        medians=(
            Median("shrinkage", rate / 1e9, "GF/s"),
            *(
                Median(f"sgemm, {kind}", median(measured) / 1e9, "GF/s")
                for kind, measured in products.items()
            ),
        ),
        best=share.best,
        spread=share.spread,
        detail="; ".join(detail),
    )
