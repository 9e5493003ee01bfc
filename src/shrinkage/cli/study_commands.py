"""The commands on study files, as ``--help`` shows them. Nothing heavy is imported here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, NamedTuple

import typer

from shrinkage.cli.declared import OUTPUT, Declared, option, switch

_OUTPUT = "Output"


class Command(NamedTuple):
    """A command: its name, what it is about, what it does, and its options."""

    name: str
    about: str
    work: Callable[[Mapping[str, Any], str], int]
    declared: tuple[Declared, ...]


def _argument(name: str, shown: str, explanation: str) -> Declared:
    info = typer.Argument(metavar=shown, help=explanation, show_default=False)
    return Declared(name, str, info, inspect.Parameter.empty)


def _output(explanation: str, shown: str | bool, *, needed: bool = False) -> Declared:
    return option(
        *("output", str if needed else str | None, _OUTPUT, "PATH"),
        explanation,
        default=inspect.Parameter.empty if needed else None,
        shown=shown,
        names=("--output", "-o"),
    )


_FILE = _argument("file", "FILE", "A study file, made by shrinkage run … --study FILE.")
_FIRST = _argument("first", "A", "A study file.")
_SECOND = _argument("second", "B", "Another one.")
_JSON = switch("json", _OUTPUT, "Print it as JSON.", "--json")
_QUIET = switch("quiet", _OUTPUT, "Print only the path.", "--quiet", "-q")
_TO = Declared(
    "to",
    str,
    typer.Option(
        "--to",
        help="parquet, csv, or mlflow: each fit as a run in a folder that MLflow opens.",
        metavar="NAME",
        show_default=False,
    ),
    inspect.Parameter.empty,
)

_SHOW = """See what is in a study file: data, plan, fits, runs and findings. Nothing is trained.

Examples:
[bold]shrinkage show moons.study[/bold]
[bold]shrinkage show moons.study --json[/bold]
"""
_REPORT = """Write the report of a study file, whole or interrupted. Nothing is trained.

Examples:
[bold]shrinkage report moons.study[/bold]
[bold]shrinkage report moons.study --output moons.html[/bold]
"""
_EXPORT = """Write the fits of a study file for other programs.

Examples:
[bold]shrinkage export moons.study --to parquet[/bold]
[bold]shrinkage export moons.study --to csv --output tables[/bold]
[bold]shrinkage export moons.study --to mlflow[/bold]
"""
_COMPARE = """Lay two study files side by side: plans, findings, and the fits that both have.

Examples:
[bold]shrinkage compare monday.study tuesday.study[/bold]
"""
_MERGE = """Write two study files of the same rows and settings as one.

λ, penalties and repeats may differ, so that two machines can share the work.

Examples:
[bold]shrinkage merge here.study there.study --output both.study[/bold]
"""
_RECOVER = """Save what is left of a damaged study file: every fit that is whole, to the bit.

Examples:
[bold]shrinkage recover moons.study[/bold]
[bold]shrinkage recover moons.study --output saved.study[/bold]
"""


def _in(module: str, function: str) -> Callable[[Mapping[str, Any], str], int]:
    """A command's work, in a module that is imported when it is asked for."""

    def work(raw: Mapping[str, Any], written: str) -> int:
        return int(getattr(import_module(module), function)(raw, written))

    return work


_STUDIES = "shrinkage.cli.studies"
COMMANDS = (
    Command("show", _SHOW, _in(_STUDIES, "show"), (_FILE, _JSON)),
    Command("report", _REPORT, _in("shrinkage.cli.study_report", "carry_out"), (_FILE, *OUTPUT)),
    Command(
        "export",
        _EXPORT,
        _in(_STUDIES, "export"),
        (
            _FILE,
            _TO,
            _output("A new folder.", "for NAME.study NAME-parquet or NAME-csv; mlruns"),
            _QUIET,
        ),
    ),
    Command("compare", _COMPARE, _in(_STUDIES, "compare"), (_FIRST, _SECOND, _JSON)),
    Command(
        "merge",
        _MERGE,
        _in(_STUDIES, "merge"),
        (_FIRST, _SECOND, _output("The new file.", False, needed=True), _QUIET),
    ),
    Command(
        "recover",
        _RECOVER,
        _in(_STUDIES, "recover"),
        (_FILE, _output("The new file.", "NAME-recovered.study beside NAME.study"), _QUIET),
    ),
)
"""In the order in which --help lists them."""
