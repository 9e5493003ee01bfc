"""Exhibits on a page of their own, and as parts of a run's report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe

from shrinkage import data as tables
from shrinkage import tune
from shrinkage.exhibits import Basis, Series, Shown
from shrinkage.exhibits.capacity import CapacitySweep
from shrinkage.findings import Findings
from shrinkage.network import Network
from shrinkage.report import RunInfo, render, write

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCRIPT = "<script>alert(1)</script>"
COLOURS = """() => Object.fromEntries(
    Object.entries(JSON.parse(document.getElementById("settings").textContent).plots).map(
        ([name, id]) => {
            const canvas = Bokeh.index.get_by_id(id).export("png").canvas;
            const pixels = new Uint32Array(canvas.getContext("2d").getImageData(
                0, 0, canvas.width, canvas.height).data.buffer);
            return [name, new Set(pixels.filter((_, i) => i % 7 === 0)).size];
        }))"""
Show = Callable[..., "Page"]


@cache
def shown(source: str) -> Shown:
    """A quick capacity sweep."""
    if source == "hostile":
        rng = np.random.default_rng(0)
        a, b = rng.uniform(-1, 1, (2, 60))
        table = pd.DataFrame({SCRIPT: a, "b": b, "y": np.where(a * b > 0, SCRIPT, "no")})
        target, name = "y", f"{SCRIPT}.csv"
    elif source == "one-input":
        x = np.random.default_rng(0).uniform(-3, 3, 60)
        table, target, name = pd.DataFrame({"x": x, "y": np.sin(x)}), "y", "one.csv"
    else:
        samples = 120 if source == "moons" else None
        table, target, name = tables.open_source(source, samples=samples)
    data = tables.prepare(table, target, name=name, folds=3, repeats=1)
    network = Network(data.full.n_inputs, outputs=data.n_outputs)
    basis = Basis(data, network, tune.default_training(data, epochs=5))
    sweep = CapacitySweep((1, 8, 64), refits=2, longer=1)
    series = Series(sweep, basis, threads=1)
    list(series)
    return Shown(sweep.read(series.study), sweep.title, basis, series.study)


@pytest.fixture
def show(page: Page, run: RunInfo, tmp_path: Path) -> Show:
    def open_it(source: str, width: int = 1280) -> Page:
        path = write(shown(source), run, tmp_path / "capacity.html")
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]")
        return page

    return open_it


@pytest.mark.parametrize(
    ("source", "drawn"),
    [
        ("moons", {"capacity-boundary-0", "capacity-boundary-2", "capacity-loss", "capacity-wrong",
                   "capacity-length", "capacity-islands"}),
        ("wine", {"capacity-boundary-0", "capacity-loss", "capacity-length"}),
        ("diabetes", {"capacity-boundary-2", "capacity-loss"}),
        ("one-input", {"capacity-boundary-2", "capacity-loss"}),
    ],
)  # fmt: skip
def test_every_figure_is_drawn(show: Show, source: str, drawn: set[str]) -> None:
    colours = show(source).evaluate(COLOURS)
    assert drawn <= set(colours)
    assert min(colours.values()) > 10, colours


def test_the_page_says_what_the_record_says(show: Show) -> None:
    page, record = show("moons"), shown("moons").record
    assert page.locator("h1").inner_text() == record.headline
    text = page.locator("main").inner_text()
    for sentence in record.sentences:
        assert sentence in text
    rows = page.locator("table tbody tr")
    assert rows.count() == len(record.table.rows)
    assert rows.nth(1).locator("td").all_inner_texts() == list(record.table.rows[1][1:])
    assert page.locator(".multiples figure").count() == 3
    assert page.locator("figure.chosen .figure-name").inner_text().endswith("validates best")


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(show: Show, width: int) -> None:
    page = show("moons", width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    boxes = [figure.bounding_box() for figure in page.locator(".multiples figure").all()]
    assert all(box and box["x"] + box["width"] <= width for box in boxes)
    # Side by side, also on a telephone.
    tops = [box["y"] for box in boxes if box]
    assert tops[0] == tops[1]


@pytest.mark.parametrize(
    ("source", "scheme", "width"), [("moons", "light", 1280), ("wine", "dark", 390)]
)
def test_nobody_is_shut_out(show: Show, page: Page, source: str, scheme: str, width: int) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a str
    found = Axe().run(show(source, width)).response["violations"]
    assert not [(one["id"], one["nodes"][0]["html"]) for one in found]


def test_names_from_the_data_stay_text(show: Show) -> None:
    page = show("hostile")
    assert SCRIPT in page.locator("main").inner_text()
    assert page.locator("main script").count() == 0


def test_a_run_shows_its_exhibits(
    find: Callable[[str], Findings], run: RunInfo, page: Page, tmp_path: Path
) -> None:
    found = replace(find("moons"), exhibits=(shown("moons").record,))
    page.goto(write(found, run, tmp_path / "run.html").as_uri())
    page.wait_for_selector("html[data-ready]")
    section = page.locator("section:has(#capacity-title)")
    assert section.locator("h2").inner_text() == shown("moons").record.headline
    assert section.locator("[data-plot]").count() == 7
    # Saved, a figure of a group without a legend does not borrow that of the group before.
    with page.expect_download() as download:
        section.get_by_role("button", name="Download as SVG: Boundary length").first.click()
    saved = Path(download.value.path()).read_text(encoding="utf-8")
    assert "boundary length per area" in saved
    assert ">upper<" not in saved
    assert "least validation loss" not in saved
    # The slider still finds its own figures among those of the exhibit.
    page.get_by_role("slider").focus()
    page.keyboard.press("End")
    assert "λ" in page.locator("#lambda-label").inner_text()


def test_without_exhibits_there_is_no_part(find: Callable[[str], Findings], run: RunInfo) -> None:
    assert "capacity-title" not in render(find("moons"), run)
