from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from shrinkage import data as tables
from shrinkage import tune
from shrinkage.displays import CapacityDisplay
from shrinkage.errors import SettingError
from shrinkage.estimators import ShrinkageClassifier
from shrinkage.exhibits import Basis, Series
from shrinkage.exhibits.capacity import CapacitySweep, capacity
from shrinkage.figures.capacity import capacity_figure
from shrinkage.network import Network
from shrinkage.study import Study


@pytest.fixture(scope="module")
def study() -> Study:
    table, target, name = tables.open_source("moons", samples=100)
    data = tables.prepare(table, target, name=name, folds=2, repeats=1)
    basis = Basis(data, Network(2, outputs=1), tune.default_training(data, epochs=3))
    series = Series(CapacitySweep((1, 10, 100), refits=2, longer=1), basis, threads=1)
    list(series)
    return series.study


def test_the_numbers_are_those_of_the_report(study: Study, same) -> None:
    target = study.data.target_names[0]
    figure = capacity_figure(capacity(study), target)
    same(CapacityDisplay.from_study(study).capacity, figure)
    same(CapacityDisplay.from_record(capacity(study), target).capacity, figure)


def test_panels_of_error_length_and_islands_share_their_widths(study: Study) -> None:
    display = CapacityDisplay.from_study(study)
    assert list(display.axes_) == ["wrong", "length", "islands"]
    figure = display.capacity
    for panel in (figure.errors[1], *figure.complexity):
        ax = display.axes_[panel.name]
        for line in panel.lines:
            drawn = display.lines_[panel.name, line.role]
            np.testing.assert_allclose(drawn.get_xdata(), [1, 10, 100])
            np.testing.assert_array_equal(drawn.get_ydata(), line.values)
        assert ax.get_ylabel()
    bottom = display.axes_["islands"].get_xticklabels()
    assert [text.get_text() for text in bottom] == ["1", "10", "100"]
    assert display.axes_["islands"].get_xlabel() == "units in a hidden layer"
    assert "1/SD" in display.axes_["length"].get_ylabel()
    record = capacity(study)
    assert display.best_ is not None
    assert display.best_.get_xdata()[0] == pytest.approx(record.points[record.best].width)


def test_panels_can_be_named_and_get_axes_of_their_own(study: Study, ax) -> None:
    alone = CapacityDisplay.from_study(study, panels=["loss"], ax=ax)
    assert alone.ax_ is ax
    assert ax.get_ylabel() == "log loss (nats)"
    _, two = plt.subplots(1, 2)
    both = CapacityDisplay.from_study(study, panels=["length", "loss"], ax=two)
    assert list(both.axes_.values()) == list(two)
    with pytest.raises(SettingError, match="draws 3 panels, but 2 axes were given"):
        CapacityDisplay.from_study(study, ax=two)
    with pytest.raises(SettingError, match="unknown panel 'error'"):
        CapacityDisplay.from_study(study, panels=["error"])


def test_several_panels_share_the_place_of_one_axes(study: Study) -> None:
    figure, (_, right) = plt.subplots(1, 2)
    display = CapacityDisplay.from_study(study, ax=right)
    assert display.figure_ is figure
    place = right.get_position()
    for own in display.axes_.values():
        assert own.get_position().x0 == pytest.approx(place.x0)
        assert place.y0 - 1e-9 <= own.get_position().y0
    free = figure.add_axes((0.1, 0.1, 0.2, 0.2))
    with pytest.raises(SettingError, match="need axes that are a subplot"):
        CapacityDisplay.from_study(study, ax=free)


def test_an_estimator_lends_its_folds(estimator, rows) -> None:
    display = CapacityDisplay.from_estimator(estimator, widths=(1, 4), networks=2)
    assert display.capacity.widths == (1, 4)
    assert ("wrong", "validation") in display.lines_
    assert ("wrong", "test") not in display.lines_  # an estimator sets no rows aside
    single = ShrinkageClassifier(hidden_layer_sizes=(2,), max_iter=1).fit(*rows)
    with pytest.raises(SettingError, match="fit a ShrinkageClassifierCV"):
        CapacityDisplay.from_estimator(single)
