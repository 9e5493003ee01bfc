"""What the pages of docs/ show is true: their Python runs, their commands exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SHOWN = {"architecture.md"}
"""Pages whose Python is signatures, not programs."""
LEFT = {
    "displays.md": {"path.pdf"},
    "exports.md": {"wine.onnx", "wine.pt", "wine.shrinkage"},
    "how-to/keras.md": {"mine.html"},
    "how-to/pytorch.md": {"mine.html"},
    "how-to/study.md": {"moons.study"},
}
"""Files that a page's program writes; others write none."""
TOLD = {
    "how-to/trainers.md": [
        # Lightning 2.6 beside PyTorch 2.13, and its advice for machines with more cores.
        (r"`isinstance\(treespec, LeafSpec\)` is deprecated", FutureWarning),
        (r"The '\w+' does not have many workers", UserWarning),
    ],
}
"""Warnings that other packages give on a page, and that say nothing of this one."""


def _blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def _told(*arguments: str) -> str:
    """What the command prints."""
    command = [sys.executable, "-m", "shrinkage", *arguments]
    told = subprocess.run(command, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    return told.stdout


NAMES = [page.relative_to(DOCS).as_posix() for page in sorted(DOCS.rglob("*.md"))]
PROGRAMS = [name for name in NAMES if name not in SHOWN and _blocks(DOCS / name, "python")]
COMMANDS: dict[tuple[str, str], set[str]] = {}
"""Program and first argument → all further arguments of the pages."""
for _name in NAMES:
    for _line in "\n".join(_blocks(DOCS / _name, "console")).splitlines():
        if _line.startswith("$ "):
            _program, _first, *_more = shlex.split(_line[2:])
            COMMANDS.setdefault((_program, _first), set()).update(_more)


@pytest.fixture(autouse=True)
def no_figure_is_left() -> Iterator[None]:
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


@pytest.fixture
def one_thread() -> Iterator[None]:
    """For PyTorch: the networks of the pages are too small for more."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", PROGRAMS)
def test_python_blocks_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In their order, as one program."""
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "page"}
    with warnings.catch_warnings():
        for message, category in TOLD.get(name, []):
            warnings.filterwarnings("ignore", message, category)
        for number, block in enumerate(_blocks(DOCS / name, "python"), start=1):
            exec(compile(block, f"docs/{name}, block {number}", "exec"), namespace)
    assert {path.name for path in tmp_path.iterdir()} == LEFT.get(name, set())


def test_the_pages_about_programs_have_some() -> None:
    demands = ("exact-zeros", "weight-decay", "per-layer", "changing-lambda", "built-keras-model")
    own = {f"how-to/{page}.md" for page in (*demands, "bare-loss", "pytorch", "keras", "trainers")}
    expected = {"start.md", "how-to/lambda.md", "estimators.md", *own, *LEFT}
    assert expected <= set(PROGRAMS)


@pytest.mark.parametrize("command", sorted(COMMANDS), ids=" ".join)
def test_commands_exist(command: tuple[str, str]) -> None:
    program, first = command
    if program == "make":
        assert re.search(rf"^{first}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    elif program == "python":
        assert first == "-m"
        module, name = sorted(COMMANDS[command])
        assert module == "benchmarks"
        assert (ROOT / module / f"{name}.py").exists()
    else:
        assert program == "shrinkage"
        told = _told(first, "--help")
        options = {argument for argument in COMMANDS[command] if argument.startswith("--")}
        assert options <= set(re.findall(r"--[a-z0-9-]+", told))


def test_the_page_on_lambda_shows_the_number_that_is_printed() -> None:
    (block,) = _blocks(DOCS / "how-to" / "lambda.md", "console")
    command, number = block.strip().split("\n")
    assert _told(*shlex.split(command.removeprefix("$ shrinkage "))).strip() == number


def _first_cells(page: Path) -> list[str]:
    """What tables have in their first column, without code marks."""
    text = page.read_text(encoding="utf-8")
    return re.findall(r"^\| `?(.+?)`? \|", text, flags=re.MULTILINE)


def test_the_page_of_the_lesson_lists_every_exhibit() -> None:
    from shrinkage.lesson.catalogue import EXHIBITS

    listed = _first_cells(DOCS / "lesson" / "index.md")
    assert listed == ["exhibit", *(one.name for one in EXHIBITS)]


def test_the_page_on_the_report_has_its_sections() -> None:
    templates = ROOT / "src" / "shrinkage" / "report" / "templates"
    report = (templates / "report.html.j2").read_text(encoding="utf-8")
    # What is included stands where it is included.
    whole = re.sub(
        r'\{% include "(.+?)" %\}', lambda found: (templates / found[1]).read_text("utf-8"), report
    )
    sections = re.findall(r'<p class="eyebrow">([^{]+?)(?:\{.*)?</p>', whole)
    listed = _first_cells(DOCS / "how-to" / "report.md")[3:]
    assert len(sections) == len(listed) > 10
    for section, cell in zip(sections, listed, strict=True):
        assert cell.startswith(section)


def test_the_page_of_benchmarks_lists_every_command() -> None:
    from benchmarks.__main__ import BENCHMARKS

    page = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    assert re.findall(r"`python -m benchmarks (\w+)` \|$", page, re.MULTILINE) == list(BENCHMARKS)


def test_the_page_of_benchmarks_shows_every_result() -> None:
    page = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    results = [path.relative_to(ROOT) for path in (ROOT / "benchmarks/results").rglob("*.md")]
    assert results
    assert [path for path in results if f"{{include}} ../{path.as_posix()}\n" not in page] == []
