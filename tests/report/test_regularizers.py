"""The interaction map and the learning curve, drawn in a browser."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shrinkage import data as tables
from shrinkage import tune
from shrinkage.exhibits import Basis, Series, Shown
from shrinkage.exhibits.interaction import InteractionMap
from shrinkage.exhibits.learning_curve import GrowingData
from shrinkage.network import Network
from shrinkage.report import RunInfo, write

if TYPE_CHECKING:
    from playwright.sync_api import Page

EXHIBITS = {
    "interaction": InteractionMap(lambdas=(0.001, 0.01, 0.1, 1.0), dropouts=(0.2, 0.5)),
    "learning-curve": GrowingData(lambdas=(0.01, 0.1)),
}
COLOURS = """name => {
    const plots = JSON.parse(document.getElementById("settings").textContent).plots;
    const canvas = Bokeh.index.get_by_id(plots[name]).export("png").canvas;
    const pixels = new Uint32Array(canvas.getContext("2d").getImageData(
        0, 0, canvas.width, canvas.height).data.buffer);
    return new Set(pixels).size;
}"""
Show = Callable[..., "Page"]


@cache
def shown(name: str) -> Shown:
    """A quick exhibit on moons."""
    exhibit = EXHIBITS[name]
    table, target, shown_name = tables.open_source("moons", samples=240)
    data = tables.prepare(table, target, name=shown_name, folds=3, repeats=1)
    basis = Basis(data, Network(2, (16,), 1), tune.default_training(data, epochs=20))
    series = Series(exhibit, basis, threads=1)
    list(series)
    return Shown(exhibit.read(series.study), exhibit.title, basis, series.study)


@pytest.fixture
def show(page: Page, run: RunInfo, tmp_path: Path) -> Show:
    def open_it(name: str, width: int = 1280) -> Page:
        path = write(shown(name), run, tmp_path / f"{name}.html")
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]")
        return page

    return open_it


@pytest.mark.parametrize(
    ("name", "plot"), [("interaction", "interaction"), ("learning-curve", "growth")]
)
@pytest.mark.parametrize("width", [390, 1280])
def test_the_figure_is_drawn_and_fits(show: Show, name: str, plot: str, width: int) -> None:
    page = show(name, width)
    assert page.evaluate(COLOURS, plot) > 20
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator(f'[data-plot="{plot}"]').get_attribute("aria-label")
    assert page.locator("h1").inner_text() == shown(name).record.headline


def test_pointing_at_a_cell_tells_it(show: Show) -> None:
    page = show("interaction")
    record = shown("interaction").record
    place = page.locator('[data-plot="interaction"]')
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box
    # The topmost row, right of the middle: the largest λ with the first dropout.
    for step in (0, 3):
        page.mouse.move(box["x"] + 0.55 * box["width"] + step, box["y"] + 22)
    tip = page.locator(".bk-Tooltip .bk-tooltip-content:visible").first
    tip.wait_for()
    assert "λ of L2" in tip.inner_text()
    assert f"{record.losses[-1, 1]:.4f}" in tip.inner_text()
