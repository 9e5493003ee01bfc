"""What holds for every display: whose axes, how large, which colours, no surprises."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from sklearn.exceptions import NotFittedError

from shrinkage.displays import (
    CapacityDisplay,
    DecisionBoundaryDisplay,
    LambdaPathDisplay,
    LearningCurveDisplay,
    WeightDistributionDisplay,
)
from shrinkage.displays.axes import COLUMN
from shrinkage.errors import SettingError
from shrinkage.estimators import ShrinkageClassifierCV
from shrinkage.exhibits import Basis, Series
from shrinkage.exhibits.capacity import CapacitySweep
from shrinkage.findings import Findings

DISPLAYS = [
    CapacityDisplay,
    DecisionBoundaryDisplay,
    LambdaPathDisplay,
    LearningCurveDisplay,
    WeightDistributionDisplay,
]
Draw = Callable[..., Any]


@pytest.fixture(scope="module")
def sweep(moons: Findings) -> Any:
    plan = moons.plan
    basis = Basis(moons.study.data, plan.network, plan.training)
    series = Series(CapacitySweep((1, 20), refits=2, longer=1), basis, threads=1)
    list(series)
    return series.study


@pytest.fixture(params=DISPLAYS, ids=lambda display: display.__name__)
def draw(request: pytest.FixtureRequest, moons: Findings, sweep: Any) -> Draw:
    """Draw one of them, on axes or alone."""
    display = request.param
    return lambda **how: display.from_study(
        sweep if display is CapacityDisplay else moons.study, **how
    )


@pytest.fixture(autouse=True)
def never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def show(*_: Any, **__: Any) -> None:
        pytest.fail("a display showed a figure")

    monkeypatch.setattr(plt, "show", show)


def test_the_callers_axes_are_used_and_no_figure_is_opened(draw: Draw, ax: Axes) -> None:
    before = plt.get_fignums()
    display = draw(ax=ax)
    assert display.figure_ is ax.figure
    assert ax in display.figure_.axes
    assert plt.get_fignums() == before
    again = display.plot(ax)
    assert again is display
    assert plt.get_fignums() == before


def test_alone_it_fits_one_column_with_type_that_can_be_read(
    draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = draw().figure_
    assert figure.get_figwidth() == COLUMN
    written: list[Text] = []
    write = Text.draw

    def noted(text: Text, renderer: Any) -> None:
        if text.get_visible() and text.get_text():
            written.append(text)
        write(text, renderer)

    monkeypatch.setattr(Text, "draw", noted)
    figure.draw_without_rendering()
    written.clear()  # of the layout's trial; the second time is what is seen
    figure.canvas.draw()
    assert len(written) > 6
    boxes = {text: text.get_window_extent() for text in written}
    for text, box in boxes.items():
        assert text.get_fontsize() >= 7
        assert figure.bbox.x0 <= box.x0, text
        assert box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0, text
        assert box.y1 <= figure.bbox.y1, text
    for first, second in combinations(boxes, 2):
        assert not boxes[first].overlaps(boxes[second]), f"{first} over {second}"


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_lines_stand_out_from_any_background(draw: Draw, style: str) -> None:
    with plt.style.context(style):
        display = draw()
        paper = to_rgb(display.ax_.get_facecolor())
        for line in display.ax_.get_lines():
            # On a surface the boundary is judged by what is around it.
            if not isinstance(display, DecisionBoundaryDisplay):
                assert contrast(to_rgb(line.get_color()), paper) >= 2.9


# Machado, Oliveira & Fernandes (2009), severity 1: how dichromats see linear RGB.
DICHROMATS = {
    "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritan": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


@pytest.mark.parametrize("vision", list(DICHROMATS))
def test_lines_differ_in_stroke_or_to_every_eye(draw: Draw, vision: str) -> None:
    lines = [line for line in draw().ax_.get_lines() if len(line.get_xdata()) > 2]
    for first, second in combinations(lines, 2):
        stroke = [(line.get_linestyle(), line.get_marker()) for line in (first, second)]
        if stroke[0] == stroke[1]:
            seen = [lightness_and_hue(to_rgb(line.get_color()), vision) for line in (first, second)]
            assert np.linalg.norm(seen[0] - seen[1]) > 20


def test_no_display_without_matplotlib(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SettingError, match=r"Display needs .* pip install 'shrinkage\[plot\]'"):
        draw()


@pytest.mark.parametrize("display", DISPLAYS)
def test_an_estimator_has_to_be_fitted(display: Any, rows: Any) -> None:
    arguments = rows if display is DecisionBoundaryDisplay else ()
    with pytest.raises(NotFittedError):
        display.from_estimator(ShrinkageClassifierCV(), *arguments)


@pytest.mark.slow
def test_importing_them_does_not_import_matplotlib() -> None:
    code = "import sys, shrinkage.displays; print([m for m in sys.modules if 'matplotlib' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_settings_are_left_alone(draw: Draw) -> None:
    before = dict(mpl.rcParams)
    draw()
    assert dict(mpl.rcParams) == before


def linear(colour: tuple[float, float, float]) -> np.ndarray:
    shares = np.asarray(colour)
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def contrast(first: tuple[float, float, float], second: tuple[float, float, float]) -> float:
    """Contrast ratio (WCAG 2.2)."""
    dark, light = sorted(linear(colour) @ [0.2126, 0.7152, 0.0722] for colour in (first, second))
    return (light + 0.05) / (dark + 0.05)


def lightness_and_hue(colour: tuple[float, float, float], vision: str) -> np.ndarray:
    """CIE L*a*b* of what such an eye sees, D65."""
    seen = np.clip(np.array(DICHROMATS[vision]) @ linear(colour), 0, 1)
    xyz = (
        np.array(
            [
                [0.4124, 0.3576, 0.1805],
                [0.2126, 0.7152, 0.0722],
                [0.0193, 0.1192, 0.9505],
            ]
        )
        @ seen
    )
    f = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])
