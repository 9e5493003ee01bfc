"""Everything that is claimed about the selected penalty, gathered in one record."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shrinkage.data import TestSet
from shrinkage.detect import Diagnosis, diagnose
from shrinkage.detect.gains import Point, point_of
from shrinkage.errors import ShrinkageError
from shrinkage.intervals import decimals
from shrinkage.penalties import describe
from shrinkage.scores import Failures
from shrinkage.study import Fit, Study
from shrinkage.verify.boundary import Boundary, boundary_along
from shrinkage.verify.checklist import CheckPoint, nine_points
from shrinkage.verify.large import tested
from shrinkage.verify.performance import TOO_FEW, Effect, effects
from shrinkage.verify.relaxation import Relaxation, relaxation
from shrinkage.verify.shrinking import Shrinking, shrinking
from shrinkage.verify.simplicity import Simplicity, simplicity_of
from shrinkage.verify.weights import (
    WeightsComparison,
    WeightsSummary,
    compare_weights,
    weights_along,
)

if TYPE_CHECKING:
    from shrinkage.tune import Selection

_NONE: Point = (None, 0.0)


@dataclass(frozen=True, eq=False)
class Verification:
    """Every claim about the selected penalty, with its number.

    Parameters
    ----------
    before, after : str
        Labels of what is compared: ``"no penalty"`` and ``"L2, λ = 0.01"``; equal when no penalty
        was selected.
    rows : int
        Rows of the test set.
    seeds : int
        Refits on each side that the effects average over.
    resamples : int
        Bootstrap resamples behind the intervals.
    effects : tuple of Effect
        The loss first.
    weights : tuple of WeightsComparison
        All hidden kernels together first, then each, every pair on its own x; of the refits with
        the first seed.
    weights_path : tuple of WeightsSummary
        All hidden kernels, for each λ of the path of refits with the first seed, all on the same
        x; parallel to ``boundary.surfaces``.
    boundary : Boundary
        Surfaces along the same path.
    checklist : tuple of CheckPoint
        The lesson's nine points.
    notes : tuple of str
        What could not be computed, and why.
    sentence : str
        The effect on the test set in one sentence.
    weights_sentence : str
        The effect on the weights in one sentence.
    shrinking : Shrinking or None, default None
        What is left of the selected refit with the first seed once its dead units and unused inputs
        are removed; None when nothing can be.
    relaxation : Relaxation or None, default None
        The selected penalty against what survives it, trained once more without it; None when that
        was not tried.
    simplicity : Simplicity or None, default None
        How simple the networks are without and with the selected penalty, measured.
    """

    before: str
    after: str
    rows: int
    seeds: int
    resamples: int
    effects: tuple[Effect, ...]
    weights: tuple[WeightsComparison, ...]
    weights_path: tuple[WeightsSummary, ...]
    boundary: Boundary
    checklist: tuple[CheckPoint, ...]
    notes: tuple[str, ...]
    sentence: str
    weights_sentence: str
    shrinking: Shrinking | None = None
    relaxation: Relaxation | None = None
    simplicity: Simplicity | None = None


def verify(
    study: Study, selection: Selection, test: TestSet, diagnosis: Diagnosis | None = None
) -> Verification:
    """The selected penalty against no penalty: test set, weights, boundary and checklist.

    Parameters
    ----------
    study : Study
        With refits on every training row, without penalty and with the selected one.
    selection : Selection
        What was chosen.
    test : TestSet
        Rows that nothing has touched so far.
    diagnosis : Diagnosis, optional
        Of the same study; computed here when not given.

    Returns
    -------
    Verification
        See there.

    Raises
    ------
    ShrinkageError
        Without test rows; when a side of the comparison has no finished refit (an interrupted run,
        divergence).
    """
    if not len(test.targets):
        raise ShrinkageError(
            "there are no test rows, and the test set is what verifies; give rows that nothing "
            "else has seen"
        )
    set_aside, test = len(test.targets), tested(test)
    everything, study, point = study, study.principal, selection.point
    selected: Point = (point.penalty, point.lam) if point.penalty and point.lam else _NONE
    before, after = sides_of(study, selected)
    diagnosis = diagnosis or diagnose(study)
    labels = (study.label(*_NONE), study.label(*selected))

    found, resamples, notes = effects(before, after, study.data, test)
    path = refits_along(study, selected, before[0].trial.seed)
    path_labels = [study.label(*point_of(fit)) for fit in path]
    boundary = boundary_along(path, path_labels, study.data)
    weights = compare_weights(before[0], after[0], labels)
    return Verification(
        before=labels[0],
        after=labels[1],
        rows=len(test.targets),
        seeds=len(before),
        resamples=resamples,
        effects=found,
        weights=weights,
        weights_path=weights_along(path, path_labels),
        boundary=boundary,
        checklist=nine_points(study, diagnosis, selected, weights, boundary),
        notes=(*_drawn(len(test.targets), set_aside), *notes, *_missing_notes(study)),
        sentence=_sentence(found, labels[1], len(test.targets), len(before)),
        weights_sentence=_weights_sentence(
            weights[0], selected, bool(before[0].trial.network.hidden)
        ),
        shrinking=shrinking(after[0], study.data) if selected[0] else None,
        relaxation=relaxation(everything, selected, test) if selected[0] else None,
        simplicity=simplicity_of(before, after, study.data, test),
    )


def sides_of(study: Study, selected: Point) -> tuple[list[Fit], list[Fit]]:
    """Refits without and with the selected penalty, of the same seeds where there are such."""
    sides = []
    for point in (_NONE, selected):
        fits = {fit.trial.seed: fit for fit in study.refits if point_of(fit) == point and fit.ok}
        if not fits:
            reason, remedy = _why_none([fit for fit in study.refits if point_of(fit) == point])
            raise ShrinkageError(
                f"the refit on every training row ({describe(*point)}) {reason}, so the effect on "
                f"the test set cannot be shown; {remedy}"
            )
        sides.append(fits)
    common = sorted(sides[0].keys() & sides[1].keys())
    if common:
        return [sides[0][seed] for seed in common], [sides[1][seed] for seed in common]
    return list(sides[0].values()), list(sides[1].values())


def _why_none(refits: list[Fit]) -> tuple[str, str]:
    """Why refits that are all of a point's cannot be used, and what would help."""
    failures = Failures.of(refits)
    if not refits:
        return "did not finish", "let the run finish"
    if failures.out_of_time:
        return failures.verb, "allow more time for a fit, or train fewer epochs"
    if failures.lost:
        return failures.verb, "give workers more memory"
    return failures.verb, "lower the learning rate"


def refits_along(study: Study, selected: Point, seed: int) -> list[Fit]:
    """Refits of one seed along λ: no penalty, then the selected penalty's (or the commonest's)."""
    fits = [fit for fit in study.refits if fit.ok and fit.trial.seed == seed]
    penalties = Counter(point_of(fit)[0] for fit in fits if point_of(fit) != _NONE)
    shown = selected[0]
    if shown is None and penalties:
        shown = penalties.most_common(1)[0][0]
    along = {point_of(fit): fit for fit in fits if point_of(fit)[0] in (None, shown)}
    return [along[point] for point in sorted(along, key=lambda point: point[1])]


def _drawn(rows: int, set_aside: int) -> list[str]:
    if rows == set_aside:
        return []
    return [f"{rows:,} of the {set_aside:,} test rows, drawn at random, stand for all."]


def _missing_notes(study: Study) -> list[str]:
    missing = sum(trial.fold is None for trial in study.missing)
    failures = Failures.of(study.refits)
    notes = []
    if missing:
        notes.append(
            f"{missing} {'refit' if missing == 1 else 'refits'} on every training row did not "
            "finish; boundaries and weights are shown for the others."
        )
    if failures.count:
        what, are = ("refit", "is") if failures.count == 1 else ("refits", "are")
        notes.append(f"{failures.count} {what} {failures.verb} and {are} left out.")
    return notes


def _sentence(found: tuple[Effect, ...], after: str, rows: int, seeds: int) -> str:
    """The effect on the test set: the loss, then accuracy or R²."""
    where = f"On the {rows:,} untouched test {'row' if rows == 1 else 'rows'}"
    over = f" (mean of {seeds} seeds)" if seeds > 1 else ""
    loss = found[0]
    shown = [loss, *(effect for effect in found if effect.metric in {"accuracy", "r2"})]
    unpenalized = after == describe(*_NONE)
    if loss.outcome == TOO_FEW:
        told = " the network without a penalty has " if unpenalized else f", {after} takes "
        numbers = (
            f"{effect.label} " + (_numbers(effect)[0] if unpenalized else _from_to(effect))
            for effect in shown
        )
        return f"{where}{told}{' and '.join(numbers)}{over}: {_too_few(rows)}."
    if unpenalized:
        return f"{where} the network without a penalty has {loss.label} {loss.before}{over}."
    changes = [_change(effect) for effect in shown]
    return f"{where}, {after}{over} {' and '.join(changes)}."


def _too_few(rows: int) -> str:
    """``"too few test rows (2) to tell"``."""
    return TOO_FEW.replace("rows", f"rows ({rows:,})")


def _numbers(effect: Effect) -> tuple[str, str]:
    """Before and after, with common decimals."""
    places = decimals(effect.before.estimate, effect.after.estimate)
    return f"{effect.before.estimate:.{places}f}", f"{effect.after.estimate:.{places}f}"


def _from_to(effect: Effect) -> str:
    return "from {} to {}".format(*_numbers(effect))


def _change(effect: Effect) -> str:
    old, new = _numbers(effect)
    if effect.outcome == TOO_FEW:
        return f"takes {effect.label} {_from_to(effect)}, {TOO_FEW}"
    if effect.outcome == "no clear difference":
        return (
            f"makes no clear difference to {effect.label} ({old} → {new}, difference "
            f"{effect.difference})"
        )
    verb = "raises" if effect.difference.estimate > 0 else "lowers"
    return f"{verb} {effect.label} {_from_to(effect)} (difference {effect.difference})"


def _weights_sentence(weights: WeightsComparison, selected: Point, hidden: bool) -> str:
    noun = "hidden weights" if hidden else "weights"
    before, after = weights.before, weights.after
    if selected == _NONE:
        return (
            f"Without a penalty the {noun} range from {before.minimum:.2f} to "
            f"{before.maximum:.2f}, with a spread of {before.std:.3f}."
        )
    return (
        f"The {noun}' spread goes from {before.std:.3f} to {after.std:.3f}, their range "
        f"from [{before.minimum:.2f}, {before.maximum:.2f}] to [{after.minimum:.2f}, "
        f"{after.maximum:.2f}], and {after.zeros:.1%} of them are exactly zero "
        f"(before: {before.zeros:.1%})."
    )
