"""``shrinkage lesson``: the whole lesson from real runs, on one page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shrinkage.cli import destination, flow
from shrinkage.cli.interruption import Interruption
from shrinkage.cli.words import words
from shrinkage.errors import SettingError
from shrinkage.terminal.screen import Screen

if TYPE_CHECKING:
    from shrinkage.lesson.exhibited import Claim, Setting
    from shrinkage.lesson.runner import Lesson, Taught
    from shrinkage.report import RunInfo

_LEAST_SEEDS = 2
_LARGEST_SEED = 1_000_000
"""A thousand draws apart, seeds of generators stay below 2³²."""


def carry_out(raw: Mapping[str, Any], command: str = "") -> int:
    """Train everything, show every claim and write the page.

    Parameters
    ----------
    raw : mapping
        Values by their names in :data:`shrinkage.cli.declared.LESSON`.
    command : str, default ""
        The command line, to be shown.

    Returns
    -------
    int
        0, or after an interruption 128 + the signal.

    Raises
    ------
    SettingError
        On a value that cannot be used; nothing is written then.
    KeyboardInterrupt
        If it was interrupted before an exhibit was finished.
    """
    setting = _setting(raw)
    interruption = Interruption.current or Interruption()
    screen = Screen(json=raw["json"], quiet=raw["quiet"])
    path = destination.choose(raw["output"], "lesson", usual="lesson.html")
    watch = flow.Stopwatch()
    lesson = _plan(raw, setting, screen)
    watch.stage("planning")
    threads = flow.threads_of(raw["threads"])
    screen.lesson_planned(lesson.expected, setting, threads)
    _start_engine(lesson, screen, interruption)
    watch.stage("starting the engine")
    complete = flow.follow(
        lesson, screen, interruption, "the finished exhibits follow; Ctrl-C again ends at once"
    )
    watch.stage("training and measuring")
    taught = lesson.taught
    if not taught.exhibited and not complete:
        raise KeyboardInterrupt
    run = flow.run_info(command, watch, threads=threads, seed=setting.seed)
    screen.lesson(taught)
    flow.hand_over(
        taught,
        run,
        screen,
        path,
        lambda written: _document(taught, run, written) | {"interrupted": not complete},
        as_json=raw["json"],
    )
    return 0 if interruption.signal is None else interruption.exit_code


def _setting(raw: Mapping[str, Any]) -> Setting:
    """The numbers that were given, checked."""
    if raw["json"] and raw["quiet"]:
        raise SettingError("--json and --quiet exclude each other; choose one")
    for name, least, why in (
        ("seeds", _LEAST_SEEDS, "an interval needs at least 2"),
        ("epochs", 1, "a training needs at least 1"),
        ("seed", 0, "it must be 0 or larger"),
        ("threads", 1, "training needs at least 1"),
    ):
        value = raw[name]
        if value is not None and value < least:
            raise SettingError(f"--{name} is {value}; {why}")
    if raw["seed"] > _LARGEST_SEED:
        raise SettingError(f"--seed is {raw['seed']}; it must be at most {_LARGEST_SEED:,}")
    from shrinkage.lesson.exhibited import Setting

    return Setting(seeds=raw["seeds"], epochs=raw["epochs"], seed=raw["seed"])


def _plan(raw: Mapping[str, Any], setting: Setting, screen: Screen) -> Lesson:
    with screen.working("planning the lesson"):
        from shrinkage.lesson.catalogue import chosen
        from shrinkage.lesson.runner import Lesson

        names = [] if raw["only"] is None else words(raw["only"])
        if raw["only"] is not None and not names:
            raise SettingError("--only is empty; name at least one exhibit, or leave it")
        return Lesson(chosen(names), setting, threads=raw["threads"])


def _start_engine(lesson: Lesson, screen: Screen, interruption: Interruption) -> None:
    if lesson.sample is None:
        return
    from shrinkage.exhibits import Basis

    data, trial = lesson.sample
    flow.start_engine(Basis(data, trial.perceptron, trial.training), screen, interruption)


def _document(taught: Taught, run: RunInfo, path: Path | None) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "exhibits": [
            {
                "name": one.name,
                "heading": one.heading,
                "title": one.title,
                "claims": [_claim(claim) for claim in one.claims],
                "tables": [
                    {"title": title, "columns": table.columns, "rows": table.rows}
                    for title, table in one.tables
                ],
                "notes": one.notes,
                "code": one.code,
            }
            for one in taught.exhibited
        ],
        "missing": [{"title": one.title, "reason": one.reason} for one in taught.unread],
        "seeds": taught.setting.seeds,
        "epochs": taught.setting.epochs,
        "seed": taught.setting.seed,
        "fits": {"planned": taught.expected, "finished": taught.done},
        "versions": taught.versions,
        "command": run.command,
        "seconds": dict(run.seconds),
        "report": None if path is None else str(path),
    }


def _claim(claim: Claim) -> dict[str, Any]:
    interval = claim.interval
    return {
        "text": claim.text,
        "measured": claim.measured,
        "verdict": claim.verdict,
        "asked": claim.asked,
        "unit": claim.unit,
        "estimate": None if interval is None else interval.estimate,
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
    }
