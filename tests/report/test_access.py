"""Nobody is shut out: axe-core's rules, the keyboard, and a wish for no motion."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Page

Open = Callable[..., "Page"]


@pytest.mark.parametrize(
    ("name", "scheme", "width"),
    [
        ("moons", "light", 1280),
        ("moons", "dark", 390),
        ("diabetes", "dark", 1280),
        ("hostile", "light", 390),
        ("interrupted", "light", 1280),
        ("one-multiclass", "dark", 390),
    ],
)
def test_no_rule_of_axe_is_broken(
    open_report: Open, page: Page, name: str, scheme: str, width: int
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a str
    found = Axe().run(open_report(name, width)).response["violations"]
    assert not [(one["id"], one["nodes"][0]["html"]) for one in found]


def test_headings_have_no_gap_between_their_levels(open_report: Open) -> None:
    levels = open_report("moons").evaluate(
        "() => [...document.querySelectorAll('h1, h2, h3, h4')].map(e => Number(e.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_everything_to_press_can_be_reached_and_is_named(open_report: Open) -> None:
    page = open_report("moons")
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        told = page.evaluate(
            "() => { const e = document.activeElement; return e === document.body ? null : "
            "[e.tagName, e.getAttribute('aria-label') || e.textContent.trim() || e.id, "
            "getComputedStyle(e).outlineStyle]; }"
        )
        if told is None:
            break
        reached.add(tuple(told))
    assert all(name for _, name, _ in reached)
    assert {outline for *_, outline in reached} <= {"solid", "auto"}
    names = {name for _, name, _ in reached}
    assert {"Dark", "lambda"} <= {name.removeprefix("◐ ") for name in names}
    assert any(name.startswith("Download as CSV") for name in names)


def test_no_motion_for_who_wants_none(open_report: Open, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    open_report("moons")
    moving = page.evaluate(
        "() => [...document.querySelectorAll('*')].filter(e => "
        "!['0s', ''].includes(getComputedStyle(e).transitionDuration)).length"
    )
    assert moving == 0
    assert page.evaluate("() => getComputedStyle(document.documentElement).scrollBehavior") == (
        "auto"
    )


@pytest.mark.parametrize(
    ("plot", "said"),
    [
        ("path-elastic_net", r"elastic net, λ = .* validation \d.* nats"),
        ("surface-none", r"probability of lower \d"),
        ("boxes", r"no penalty, layer 1 kernel median"),
        ("learning-none", r"epoch \d+ validation \d"),
    ],
)
def test_arrow_keys_move_a_pointer_that_says_values(
    open_report: Open, page: Page, plot: str, said: str
) -> None:
    place = open_report("moons").locator(f'[data-plot="{plot}"]')
    place.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    page.wait_for_function("() => document.querySelector('p[role=status]').textContent")
    assert re.search(said, page.locator("p[role=status]").inner_text())
    page.keyboard.press("Escape")
    page.wait_for_function("() => !document.querySelector('.bk-Tooltip')?.offsetParent")
