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
    "Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids", "Sandybridge",
    "NEOVERSEN1", "NEOVERSEV1", "ARMV8SVE", "VORTEX",
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
    """The default ones and the fastest ones, which may be the same."""
    rates: dict[Kernels, float] = {}
    seen = set()
    for kind in (None, *_KINDS):
        try:
            with Worker("sgemm", Kernels(kind, "").environment) as worker:
                answers = [worker.ask(size=SIZE // 2) for _ in range(4)]
        except PeerError:  # a kind that this processor cannot run, or that OpenBLAS does not know
            continue
        came = answers[0]["kernels"]
        # Under an unknown name OpenBLAS keeps its default; each set of kernels is tried once.
        if kind is None or came not in seen:
            rates[Kernels(kind, came)] = max(answer["rate"] for answer in answers)
        seen.add(came)
    default = next(iter(rates))
    best = max(rates, key=lambda each: rates[each])
    # Noise alone is no reason to call another kind better.
    return default, best if rates[best] > 1.05 * rates[default] else default


@contextmanager
def workers() -> Iterator[dict[Kernels, Worker]]:
    """A waiting process for each of :func:`kernels`."""
    with ExitStack() as stack:
        yield {
            kind: stack.enter_context(Worker("sgemm", kind.environment))
            for kind in dict.fromkeys(kernels())
        }
