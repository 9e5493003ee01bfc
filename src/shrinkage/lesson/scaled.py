"""One network shrunk without training: its hidden weights times s, from 1 down to 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from shrinkage.exhibits import Table
from shrinkage.lesson.exhibited import Claim, judged
from shrinkage.lesson.measured import Floats, across, boundary_of, ratio_across, test_scores
from shrinkage.lesson.pictures import Boundaries, Chart, Picture, banded, panels_of
from shrinkage.lesson.ranks import rank_correlation
from shrinkage.network import layout
from shrinkage.study import Fit, Study
from shrinkage.verify.norms import weight_norm
from shrinkage.verify.smoothness import jacobian_norms

SCALES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_SHOWN = (1.0, 0.8, 0.6, 0.4, 0.2)
_HALF, _WHOLE = SCALES.index(0.5), SCALES.index(1.0)
_HIGH = 0.8


def scaled(fit: Fit, scale: float) -> Fit:
    """The same network with its hidden kernels multiplied by a number, biases and output as before.

    Parameters
    ----------
    fit : Fit
        With its parameters.
    scale : float
        s; at 0 the answer is the same everywhere.

    Returns
    -------
    Fit
        With other parameters; its history is still that of the training.
    """
    parameters = fit.parameters.copy()
    for block in layout(fit.trial.network).kernels[:-1]:
        block.of(parameters)[:] *= np.float32(scale)
    return replace(fit, parameters=parameters)


@dataclass(frozen=True, eq=False)
class Scaled:
    """What is measured at each s of each seed, (seeds, s), and beside a trained small network.

    Parameters
    ----------
    jacobian, length, loss, accuracy : ndarray of float64, shape (seeds, s)
        Median Jacobian norm over the training points, boundary length per area, test log loss in
        nats and test accuracy in percent.
    match : ndarray of float64, shape (seeds,)
        The s at which the norm of the hidden weights is that of the trained small network.
    matched, trained : ndarray of float64, shape (seeds,)
        Test accuracy in percent there, and of that network.
    """

    jacobian: Floats
    length: Floats
    loss: Floats
    accuracy: Floats
    match: Floats
    matched: Floats
    trained: Floats


def scaled_values(studies: Sequence[Study], small: int) -> Scaled:
    """Scale the first network of each seed, and compare with one that was trained to be small.

    Parameters
    ----------
    studies : sequence of Study
        One for each seed.
    small : int
        Place of the other network among a study's fits.

    Returns
    -------
    Scaled
    """
    rows, pairs = [], []
    for study in studies:
        part, data = study.data.part(0), study.data
        whole, other = study.fits[0], study.fits[small]
        for scale in SCALES:
            fit = scaled(whole, scale)
            rows.append(
                (
                    np.median(jacobian_norms(fit, part.inputs[part.train])),
                    boundary_of(fit, data).length,
                    *test_scores(fit, data),
                )
            )
        match = weight_norm(other) / weight_norm(whole)
        pairs.append(
            (match, test_scores(scaled(whole, match), data)[1], test_scores(other, data)[1])
        )
    values = np.array(rows).reshape(len(studies), len(SCALES), -1).transpose(2, 0, 1)
    return Scaled(*values, *np.array(pairs).T)


def scaled_claims(found: Scaled) -> tuple[Claim, ...]:
    """What scaling alone does to the function."""
    half = ratio_across(found.jacobian[:, _HALF], found.jacobian[:, _WHOLE])
    scales = np.broadcast_to(np.array(SCALES), found.length.shape)
    short = rank_correlation(scales, found.length)
    lost = across(found.trained - found.matched)
    return (
        judged(
            "Shrinking the weights of one network flattens its function: at half the weights the "
            "Jacobian norm is at most half.",
            f"It is {half} times that of the whole network. Two layers that are halved would give "
            "a quarter if no unit turned on or off.",
            half,
            at_most=0.5,
            unit="times",
        ),
        judged(
            "Its boundary gets shorter as s falls.",
            f"Spearman's correlation of s and boundary length is {short}; the length is "
            f"{across(found.length[:, _WHOLE])} at s = 1, {across(found.length[:, _HALF])} at "
            f"s = 0.5 and {across(found.length[:, 0])} at s = 0.",
            short,
            at_least=_HIGH,
        ),
        judged(
            "Small weights alone are not a good model: scaled to the norm that training with Keras "
            "0.01 leads to, the network predicts fewer new points rightly than the trained one.",
            f"At s = {across(found.match)} both have the same norm; {found.matched.mean():.1f} % "
            f"are right after scaling, {found.trained.mean():.1f} % after training: {lost} points "
            "less.",
            lost,
            above=0,
            unit="points",
        ),
    )


def scaled_pictures(study: Study, found: Scaled) -> tuple[Picture, ...]:
    """Boundaries of the first seed at some s, and two charts over all seeds."""
    whole = study.fits[0]
    shown = [scaled(whole, scale) for scale in _SHOWN]
    longest = SCALES[int(found.length.mean(axis=0).argmax())]
    caption = (
        "Follow the line from right to left. The band is the 95% interval over the seeds; nothing "
        "was trained between one point and the next."
    )
    return (
        Boundaries(
            "One network, its hidden weights shrunk",
            "From left to right the same network with less and less of its weights: the line moves "
            "away from the points that it was trained on, its bends go, and in the end one class "
            "takes all. The first seed.",
            panels_of(shown, [f"s = {scale:g}" for scale in _SHOWN], study.data),
        ),
        Chart(
            "The slope of the answer against s",
            "s, the share of the hidden weights that is left",
            "median norm of the Jacobian (log odds per unit)",
            caption,
            (banded("", "none", SCALES, [across(column) for column in found.jacobian.T]),),
        ),
        Chart(
            "The length of the boundary against s",
            "s, the share of the hidden weights that is left",
            "boundary length per area",
            f"It is longest at s = {longest:g}: biases are not shrunk, so what was folded around "
            f"the points moves out before it goes. {caption}",
            (banded("", "none", SCALES, [across(column) for column in found.length.T]),),
        ),
    )


def scaled_table(found: Scaled) -> Table:
    """Every s, from the whole network down."""
    rows = [
        (
            f"{SCALES[place]:g}",
            *(
                str(across(values[:, place]))
                for values in (found.jacobian, found.length, found.loss, found.accuracy)
            ),
        )
        for place in reversed(range(len(SCALES)))
    ]
    return Table(
        (
            "s",
            "median Jacobian norm",
            "boundary length per area",
            "test log loss (nats)",
            "test accuracy (%)",
        ),
        tuple(rows),
    )
