"""Figures that leave the page: they stand alone, and their numbers are those that are drawn."""

from __future__ import annotations

import csv
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from shrinkage.findings import Findings

Open = Callable[..., "Page"]
SVG = "{http://www.w3.org/2000/svg}"


def fetch(page: Page, plot: str, kind: str) -> Path:
    """Press the button of a plot, and see what is saved."""
    place = page.locator(f'[data-plot="{plot}"]')
    button = place.locator(
        f"xpath=following-sibling::p[@class='downloads'][1]//*[@data-get='{kind}']"
    )
    with page.expect_download() as download:
        button.click()
    assert download.value.suggested_filename == f"{FILE[page.title()[:5]]}-{plot}.{kind}"
    return Path(download.value.path())


FILE = {"moons": "shrinkage-moons", "diabe": "shrinkage-diabetes", "wine:": "shrinkage-wine"}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_picture_stands_alone(open_report: Open, page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    open_report("moons")
    tree = ET.parse(fetch(page, "learning-none", "svg"))
    texts = {text.text for text in tree.iter(f"{SVG}text")}
    assert {"no penalty", "validation", "training", "↑ log loss (nats)"} <= texts
    assert "epoch (passes over the training rows) →" in texts
    drawn = {line.get("stroke") for line in tree.iter(f"{SVG}path")}
    assert "rgb(27,31,36)" in {str(colour).replace(" ", "") for colour in drawn} or "#1b1f24" in {
        str(colour).lower()[:7] for colour in drawn
    }
    # The page itself is dark as before.
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_a_picture_has_the_legend_of_its_own_group(open_report: Open) -> None:
    page = open_report("moons")

    def keys(plot: str) -> set[str | None]:
        tree = ET.parse(fetch(page, plot, "svg"))
        return {text.text for text in tree.iter(f"{SVG}text")}

    weights, classes = {"weights without a penalty", "weights at this λ"}, {"upper", "lower"}
    assert weights <= keys("moving-density")
    assert classes <= keys("surface-moving")
    assert not classes & keys("moving-density")
    assert not weights & keys("surface-moving")
    assert "no penalty" in keys("density-1")


def test_a_picture_has_its_scale_of_colours(open_report: Open) -> None:
    tree = ET.parse(fetch(open_report("diabetes"), "surface-none", "svg"))
    assert len(list(tree.iter(f"{SVG}stop"))) == 6
    texts = [str(text.text) for text in tree.iter(f"{SVG}text")]
    assert any(re.fullmatch(r"progression from \d+ to \d+", text) for text in texts), texts


def test_a_png_has_two_pixels_for_one(open_report: Open) -> None:
    page = open_report("moons")
    path = fetch(page, "boxes", "png")
    width, height = struct.unpack(">II", path.read_bytes()[16:24])
    box = page.locator('[data-plot="boxes"]').bounding_box()
    assert box is not None
    assert width == pytest.approx(2 * (box["width"] + 28), abs=4)
    assert height > 2 * box["height"]


def test_the_path_as_numbers(open_report: Open, find: Callable[[str], Findings]) -> None:
    page = open_report("moons")
    page.get_by_role("tab", name="L2").click()
    rows = table(fetch(page, "path-l2", "csv"))
    points = {
        point.lam: point
        for point in find("moons").points
        if point.penalty is None or point.penalty.name == "l2"
    }
    assert [float(row["λ"]) for row in rows] == pytest.approx(sorted(points))
    for row in rows:
        point = points[min(points, key=lambda lam: abs(lam - float(row["λ"])))]
        assert float(row["validation log loss (nats)"]) == pytest.approx(
            point.mean_validation, rel=1e-12
        )
        assert row["point"] == point.label


def test_the_surface_as_numbers(open_report: Open, find: Callable[[str], Findings]) -> None:
    page = open_report("moons")
    page.get_by_role("slider").focus()
    page.keyboard.press("End")
    rows = table(fetch(page, "surface-moving", "csv"))
    verification = find("moons").verification
    assert verification is not None
    surface, plane = verification.boundary.surfaces[-1], verification.boundary.plane
    grid = [row for row in rows if row["series"] == "surface"]
    shown = [float(row["probability of lower"]) for row in grid]
    assert shown == pytest.approx(surface.values.ravel().tolist(), abs=0.5 / 255 + 1e-5)
    assert [float(row[plane.x_label]) for row in grid[: plane.x.size]] == pytest.approx(
        plane.x.tolist(), rel=1e-6
    )
    points = [row for row in rows if row["series"] == "training row"]
    classes = np.array(verification.boundary.classes)
    assert [row["class"] for row in points] == list(classes[plane.point_targets.astype(int)])


@pytest.mark.parametrize("name", ["diabetes", "wine"])
def test_every_figure_has_all_three(open_report: Open, name: str) -> None:
    page = open_report(name)
    kinds = page.evaluate(
        "() => [...document.querySelectorAll('.downloads')].map(row => "
        "[...row.children].map(one => one.dataset.get).join())"
    )
    assert len(kinds) == page.locator("[data-plot]").count()
    assert set(kinds) == {"svg,png,csv"}
