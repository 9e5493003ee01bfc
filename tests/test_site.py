"""The documentation site: a strict build, whole, without anything from elsewhere."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from sphinx.util.inventory import InventoryFile

import shrinkage
import shrinkage.keras
import shrinkage.torch

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [
    path.relative_to(DOCS).with_suffix(".html").as_posix()
    for kind in ("*.md", "*.ipynb")
    for path in sorted(DOCS.rglob(kind))
    if "_build" not in path.parts
]


def build(source: Path, into: Path) -> subprocess.CompletedProcess[str]:
    """What `make docs` does."""
    strictly = ["--quiet", "--fail-on-warning", "--keep-going"]
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *strictly, "-c", str(DOCS), str(source), str(into)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built once."""
    into = tmp_path_factory.mktemp("site")
    built = build(DOCS, into)
    assert built.returncode == 0, built.stderr
    return into


@pytest.mark.slow
def test_every_page_and_notebook_is_there(site: Path) -> None:
    assert [name for name in PAGES if not (site / name).is_file()] == []


@pytest.mark.slow
def test_every_public_name_has_its_place(site: Path) -> None:
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    placed = {name for kind in inventory.data.values() for name in kind}
    for package in (shrinkage, shrinkage.torch, shrinkage.keras):
        for name in package.__all__:
            thing = getattr(package, name)
            if not isinstance(thing, str):
                module = inspect.getmodule(thing)
                assert module is not None
                room = ".".join(module.__name__.split(".")[:2])
                named = {f"{place}.{name}" for place in (package.__name__, room, module.__name__)}
                assert named & placed, name


@pytest.mark.slow
def test_formulas_are_drawn_by_the_browser_itself(site: Path) -> None:
    text = (site / "mathematics.html").read_text(encoding="utf-8")
    assert text.count("<math") > 60
    assert not re.search("<script[^>]*mathjax", text, re.IGNORECASE)


@pytest.mark.slow
def test_the_source_of_a_penalty_is_the_real_one(site: Path) -> None:
    text = re.sub(r"<[^>]+>", "", (site / "how-to" / "penalty.html").read_text(encoding="utf-8"))
    assert "threshold = lam * np.asarray(step)" in text
    assert "def test_prox_satisfies_the_three_point_inequality" in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "names"),
    [(390, PAGES), (1280, ["index.html", "benchmarks.html", "api/classifier.html"])],
    ids=["telephone", "wide"],
)
def test_pages_fit_and_ask_for_nothing(
    width: int, names: list[str], site: Path, page: Page
) -> None:
    """The fixture fails a page that logs an error or asks for anything outside."""
    page.set_viewport_size({"width": width, "height": 800})
    for name in names:
        page.goto((site / name).as_uri())
        assert page.locator("h1").count() == 1, name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        broken = "[...document.images].filter(i => i.complete && !i.naturalWidth).length"
        assert page.evaluate(broken) == 0, name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scheme", "names"),
    [("light", ["index", "lambda"]), ("dark", ["mathematics", "lesson/05-results"])],
    ids=["light", "dark"],
)
def test_no_grave_rule_of_axe_is_broken(
    scheme: str, names: list[str], site: Path, page: Page
) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a str
    for name in names:
        page.goto((site / f"{name}.html").as_uri())
        broken = Axe().run(page, options={"preload": False}).response["violations"]
        grave = [one for one in broken if one["impact"] in ("serious", "critical")]
        assert [(name, one["id"], one["nodes"][0]["html"]) for one in grave] == []


@pytest.mark.slow
def test_faults_fail_the_build(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    faults = ["{py:func}`shrinkage.tune.nothing`", "[](nowhere.md)", r"$\never$", "![](lost.png)"]
    (source / "index.md").write_text("\n\n".join(["# Page", *faults]), encoding="utf-8")
    built = build(source, tmp_path / "built")
    assert built.returncode == 1
    told = [line for line in built.stderr.splitlines() if "WARNING" in line]
    assert all(
        any(what in line for line in told) for what in ("nothing", "nowhere", "never", "lost")
    )
