"""``shrinkage report``: the report of a study file, without training anything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shrinkage.cli import destination, flow
from shrinkage.cli.run import document
from shrinkage.errors import SettingError
from shrinkage.terminal.screen import Screen

if TYPE_CHECKING:
    from shrinkage.report import RunInfo
    from shrinkage.study import Study
    from shrinkage.tune import Plan


def carry_out(raw: Mapping[str, Any], _: str) -> int:
    """Read the study, find what it says and write the report.

    Parameters
    ----------
    raw : mapping
        Values by their names in :mod:`shrinkage.cli.study_commands`.

    Returns
    -------
    int
        0.

    Raises
    ------
    ShrinkageError
        On a file that cannot be used, or a study without enough fits.
    """
    if raw["json"] and raw["quiet"]:
        raise SettingError("--json and --quiet exclude each other; choose one")
    from shrinkage.findings import find
    from shrinkage.recipes import recipes

    screen = Screen(json=raw["json"], quiet=raw["quiet"])
    file = Path(raw["file"])
    name = file.name.removesuffix(".study")
    path = destination.choose(raw["output"], name)
    with screen.working(f"reading {file.name}"):
        study, plan, stage, run = _read(file)
    screen.understood(study.data)
    with screen.working("measuring the effect on the test rows and the weights"):
        found = find(study, plan, stage=stage)
    run = flow.with_recipes(run, recipes(found))
    screen.findings(found)
    screen.code(run.recipes)
    flow.hand_over(
        found,
        run,
        screen,
        path,
        lambda written: document(found, run, written) | {"interrupted": bool(found.stage)},
        as_json=raw["json"],
    )
    return 0


def _read(file: Path) -> tuple[Study, Plan, str | None, RunInfo]:
    """The study, its last plan, the stage in which it was given up, and how it was made."""
    from shrinkage.archive import open_study
    from shrinkage.archive.kept_data import fact
    from shrinkage.archive.opening import opened
    from shrinkage.archive.reading import last_run, plan_fields
    from shrinkage.network import OwnNetwork
    from shrinkage.report import RunInfo
    from shrinkage.tune import Plan

    study = open_study(file)
    own = [t.network for t in study.trials[:1] if isinstance(t.network, OwnNetwork)]
    if own:
        raise SettingError(
            f"a report on {own[0].name} needs the module itself, of which a study file holds the "
            "parameters alone; in Python, Study.open(path, network=…) brings both together"
        )
    with opened(file) as connection:
        said = last_run(connection)
        if said is None or not said.plan:
            raise SettingError(
                f"'{file}' does not say what was to be tried; run its command again, with "
                f"--study '{file}'"
            )
        plan = Plan(**plan_fields(said.plan))
        environment = said.environment
        run = RunInfo(
            command=said.command,
            seconds={str(name): float(value) for name, value in said.seconds.items()},
            threads=int(environment.get("threads", 1)),
            cores=int(environment.get("cores", 1)),
            platform=str(environment.get("platform", "")),
            date=datetime.fromisoformat(said.started),
            python=str(environment.get("python", "")),
            seed=plan.seed,
        )
        stage = fact(connection, "stage")
    # Of a run that was killed, the last stage that was planned may well have been finished.
    return study, plan, stage if said.complete or study.missing or said.ended else None, run
