"""The relaxed refit is compared on the same folds and the same test rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shrinkage.penalties import L1, L2
from shrinkage.study import Study
from shrinkage.verify.relaxation import relaxation

CHOSEN = (L1(), 0.1)


def relaxed(fit, gain, shift=0.0):
    """The same fit, its validation loss less by `gain`, its weights moved by `shift`."""
    trial = replace(fit.trial, training=replace(fit.trial.training, relaxed_epochs=7))
    losses = fit.validation_loss - gain
    return replace(
        fit, trial=trial, validation_loss=losses, parameters=fit.parameters * np.float32(1 + shift)
    )


def with_relaxed(study, gains, shift=0.0):
    """The study with a relaxed fit for each of its fits at the chosen point."""
    point = [f for f in study.fits if (f.trial.penalty, f.trial.lam) == CHOSEN]
    more = [
        relaxed(fit, 0.0 if fit.trial.fold is None else gains[fit.trial.fold], shift)
        for fit in point
    ]
    fits = [*study.fits, *more]
    return Study.of(study.data, [fit.trial for fit in fits], fits, {})


@pytest.fixture
def study(make_data, make_study):
    return make_study(make_data(folds=5), [(L2(), 0.1), CHOSEN], seeds=(0, 1, 2))


@pytest.mark.parametrize(
    ("gains", "outcome", "recommended", "advice"),
    [
        ([0.05, 0.06, 0.055, 0.052, 0.057], "better", True, "the relaxed network is the better"),
        ([-0.05, -0.06, -0.055, -0.052, -0.057], "worse", False, "keep the penalty"),
        ([0.05, -0.06, 0.04, -0.02, 0.01], "no clear difference", False, "no case for it"),
        ([0.0] * 5, "no clear difference", False, "no case for it"),
    ],
)
def test_the_folds_decide(study, gains, outcome, recommended, advice):
    found = relaxation(with_relaxed(study, gains), CHOSEN, study.data.test)
    assert (found.outcome, found.recommended) == (outcome, recommended)
    assert found.difference.estimate == pytest.approx(-np.mean(gains))
    assert found.relaxed - found.penalized == pytest.approx(-np.mean(gains))
    assert (found.folds, found.seeds, found.rows, found.epochs) == (5, 3, 24, 7)
    assert advice in found.sentence
    assert "5 folds" in found.sentence
    assert "24 test rows" in found.sentence


def test_equal_networks_have_no_effect_on_the_test_rows_and_others_have(study):
    same = relaxation(with_relaxed(study, [0.0] * 5), CHOSEN, study.data.test)
    assert all(effect.difference.estimate == 0 for effect in same.effects)
    moved = relaxation(with_relaxed(study, [0.0] * 5, shift=2.0), CHOSEN, study.data.test)
    assert moved.effects[0].difference.estimate != 0
    assert moved.effects[0].before == same.effects[0].before


def test_test_rows_that_contradict_the_folds_withdraw_the_advice(study):
    found = relaxation(
        with_relaxed(study, [0.05, 0.06, 0.055, 0.052, 0.057], shift=-3.0), CHOSEN, study.data.test
    )
    assert found.effects[0].outcome == "worse"
    assert not found.recommended
    assert "contradict" in found.sentence


def test_only_folds_that_both_have_are_compared(study):
    whole = with_relaxed(study, [0.05, 0.06, 0.055, 0.052, 0.5])
    fits = [
        fit for fit in whole.fits if not (fit.trial.training.relaxed_epochs and fit.trial.fold == 4)
    ]
    found = relaxation(replace(whole, fits=tuple(fits)), CHOSEN, study.data.test)
    assert found.folds == 4
    assert found.difference.estimate == pytest.approx(-0.05425)


def test_without_relaxed_fits_there_is_nothing_to_say(study):
    assert relaxation(study, CHOSEN, study.data.test) is None
    assert relaxation(with_relaxed(study, [0.1] * 5), (L2(), 0.1), study.data.test) is None
