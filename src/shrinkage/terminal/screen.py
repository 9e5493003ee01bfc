"""The two streams of a run: findings on stdout, progress on stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.text import Text

from shrinkage.terminal import exhibits, lesson, sections, studies
from shrinkage.terminal.audit import audited
from shrinkage.terminal.plain import discard, plain
from shrinkage.terminal.progress import Pace, bar, heartbeat

if TYPE_CHECKING:
    from shrinkage.archive.comparing import Comparison
    from shrinkage.archive.summary import Summary
    from shrinkage.data import Data
    from shrinkage.exhibits import Record, Series
    from shrinkage.findings import Findings
    from shrinkage.frameworks.audit import Audit
    from shrinkage.lesson.exhibited import Setting
    from shrinkage.lesson.runner import Taught
    from shrinkage.tune import Search
    from shrinkage.tune.joint import JointSearch

_WIDEST = 110
"""Columns beyond which a sentence is no longer read easily."""


class Working:
    """A job under way, whose words may change."""

    def say(self, message: str) -> None:
        """What is being done now."""


class Screen:
    """What the user sees.

    Parameters
    ----------
    json : bool, default False
        Only :meth:`json` writes to stdout; progress is shown to a terminal only.
    quiet : bool, default False
        Only :meth:`report` writes, the path alone.
    """

    def __init__(self, *, json: bool = False, quiet: bool = False) -> None:
        self._out = _console(sys.stdout)
        self._err = _console(sys.stderr)
        self._tells = not (json or quiet)
        self._quiet = quiet
        self._animates = self._err.is_terminal and not self._err.is_dumb_terminal and not quiet

    @contextmanager
    def working(self, message: str) -> Iterator[Working]:
        """Say on stderr what is being done, for as long as the context lasts."""
        if self._animates:
            with self._err.status(Text(plain(message)), spinner="dots") as status:
                yield _Spinning(status)
        elif self._tells:
            yield _Telling(self)
        else:
            yield Working()

    @contextmanager
    def training(self, pace: Pace) -> Iterator[None]:
        """Progress on stderr while fits are counted in `pace`."""
        if self._animates:
            with bar(self._err, pace):
                yield
        elif self._tells:
            with heartbeat(self.note, pace):
                yield
        else:
            yield
        if self._animates or self._tells:
            self.note(pace.summary)

    def note(self, message: str) -> None:
        """A line on stderr for people who watch; not for errors."""
        if self._animates or self._tells:
            self._err.print(Text(plain(message), style="dim"), soft_wrap=not self._animates)

    def understood(self, data: Data) -> None:
        """What the table is, what was done with it, and what to be wary of."""
        self._print(sections.understood(data))

    def planned(
        self, search: Search | JointSearch, data: Data, threads: int, given: frozenset[str]
    ) -> None:
        """Network, training and plan; `given` names the settings that the user chose."""
        self._print(sections.planned(search, data, threads, given), Text(""))

    def prepared(self, series: Series, threads: int, given: frozenset[str], seed: int) -> None:
        """What an exhibit is about, and how its networks are trained."""
        about = exhibits.prepared(
            series.exhibit, series.study, series.expected, threads, given, seed
        )
        self._print(about, Text(""))

    def exhibit(self, record: Record) -> None:
        """What an exhibit found: its point, its table and its sentences."""
        self._print(Text(""), *exhibits.found(record))

    def lesson_planned(self, expected: int, setting: Setting, threads: int) -> None:
        """How many networks the lesson takes."""
        self._print(lesson.planned(expected, setting, threads), Text(""))

    def lesson(self, found: Taught) -> None:
        """Every claim of the lesson with its verdict."""
        self._print(Text(""), *lesson.taught(found))

    def audit(self, found: Audit) -> None:
        """What regularizes each parameter of a network of one's own, and what is wrong."""
        for part, whole in audited(found):
            self._print(part, soft_wrap=whole)

    def findings(self, found: Findings) -> None:
        """The four findings and what is missing from them."""
        self._print(Text(""), *sections.findings(found))

    def study(self, found: Summary) -> None:
        """What is in a study file."""
        self._print(*studies.shown(found))

    def comparison(self, found: Comparison) -> None:
        """Two study files side by side."""
        self._print(*studies.compared(found))

    def written(self, what: str, path: Path) -> None:
        """Where something was written that is no report."""
        text = plain(str(path))
        if self._quiet:
            self._print(Text(text), always=True, soft_wrap=True)
        else:
            self._print(sections.where(text, what), soft_wrap=True)

    def code(self, recipes: Mapping[str, str]) -> None:
        """Programs that apply the finding, free of borders so that they can be copied."""
        for framework, code in recipes.items():
            self._print(sections.heading(framework))
            self._print(sections.program(code), soft_wrap=True)

    def report(self, path: Path) -> None:
        """Where the report is."""
        self.written("Report", path)

    def json(self, values: Mapping[str, Any]) -> None:
        """One JSON document; what is not a finite number becomes null."""
        text = json.dumps(finite(values), indent=2, ensure_ascii=False, allow_nan=False)
        self._print(Text(text), always=True, soft_wrap=True)

    def _print(self, *parts: RenderableType, always: bool = False, soft_wrap: bool = False) -> None:
        if not (self._tells or always):
            return
        try:
            for part in parts:
                self._show(part, soft_wrap)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader has seen enough, but the report is still wanted
            discard(sys.stdout)

    def _show(self, part: RenderableType, soft_wrap: bool) -> None:
        if self._out.is_terminal:
            self._out.print(part, soft_wrap=soft_wrap)
            return
        with self._out.capture() as capture:
            self._out.print(part, soft_wrap=soft_wrap)
        # rich fills lines with spaces up to the width, which a file does not need.
        sys.stdout.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))


class _Spinning(Working):
    def __init__(self, status: Any) -> None:
        self._status = status

    def say(self, message: str) -> None:
        self._status.update(Text(plain(message)))


class _Telling(Working):
    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def say(self, message: str) -> None:
        self._screen.note(message)


class _Console(Console):
    """rich ends the program when its reader leaves; a report is worth more than that."""

    def on_broken_pipe(self) -> None:
        discard(self.file)


def _console(stream: Any) -> Console:
    console = _Console(file=stream, highlight=False, markup=False, emoji=False)
    if console.width > _WIDEST:
        console.width = _WIDEST
    return console


def finite(value: Any) -> Any:
    """`value` with every number that JSON does not know as None.

    Examples
    --------
    >>> finite({"gap": float("nan"), "range": (0.0, float("inf"))})
    {'gap': None, 'range': [0.0, None]}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
