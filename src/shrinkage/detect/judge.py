"""How the verdict is reached."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shrinkage.detect.diagnosis import Diagnosis, Verdict
from shrinkage.detect.gains import (
    best_of,
    by_fold,
    constant_loss,
    gains_over,
    honest_gain,
    loss_name,
    over_folds,
    point_of,
    validation_curves,
    validation_losses,
)
from shrinkage.detect.wording import prescription, sentence
from shrinkage.errors import ShrinkageError
from shrinkage.scores import Failures, loss_unit, usable
from shrinkage.study import Fit, Study

POOR = 0.3
"""A training loss that explains less than this share of the null loss is called poor."""
UNFINISHED = 0.8
"""Below this explained share, a validation loss that still falls tells of too short a training."""


def diagnose(study: Study) -> Diagnosis:
    """Whether the unpenalized network overfits, underfits or does neither.

    It underfits when its training loss is worse than a constant prediction's. Else it overfits
    when the gap between validation and training loss is beyond noise and not small, when some
    penalty or an earlier epoch validates better beyond noise, or when a gap of any size beyond
    noise makes it validate worse than a constant. Else it underfits when its training loss is poor,
    or middling while the validation loss still falls, unless it validates worse than a constant.
    Else it is balanced, or not shown to overfit (:attr:`Diagnosis.gap_is_unclear`).

    Parameters
    ----------
    study : Study
        With at least one finished unpenalized fit on a fold; may be interrupted.

    Returns
    -------
    Diagnosis
        Verdict, numbers with intervals, and the two sentences.

    Raises
    ------
    ShrinkageError
        Without a finished unpenalized fit, or when all of them failed.

    Examples
    --------
    >>> from shrinkage import L2, Network
    >>> from shrinkage.data import bundled, prepare
    >>> from shrinkage.tune import Search, plan
    >>> data = prepare(*bundled("moons", 200), folds=3, repeats=1)
    >>> small = plan(data, network=Network(2, (8,)), penalties=(L2(),), lambdas=(0.01,), refits=1)
    >>> search = Search(data, small)
    >>> fits = list(search)
    >>> diagnose(search.study).verdict
    'balanced'
    """
    facts = _measure(study.principal)
    judged = replace(facts, verdict=_verdict(facts))
    return replace(judged, sentence=sentence(judged), prescription=prescription(judged))


def _verdict(facts: Diagnosis) -> Verdict:
    return verdict_by(
        overfits=facts.gap_is_material or facts.penalty_helps or facts.stopping_helps,
        not_generalizing=facts.not_generalizing,
        gap_is_shown=facts.gap.low > 0,
        explained=facts.explained,
        falling=facts.still_falling,
        not_trained=facts.not_trained,
    )


def verdict_by(
    *,
    overfits: bool,
    not_generalizing: bool,
    gap_is_shown: bool,
    explained: float | None,
    falling: bool,
    not_trained: bool,
) -> Verdict:
    """The rules of docs/mathematics.md, in their order.

    Parameters
    ----------
    overfits : bool
        Whether the gap is material, or a penalty or an earlier epoch validates better.
    not_generalizing : bool
        Whether training beats a constant answer and validation does not.
    gap_is_shown : bool
        Whether the gap is beyond noise.
    explained : float or None
        Share of the constant answer's loss that training explains; None where it is not known.
    falling : bool
        Whether the validation loss still fell.
    not_trained : bool
        Whether the training loss is worse than a constant answer's, or not finite.
    """
    if not_trained:
        return "underfits"
    if overfits:
        return "overfits"
    if not_generalizing:
        return "overfits" if gap_is_shown else "balanced"
    if explained is not None and (explained < POOR or (falling and explained < UNFINISHED)):
        return "underfits"
    return "balanced"


def _measure(study: Study) -> Diagnosis:
    """Every number of the diagnosis; verdict and sentences are still to come."""
    data = study.data
    baseline = _baseline(study)
    null_loss = constant_loss(data, baseline[0].trial.training)
    points = validation_losses(study)
    losses = points.pop((None, 0.0))
    train_losses = by_fold(baseline, data, lambda fit: fit.final_train_loss)

    # Of recipes the choice is made by the metric, which may not be the loss.
    labels = [
        "the best recipe" if study.names else study.label(penalty, lam) for penalty, lam in points
    ]
    gains = gains_over(np.array(list(points.values())).reshape(len(points), losses.size), losses)
    best = best_of(gains)
    best_penalized = None if best is None else labels[best]
    better = best is not None and float(np.nanmean(gains[best])) > 0

    epochs, curves = validation_curves(baseline, data)
    followed = epochs.size > 1
    early_gains = gains_over(curves, curves[-1])
    earliest = best_of(early_gains) if followed else None
    last_quarter = curves[(3 * epochs.size - 1) // 4] - curves[-1]
    judged = followed and bool(np.isfinite(last_quarter).any())

    return Diagnosis(
        verdict="balanced",
        loss_name=loss_name(data, baseline[0].trial.training),
        unit=loss_unit(data),
        train_loss=float(np.nanmean(train_losses)),
        validation_loss=float(np.nanmean(losses)),
        null_loss=null_loss,
        gap=over_folds(losses - train_losses, data),
        fall=over_folds(last_quarter, data) if judged else None,
        penalty_gain=honest_gain(gains, data, np.arange(losses.size) >= study.screened),
        best=best_penalized if better and best_penalized is not None else "no penalty",
        best_penalized=best_penalized,
        early_gain=honest_gain(early_gains, data) if followed else None,
        early_epoch=None if earliest is None else int(epochs[earliest]),
        epochs=int(epochs[-1]),
        folds=int(np.isfinite(losses).sum()),
        failures=Failures.of(study.fold_fits),
        missing=sum(trial.fold is not None for trial in study.missing),
        hidden_layers=len(baseline[0].trial.network.hidden),
        recipes=bool(study.names),
        sentence="",
        prescription="",
    )


def _baseline(study: Study) -> list[Fit]:
    """Unpenalized fits on folds that ended well; at least one."""
    finished = [fit for fit in study.fold_fits if point_of(fit) == (None, 0.0)]
    good = [fit for fit in finished if usable(fit)]
    if good:
        return good
    if finished:
        failures, rate = Failures.of(finished), finished[0].trial.training.learning_rate
        remedy = f"lower the learning rate (it was {rate:g})"
        if failures.out_of_time:
            remedy = "allow more time for a fit, or train fewer epochs"
        elif failures.lost:
            remedy = "give workers more memory"
        raise ShrinkageError(
            f"all {len(finished)} fits without a penalty {failures.verb}, so there is nothing to "
            f"compare with; {remedy}"
        )
    planned = any(trial.penalty is None and trial.fold is not None for trial in study.trials)
    if planned:
        raise ShrinkageError(
            "the run ended before any fit without a penalty finished, so overfitting cannot be "
            "judged; let it run longer"
        )
    raise ShrinkageError(
        "the study has no fits without a penalty on folds, so overfitting cannot be judged; plan "
        "trials with penalty None too"
    )
