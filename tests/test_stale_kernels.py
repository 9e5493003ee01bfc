"""The guard that keeps a checkout from running machine code of yesterday's engine."""

from __future__ import annotations

import os
from pathlib import Path

from stale_kernels import drop


def test_only_kernels_older_than_the_newest_source_go(tmp_path: Path) -> None:
    cache = tmp_path / "__pycache__"
    cache.mkdir()
    ages = {
        tmp_path / "kernel.py": 100,
        tmp_path / "gemm.py": 300,  # called by kernel.py, and edited after it was compiled
        cache / "kernel.train-1.py311.nbi": 200,
        cache / "kernel.train-1.py311.1.nbc": 200,
        cache / "gemm.multiply-1.py311.nbi": 400,
        cache / "kernel.cpython-311.pyc": 200,
    }
    for path, time in ages.items():
        path.touch()
        os.utime(path, (time, time))

    dropped = drop(tmp_path)

    assert sorted(path.suffix for path in dropped) == [".nbc", ".nbi"]
    assert sorted(path.name for path in cache.iterdir()) == [
        "gemm.multiply-1.py311.nbi",
        "kernel.cpython-311.pyc",
    ]


def test_an_engine_never_compiled_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").touch()
    assert drop(tmp_path) == []
