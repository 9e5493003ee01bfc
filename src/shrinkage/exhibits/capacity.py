"""Capacity: errors and decision boundary of networks from one unit to many, without a penalty."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import ClassVar

import numpy as np

from shrinkage.detect.gains import Floats, gains_over, honest_gain, loss_name, over_folds
from shrinkage.engine.pool import predict
from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.exhibits.capacity_record import Capacity, Measured, WidthPoint, width_label
from shrinkage.exhibits.exhibit import Basis
from shrinkage.intervals import Interval, independent_interval
from shrinkage.network import layout
from shrinkage.scores import Failures, default_metric, score, unit, usable
from shrinkage.study import Fit, Study, Trial
from shrinkage.training import Training
from shrinkage.verify.boundary import Boundary, plane_through, surfaces_over
from shrinkage.verify.complexity import Complexity, complexity, fine_plane, no_boundary
from shrinkage.verify.performance import effects

WIDTHS = (1, 10, 50, 256, 1000)
"""The lesson's own."""
REFITS = 5
_ROWS_AT_ONCE = 1 << 16
_LONGER, _SMALL = 4, 2_000
"""Times the usual epochs, for tables of at most so many training rows: a network shows its capacity
only when it is trained for long."""


@dataclass(frozen=True)
class CapacitySweep:
    """The question how wide a network without a penalty should be.

    Parameters
    ----------
    widths : tuple of int, default (1, 10, 50, 256, 1000)
        Units of each hidden layer, at least two widths; sorted, and each once.
    layers : int, default 1
        Hidden layers of that many units.
    refits : int, default 5
        Networks of each width that are trained on every training row, for the test rows and the
        boundary.
    longer : int or None, default None
        Times the epochs of the basis; None for 4 on small tables and 1 on others.

    Raises
    ------
    SettingError
        On a width or a number below 1, or fewer than two widths.
    """

    widths: tuple[int, ...] = WIDTHS
    layers: int = 1
    refits: int = REFITS
    longer: int | None = None

    name: ClassVar[str] = "capacity"
    needs_weights: ClassVar[bool] = True

    @property
    def title(self) -> str:
        """What is compared."""
        widths = [f"{width:,}" for width in sorted(set(self.widths))]
        layers = f"{self.layers} layers of " if self.layers > 1 else ""
        # A comma inside a number must not be taken for one between two.
        mark = "; " if any("," in width for width in widths) else ", "
        return f"Capacity: {layers}{mark.join(widths)} units, without a penalty"

    def __post_init__(self) -> None:
        for width in self.widths:
            if width < 1:
                raise SettingError(
                    f"a width in --widths is {width}; every hidden layer needs at least 1 unit"
                )
        if len(set(self.widths)) < 2:
            given = f"only {self.widths[0]}" if self.widths else "empty"
            raise SettingError(
                f"the list of widths is {given}; give at least two to compare, such as 1,10,100"
            )
        if self.layers < 1:
            raise SettingError(f"layers is {self.layers}; at least 1 hidden layer has a width")
        if self.refits < 1:
            raise SettingError(f"refits is {self.refits}; the test rows need at least 1 network")

    def trials(self, basis: Basis) -> Iterator[Trial]:
        """Every width on a fold, then every width on all rows, and so on fold by fold."""
        small = basis.data.full.train.size <= _SMALL
        longer = self.longer or (_LONGER if small else 1)
        basis = replace(basis, training=_for(longer, basis.training))
        every = [(width,) * self.layers for width in sorted(set(self.widths))]
        for place in range(max(len(basis.folds), self.refits)):
            if place < len(basis.folds):
                yield from (basis.trial(place, hidden=hidden) for hidden in every)
            if place < self.refits:
                yield from (basis.trial(None, place, hidden=hidden) for hidden in every)

    def read(self, study: Study) -> Capacity:
        """See :func:`capacity`."""
        return capacity(study)


def _for(times: int, training: Training) -> Training:
    return replace(training, epochs=times * training.epochs)


def capacity(study: Study) -> Capacity:
    """Read the fits of a study whose trials are those of a :class:`CapacitySweep`.

    Folds and draws count that every width has finished. The best width is that with the least mean
    validation loss; what it gains over the widest is measured on folds that had no part in
    choosing it, and on the test rows.

    Raises
    ------
    ShrinkageError
        When no fold has all its widths, or fewer than two widths trained without diverging.
    """
    data = study.data
    fits = _by_width(study)
    widths = [hidden for hidden, own in fits.items() if any(map(usable, own.folds))]
    if len(widths) < 2:
        raise ShrinkageError(
            "fewer than two widths trained without diverging, so there is nothing to compare; "
            "lower the learning rate"
        )
    chosen = {hidden: fits[hidden] for hidden in widths}
    losses = np.stack([_on_folds(own.folds, study, _validation_loss) for own in chosen.values()])
    best = int(np.nanargmin(np.nanmean(losses, axis=1)))
    widest = gains_over(losses[:-1], losses[-1])
    points = _points(chosen, best, study)
    why = no_boundary(data)
    return Capacity(
        points=points,
        best=best,
        loss_name=loss_name(data, study.trials[0].training),
        unit=unit(default_metric(data.task), data),
        gain=honest_gain(widest, data),
        surfaces=_surfaces(list(chosen.values()), study),
        why_no_boundary=why,
        test_rows=len(data.test.targets),
        notes=_notes(study, [hidden for hidden in fits if hidden not in widths]),
    )


@dataclass(frozen=True, eq=False)
class _Width:
    """Fits of one width: on the folds that count, and on every training row."""

    hidden: tuple[int, ...]
    folds: tuple[Fit, ...]
    refits: tuple[Fit, ...]


def _by_width(study: Study) -> dict[tuple[int, ...], _Width]:
    widths = sorted({trial.network.hidden for trial in study.trials})
    where = {fit.trial: fit for fit in study.fits}
    complete: dict[tuple[int | None, int], dict[tuple[int, ...], Fit]] = {}
    for trial in study.trials:
        group = complete.setdefault((trial.fold, trial.seed), {})
        if trial in where:
            group[trial.network.hidden] = where[trial]
    done = [group for group in complete.values() if len(group) == len(widths)]
    if not any(fit.trial.fold is not None for group in done for fit in group.values()):
        raise ShrinkageError(
            "no fold has networks of every width yet; let the run finish, or try fewer widths"
        )
    found = {}
    for hidden in widths:
        own = [group[hidden] for group in done]
        found[hidden] = _Width(
            hidden,
            tuple(fit for fit in own if fit.trial.fold is not None),
            tuple(fit for fit in own if fit.trial.fold is None and fit.ok),
        )
    return found


def _validation_loss(fit: Fit) -> float:
    return fit.final_validation_loss


def _on_folds(fits: Sequence[Fit], study: Study, quantity: Callable[[Fit], float]) -> Floats:
    """A quantity of each fold's fit, (F,); NaN where there is none."""
    values = np.full(len(study.data.parts), np.nan)
    for fit in fits:
        if usable(fit) and fit.trial.fold is not None:
            values[fit.trial.fold] = quantity(fit)
    return values


def _points(
    chosen: dict[tuple[int, ...], _Width], best: int, study: Study
) -> tuple[WidthPoint, ...]:
    every = list(chosen.values())
    shapes = [] if no_boundary(study.data) else [_complexities(own, study) for own in every]
    return tuple(
        replace(
            _point(own, every[best], study),
            length=_over_networks([one.length for one in shapes[i]]) if shapes else None,
            islands=_over_networks([float(one.islands) for one in shapes[i]]) if shapes else None,
        )
        for i, own in enumerate(every)
    )


def _point(own: _Width, best: _Width, study: Study) -> WidthPoint:
    data = study.data
    tested = {}
    if own.refits and best.refits and len(data.test.targets):
        found, *_ = effects(best.refits, own.refits, data, data.test)
        tested = {effect.metric: effect for effect in found}
    loss = tested.get(default_metric(data.task))
    hits = tested.get("accuracy")

    def folds(quantity: Callable[[Fit], float]) -> Interval:
        return over_folds(_on_folds(own.folds, study, quantity), data)

    wrong = None
    if data.task != "regression":
        wrong = Measured(
            train=folds(lambda fit: _wrong_in_training(fit, study)),
            validation=folds(lambda fit: 1.0 - score("accuracy", fit, data)),
            test=None if hits is None else _complement(hits.after),
        )
    return WidthPoint(
        hidden=own.hidden,
        parameters=layout(own.folds[0].trial.network).size,
        loss=Measured(
            train=folds(lambda fit: fit.final_train_loss),
            validation=folds(_validation_loss),
            test=None if loss is None else loss.after,
        ),
        wrong=wrong,
        against_best=None if loss is None or own is best else loss.difference,
        networks=len(own.refits),
        length=None,
        islands=None,
    )


def _wrong_in_training(fit: Fit, study: Study) -> float:
    """Weighted share of the fold's training rows whose most probable class is another."""
    part, trial = study.data.part(fit.trial.fold), fit.trial
    rows = part.train
    # One piece, unless that would be a copy of a large table.
    pieces = np.array_split(rows, ceil(rows.size / _ROWS_AT_ONCE) if part.shares else 1)
    outputs = np.concatenate(
        [
            predict(trial.network, fit.parameters, part.seen(some), trial.training.loss)
            for some in pieces
        ]
    )
    binary = study.data.task == "binary"
    predicted = outputs[:, 0] > 0.5 if binary else outputs.argmax(axis=1)
    return float(np.average(predicted != part.targets[rows, 0], weights=part.weights[rows]))


def _complement(share: Interval) -> Interval:
    return Interval(1.0 - share.estimate, 1.0 - share.high, 1.0 - share.low, share.level)


def _complexities(own: _Width, study: Study) -> list[Complexity]:
    plane = fine_plane(study.data)
    return [complexity(fit, plane, study.data) for fit in own.refits]


def _over_networks(values: list[float]) -> Interval | None:
    """Mean over networks that differ in their seed alone: the usual t interval, not below 0."""
    if not values:
        return None
    found = independent_interval(np.array(values))
    return replace(found, low=max(found.low, 0.0)) if found.bounded else found


def _surfaces(every: list[_Width], study: Study) -> Boundary | None:
    """What the first network of each width answers; None without one of every width."""
    if not all(own.refits for own in every):
        return None
    data, plane = study.data, plane_through(study.data)
    fits = [own.refits[0] for own in every]
    labels = [width_label(own.hidden) for own in every]
    return Boundary(data.task, data.classes, plane, surfaces_over(plane, fits, labels, data))


def _notes(study: Study, failed: list[tuple[int, ...]]) -> tuple[str, ...]:
    notes = []
    if study.missing:
        notes.append(
            f"{len(study.missing)} of {len(study.trials)} networks were not trained; the numbers "
            "rest on the folds that have every width."
        )
    if failed:
        which = ", ".join(width_label(hidden) for hidden in failed)
        theirs = Failures.of(fit for fit in study.fits if fit.trial.network.hidden in failed)
        notes.append(f"Left out, because every training {theirs.verb}: {which}.")
    failures = Failures.of(study.fits)
    if failures.count:
        number = f"{failures.count} of {len(study.fits)} networks"
        notes.append(f"{number} {failures.verb} and are left out.")
    return tuple(notes)
