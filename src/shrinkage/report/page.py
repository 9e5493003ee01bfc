"""Everything that the template shows, as plain text, numbers and names of drawings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shrinkage.exhibits import Shown
from shrinkage.exhibits.joint import JointRecord
from shrinkage.figures.colours import class_colour
from shrinkage.figures.learning import LearningFigure, learning_figure
from shrinkage.figures.path import Mark, PathFigure, Zone, path_figure
from shrinkage.figures.screen import Stage
from shrinkage.figures.screen.learning import draw_learning
from shrinkage.figures.screen.path import draw_path
from shrinkage.figures.screen.surface import draw_surfaces
from shrinkage.figures.screen.weights import draw_boxes, draw_densities, draw_moving_density
from shrinkage.figures.surface import SurfaceFigure, surface_figure
from shrinkage.figures.weights import DensityFigure, WeightsFigure, density_figure, weights_figure
from shrinkage.findings import Findings
from shrinkage.report import wording
from shrinkage.report.exhibits import exhibit_part
from shrinkage.report.making import data_part, run_part
from shrinkage.report.run import RunInfo
from shrinkage.report.simplicity import simplicity_part
from shrinkage.report.smaller import smaller_part
from shrinkage.report.tables import checklist, effects_table, path_table, tiles


@dataclass(frozen=True, eq=False)
class Page:
    """What a page is made of.

    Parameters
    ----------
    template : str
        Which of the templates.
    facts : dict
        The template's variables; every text in it is escaped there.
    settings : dict
        What the page's program needs, as JSON.
    stage : Stage
        The drawings.
    """

    template: str
    facts: dict[str, Any]
    settings: dict[str, Any]
    stage: Stage


def page(findings: Findings, run: RunInfo) -> Page:
    """Draw every figure that the findings allow, and word what stands around them."""
    stage = Stage()
    surface, density = surface_figure(findings), density_figure(findings)
    facts = {
        "title": f"{findings.study.data.name}: how much regularization?",
        "name": findings.study.data.name,
        "date": _date(run),
        "headline": wording.headline(findings),
        "lede": (findings.diagnosis.sentence, findings.diagnosis.prescription),
        "tiles": tiles(findings),
        "notes": findings.notes,
        "data": data_part(findings.study.data, findings.plan.network),
        "path": None if findings.joint else _path(findings, path_figure(findings), stage),
        "tuning": exhibit_part(JointRecord(findings.joint), findings.study.data, stage)
        if findings.joint
        else None,
        "slider": _slider(findings, surface, density, stage),
        "weights": _weights(findings, weights_figure(findings), stage),
        "learning": _learning(learning_figure(findings), stage),
        "effects": _effects(findings),
        "simplicity": simplicity_part(findings, stage),
        "smaller": smaller_part(findings),
        "checklist": checklist(findings),
        "recipes_title": "The same penalty in your own code"
        if findings.recommended is not None
        else "The same training in your own code",
        "recipes": list(run.recipes.items()),
        "exhibits": [
            exhibit_part(record, findings.study.data, stage) for record in findings.exhibits
        ],
        "run": _run(findings, run),
    }
    return Page("report.html.j2", facts, _settings(findings, surface, density), stage)


def page_alone(shown: Shown, run: RunInfo) -> Page:
    """The page of one exhibit."""
    stage = Stage()
    study, record = shown.study, shown.record
    data = study.data
    fits = f"{len(study.fits):,}"
    if study.missing:
        fits += f", then interrupted; {len(study.missing):,} are missing"
    facts = {
        "title": f"{data.name}: {record.headline}",
        "name": data.name,
        "date": _date(run),
        "exhibit": exhibit_part(record, data, stage),
        "data": data_part(data),
        "run": run_part(run, study, fits, ("question", shown.title), study.trials[0].training),
    }
    return Page("alone.html.j2", facts, {"slider": None}, stage)


def _date(run: RunInfo) -> str:
    return f"{run.date:%d %B %Y, %H:%M}".lstrip("0")


def _path(findings: Findings, figure: PathFigure | None, stage: Stage) -> dict[str, Any] | None:
    if figure is None:
        return None
    names = draw_path(stage, figure)
    metric = findings.selection.metric
    by_loss = metric in ("log_loss", "mean_squared_error")
    return {
        "title": wording.path_title(findings),
        "panels": [
            {
                "name": name,
                "label": panel.penalty.label,
                "caption": _path_caption(panel.zones, figure),
                "choices": _choices(panel.marks),
                "zones": {zone.name for zone in panel.zones},
                "selected": panel.selected,
            }
            for name, panel in zip(names, figure.panels, strict=True)
        ],
        "table": path_table(findings),
        "loss": figure.loss,
        "unit": figure.unit,
        "constant": figure.null is not None,
        "metric": None if by_loss else metric.replace("_", " "),
        "incomplete": figure.incomplete,
        "selection": findings.choice,
    }


def _choices(marks: tuple[Mark, ...]) -> list[str]:
    """One sentence for each choice; one for both where they coincide."""
    names = {"minimum": "Least", "one_standard_error": "Strongest within one standard error of it"}
    if marks[0].label == marks[1].label:
        marks = marks[:1]
        names["minimum"] = "Least, and strongest within one standard error of it"
    return [
        f"{names[mark.rule]}: {mark.label} ({wording.number(mark.validation)}"
        + (", selected)." if mark.selected else ").")
        for mark in marks
    ]


def _path_caption(zones: tuple[Zone, ...], figure: PathFigure) -> str:
    names = {zone.name for zone in zones}
    text = (
        f"In the green stretch the mean validation {figure.loss} is within one standard error of "
        "its least"
    )
    if "overfitting" in names:
        text += "; to its left the network fits the training rows better and new rows worse"
    if "underfitting" in names:
        text += "; to its right it fits both worse"
    return text + "."


def _slider(
    findings: Findings, surface: SurfaceFigure | None, density: DensityFigure | None, stage: Stage
) -> dict[str, Any] | None:
    if surface is None or density is None or findings.verification is None:
        return None
    still, moving = draw_surfaces(stage, surface)
    plane = surface.plane
    what = "prediction" if surface.task == "regression" else "boundary"
    penalty = next((f.label.partition(",")[0] for f in surface.frames if f.lam > 0), "the penalty")
    legend = [
        {"name": name, "colour": class_colour(index)} for index, name in enumerate(surface.classes)
    ]
    return {
        "title": f"What the best recipe does to {what} and weights"
        if findings.joint
        else f"Move λ: {what} and weights change together",
        "penalty": penalty,
        "still": still,
        "moving": moving,
        "density": draw_moving_density(stage, density, surface.selected),
        "weights": wording.weights_name(findings),
        "count": len(surface.frames),
        "selected": surface.selected,
        "labels": [frame.label for frame in surface.frames],
        "label": surface.frames[surface.selected].label,
        "first": surface.frames[0].label,
        "zeros": wording.percent(density.summaries[surface.selected].zeros),
        "legend": legend[:20],
        "more_classes": max(len(legend) - 20, 0),
        "scale": None
        if surface.task != "regression" or plane.kind == "one input"
        else tuple(wording.number(value, *surface.values) for value in surface.values),
        "target": surface.target,
        "task": surface.task,
        "one_input": plane.kind == "one input",
        "plane": plane.sentence,
    }


def _settings(
    findings: Findings, surface: SurfaceFigure | None, density: DensityFigure | None
) -> dict[str, Any]:
    """What the slider shows for each λ, ready to read."""
    if surface is None or density is None:
        return {"slider": None}
    return {
        "slider": {
            "weights": wording.weights_name(findings),
            "oneInput": surface.plane.kind == "one input",
            "frames": [
                {"label": frame.label, "zerosText": wording.percent(summary.zeros)}
                for frame, summary in zip(surface.frames, density.summaries, strict=True)
            ],
        }
    }


def _weights(
    findings: Findings, figure: WeightsFigure | None, stage: Stage
) -> dict[str, Any] | None:
    if figure is None or findings.verification is None:
        return None
    return {
        "title": wording.weights_title(figure.comparisons[0], wording.weights_name(findings)),
        "boxes": draw_boxes(stage, figure),
        "densities": [
            {
                "name": name,
                "kernel": comparison.name,
                "before": wording.percent(comparison.before.zeros),
                "after": wording.percent(comparison.after.zeros),
            }
            for name, comparison in zip(
                draw_densities(stage, figure), figure.comparisons, strict=True
            )
        ],
        "before": figure.before,
        "after": figure.after if figure.penalized else None,
        "sentence": findings.verification.weights_sentence,
    }


def _learning(figure: LearningFigure | None, stage: Stage) -> dict[str, Any] | None:
    if figure is None:
        return None
    names = draw_learning(stage, figure)
    return {
        "title": wording.learning_title(figure),
        "plots": [
            {
                "name": name,
                "label": curves.label,
                "penalized": curves.penalized,
                "best_epoch": curves.best_epoch,
                "last_epoch": int(curves.epochs[-1]),
                "folds": curves.folds,
            }
            for name, curves in zip(names, figure.curves, strict=True)
        ],
        "loss": figure.loss,
        "unit": figure.unit,
        "scale": figure.scale,
    }


def _effects(findings: Findings) -> dict[str, Any] | None:
    verification = findings.verification
    if verification is None:
        return None
    same = verification.before == verification.after
    return {
        "title": wording.effects_title(verification.effects)
        if not same
        else f"On {verification.rows:,} untouched rows, without a penalty",
        "rows": effects_table(verification.effects),
        "before": verification.before,
        "after": None if same else verification.after,
        "test_rows": verification.rows,
        "seeds": verification.seeds,
        "resamples": verification.resamples,
        "notes": verification.notes,
        "committee": None
        if findings.committee is None
        else {
            "size": findings.committee.size,
            "sentence": findings.committee.sentence,
            "rows": effects_table(findings.committee.effects),
        },
        "level": f"{verification.effects[0].difference.level:.0%}"
        if verification.effects
        else "95%",
    }


def _run(findings: Findings, run: RunInfo) -> dict[str, Any]:
    rule = ("selection", findings.selection.rule.replace("_", " "))
    plan = findings.plan
    about = str(plan.network)
    network = ("network", about)
    return run_part(run, findings.study, _fits(findings), network, plan.training, (rule,))


def _fits(findings: Findings) -> str:
    done, planned = len(findings.study.fits), len(findings.study.trials)
    if findings.stage is None and done == planned:
        return f"{done:,}"
    later = ", more were to come" if findings.not_run else ""
    return f"{done:,}, then interrupted; {planned - done:,} of those planned missing{later}"
