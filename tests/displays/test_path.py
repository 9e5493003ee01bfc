from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shrinkage.displays import LambdaPathDisplay
from shrinkage.errors import SettingError
from shrinkage.estimators import ShrinkageClassifier, ShrinkageClassifierCV
from shrinkage.figures.path import path_figure
from shrinkage.findings import Findings


@pytest.mark.parametrize("name", ["moons", "wine", "diabetes"])
def test_the_numbers_are_those_of_the_report(name: str, request, same) -> None:
    found: Findings = request.getfixturevalue(name)
    same(LambdaPathDisplay.from_study(found.study).path, path_figure(found))


def test_what_is_drawn_is_the_path_in_lambda_itself(moons: Findings) -> None:
    display = LambdaPathDisplay.from_study(moons.study, penalty="l1")
    panel = next(panel for panel in display.path.panels if panel.penalty.name == "l1")
    for name in ("train", "validation"):
        x, y = display.lines_[name].get_data()
        np.testing.assert_allclose(x[1:], [0.001, 0.1])
        np.testing.assert_array_equal(y, getattr(panel, name))
        outline = display.bands_[name].get_paths()[0].vertices
        error = getattr(panel, f"{name}_error")
        assert outline[:, 1].max() == pytest.approx((y + error).max())
        assert outline[:, 1].min() == pytest.approx((y - error).min())
    assert display.ax_zeros_ is not None
    np.testing.assert_array_equal(display.lines_["zeros"].get_ydata(), 100 * panel.zeros)
    for mark in panel.marks:
        (x,), (y,) = display.marks_[mark.rule].get_data()
        assert (x, y) == (10.0**mark.x, mark.validation)


def test_no_penalty_stands_at_the_left_and_is_called_none(moons: Findings) -> None:
    display = LambdaPathDisplay.from_study(moons.study)
    first = display.ax_.xaxis.get_ticklocs()[0]
    labels = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert labels[0] == "none"
    assert "$10^{-2}$" in labels
    (x,), _ = display.marks_["none"].get_data()
    assert x == first < 0.001


def test_labels_of_a_long_path_have_room(rows) -> None:
    model = ShrinkageClassifierCV(
        hidden_layer_sizes=(2,), lambdas=10.0 ** np.arange(-8, 5), max_iter=2, cv=2
    )
    display = LambdaPathDisplay.from_estimator(model.fit(*rows))
    display.figure_.canvas.draw()
    boxes = [label.get_window_extent() for label in display.ax_.get_xticklabels()]
    assert len(boxes) >= 5
    assert not any(one.overlaps(other) for one, other in pairwise(boxes))


def test_axes_carry_names_and_units(moons: Findings, diabetes: Findings) -> None:
    display = LambdaPathDisplay.from_study(moons.study, penalty="elastic_net")
    assert display.ax_.get_ylabel() == "log loss (nats)"
    assert display.ax_.get_xlabel() == "λ of elastic net"
    assert display.ax_zeros_ is not None
    assert display.ax_zeros_.get_ylabel() == "weights exactly zero (%)"
    other = LambdaPathDisplay.from_study(diabetes.study)
    assert other.ax_.get_ylabel() == "mean squared error (target variances)"


def test_a_penalty_without_zeros_has_no_axis_for_them(moons: Findings) -> None:
    assert LambdaPathDisplay.from_study(moons.study, penalty="l2").ax_zeros_ is None


def test_from_an_estimator_alone_and_in_a_pipeline(estimator, same) -> None:
    alone = LambdaPathDisplay.from_estimator(estimator)
    same(alone.path, LambdaPathDisplay.from_study(estimator.study_).path)
    piped = make_pipeline(StandardScaler(), estimator)
    same(LambdaPathDisplay.from_estimator(piped).path, alone.path)


def test_the_rule_decides_what_is_pointed_out(moons: Findings) -> None:
    for rule in ("minimum", "one_standard_error"):
        path = LambdaPathDisplay.from_study(moons.study, rule=rule).path
        chosen = getattr(moons, rule).point
        pointed = [mark.label for panel in path.panels for mark in panel.marks if mark.selected]
        assert set(pointed) <= {chosen.label}
        assert bool(pointed) == (chosen.penalty is not None)


def test_what_has_no_path_is_refused_with_a_sentence(moons: Findings, rows) -> None:
    single = ShrinkageClassifier(hidden_layer_sizes=(2,), max_iter=1).fit(*rows)
    with pytest.raises(SettingError, match="fit a ShrinkageClassifierCV"):
        LambdaPathDisplay.from_estimator(single)
    with pytest.raises(SettingError, match="StandardScaler is none"):
        LambdaPathDisplay.from_estimator(StandardScaler().fit(rows[0]))
    with pytest.raises(SettingError, match="did you mean 'l1'"):
        LambdaPathDisplay.from_study(moons.study, penalty="L1")
    free = [fit for fit in moons.study.fits if fit.trial.penalty is None]
    study = replace(moons.study, fits=tuple(free), trials=tuple(fit.trial for fit in free))
    with pytest.raises(SettingError, match="train at some λ above 0"):
        LambdaPathDisplay.from_study(study)
