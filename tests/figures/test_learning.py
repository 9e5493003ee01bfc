from __future__ import annotations

from dataclasses import replace

import numpy as np

from shrinkage.figures.learning import learning_figure, learning_of
from shrinkage.findings import Findings
from shrinkage.study import Study


def test_curves_are_means_over_the_folds(moons: Findings) -> None:
    figure = learning_figure(moons)
    assert figure is not None
    free = [fit for fit in moons.study.fold_fits if fit.trial.penalty is None]
    curves = figure.curves[0]
    assert (curves.label, curves.penalized, curves.folds) == ("no penalty", False, 3)
    np.testing.assert_allclose(
        curves.validation, np.mean([fit.validation_loss for fit in free], axis=0)
    )
    np.testing.assert_allclose(curves.train, np.mean([fit.train_loss for fit in free], axis=0))
    assert curves.best_epoch == curves.epochs[curves.validation.argmin()]


def test_both_sides_fit_on_one_axis(diabetes: Findings) -> None:
    figure = learning_figure(diabetes)
    assert figure is not None
    for curves in figure.curves:
        assert curves.validation.max() <= figure.y_range[1]
        assert curves.validation.min() >= figure.y_range[0]


def test_a_wide_fall_of_the_validation_loss_is_shown_on_a_logarithm(moons: Findings) -> None:
    study = moons.study
    steep = tuple(
        replace(fit, validation_loss=np.geomspace(50, 0.5, fit.epochs.size)) for fit in study.fits
    )
    figure = learning_figure(
        replace(moons, study=Study(study.data, study.trials, steep, study.versions))
    )
    assert figure is not None
    assert figure.scale == "log"
    assert 0 < figure.y_range[0] < 0.5


def test_no_figure_when_only_the_last_epoch_was_recorded(moons: Findings) -> None:
    study = moons.study
    last = tuple(
        replace(
            fit,
            epochs=fit.epochs[-1:],
            train_loss=fit.train_loss[-1:],
            validation_loss=fit.validation_loss[-1:],
        )
        for fit in study.fits
    )
    short = replace(moons, study=Study(study.data, study.trials, last, study.versions))
    assert learning_figure(short) is None


def test_fits_without_folds_have_a_training_curve_alone(moons: Findings) -> None:
    study = moons.study
    refits = replace(study, trials=tuple(f.trial for f in study.refits), fits=study.refits)
    figure = learning_of(refits, (None, 0.0))
    assert figure is not None
    (curves,) = figure.curves
    assert not curves.validated
    assert curves.folds == 1
    np.testing.assert_array_equal(curves.train, study.refits[0].train_loss)
    assert figure.y_range[1] > curves.train.max()
