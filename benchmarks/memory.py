"""A large table in a fresh process: what reading it, training, verifying and a whole run take."""

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
    """Peaks on numbers from a Parquet file, each in a fresh process."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for count, what in (
            (effort.size(1_000_000, 2_000), "run"),
            (effort.size(3_000_000, 1_000), "stages"),
            (effort.size(300_000, 500), "read"),
        ):
            path = Path(folder, "table.parquet")
            write(path, count)
            command = [sys.executable, "-m", "benchmarks.memory", what, str(path)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            for stage, peak in json.loads(done.stdout.splitlines()[-1]).items():
                found.append(_row(stage, peak, count, barred=what != "read"))
            path.unlink()
    return found


def _row(stage: str, peak: float, count: int, *, barred: bool) -> Row:
    table = 4 * count * COLUMNS / 1e6
    return Row(
        f"peak memory, {count:,} × {COLUMNS} numbers {stage}",
        peak,
        "MB",
        round(TIMES * table + BESIDE) if barred else None,
        "at most",
        (Median("the table in single precision", table, "MB"),),
        detail=f"bar: {TIMES} × the table + {BESIDE} MB"
        if barred
        else "too small to be shared: each fold has an array of its own",
    )


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


def read(path: str) -> dict[str, float]:
    """Read in this process; the peak in MB."""
    from shrinkage.data import open_source, prepare

    table, targets, name = open_source(path)
    prepare(table, targets, name=name)
    return {"read": _peak()}


def run(path: str) -> dict[str, float]:
    """The whole command in this process, with all of its λ and its report; the peak in MB."""
    from shrinkage.cli import main

    report = str(Path(path).with_name("report.html"))
    settings = ["--epochs", "1", "--hidden", "16", "--threads", "2", "--output", report, "--quiet"]
    code = main(["run", path, *settings])
    if code:
        raise SystemExit(code)
    return {"in a whole run with its report": _peak()}


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
    print(json.dumps({"read": read, "run": run, "stages": stages}[sys.argv[1]](sys.argv[2])))
