"""Balanced accuracy on real tables, beside the strongest tabular methods: same rows, same cores.

``python -m benchmarks.accuracy --tables FOLDER`` trains what is not there yet and writes the page
anew; each (table, split, method) is stored as it finishes, so it can be interrupted at any time.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import accuracy_page, networks, outer
from benchmarks.accuracy_records import FOLDER, Key, Record, Records
from benchmarks.budget import CLOCKS, Budget, processor_seconds
from benchmarks.machine import cores, processor
from benchmarks.measure import Effort
from benchmarks.outer import TABLES, Labels, Outer
from benchmarks.peers import forests
from benchmarks.peers import xgboost as boosted
from benchmarks.table import Row
from benchmarks.worker import PeerError
from shrinkage.errors import SettingError

SPLITS, SECONDS = 5, 60.0


@dataclass(frozen=True)
class Method:
    """A contestant: what it does, with what settings, and whether it works within a time budget."""

    run: Callable[[Outer, Budget], tuple[list[Labels], dict[str, Any]]]
    about: str
    budgeted: bool = False
    packages: tuple[str, ...] = ("shrinkage", "numba", "numpy")


_SKLEARN = ("scikit-learn", "numpy")
METHODS = {
    "unregularized": Method(networks.unregularized, networks.UNREGULARIZED),
    "L2 only": Method(networks.l2_only, networks.L2_ONLY),
    "L1 only": Method(networks.l1_only, networks.L1_ONLY),
    "dropout only": Method(networks.dropout_only, networks.DROPOUT_ONLY),
    "tune all": Method(
        networks.tune_all, networks.TUNE_ALL, True, ("shrinkage", "numba", "numpy", "optuna")
    ),
    "HistGradientBoosting": Method(
        forests.hist_gradient_boosting, forests.HIST_GRADIENT_BOOSTING, packages=_SKLEARN
    ),
    "RandomForest": Method(forests.random_forest, forests.RANDOM_FOREST, packages=_SKLEARN),
    "LogisticRegressionCV": Method(
        forests.logistic_regression, forests.LOGISTIC_REGRESSION, packages=_SKLEARN
    ),
    "XGBoost": Method(
        boosted.xgboost_search, boosted.ABOUT, True, ("xgboost-cpu", "xgboost", "optuna")
    ),
}


def cell(split: Outer, name: str, seconds: float, clock: str) -> Record:
    """One method on one outer split.

    Raises
    ------
    PeerError
        When the method cannot run; the message says why.
    """
    from sklearn.metrics import balanced_accuracy_score

    method = METHODS[name]
    began, used = time.perf_counter(), processor_seconds()
    try:
        predictions, settings = method.run(split, Budget(seconds, CLOCKS[clock]))
    except ImportError as error:
        raise PeerError(str(error)) from None
    wall, processor_time = time.perf_counter() - began, processor_seconds() - used
    truth = split.test[1]
    scores = tuple(float(balanced_accuracy_score(truth, some)) for some in predictions)
    return Record(
        key=Key(split.table, split.split, name, *((seconds, clock) if method.budgeted else ())),
        scores=scores,
        seconds=round(wall, 2),
        processor_seconds=round(processor_time, 2),
        settings=settings,
        train_rows=len(split.data.train_rows),
        test_rows=len(truth),
        versions=accuracy_page.versions(method.packages),
        machine=f"{processor()}, {cores()} cores",
        measured=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def measure(
    records: Records,
    *,
    tables: Iterable[str],
    methods: Iterable[str],
    splits: int,
    seconds: float,
    clock: str,
    place: Path | None,
    again: bool = False,
) -> dict[str, str]:
    """Train every cell that has no record yet; what could not run, and why."""
    methods = list(methods)
    reasons: dict[str, str] = {}
    for number in range(splits):
        for table in tables:
            keys = {name: key_of(table, number, name, seconds, clock) for name in methods}
            missing = [name for name in methods if again or keys[name] not in records]
            if not missing:
                continue
            try:
                split = outer.outer(table, number, place)
            except SettingError as error:
                reasons[table] = str(error)
                continue
            for name in missing:
                if name in reasons:
                    continue
                try:
                    record = cell(split, name, seconds, clock)
                except PeerError as reason:
                    reasons[name] = str(reason)
                    continue
                records.add(record)
                print(
                    f"{table:18} split {number}  {name:22} {100 * record.score:6.2f} %  "
                    f"{record.seconds:6.1f} s, {record.processor_seconds:6.1f} s of processor",
                    flush=True,
                )
    return reasons


def key_of(table: str, split: int, method: str, seconds: float, clock: str) -> Key:
    """Under what a cell's record is kept: the budget counts only where there is one."""
    return Key(table, split, method, *((seconds, clock) if METHODS[method].budgeted else ()))


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument(
        "--tables", metavar="FOLDER", help=f"of the real tables, else {outer.FOLDER_VARIABLE}"
    )
    parser.add_argument("--methods", help="separated by commas; all by default")
    parser.add_argument("--only", metavar="TABLE", help="separated by commas; all by default")
    parser.add_argument("--splits", type=int, default=SPLITS, help=f"(default {SPLITS})")
    parser.add_argument(
        "--budget", type=float, default=SECONDS, help="seconds of each search (default 60)"
    )
    parser.add_argument(
        "--clock",
        choices=sorted(CLOCKS),
        default="wall",
        help="cpu: processor seconds divided by cores, fair while other work shares the machine",
    )
    parser.add_argument("--again", action="store_true", help="train what is there already, too")
    parser.add_argument("--page", action="store_true", help="train nothing, write the page")
    chosen = parser.parse_args(arguments)
    chosen.methods = _known(parser, "method", chosen.methods, METHODS)
    chosen.only = _known(parser, "table", chosen.only, TABLES)
    if chosen.splits < 1:
        parser.error(f"splits is {chosen.splits}; at least 1 is needed")
    if not 0 < chosen.budget < float("inf"):
        parser.error(f"budget is {chosen.budget}; it must be a positive number of seconds")
    return chosen


def _known(
    parser: argparse.ArgumentParser, kind: str, given: str | None, known: Iterable[str]
) -> list[str]:
    names = [name.strip() for name in given.split(",")] if given else list(known)
    for name in names:
        if name not in set(known):
            parser.error(f"unknown {kind} {name!r}; there are {', '.join(known)}")
    return names


def main(arguments: list[str] | None = None) -> int:
    """Measure what is missing and write the page; 1 if a bar is missed."""
    warnings.simplefilter("ignore")  # for good: a context would not reach the libraries' threads
    chosen = parse(arguments)
    records = Records(FOLDER)
    reasons: dict[str, str] = {}
    if not chosen.page:
        reasons = measure(
            records,
            tables=chosen.only,
            methods=chosen.methods,
            splits=chosen.splits,
            seconds=chosen.budget,
            clock=chosen.clock,
            place=outer.folder(chosen.tables),
            again=chosen.again,
        )
    for what, reason in reasons.items():
        print(f"{what}: not run: {reason}")
    found = records.of(chosen.splits, chosen.budget, chosen.clock)
    about = {name: method.about for name, method in METHODS.items()}
    text = accuracy_page.page(found, about, chosen.budget, chosen.clock, reasons)
    if chosen.budget == SECONDS:
        (FOLDER / "README.md").write_text(text)
    print(text)
    bars = accuracy_page.bars(found)
    return 1 if any(bar.passed is False for bar in bars) else 0


def rows(effort: Effort) -> list[Row]:
    """The bars, for the common table: trains what is missing first."""
    records = Records(FOLDER)
    if effort.quick:
        records = Records(None)
    reasons = measure(
        records,
        tables=("wine",) if effort.quick else TABLES,
        methods=METHODS,
        splits=1 if effort.quick else SPLITS,
        seconds=2.0 if effort.quick else SECONDS,
        clock="wall",
        place=outer.folder(),
    )
    found = records.of(SPLITS, 2.0 if effort.quick else SECONDS, "wall")
    return accuracy_page.bars(found, reasons)


if __name__ == "__main__":
    sys.exit(main())
