"""A large table in a fresh process: what reading, training and verifying it take of memory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.measure import Effort
from benchmarks.table import Median, Row
from benchmarks.worker import ROOT

COLUMNS = 100
TIMES, BESIDE = 1.3, 300
"""The bar: times the table in single precision, and MB beside it."""
_ROWS_AT_ONCE = 100_000


def rows(effort: Effort) -> list[Row]:
    """The peak after each stage of a run on numbers from a Parquet file."""
    count = effort.size(3_000_000, 2_000)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.parquet")
        write(path, count)
        command = [sys.executable, "-m", "benchmarks.memory", str(path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    table = 4 * count * COLUMNS / 1e6
    return [
        Row(
            f"peak memory, {count:,} × {COLUMNS} numbers {stage}",
            peak,
            "MB",
            round(TIMES * table + BESIDE),
            "at most",
            (Median("the table in single precision", table, "MB"),),
            detail=f"bar: {TIMES} × the table + {BESIDE} MB",
        )
        for stage, peak in found.items()
    ]


def write(path: Path, count: int) -> None:
    """A Parquet file of float32 columns ``x0`` … and a class ``y``, piece by piece."""
    import pyarrow as pa
    from pyarrow import parquet

    rng = np.random.default_rng(0)
    names = [f"x{i}" for i in range(COLUMNS)]
    schema = pa.schema([*((name, pa.float32()) for name in names), ("y", pa.int64())])
    with parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False) as file:
        for start in range(0, count, _ROWS_AT_ONCE):
            some = min(_ROWS_AT_ONCE, count - start)
            x = rng.standard_normal((COLUMNS, some), dtype=np.float32)
            y = (x[0] + x[1] * x[2] + rng.standard_normal(some) > 0).astype(np.int64)
            file.write_table(pa.table([*x, y], schema=schema))


def stages(path: str) -> dict[str, float]:
    """Read, train and verify in this process; the peak in MB after each."""
    from shrinkage.data import open_source, prepare

    table, targets, name = open_source(path)
    data = prepare(table, targets, name=name)
    peaks = {"read": _peak()}

    from shrinkage.network import Network
    from shrinkage.penalties import L1
    from shrinkage.tune import Search, default_training, plan, select
    from shrinkage.verify import verify

    search = Search(
        data,
        plan(
            data,
            network=Network(data.full.n_inputs, (16,), data.n_outputs),
            training=default_training(data, epochs=1),
            penalties=(L1(),),
            lambdas=(1e-3,),
            refits=1,
            relax=False,
        ),
        threads=2,
    )
    for _ in search:
        pass
    peaks["trained on"] = _peak()
    study = search.study
    verify(study, select(study), data.test)
    return peaks | {"verified": _peak()}


def _peak() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


if __name__ == "__main__":
    print(json.dumps(stages(sys.argv[1])))
