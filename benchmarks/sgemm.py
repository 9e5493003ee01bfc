"""The yardstick: the rate of a large single-precision product on all cores.

OpenBLAS chooses its kernels by the processor's name and may choose badly on one that it does not
know; ``OPENBLAS_CORETYPE`` says otherwise. So every kind is tried, and the fastest is what the
engine is compared with, next to the default.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache

from benchmarks.machine import cores
from benchmarks.worker import PeerError, Worker

SIZE = 4096
_KINDS = (
    "Haswell", "SkylakeX", "Cooperlake", "SapphireRapids", "NEOVERSEN1", "NEOVERSEV1", "ARMV8SVE"
)  # fmt: skip


@dataclass(frozen=True)
class Kernels:
    """OpenBLAS' kernels: the kind that was asked for (None: its own choice) and what came."""

    asked: str | None
    came: str

    @property
    def environment(self) -> dict[str, str]:
        """What a process that wants them sets, with BLAS on all cores."""
        threads = {"OPENBLAS_NUM_THREADS": str(cores())}
        return threads | ({"OPENBLAS_CORETYPE": self.asked} if self.asked else {})

    def __str__(self) -> str:
        if self.asked is None:
            return f"default ({self.came})"
        return f"OPENBLAS_CORETYPE={self.asked}"


@cache
def kernels() -> tuple[Kernels, Kernels]:
    """The default ones, and of the others that OpenBLAS has for this processor the fastest."""
    rates: dict[Kernels, list[float]] = {}
    with ExitStack() as stack:
        running: dict[Kernels, Worker] = {}
        for asked in (None, *_KINDS):
            worker = stack.enter_context(Worker("sgemm", Kernels(asked, "").environment))
            try:
                came = worker.ask(size=256)["kernels"]
            except PeerError:  # a kind that this processor cannot run
                continue
            # Under a name that it does not know OpenBLAS keeps its own choice.
            if came not in {kind.came for kind in running}:
                running[Kernels(asked, came)] = worker
        for _ in range(5):
            for kind, worker in running.items():
                rates.setdefault(kind, []).append(worker.ask(size=SIZE // 2)["rate"])
    default = next(iter(rates))
    others = [kind for kind in rates if kind != default]
    return default, max(others or [default], key=lambda kind: max(rates[kind]))


@cache
def fastest() -> Kernels:
    """The faster of the two, for peers that use BLAS; the default unless clearly beaten."""
    default, other = kernels()
    with workers() as running:
        if len(running) == 1:
            return default
        rates = {kind: [worker.ask(size=SIZE // 2)["rate"]] for kind, worker in running.items()}
        for kind, worker in list(running.items()) * 4:
            rates[kind].append(worker.ask(size=SIZE // 2)["rate"])
    return other if max(rates[other]) > 1.05 * max(rates[default]) else default


@contextmanager
def workers() -> Iterator[dict[Kernels, Worker]]:
    """A waiting process for the default kernels and for the fastest of the others."""
    with ExitStack() as stack:
        yield {
            kind: stack.enter_context(Worker("sgemm", kind.environment))
            for kind in dict.fromkeys(kernels())
        }
