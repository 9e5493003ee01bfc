from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from shrinkage.figures.path import Zone, path_figure, zones
from shrinkage.findings import Findings
from shrinkage.scores import path
from shrinkage.study import Study, Trial


def test_zones_end_where_the_line_crosses_one_standard_error() -> None:
    x = np.array([0.0, 1.0, 2.0, 3.0])
    validation = np.array([5.0, 1.0, 1.0, 2.0])
    train = np.array([0.1, 0.5, 0.8, 1.9])
    found = zones(x, train, validation, np.full(4, 0.5))
    # From 5 at 0 to 1 at 1 the line passes 1.5 at 0.875; from 1 at 2 to 2 at 3 at 2.5.
    assert [zone.name for zone in found] == ["overfitting", "good", "underfitting"]
    np.testing.assert_allclose(
        [(zone.start, zone.stop) for zone in found], [(0, 0.875), (0.875, 2.5), (2.5, 3)]
    )


def test_no_overfitting_zone_where_no_penalty_is_within_one_standard_error() -> None:
    x = np.array([0.0, 1.0, 2.0])
    found = zones(x, np.array([0.5, 0.6, 2.0]), np.array([1.1, 1.0, 3.0]), np.full(3, 0.5))
    assert found[0] == Zone("good", 0.0, 1.25)
    assert [zone.name for zone in found] == ["good", "underfitting"]


def test_a_side_that_the_training_loss_contradicts_gets_no_name() -> None:
    # Validation is worse without a penalty, but so is training: that is not overfitting.
    x = np.array([0.0, 1.0])
    found = zones(x, np.array([2.0, 0.5]), np.array([3.0, 1.0]), np.array([0.1, 0.1]))
    assert [zone.name for zone in found] == ["good"]


def test_zones_cover_the_path_without_overlap(moons: Findings) -> None:
    figure = path_figure(moons)
    assert figure is not None
    for panel in figure.panels:
        for left, right in zip(panel.zones[:-1], panel.zones[1:], strict=True):
            assert left.stop == right.start
        good = next(zone for zone in panel.zones if zone.name == "good")
        assert good.start <= panel.x[np.argmin(panel.validation)] <= good.stop


def test_panels_hold_the_points_of_the_path(moons: Findings) -> None:
    figure = path_figure(moons)
    assert figure is not None
    assert sorted(panel.penalty.name for panel in figure.panels) == ["elastic_net", "l1", "l2"]
    for panel in figure.panels:
        own = [point for point in moons.points if point.penalty in (None, panel.penalty)]
        np.testing.assert_array_equal(panel.validation, [point.mean_validation for point in own])
        np.testing.assert_array_equal(
            panel.validation_error, [point.se_validation for point in own]
        )
        np.testing.assert_allclose(panel.x[1:], [-3, -1])
        assert panel.edge == panel.x[0] < -3
        assert panel.labels[0] == "no penalty"


@pytest.mark.parametrize("rule", ["minimum", "one_standard_error"])
def test_marks_are_the_two_selections(moons: Findings, rule: str) -> None:
    figure = path_figure(moons)
    assert figure is not None
    point = getattr(moons, rule).point
    if point.penalty is None:
        point = min(
            (p for p in moons.points if p.penalty == moons.selection.runner_up),
            key=lambda p: p.mean_validation,
        )
    marks = [
        mark
        for panel in figure.panels
        if panel.penalty == point.penalty
        for mark in panel.marks
        if mark.rule == rule
    ]
    assert [mark.label for mark in marks] == [point.label]


def test_points_on_fewer_folds_are_left_out_and_counted(moons: Findings) -> None:
    cut = _only(moons.study, lambda trial: trial.lam != 0.1 or trial.fold == 0)
    figure = path_figure(replace(moons, study=cut, points=path(cut)))
    assert figure is not None
    assert figure.incomplete == 3
    for panel in figure.panels:
        np.testing.assert_allclose(panel.x[1:], [-3])


def test_no_figure_without_a_penalized_point(moons: Findings) -> None:
    free = _only(moons.study, lambda trial: trial.penalty is None)
    assert path_figure(replace(moons, study=free, points=path(free))) is None


def _only(study: Study, keep: Callable[[Trial], bool]) -> Study:
    """What a plan of those trials alone would have been."""
    return Study(
        study.data,
        tuple(filter(keep, study.trials)),
        tuple(fit for fit in study.fits if keep(fit.trial)),
        study.versions,
    )
