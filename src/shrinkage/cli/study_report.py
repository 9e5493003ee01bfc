"""``shrinkage report``: the report of a study file, without training anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shrinkage.cli import destination, flow
from shrinkage.cli.exhibit import added
from shrinkage.cli.exhibit import document as exhibit_document
from shrinkage.cli.plans import Spent, Wanted
from shrinkage.cli.run import document
from shrinkage.errors import SettingError
from shrinkage.terminal.screen import Screen

if TYPE_CHECKING:
    from shrinkage.exhibits import Basis, Exhibit, Series, Shown
    from shrinkage.findings import Findings
    from shrinkage.report import RunInfo
    from shrinkage.study import Fit, Study, Trial
    from shrinkage.tune import Plan
    from shrinkage.tune.joint import Budget, JointSearch


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
    screen = Screen(json=raw["json"], quiet=raw["quiet"])
    file = Path(raw["file"])
    with screen.working(f"reading {file.name}"):
        kept = _read(file)
    plan, name = kept.wanted.plan, file.name.removesuffix(".study")
    about = "" if plan is not None else kept.wanted.exhibits[0].name
    path = destination.choose(raw["output"], name, about)
    screen.understood(kept.study.data)
    shown: Findings | Shown
    if plan is None:
        shown = _exhibit(kept, screen)
        run, told = kept.run, partial(exhibit_document, shown, kept.run)
    else:
        shown, run = _findings(kept, plan, screen)
        told = partial(document, shown, run)
    flow.hand_over(
        shown, run, screen, path, lambda at: _as_kept(told(at), kept), as_json=raw["json"]
    )
    return 0


def _as_kept(document: dict[str, Any], kept: _Kept) -> dict[str, Any]:
    """A document, but for what the file does not say."""
    document["interrupted"] = kept.stage is not None
    if kept.run.seed is None:
        document["settings"] |= {"seed": None}
    if not kept.run.platform:
        document["settings"] |= {"threads": None}
    return document


def _findings(kept: _Kept, plan: Plan, screen: Screen) -> tuple[Findings, RunInfo]:
    """What a search found, with its exhibits, and programs that apply it."""
    from shrinkage.exhibits import Basis
    from shrinkage.findings import find
    from shrinkage.network import perceptron_of
    from shrinkage.recipes import recipes

    study, joint = kept.study, None
    if kept.wanted.budget is not None:
        search = _recalled(kept, plan, kept.wanted.budget)
        study, joint = search.study, search.joint
    with screen.working("measuring the effect on the test rows and the weights"):
        found = find(study, plan, stage=kept.stage, joint=joint)
    run = flow.with_recipes(kept.run, recipes(found))
    screen.findings(found)
    screen.code(run.recipes)
    basis = Basis(study.data, perceptron_of(plan.network), plan.training, plan.seed)
    return added(kept.wanted.exhibits, found, basis, screen, partial(_series, kept)), run


def _exhibit(kept: _Kept, screen: Screen) -> Shown:
    """What an exhibit alone found."""
    from shrinkage.exhibits import Shown

    (exhibit,), basis = kept.wanted.exhibits, kept.wanted.basis(kept.study.data)
    series = _series(kept, exhibit, basis)
    record = exhibit.read(series.study)
    screen.exhibit(record)
    return Shown(record, exhibit.title, basis, series.study)


def _series(kept: _Kept, exhibit: Exhibit, basis: Basis) -> Series:
    """An exhibit's trials with the fits that the file has."""
    from shrinkage.exhibits import Series

    series = Series(exhibit, basis, known=kept.fits.values())
    series.recall()
    return series


def _recalled(kept: _Kept, plan: Plan, budget: Budget) -> JointSearch:
    """The joint search as its runs left it."""
    from shrinkage.tune.joint import JointSearch

    search = JointSearch(
        kept.study.data,
        plan,
        budget=budget,
        committee=kept.wanted.committee,
        threads=kept.run.threads,
        done=kept.fits,
        before=kept.spent.seconds,
        seats=kept.spent.seats,
    )
    search.recall()
    return search


@dataclass(frozen=True, eq=False)
class _Kept:
    """What a file has of its last run.

    Parameters
    ----------
    study : Study
        Its trials.
    fits : mapping of Trial to Fit
        All that hold for its data.
    wanted : Wanted
        What was to be tried.
    spent : Spent
        What that took.
    stage : str or None
        In which it was given up.
    run : RunInfo
        How it was made.
    """

    study: Study
    fits: Mapping[Trial, Fit]
    wanted: Wanted
    spent: Spent
    stage: str | None
    run: RunInfo


def _read(file: Path) -> _Kept:
    from shrinkage.archive import open_study
    from shrinkage.archive.kept_data import fact
    from shrinkage.archive.opening import opened
    from shrinkage.archive.reading import answers, last_run
    from shrinkage.network import OwnNetwork
    from shrinkage.report import RunInfo

    study = open_study(file)
    own = [t.network for t in study.trials[:1] if isinstance(t.network, OwnNetwork)]
    if own:
        raise SettingError(
            f"a report on {own[0].name} needs the module itself, of which a study file holds the "
            "parameters alone; in Python, Study.open(path, network=…) brings both together"
        )
    with opened(file) as connection:
        said = last_run(connection)
        wanted = None
        if said is not None:
            wanted = Wanted.read(said.plan) if said.plan else Wanted.followed(study)
        if said is None or wanted is None:
            raise SettingError(
                f"'{file}' does not say what was to be tried, and its fits do not tell either; run "
                f"its command again, with --study '{file}', which trains only what is missing"
            )
        more = wanted.budget is not None or wanted.exhibits
        fits = answers(connection, study.data) if more else {}
        spent = Spent.read(connection)
        stage = fact(connection, "stage")
        run = RunInfo(
            command=said.command,
            seconds={str(name): float(value) for name, value in said.seconds.items()},
            threads=int(said.environment.get("threads", 1)),
            cores=int(said.environment.get("cores", 1)),
            platform=str(said.environment.get("platform", "")),
            date=datetime.fromisoformat(said.started),
            python=str(said.environment.get("python", "")),
            seed=wanted.seed if said.plan else None,
        )
    # Of a run that was killed, the last stage that was planned may well have been finished.
    stopped = said.complete or study.missing or said.ended
    return _Kept(study, fits, wanted, spent, stage if stopped else None, run)
