from __future__ import annotations

import numpy as np
import pytest

from shrinkage.exhibits.learning_curve_record import LearningCurve, compare
from shrinkage.figures.growth import growth_figure
from shrinkage.findings import Findings
from shrinkage.penalties import L2
from shrinkage.scores import Failures

ROWS = np.array([80.0, 160.0, 320.0, 480.0, 640.0])


def curves(findings: Findings, plain, penalized, noise=0.01, gap=0.05) -> LearningCurve:
    """Curves that follow known laws, on the folds of small findings."""
    rng = np.random.default_rng(0)
    data = findings.study.data

    def losses(law) -> np.ndarray:
        a, b, c = law
        shape = (ROWS.size, len(data.parts))
        validation = (a + b * ROWS**-c)[:, None] * (1 + noise * rng.normal(size=shape))
        return np.stack([validation - gap, validation])

    return compare(
        data,
        penalty=L2(),
        rows=ROWS,
        plain=losses(plain),
        penalized=losses(penalized),
        lambdas=(0.01,),
        best=(0.01,) * ROWS.size,
        loss_name="log loss",
        unit="nats",
        missing=0,
        failures=Failures(),
    )


@pytest.fixture
def found(moons: Findings) -> LearningCurve:
    return curves(moons, (0.0, 5.0, 0.5), (0.0, 80.0, 1.0))


def test_lines_hold_the_losses_and_their_intervals(found: LearningCurve) -> None:
    figure = growth_figure(found)
    for line, curve in zip(figure.lines, (found.plain, found.penalized), strict=True):
        np.testing.assert_array_equal(line.validation, curve.means)
        np.testing.assert_allclose(line.validation - line.train, 0.05)
        assert np.all((line.low < line.validation) & (line.validation < line.high))
    assert [line.penalized for line in figure.lines] == [False, True]


def test_the_law_is_drawn_solid_to_all_rows_and_dashed_from_there(found: LearningCurve) -> None:
    figure = growth_figure(found)
    line = figure.lines[0]
    assert line.inside[0][0] == 80
    assert line.inside[0][-1] == line.beyond[0][0] == 640
    np.testing.assert_allclose(line.beyond[1], found.plain.law.at(line.beyond[0]))
    assert np.all(np.diff(line.beyond[0]) > 0)


def test_the_rows_that_do_as_well_lie_on_the_dashed_line(found: LearningCurve) -> None:
    figure = growth_figure(found)
    assert figure.reached is not None
    rows, loss = figure.reached
    np.testing.assert_allclose(rows, 1_600, rtol=0.1)  # 5/√1600 = 80/640
    np.testing.assert_allclose(found.plain.law.at(rows), loss)
    assert figure.x_range[1] > rows
    assert figure.reached_label.startswith("about 1,")


def test_a_flat_curve_is_not_followed(moons: Findings) -> None:
    found = curves(moons, (0.5, 0.0, 1.0), (0.4, 0.0, 1.0))
    figure = growth_figure(found)
    assert figure.reached is None
    for line in figure.lines:  # joined marks
        assert not line.followed
        np.testing.assert_array_equal(line.inside, [figure.rows, line.validation])
        assert line.beyond[0].size == 0
    assert figure.x_range[1] < 2 * 640
    assert all(line.band[0].size == 0 for line in figure.lines)


def test_rows_that_cannot_be_told_are_not_marked(moons: Findings) -> None:
    found = curves(moons, (0.3, 5_000.0, 2.0), (0.3, 10.0, 1.2), noise=0.05)
    assert not found.tells_rows
    assert growth_figure(found).reached is None


def test_labels_of_the_rows_have_room(found: LearningCurve) -> None:
    places = [place for place, _ in growth_figure(found).ticks]
    assert 640.0 in places
    assert 80.0 in places
    assert np.diff(np.log10(places)).min() >= 0.16


def test_losses_far_apart_get_a_logarithmic_axis(moons: Findings) -> None:
    assert growth_figure(curves(moons, (0.0, 5.0, 0.5), (0.0, 80.0, 1.0))).scale == "log"
    assert growth_figure(curves(moons, (0.3, 2.0, 0.5), (0.3, 1.0, 0.5))).scale == "linear"
