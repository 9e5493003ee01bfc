"""``python -m benchmarks [NAME …]``: measure, print the table, keep the results."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from importlib import import_module

from rich.console import Console

from benchmarks import machine, results
from benchmarks.measure import Effort
from benchmarks.table import Section, as_rich

BENCHMARKS = {
    "engine": "floating-point rate beside a large sgemm",
    "pool": "scaling with threads, cost of evaluation, memory",
    "grid_search": "a λ grid beside scikit-learn's GridSearchCV",
    "keras_loop": "fits beside a loop of Keras fits on JAX",
    "estimators": "the estimator's defaults beside scikit-learn's search; credit-g from a folder",
    "zeros": "share of weights that are exactly zero",
    "study_file": "fits written into a file, a look at 100,000, 10,000 mutated files",
    "end_to_end": "whole commands in fresh processes",
    "ingredients": "trials without, and with, each of the other regularizers",
    "proximal": "a PyTorch optimizer with proximal steps beside itself, and beside the engine",
    "stacked": "copies of a PyTorch module as one stack beside trainings by hand; a GPU, if any",
    "dask": "two workers of a Dask cluster beside two threads; what a message costs",
    "planning": "a million fits on 1,000 cores, calculated from what is measured here",
    "accuracy": "balanced accuracy on real tables beside trees and linear models; hours",
    "features": "group lasso on inputs beside all inputs, and beside LassoNet; real tables",
    "memory": "a large table read, trained on and verified in a fresh process; a few minutes",
    "lesson": "the whole lesson in a fresh process; two to three minutes",
    "keras_lesson": "the lesson's own code on Keras beside this package, ten seeds; three minutes",
}
ON_REQUEST = frozenset({"accuracy", "estimators", "features", "keras_lesson", "lesson", "memory"})
"""Only when named: they take long, or read tables that do not come with the package."""


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure speed and size beside the peers.",
        epilog="\n".join(f"{name:12} {about}" for name, about in BENCHMARKS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="which ones; the quick ones by default"
    )
    parser.add_argument("--rounds", type=int, default=5, help="of each comparison (default 5)")
    parser.add_argument(
        "--quick", action="store_true", help="only see that all runs: tiny sizes, nothing is kept"
    )
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"unknown benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    if chosen.rounds < 1:
        parser.error(f"rounds is {chosen.rounds}; at least 1 is needed")
    return chosen


def run(name: str, effort: Effort) -> Section:
    """One benchmark."""
    others = machine.Others()
    measured = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    begin = time.perf_counter()
    rows = import_module(f"benchmarks.{name}").rows(effort)
    taken = round(time.perf_counter() - begin, 1)
    return Section(name, tuple(rows), measured, taken, effort.rounds, others.cores())


def main() -> int:
    """Measure and print; 1 if a bar is missed."""
    chosen = parse()
    effort = Effort(rounds=1 if chosen.quick else chosen.rounds, quick=chosen.quick)
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print("; ".join(f"{name}: {value}" for name, value in machine.describe().items()))
    sections = []
    for name in chosen.names or [name for name in BENCHMARKS if name not in ON_REQUEST]:
        with console.status(f"{name}: {BENCHMARKS[name]}"):
            section = run(name, effort)
        if section.others and section.others > 0.1 * machine.cores():
            console.print(
                f"[yellow]{name}: other programs kept {section.others:.2f} cores busy meanwhile; "
                "the numbers below suffer from it[/yellow]"
            )
        sections.append(section)
        if not chosen.quick:
            results.record([section])  # each as it comes, so that an interruption loses little
    console.print(as_rich(sections))
    if chosen.quick:
        console.print("sizes were tiny: no number here means anything")
        return 0
    console.print(f"kept in benchmarks/results/{results.place(machine.describe()).name}, .md")
    return 1 if any(row.passed is False for section in sections for row in section.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
