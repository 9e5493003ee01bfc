"""What is drawn of a capacity sweep is what its record says."""

from __future__ import annotations

import numpy as np
import pytest

from shrinkage import data as tables
from shrinkage import tune
from shrinkage.exhibits import Basis, Series
from shrinkage.exhibits.capacity import CapacitySweep
from shrinkage.exhibits.capacity_record import Capacity
from shrinkage.figures.capacity import capacity_figure
from shrinkage.network import Network


@pytest.fixture(scope="module")
def record() -> Capacity:
    table, target, name = tables.open_source("moons", samples=100)
    data = tables.prepare(table, target, name=name, folds=2, repeats=1)
    basis = Basis(data, Network(2, outputs=1), tune.default_training(data, epochs=3))
    sweep = CapacitySweep((1, 10, 100), refits=2, longer=1)
    series = Series(sweep, basis, threads=1)
    list(series)
    return sweep.read(series.study)


def test_lines_are_the_record(record: Capacity) -> None:
    figure = capacity_figure(record, "class")
    loss, wrong = figure.errors
    train, validation, test = loss.lines
    np.testing.assert_allclose(train.x, [0, 1, 2])
    for place, point in enumerate(record.points):
        assert train.values[place] == point.loss.train.estimate
        assert validation.high[place] == point.loss.validation.high
        assert point.loss.test is not None
        assert test.low[place] == point.loss.test.low
        assert point.wrong is not None
        assert wrong.lines[0].values[place] == point.wrong.train.estimate
    assert loss.best == np.log10(record.points[record.best].width)
    assert wrong.percent
    assert wrong.scale == "linear"


def test_means_lie_on_the_axes(record: Capacity) -> None:
    figure = capacity_figure(record, "class")
    for panel in (*figure.errors, *figure.complexity):
        low, high = panel.y_range
        for line in panel.lines:
            if panel.scale == "linear" or line.role != "train":
                assert low <= line.values.min()
            assert line.values.max() <= high


def test_a_surface_for_each_width(record: Capacity) -> None:
    figure = capacity_figure(record, "class")
    assert figure.surfaces is not None
    assert [frame.label for frame in figure.surfaces.frames] == ["1 unit", "10 units", "100 units"]
    assert figure.widths == (1, 10, 100)
