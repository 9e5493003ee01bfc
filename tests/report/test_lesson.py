"""The lesson's page: what it says, and that a browser draws all of it offline."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from shrinkage.exhibits import Table
from shrinkage.intervals import Interval
from shrinkage.lesson.catalogue import chosen
from shrinkage.lesson.exhibited import Claim, Exhibited, Setting
from shrinkage.lesson.runner import Lesson, Taught, Unread
from shrinkage.report import RunInfo, render, write

if TYPE_CHECKING:
    from playwright.sync_api import Page

OURS = ("neurons", "l2", "kinds", "lambdas", "checklist")
RUN = RunInfo(
    command="shrinkage lesson --seeds 3",
    seconds={"training": 1.25, "writing": 0.5},
    threads=2,
    cores=4,
    platform="Linux 6.1, x86_64",
    date=datetime(2026, 3, 4, 5, 6, tzinfo=UTC),
    python="3.13.1",
    seed=0,
)


@pytest.fixture(scope="module")
def taught() -> Taught:
    lesson = Lesson(chosen(OURS), Setting(seeds=3, epochs=30))
    list(lesson)
    return lesson.taught


@pytest.fixture(scope="module")
def written(taught: Taught, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(taught, RUN, tmp_path_factory.mktemp("lesson") / "lesson.html")


def exhibited(**more: Any) -> Exhibited:
    claim = Claim("Weights shrink.", "They do.", "holds", Interval(-1, -2, -0.5), "below 0")
    usual = Exhibited("one", "Part", "Title", ("Text.",), (claim,), (), "print(1 < 2)")
    return replace(usual, **more)


def of(*exhibits: Exhibited, unread: tuple[Unread, ...] = ()) -> Taught:
    return Taught(exhibits, unread, Setting(), 10, 12, {"numpy": "2.2"})


def test_every_claim_stands_in_the_summary_and_in_its_exhibit(
    taught: Taught, written: Path
) -> None:
    text = written.read_text(encoding="utf-8")
    assert text.count('class="verdict-mark') == 2 * len(taught.claims)
    holds = taught.count("holds")
    assert f"{holds} of the lesson&#39;s {len(taught.claims)} claims" in text
    summary, _, rest = text.partition("</table>")
    for one in taught.exhibited:
        assert f'<a href="#{one.name}">' in summary
        assert f'<section id="{one.name}"' in rest


def test_each_verdict_has_its_words_and_its_sign() -> None:
    verdicts = ("holds", "does not hold here", "not decided here")
    claims = tuple(Claim(f"{one}!", "So.", one) for one in verdicts)  # type: ignore[arg-type]  # a str
    text = render(of(exhibited(claims=claims)), RUN)
    for verdict, kind, sign in zip(verdicts, ("yes", "no", ""), "✓✗?", strict=True):
        mark = rf'verdict-mark {kind}"><span aria-hidden="true">\{sign}</span>{verdict}<'
        assert len(re.findall(mark, text)) == 2
    assert "1 of the lesson&#39;s 3 claims holds here" in text
    assert "1 does not hold here, and 1 is not decided by these runs." in text


def test_numbers_get_a_true_minus_sign_and_words_keep_their_hyphen() -> None:
    claim = Claim("A 5-fold gap.", "It is -1.5 [-2, -1].", "holds", Interval(-1, -2, -0.5))
    text = render(of(exhibited(claims=(claim,))), RUN)
    assert "A 5-fold gap." in text
    assert "It is −1.5 [−2, −1]." in text
    assert "−1.00 [−2.00, −0.50]" in text


def test_nothing_from_an_exhibit_becomes_markup() -> None:
    evil = "<script>alert(1)</script>"
    one = exhibited(
        title=evil,
        text=(evil,),
        code=evil,
        notes=(evil,),
        tables=((evil, Table((evil, "b"), (("x", evil),))),),
    )
    assert evil not in render(of(one), RUN)


def test_what_is_missing_is_said() -> None:
    unread = (Unread("Dropout and L2", "the lesson was interrupted"),)
    text = render(of(exhibited(), unread=unread), RUN)
    assert "Dropout and L2: the lesson was interrupted." in text
    assert "10, then interrupted; 2 are missing" in text
    empty = render(of(unread=unread), RUN)
    assert "Nothing of the lesson was finished" in empty


def test_how_it_was_made_is_told(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    for told in ("shrinkage lesson --seeds 3", "1.2 s", "1.8 s", "2 of 4 cores", "2026-03-04"):
        assert told in text


def test_the_page_stays_small(written: Path) -> None:
    assert written.stat().st_size < 5_000_000


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_everything_is_drawn_and_fits(page: Page, written: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(written.as_uri())
    page.wait_for_selector("html[data-ready]")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    colours = page.evaluate(
        """() => [...document.querySelectorAll("[data-plot]")].map((place) => {
            const plots = JSON.parse(document.getElementById("settings").textContent).plots;
            const canvas = Bokeh.index.get_by_id(plots[place.dataset.plot]).export("png").canvas;
            const pixels = new Uint32Array(canvas.getContext("2d").getImageData(
                0, 0, canvas.width, canvas.height).data.buffer);
            return [place.dataset.plot, new Set(pixels).size];
        })"""
    )
    assert len(colours) == len({name for name, _ in colours}) > 25
    assert min(count for _, count in colours) > 3, colours


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_no_rule_of_axe_is_broken(page: Page, written: Path, scheme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a str
    page.goto(written.as_uri())
    page.wait_for_selector("html[data-ready]")
    found = Axe().run(page).response["violations"]
    assert not [(one["id"], one["nodes"][0]["html"]) for one in found]


@pytest.mark.slow
def test_the_reader_walks_through_it(page: Page, written: Path) -> None:
    page.goto(written.as_uri())
    page.wait_for_selector("html[data-ready]")
    page.get_by_role("navigation", name="Contents").get_by_role("link").nth(1).click()
    assert page.url.endswith("#l2")
    exhibit = page.locator("section#l2")
    code = exhibit.locator("pre code")
    assert not code.is_visible()
    exhibit.get_by_text("The code that makes these numbers").click()
    assert code.is_visible()
    exhibit.get_by_role("link", name=re.compile("→")).click()
    assert page.url.endswith("#kinds")
    theme = page.locator("html").get_attribute("data-theme")
    page.locator("#theme").click()
    assert page.locator("html").get_attribute("data-theme") != theme
