"""The page of the lesson: every claim with its verdict, then each exhibit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shrinkage.exhibits import Table
from shrinkage.figures.screen import Stage
from shrinkage.lesson.exhibited import Claim, Exhibited
from shrinkage.lesson.runner import Taught
from shrinkage.lesson.trials import seeds_of
from shrinkage.report.lesson_pictures import group_of
from shrinkage.report.page import Page
from shrinkage.report.run import RunInfo
from shrinkage.report.wording import minus

_MARKS = {"holds": ("yes", "✓"), "does not hold here": ("no", "✗"), "not decided here": ("", "?")}
"""Class and sign of each verdict; its words always stand beside them."""


def lesson_page(taught: Taught, run: RunInfo) -> Page:
    """Draw every exhibit, and word what stands around them."""
    stage = Stage()
    facts = {
        "title": "Regularization in deep learning, from real runs",
        "name": "the lesson",
        "date": f"{run.date:%d %B %Y, %H:%M}".lstrip("0"),
        "headline": headline(taught),
        "lede": lede(taught),
        "exhibits": [_exhibit(one, stage) for one in taught.exhibited],
        "unread": [(one.title, one.reason) for one in taught.unread],
        "run": _run(taught, run),
    }
    return Page("lesson.html.j2", facts, {"slider": None}, stage)


def headline(taught: Taught) -> str:
    """How many of the claims hold."""
    total, holds = len(taught.claims), taught.count("holds")
    if total == 0:
        return "Nothing of the lesson was finished"
    verb = "holds" if holds == 1 else "hold"
    return f"{holds} of the lesson's {total} claims {verb} here"


def lede(taught: Taught) -> tuple[str, ...]:
    """What was done, and how a claim is decided."""
    setting = taught.setting
    fails, open_ = taught.count("does not hold here"), taught.count("not decided here")
    others = (
        f"{fails} {'does' if fails == 1 else 'do'} not hold here, and {open_} "
        f"{'is' if open_ == 1 else 'are'} not decided by these runs."
    )
    rule = (
        f"Where nothing else is said, a number is a mean (of ratios: a geometric mean) over "
        f"{setting.seeds} seeds with its 95% interval; every seed draws new toy data and new first "
        "weights. A claim holds when the whole interval lies where it has to, it does not hold "
        "when none of it does, and else these runs do not decide. Among so many claims, one or two "
        "may be decided by chance. Points of the checklist are ticked by what was done."
    )
    return others, rule


def _exhibit(one: Exhibited, stage: Stage) -> dict[str, Any]:
    return {
        "name": one.name,
        "heading": one.heading,
        "title": one.title,
        "text": [minus(paragraph) for paragraph in one.text],
        "claims": [_claim(claim) for claim in one.claims],
        "groups": [
            group_of(picture, stage, f"{one.name}-{place}")
            for place, picture in enumerate(one.pictures)
        ],
        "tables": [(title, _shown(table)) for title, table in one.tables],
        "notes": one.notes,
        "code": one.code,
    }


def _claim(claim: Claim) -> dict[str, str]:
    kind, sign = _MARKS[claim.verdict]
    return {
        "text": minus(claim.text),
        "measured": minus(claim.measured),
        "verdict": claim.verdict,
        "kind": kind,
        "sign": sign,
        "number": "" if claim.interval is None else minus(str(claim.interval)),
        "unit": claim.unit,
        "asked": claim.asked,
    }


def _shown(table: Table) -> Table:
    return replace(table, rows=tuple(tuple(map(minus, row)) for row in table.rows))


def _run(taught: Taught, run: RunInfo) -> dict[str, Any]:
    setting = taught.setting
    networks = f"{taught.done:,}"
    if taught.done < taught.expected:
        networks += f", then interrupted; {taught.expected - taught.done:,} are missing"
    seconds = [(stage, f"{value:.1f} s") for stage, value in run.seconds.items()]
    return {
        "command": run.command,
        "facts": [
            ("seeds", f"{setting.seeds}, from {seeds_of(setting).start:,}"),
            ("epochs", f"{setting.epochs:,}"),
            ("networks", networks),
            ("threads", f"{run.threads} of {run.cores} cores"),
            ("machine", run.platform),
            ("date", f"{run.date:%Y-%m-%d %H:%M}"),
        ],
        "versions": [("Python", run.python), *taught.versions.items()],
        "seconds": [*seconds, ("together", f"{sum(run.seconds.values()):.1f} s")]
        if seconds
        else [],
    }
