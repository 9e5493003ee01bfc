from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shrinkage.displays import LearningCurveDisplay
from shrinkage.errors import SettingError
from shrinkage.estimators import ShrinkageClassifier
from shrinkage.figures.learning import learning_figure
from shrinkage.findings import Findings
from shrinkage.study import Study


def test_the_numbers_are_those_of_the_report(moons: Findings, diabetes: Findings) -> None:
    for found in (moons, diabetes):
        own, report = LearningCurveDisplay.from_study(found.study).learning, learning_figure(found)
        assert report is not None
        assert (own.loss, own.unit, own.scale) == (report.loss, report.unit, report.scale)
        assert own.y_range == report.y_range
        for one, other in zip(own.curves, report.curves, strict=True):
            np.testing.assert_array_equal(one.train, other.train)
            np.testing.assert_array_equal(one.validation, other.validation)
            assert one.gap == pytest.approx(other.gap)


def test_every_curve_is_a_line(diabetes: Findings) -> None:
    display = LearningCurveDisplay.from_study(diabetes.study)
    without, penalized = display.learning.curves
    assert without.label == "no penalty"
    assert penalized.penalized
    assert len(display.lines_) == 4
    for curves in (without, penalized):
        for rows in ("train", "validation"):
            line = display.lines_[curves.label, rows]
            np.testing.assert_array_equal(line.get_xdata(), curves.epochs)
            np.testing.assert_array_equal(line.get_ydata(), getattr(curves, rows))
            assert line.get_linestyle() == {"train": "--", "validation": "-"}[rows]
    assert display.ax_.get_xlabel() == "epoch"
    assert display.ax_.get_ylabel() == "mean squared error (target variances)"
    texts = [text.get_text() for text in display.legend_.get_texts()]
    assert texts == ["no penalty", penalized.label, "validation", "training"]


def test_one_network_without_validation_rows_has_a_training_curve(rows) -> None:
    single = ShrinkageClassifier(hidden_layer_sizes=(8,), max_iter=6, random_state=0).fit(*rows)
    display = LearningCurveDisplay.from_estimator(single)
    ((label, kind), line), *others = display.lines_.items()
    assert (label, kind, others) == ("L2, λ = 0.01", "train", [])
    np.testing.assert_array_equal(line.get_ydata(), single.loss_curve_)
    assert "validation" not in [text.get_text() for text in display.legend_.get_texts()]


def test_validation_rows_bring_both_networks(rows) -> None:
    inputs, labels = rows
    single = ShrinkageClassifier(hidden_layer_sizes=(8,), max_iter=6, random_state=0)
    single.fit(inputs[:60], labels[:60], X_val=inputs[60:], y_val=labels[60:])
    display = LearningCurveDisplay.from_estimator(single)
    line = display.lines_["L2, λ = 0.01", "validation"]
    np.testing.assert_array_equal(line.get_ydata(), single.validation_curve_)
    assert ("no penalty", "validation") in display.lines_


def test_from_an_estimator_with_folds(estimator, same) -> None:
    same(
        LearningCurveDisplay.from_estimator(estimator).learning,
        LearningCurveDisplay.from_study(estimator.study_).learning,
    )


def test_losses_of_one_epoch_are_no_curve(moons: Findings) -> None:
    def last(study: Study) -> Study:
        fits = tuple(
            replace(
                fit,
                epochs=fit.epochs[-1:],
                train_loss=fit.train_loss[-1:],
                validation_loss=fit.validation_loss[-1:],
            )
            for fit in study.fits
        )
        return replace(study, fits=fits)

    with pytest.raises(SettingError, match="at least two epochs"):
        LearningCurveDisplay.from_study(last(moons.study))
