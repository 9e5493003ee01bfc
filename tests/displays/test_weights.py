from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shrinkage.displays import WeightDistributionDisplay
from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.estimators import ShrinkageClassifier
from shrinkage.figures.weights import weights_figure
from shrinkage.findings import Findings
from shrinkage.verify.weights import QUANTILES


def test_the_numbers_are_those_of_the_report(moons: Findings, diabetes: Findings, same) -> None:
    for found in (moons, diabetes):
        display = WeightDistributionDisplay.from_study(found.study)
        same(display.weights, weights_figure(found))


@pytest.mark.parametrize("kernel", [None, "layer 2 kernel"])
def test_densities_and_boxes_are_the_summaries(diabetes: Findings, kernel: str | None) -> None:
    display = WeightDistributionDisplay.from_study(diabetes.study, kernel=kernel)
    shown = display.weights.comparisons[0 if kernel is None else 2]
    assert shown.name == (kernel or "all hidden kernels")
    for side in ("before", "after"):
        summary = getattr(shown, side)
        x, y = display.lines_[side].get_data()
        np.testing.assert_array_equal(x, summary.x)
        np.testing.assert_allclose(y, np.maximum(summary.density, display.ax_.get_ylim()[0]))
        label = display.lines_[side].get_label()
        assert label == f"{summary.label}: {summary.zeros:.1%} exact zeros"
        of = dict(zip(QUANTILES, summary.quantiles))
        (median,) = display.boxes_[side]["medians"]
        assert set(median.get_xdata()) == {of[0.5]}
        ends = {x for cap in display.boxes_[side]["caps"] for x in cap.get_xdata()}
        assert ends == {of[0.01], of[0.99]}
    assert display.ax_.get_xlabel() == f"weight ({shown.name})"
    assert display.ax_boxes_.get_xlim() == display.ax_.get_xlim()


def test_without_an_unpenalized_network_one_side_is_drawn(rows) -> None:
    single = ShrinkageClassifier(
        hidden_layer_sizes=(8,), penalty="l1", lam=0.05, max_iter=30, random_state=0
    ).fit(*rows)
    display = WeightDistributionDisplay.from_estimator(single)
    assert list(display.lines_) == ["after"]
    assert f"{single.sparsity_:.1%} exact zeros" in display.lines_["after"].get_label()


def test_an_estimator_with_folds_has_both_sides(estimator, same) -> None:
    display = WeightDistributionDisplay.from_estimator(estimator)
    same(display.weights, WeightDistributionDisplay.from_study(estimator.study_).weights)
    after = display.weights.comparisons[0].after
    assert after.lam == estimator.lambda_
    assert after.zeros == estimator.sparsity_


def test_what_is_missing_is_said(moons: Findings) -> None:
    with pytest.raises(SettingError, match="unknown kernel"):
        WeightDistributionDisplay.from_study(moons.study, kernel="layer 9 kernel")
    folds = moons.study.fold_fits
    study = replace(moons.study, fits=folds, trials=tuple(fit.trial for fit in folds))
    with pytest.raises(ShrinkageError, match="did not finish"):
        WeightDistributionDisplay.from_study(study)
