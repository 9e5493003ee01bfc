"""The page as a person meets it.

The `page` fixture fails on any complaint of the browser, and on any request that leaves the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

Open = Callable[..., "Page"]

# Every plot's pixels as a data address; a plot that was not drawn has one colour only.
PICTURE = """name => {
    const view = Bokeh.index.get_by_id(
        JSON.parse(document.getElementById("settings").textContent).plots[name]);
    view.paint();
    return view.export("png").canvas.toDataURL();
}"""
COLOURS = """() => Object.fromEntries(
    Object.entries(JSON.parse(document.getElementById("settings").textContent).plots).map(
        ([name, id]) => {
            const canvas = Bokeh.index.get_by_id(id).export("png").canvas;
            const pixels = new Uint32Array(canvas.getContext("2d").getImageData(
                0, 0, canvas.width, canvas.height).data.buffer);
            return [name, new Set(pixels.filter((_, i) => i % 7 === 0)).size];
        }))"""
TOOLTIP = ".bk-Tooltip .bk-tooltip-content:visible"
# The last column of a named source, flat.
SOURCE = """name => {
    const columns = Object.values(Bokeh.documents[0].get_model_by_name(name).data);
    return Array.from(columns.at(-1)).flatMap(value => value.length ? [...value] : [value]);
}"""


@pytest.mark.parametrize("name", ["moons", "wine", "diabetes", "one-multiclass", "interrupted"])
def test_every_figure_is_drawn(open_report: Open, name: str) -> None:
    colours = open_report(name).evaluate(COLOURS)
    assert len(colours) >= (5 if name == "interrupted" else 9)
    assert min(colours.values()) > 10, colours


def test_what_is_in_view_is_drawn_first(open_report: Open, page: Page) -> None:
    page.add_init_script(
        "window.order = []; new MutationObserver(all => all.forEach(({target}) => "
        "window.order.push(target.dataset.plot))).observe("
        "document, {subtree: true, attributeFilter: ['data-drawn']});"
    )
    open_report("moons")
    order = page.evaluate("() => window.order")
    assert sorted(order) == sorted(page.evaluate(COLOURS))
    closed = page.locator("[data-closed] [data-plot]").evaluate_all(
        "all => all.map(one => one.dataset.plot)"
    )
    assert len(closed) == 2
    assert set(order[-2:]) == set(closed)
    # The others as they stand on the page, from its top.
    placed = page.locator("[data-plot]").evaluate_all("all => all.map(one => one.dataset.plot)")
    assert order[0] == next(name for name in placed if name not in closed)


@pytest.mark.parametrize("name", ["moons", "diabetes", "one-regression"])
def test_the_slider_moves_surface_and_density_together(open_report: Open, name: str) -> None:
    page = open_report(name)
    surface = "moved-line" if name == "one-regression" else "moved-surface"
    slider = page.get_by_role("slider")
    seen: list[tuple[Any, ...]] = []
    slider.focus()
    page.keyboard.press("Home")
    for _ in range(3):
        label = page.locator("#lambda-label").inner_text()
        assert slider.get_attribute("aria-valuetext", timeout=1000).startswith(label)  # type: ignore[union-attr]
        assert page.locator("#moving-name").inner_text() == label
        seen.append(
            (
                label,
                page.evaluate(SOURCE, surface),
                page.evaluate(SOURCE, "moved-density"),
                page.evaluate(PICTURE, "surface-moving"),
                page.evaluate(PICTURE, "moving-density"),
            )
        )
        page.keyboard.press("ArrowRight")
    assert seen[0][0] == "no penalty"
    for before, after in pairwise(seen):
        for old, new in zip(before, after, strict=True):
            assert old != new
    page.keyboard.press("Home")
    assert page.evaluate(PICTURE, "surface-moving") == seen[0][3]


def test_the_slider_shows_what_was_verified(open_report: Open, find: Callable[[str], Any]) -> None:
    page = open_report("moons")
    verification = find("moons").verification
    page.get_by_role("slider").focus()
    page.keyboard.press("End")
    last = verification.boundary.surfaces[-1]
    shown = page.evaluate(SOURCE, "moved-surface")
    assert shown == pytest.approx((last.values.ravel() * 255).tolist(), abs=0.51)
    assert page.locator("#lambda-label").inner_text() == last.label


def test_text_from_the_data_stays_text(open_report: Open, page: Page) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    open_report("hostile")
    text = page.locator("body").inner_text()
    for name in ("<script>alert(1)</script>", "</script><b>bold", "<img src=x onerror=alert(2)>"):
        assert name in text
    assert "$$x^2$$ @x {{7*7}}" in text
    assert page.locator("body b:text('bold'), body img").count() == 0
    # Under the pointer too, in the tooltip that the page's own program makes.
    plot = page.locator('[data-plot="surface-none"]')
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    x, y = box["x"] + 0.7 * box["width"], box["y"] + 0.3 * box["height"]
    page.mouse.move(x, y)
    page.mouse.move(x + 3, y + 3)
    tip = page.locator(TOOLTIP).first
    tip.wait_for()
    assert "<script>alert(1)</script>" in tip.inner_text()
    assert not dialogs


@pytest.mark.parametrize("plot", ["path-l2", "boxes", "density-0", "learning-none"])
def test_values_show_under_the_pointer(open_report: Open, plot: str) -> None:
    page = open_report("moons")
    tab = page.get_by_role("tab", name="L2")
    if plot.startswith("path"):
        tab.click()
    place = page.locator(f'[data-plot="{plot}"]')
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box is not None
    across = 0.53
    for step in range(40):
        page.mouse.move(
            box["x"] + across * box["width"], box["y"] + (step + 1) * box["height"] / 45
        )
        if page.locator(TOOLTIP).count():
            break
    assert re.search(r"\d\.\d", page.locator(TOOLTIP).first.inner_text())


@pytest.mark.parametrize(("name", "width"), [("wine", 390), ("hostile", 390), ("hostile", 1280)])
def test_nothing_scrolls_sideways(open_report: Open, name: str, width: int) -> None:
    page = open_report(name, width)
    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") == 0
    too_wide = page.evaluate(
        "() => [...document.querySelectorAll('main *')].filter(e => "
        "!e.closest('.scroll, pre, [data-closed]') && e.getBoundingClientRect().right > innerWidth"
        ").map(e => e.outerHTML.slice(0, 80))"
    )
    assert not too_wide


def test_light_and_dark(open_report: Open, page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    open_report("moons")
    background = "() => getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background), page.evaluate(PICTURE, "boxes")
    button = page.get_by_role("button", name="Light")
    button.click()
    light = page.evaluate(background), page.evaluate(PICTURE, "boxes")
    assert dark[0] != light[0]
    assert dark[1] != light[1]
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate(PICTURE, "boxes") == dark[1]


def test_tabs_work_from_the_keyboard(open_report: Open) -> None:
    page = open_report("moons")
    tabs = page.get_by_role("tablist", name="Penalty").get_by_role("tab")
    panels = [tab.get_attribute("aria-controls") for tab in tabs.all()]
    assert len(panels) == 3
    tabs.first.focus()
    page.keyboard.press("ArrowLeft")
    assert tabs.last.get_attribute("aria-selected") == "true"
    assert page.locator(f"#{panels[-1]} .plot").is_visible()
    assert not page.locator(f"#{panels[0]} .plot").is_visible()


def test_copying(open_report: Open) -> None:
    page = open_report("moons")
    page.get_by_role("tab", name="PyTorch").click()
    panel = page.get_by_role("tabpanel", name="PyTorch")
    panel.get_by_role("button", name="Copy").click()
    panel.get_by_role("button", name="Copied").wait_for()


def test_paper_gets_every_panel_in_light_colours(open_report: Open, page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    open_report("moons")
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print", color_scheme="dark")
    pictures = page.locator("img.paper")
    assert pictures.count() == page.locator("[data-plot]").count()
    widths = pictures.evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")
    assert min(widths) > 100
    assert page.locator(".panel-name").evaluate_all(
        "all => all.every(one => one.getBoundingClientRect().height > 0)"
    )
    ink = page.evaluate("() => getComputedStyle(document.querySelector('h1')).color")
    assert ink == "rgb(27, 31, 36)"
    assert page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor") == (
        "rgb(255, 255, 255)"
    )


def test_landmarks_and_names(open_report: Open) -> None:
    page = open_report("wine")
    assert page.get_by_role("main").count() == page.get_by_role("banner").count() == 1
    assert page.locator("h1").count() == 1
    unnamed = page.evaluate(
        "() => [...document.querySelectorAll('.plot')].filter(e => !e.getAttribute('aria-label'))"
        ".length"
    )
    assert unnamed == 0
    assert page.get_by_role("slider", name="Penalty:").get_attribute("type") == "range"


def test_an_interrupted_run_says_so(open_report: Open) -> None:
    page = open_report("interrupted")
    notes = page.get_by_role("complementary", name="Notes").inner_text()
    assert "interrupted" in notes
    assert "Not verified" in notes
    assert page.get_by_role("slider").count() == 0
