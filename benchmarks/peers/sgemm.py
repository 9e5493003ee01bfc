"""NumPy's product of two large single-precision matrices: what the machine can do."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

from benchmarks.worker import Answer, serve


def prepare() -> Answer:
    import numpy as np
    from threadpoolctl import threadpool_info

    @cache
    def matrices(size: int) -> tuple[Any, Any, Any]:
        """Operands and a place for the result, all of it touched by one product."""
        rng = np.random.default_rng(0)
        a, b = (rng.standard_normal((size, size), dtype=np.float32) for _ in range(2))
        return a, b, np.dot(a, b)

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        size = request["size"]
        a, b, c = matrices(size)
        begin = time.perf_counter()
        np.dot(a, b, c)
        taken = time.perf_counter() - begin
        blas: dict[str, Any] = next(
            (pool for pool in threadpool_info() if pool["user_api"] == "blas"), {}
        )
        return {
            "rate": 2 * size**3 / taken,
            "kernels": blas.get("architecture") or blas.get("internal_api", "unknown"),
        }

    return answer


if __name__ == "__main__":
    serve(prepare)
