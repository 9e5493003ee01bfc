"""The lesson's nine points, each ticked or crossed by evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shrinkage.conventions import KERAS_L2
from shrinkage.detect import Diagnosis
from shrinkage.detect.gains import Floats, Point, validation_losses
from shrinkage.detect.wording import not_shown, one_fold
from shrinkage.intervals import decimals
from shrinkage.network import Block, Network, OwnNetwork, layout
from shrinkage.penalties import describe, describe_lambda
from shrinkage.scores import usable
from shrinkage.study import Study
from shrinkage.verify.boundary import Boundary
from shrinkage.verify.weights import WeightsComparison

USUAL_START = KERAS_L2.lam(0.01)
"""The lesson's first λ for L2, Keras' ``l2(0.01)``, as it is called here: 0.02."""
_ALIKE = 0.02  # losses that differ by less than this share of the null loss are alike
_NEAR = 10**0.5  # a λ within half a decade of another is near it


@dataclass(frozen=True)
class CheckPoint:
    """One point of the checklist.

    Parameters
    ----------
    text : str
        The point, as the lesson words it.
    passed : bool or None
        True ticked, False crossed (also when the data cannot tell), None when it does not apply.
    evidence : str
        One sentence with the number that decides.
    """

    text: str
    passed: bool | None
    evidence: str


def nine_points(
    study: Study,
    diagnosis: Diagnosis,
    selected: Point,
    weights: Sequence[WeightsComparison],
    boundary: Boundary | None,
) -> tuple[CheckPoint, ...]:
    """The lesson's checklist with the evidence of this study.

    Parameters
    ----------
    study : Study
        With its fold fits.
    diagnosis : Diagnosis
        Of the study.
    selected : tuple of Penalty or None, and float
        The selected penalty and its λ; (None, 0) for no penalty.
    weights : sequence of WeightsComparison
        All hidden kernels first; empty when not compared.
    boundary : Boundary or None
        As drawn.

    Returns
    -------
    tuple of CheckPoint
        Nine, in the lesson's order.
    """
    measured = _measured(study)
    losses = {point: float(np.nanmean(v)) for point, v in measured.items()}
    # A point on one fold, easy or hard, is no match for one on all of them.
    most = max((np.isfinite(v).sum() for v in measured.values()), default=0)
    comparable = {p: losses[p] for p, v in measured.items() if np.isfinite(v).sum() == most}
    # A fold's own encoding can have fewer inputs; the refits' network is the one to apply.
    whole = (
        trial.network
        for wanted in (selected, (None, 0.0))
        for trial in study.trials
        if trial.fold is None and (trial.penalty, trial.lam) == wanted
    )
    network = next(whole, study.trials[0].network)
    return (
        _gap(diagnosis),
        _hidden_layers(network, selected),
        _output_layer(network),
        _biases(network),
        _usual_start(comparable, diagnosis),
        _both_losses(study, diagnosis),
        _boundary(boundary),
        _weights(weights, selected),
        _tuned(losses, selected, diagnosis),
    )


def _measured(study: Study) -> dict[Point, Floats]:
    """Validation losses of the points that have one on some fold."""
    return {point: v for point, v in validation_losses(study).items() if np.isfinite(v).any()}


def _gap(diagnosis: Diagnosis) -> CheckPoint:
    gap = diagnosis.gap.with_unit(diagnosis.unit)
    return CheckPoint(
        "Identify overfitting through train/test performance gap",
        not diagnosis.gap_is_unclear and not diagnosis.one_fold,
        f"Without a penalty, validation minus training {diagnosis.loss_name} is {gap} over "
        f"{diagnosis.folds} {'fold' if diagnosis.one_fold else 'folds'}: {_told(diagnosis)}.",
    )


def _told(diagnosis: Diagnosis) -> str:
    """What the gap tells of the network, which is not always what the penalties tell."""
    if diagnosis.one_fold:
        return one_fold(diagnosis)
    if not diagnosis.gap_is_unclear:
        state = "does not overfit" if diagnosis.verdict == "balanced" else diagnosis.verdict
        return f"the network {state}"
    if diagnosis.verdict == "overfits":
        return f"from this alone it is {not_shown(diagnosis)}, but the network overfits"
    also = "underfits and " if diagnosis.verdict == "underfits" else ""
    return f"the network {also}is {not_shown(diagnosis)}"


def _penalized(network: Network | OwnNetwork, blocks: Sequence[Block]) -> int:
    """How many numbers of `blocks` the penalty acts on."""
    reach = layout(network).penalized
    return sum(max(min(b.stop, reach.stop) - max(b.start, reach.start), 0) for b in blocks)


def _hidden_layers(network: Network | OwnNetwork, selected: Point) -> CheckPoint:
    places = layout(network)
    hidden = [block for block in places.kernels if block.kind == "hidden kernel"]
    count = _penalized(network, places.blocks)
    which = (
        "the kernels of hidden layers " + _listed([str(block.layer) for block in hidden])
        if len(hidden) > 1
        else "the kernel of hidden layer 1"
        if hidden
        else "the only kernel, as there is no hidden layer"
    )
    complete = _penalized(network, hidden) == sum(b.stop - b.start for b in hidden)
    subject = describe(*selected) if selected[0] else "No penalty was selected; those tried"
    verb = "acts" if selected[0] else "act"
    return CheckPoint(
        "Add regularization to all hidden layers",
        None if selected[0] is None or not hidden else complete,
        f"{subject} {verb} on {count:,} of {places.count:,} parameters: {which}.",
    )


def _output_layer(network: Network | OwnNetwork) -> CheckPoint:
    output = [block for block in layout(network).blocks if block.kind.startswith("output")]
    total, count = sum(b.stop - b.start for b in output), _penalized(network, output)
    linear = not network.hidden
    reason = "; without hidden layers its kernel is all there is to penalize" if linear else ""
    return CheckPoint(
        "Do NOT regularize the output layer",
        None if linear else count == 0,
        f"The penalty acts on {count:,} of the {total:,} output parameters{reason}.",
    )


def _biases(network: Network | OwnNetwork) -> CheckPoint:
    biases = layout(network).biases
    total, count = sum(b.stop - b.start for b in biases), _penalized(network, biases)
    noun = "bias" if total == 1 else "biases"
    return CheckPoint(
        "Do NOT regularize bias terms",
        count == 0,
        f"The penalty acts on {count:,} of {total:,} {noun}.",
    )


def _usual_start(losses: dict[Point, float], diagnosis: Diagnosis) -> CheckPoint:
    text = "Start with L2 regularization and λ = 0.01"
    tried = {
        lam: loss for (penalty, lam), loss in losses.items() if penalty and penalty.name == "l2"
    }
    if not tried:
        return CheckPoint(text, False, "L2 has no finished fit in this study.")
    nearest = min(tried, key=lambda lam: abs(np.log(lam / USUAL_START)))
    close = max(nearest / USUAL_START, USUAL_START / nearest) <= _NEAR
    shown = [tried[nearest], diagnosis.validation_loss, min(losses.values())]
    places = decimals(*shown)
    near, none, best = (f"{loss:.{places}f}" for loss in shown)
    return CheckPoint(
        text,
        close,
        f"The L2 λ tried nearest to {USUAL_START:g}, which is Keras' l2(0.01), is "
        f"{describe_lambda(nearest)}: validation "
        f"{diagnosis.loss_name} {near}, against {none} without a penalty and {best} at the best "
        "point.",
    )


def _both_losses(study: Study, diagnosis: Diagnosis) -> CheckPoint:
    fits = [fit for fit in study.fold_fits if usable(fit)]
    followed = [
        fit
        for fit in fits
        if fit.epochs.size > 1
        and np.isfinite(fit.train_loss).all()
        and np.isfinite(fit.validation_loss).all()
    ]
    times = max((fit.epochs.size for fit in followed), default=0)
    lowest = (
        f"; without a penalty the validation loss is lowest at epoch {diagnosis.early_epoch} of "
        f"{diagnosis.epochs}"
        if diagnosis.early_epoch is not None
        else ""
    )
    return CheckPoint(
        "Monitor both training and validation loss",
        bool(fits) and len(followed) == len(fits),
        f"Both were recorded at {times} epochs in {len(followed):,} of {len(fits):,} finished "
        f"{'fit' if len(fits) == 1 else 'fits'} on folds{lowest}.",
    )


def _boundary(boundary: Boundary | None) -> CheckPoint:
    text = "Visualize decision boundaries (for 2D problems)"
    if boundary is None or not boundary.surfaces:
        return CheckPoint(text, None, "Nothing was drawn: there is no finished refit.")
    plane, count = boundary.plane, len(boundary.surfaces)
    surface = "prediction" if boundary.task == "regression" else "boundary"
    where = {
        "one input": "over the input",
        "two inputs": "over the two inputs",
        "principal components": "over the first two principal components "
        f"({plane.explained:.0%} of the variance)",
    }[plane.kind]
    return CheckPoint(
        text,
        True,
        f"The {surface} is drawn {where} at {plane.x.size * plane.y.size:,} points for "
        f"{count} {'fit' if count == 1 else 'fits'} along the path.",
    )


def _weights(weights: Sequence[WeightsComparison], selected: Point) -> CheckPoint:
    text = "Compare weight distributions before/after"
    if not weights or selected[0] is None:
        return CheckPoint(text, None, "No penalty was selected, so there is no 'after'.")
    both = weights[0]
    return CheckPoint(text, both.after.std < both.before.std, f"{str(both).capitalize()}.")


def _tuned(losses: dict[Point, float], selected: Point, diagnosis: Diagnosis) -> CheckPoint:
    text = "Tune λ based on results"
    if diagnosis.recipes:
        count = sum(penalty is not None for penalty, _ in losses)
        return CheckPoint(
            text,
            count >= 3,
            f"{count} {'recipe was' if count == 1 else 'recipes were'} compared on every fold, "
            "each with a λ of its own.",
        )
    names = sorted({penalty.label for penalty, _ in losses if penalty})
    lams = {lam for penalty, lam in losses if penalty}
    if not lams:
        return CheckPoint(text, False, "No λ has a finished fit.")
    least, largest = describe_lambda(min(lams)), describe_lambda(max(lams))
    values = f"{len(lams)} values of λ from {least} to {largest} were"
    if len(lams) == 1:
        values = f"1 value of λ, {least}, was"
    tried = f"{values} tried for {_listed(names)}"
    penalty, lam = selected
    if penalty is None:
        return CheckPoint(
            text, len(lams) >= 3, f"{tried}; no penalty was selected, at validation "
            f"{diagnosis.loss_name} {diagnosis.validation_loss:.3g}."
        )  # fmt: skip
    own = [other for name, other in losses if name == penalty]
    settled, where = True, "inside the range tried"
    if lam <= min(own) and _close(losses, selected, diagnosis.validation_loss, diagnosis):
        where = "at the low end of the range tried, where it nearly equals no penalty"
    elif lam >= max(own) and _close(losses, selected, diagnosis.null_loss, diagnosis):
        where = "at the high end of the range tried, where the network predicts a constant"
    elif not min(own) < lam < max(own):
        settled, where = False, "at the end of the range tried; widen it"
    return CheckPoint(
        text,
        len(own) >= 3 and settled,
        f"{tried}; {describe(penalty, lam)} was selected, {where}.",
    )


def _close(
    losses: dict[Point, float], point: Point, reference: float, diagnosis: Diagnosis
) -> bool:
    """Whether a point's loss equals the reference but for an amount that does not count."""
    return abs(losses.get(point, np.inf) - reference) <= _ALIKE * diagnosis.null_loss


def _listed(names: Sequence[str]) -> str:
    """``"1, 2 and 3"``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
