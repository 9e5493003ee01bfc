"""The parts that every page has: what the data are, and how the numbers were made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shrinkage.data import Data
from shrinkage.findings.ingredients import ingredients
from shrinkage.network import Network, OwnNetwork
from shrinkage.report.run import RunInfo
from shrinkage.study import Study
from shrinkage.training import Training

_TASKS = {
    "binary": "two classes",
    "multiclass": "{} classes",
    "regression": "regression",
}


def data_part(data: Data, network: Network | OwnNetwork | None = None) -> dict[str, Any]:
    """What was understood of the table; `network` where there is one for all."""
    description = data.description
    warnings = description.warnings
    sentences = description.sentences
    task = _TASKS[description.task].format(len(description.class_counts))
    join = "for a" if description.task == "regression" else "of"
    return {
        "sentences": sentences[: len(sentences) - len(warnings)],
        "warnings": warnings,
        "facts": [
            ("rows", f"{description.rows:,}"),
            ("columns", f"{description.columns:,}"),
            ("inputs of the network", f"{description.inputs:,}"),
            ("target", f"{description.target} ({task})"),
            *([] if network is None else [("network", str(network))]),
        ],
        "title": f"{description.rows:,} rows {join} {task}, {description.test_rows:,} of them "
        "untouched until the end",
    }


def run_part(
    run: RunInfo,
    study: Study,
    fits: str,
    about: tuple[str, str],
    training: Training,
    extra: tuple[tuple[str, str], ...] = (),
) -> dict[str, Any]:
    """How the numbers were made.

    Parameters
    ----------
    run : RunInfo
        Command, machine and times.
    study : Study
        Data and versions.
    fits : str
        How many networks were trained.
    about : (str, str)
        A fact: the network, or the question that its networks answer.
    training : Training
        Of all of them.
    extra : tuple of (str, str)
        Further facts.
    """
    more = ingredients(training)
    return {
        "command": run.command,
        "facts": [
            ("data fingerprint", study.data.fingerprint),
            *([] if run.seed is None else [("seed", str(run.seed))]),
            ("fits", fits),
            about,
            (
                "training",
                f"{training.optimizer}, {training.epochs} epochs, batches of {training.batch_size}",
            ),
            ("learning rate", f"{training.learning_rate:g}, {training.schedule}"),
            *([("also regularized by", "; ".join(more))] if more else []),
            ("folds", f"{study.data.folds} × {study.data.repeats} repeats"),
            *extra,
            *(_machine(run) if run.platform else []),
            ("date", f"{run.date:%Y-%m-%d %H:%M}"),
        ],
        "versions": [*([("Python", run.python)] if run.python else []), *study.versions.items()],
        "seconds": _seconds(run.seconds),
    }


def _machine(run: RunInfo) -> list[tuple[str, str]]:
    return [("threads", f"{run.threads} of {run.cores} cores"), ("machine", run.platform)]


def _seconds(seconds: Mapping[str, float]) -> list[tuple[str, str]]:
    rows = [(stage, f"{value:.1f} s") for stage, value in seconds.items()]
    return [*rows, ("together", f"{sum(seconds.values()):.1f} s")] if len(rows) > 1 else rows
