"""What a notebook shows of a fitted estimator: λ, gap and sparsity in scikit-learn's diagram."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from math import isfinite
from typing import Any

import numpy as np

from shrinkage.detect import Diagnosis
from shrinkage.detect.gains import loss_name, over_folds, point_of
from shrinkage.intervals import Interval, decimals
from shrinkage.network import layout
from shrinkage.penalties import describe
from shrinkage.penalties.names import describe_lambda
from shrinkage.scores import default_metric, unit
from shrinkage.study import Fit, Study
from shrinkage.tune import Selection

# Inside the box of an estimator scikit-learn's colours are the same in light and dark.
_STYLE = """<style>
.shrinkage-summary { padding: 0.5rem; max-width: 44rem; overflow-x: auto; }
.shrinkage-summary table { border-collapse: collapse; margin: 0 auto; }
.shrinkage-summary :is(th, td) {
  padding: 0.15rem 0.6rem; text-align: left !important; vertical-align: top; color: #1b1f24;
  white-space: normal;
}
.shrinkage-summary th { font-weight: normal; color: #4a525a; }
.shrinkage-summary thead th { font-weight: bold; color: #1b1f24; }
</style>"""


class NotebookSummary:
    """Puts the summary of a fitted estimator into its HTML diagram, alone or in a pipeline."""

    def _get_params_html(self, *arguments: Any, **named: Any) -> Any:
        """scikit-learn's table of the parameters, which its diagram asks for, after the summary."""
        parameters = super()._get_params_html(*arguments, **named)  # type: ignore[misc]
        table = parameters._html_repr
        parameters._html_repr = lambda: summary_html(self) + table()
        return parameters


def summary_html(estimator: Any) -> str:
    """A small table: penalty, losses with their gap, exact zeros, network and training.

    Parameters
    ----------
    estimator : estimator
        Of this package.

    Returns
    -------
    str
        HTML; empty when it is not fitted.
    """
    fit = getattr(estimator, "fit_", None)
    study = getattr(estimator, "study_", None)
    if not isinstance(fit, Fit) or not isinstance(study, Study):
        return ""
    columns = list(_columns(estimator, fit, study))
    measure = unit(default_metric(study.data.task), study.data)
    loss = loss_name(study.data, study.trials[0].training)
    places = decimals(*(loss for column in columns for loss in (column.train, column.validation)))
    shown = [
        (f"training {loss} ({measure})", [_number(one.train, places) for one in columns]),
        (f"validation {loss} ({measure})", [_number(one.validation, places) for one in columns]),
        (f"gap ({measure})", [_interval(one.gap) for one in columns]),
        ("exact zeros", [one.zeros for one in columns]),
    ]
    rows = [_row(name, values) for name, values in shown if any(values)]
    rows += [
        f'<tr><th scope="row">{escape(name)}</th>'
        f'<td colspan="{len(columns)}">{escape(text)}</td></tr>'
        for name, text in _facts(estimator, fit, study)
    ]
    head = "".join(f'<th scope="col">{escape(column.label)}</th>' for column in columns)
    return (
        f'{_STYLE}<div class="shrinkage-summary"><table><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _row(name: str, values: list[str]) -> str:
    cells = "".join(f"<td>{escape(value)}</td>" for value in values)
    return f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>'


def _number(value: float, places: int) -> str:
    return f"{value:.{places}f}" if isfinite(value) else ""


def _interval(of: Interval | None) -> str:
    if of is None:
        return ""
    return str(of) if of.bounded else _number(of.estimate, decimals(of.estimate))


@dataclass(frozen=True)
class _Column:
    """What is known of one network; NaN and "" are what is not."""

    label: str
    train: float
    validation: float
    gap: Interval | None
    zeros: str


def _columns(estimator: Any, fit: Fit, study: Study) -> Iterator[_Column]:
    """The network in use, then that without a penalty where it was judged beside it."""
    label = describe(*point_of(fit))
    weights = layout(fit.trial.network).penalized
    zeros = f"{fit.sparsity:.1%} of {weights.stop - weights.start:,}"
    selection = getattr(estimator, "selection_", None)
    if isinstance(selection, Selection):
        point = selection.point
        differences = np.full(len(study.data.parts), np.nan)
        differences[point.folds] = point.validation_losses - point.train_losses
        gap = over_folds(differences, study.data)
        yield _Column(label, point.mean_train, point.mean_validation, gap, zeros)
    else:
        train, validation = fit.final_train_loss, fit.final_validation_loss
        only = validation - train
        alone = Interval(only, -np.inf, np.inf) if isfinite(only) else None
        yield _Column(label, train, validation, alone, zeros)
    facts = getattr(estimator, "diagnosis_", None)
    if isinstance(facts, Diagnosis) and point_of(fit) != (None, 0.0):
        yield _Column("no penalty", facts.train_loss, facts.validation_loss, facts.gap, "")


def _facts(estimator: Any, fit: Fit, study: Study) -> Iterator[tuple[str, str]]:
    facts = getattr(estimator, "diagnosis_", None)
    if isinstance(facts, Diagnosis):
        yield "diagnosis", f"{facts.heading} without a penalty"
    selection = getattr(estimator, "selection_", None)
    if isinstance(selection, Selection):
        yield "choice", _choice(selection)
    network, training = fit.trial.perceptron, fit.trial.training
    sizes = " – ".join(f"{size:,}" for size in network.sizes)
    yield "network", f"{sizes}, {network.activation}" if network.hidden else f"{sizes}, linear"
    plural = "" if fit.stopped_at == 1 else "s"
    yield "training", f"{training.optimizer}, {fit.stopped_at:,} epoch{plural}"
    fits, seconds = len(study.fits), sum(fit.seconds for fit in study.fits)
    if seconds > 0:
        several = f"{fits:,} fits in " if fits > 1 else ""
        took = "less than 0.1" if seconds < 0.1 else f"{seconds:,.1f}"
        yield "time", f"{several}{took} s of a core"


def _choice(selection: Selection) -> str:
    """By what, from how many, and where on the path."""
    point = selection.point
    kind = point.penalty or selection.runner_up
    tried = sorted(one.lam for one in selection.points if one.penalty == kind and one.lam)
    folds = f"{point.folds.size} fold" + ("" if point.folds.size == 1 else "s")
    by = f"{selection.title[:1].lower()}{selection.title[1:]} over {folds}"
    if not tried:
        return by
    span = f"{len(tried)} λ from {describe_lambda(tried[0])} to {describe_lambda(tried[-1])}"
    if point.penalty is None:
        return f"{by}; none of {span} is better"
    return f"{by}; number {tried.index(point.lam) + 1} of {span}"
