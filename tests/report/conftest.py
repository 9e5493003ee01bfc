"""Small findings, made once, and a way to open their report in a browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from shrinkage import data as tables
from shrinkage import findings, tune
from shrinkage.findings import Findings
from shrinkage.report import RunInfo, write

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCRIPT = "<script>alert(1)</script>"
CLOSING = "</script><b>bold"
HANDLER = "\"'&<img src=x onerror=alert(2)> $$x^2$$ @x {{7*7}}"


def make(
    table: pd.DataFrame,
    target: str | tuple[str, ...],
    name: str,
    *,
    stop: int | None = None,
    epochs: int = 5,
) -> Findings:
    """The findings of a small study; given up after `stop` fits."""
    data = tables.prepare(table, target, name=name, folds=3, repeats=1)
    training = tune.default_training(data, epochs=epochs)
    plan = tune.plan(data, training=training, lambdas=(0.001, 0.1), refits=1)
    search = tune.Search(data, plan, threads=1)
    for number, _ in enumerate(search, start=1):
        if number == stop:
            break
    return findings.find(search.study, plan)


def bundled(name: str, **settings: Any) -> Findings:
    """The findings of a bundled problem."""
    samples = 120 if name == "moons" else None
    table, target, shown = tables.open_source(name, samples=samples)
    return make(table, target, shown, **settings)


def _one_input(task: str) -> Findings:
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, 90)
    wave = np.sin(x) + rng.normal(0, 0.2, x.size)
    y = wave * 1e6 if task == "regression" else np.digitize(wave, [-0.5, 0.5]).astype(str)
    return make(pd.DataFrame({"x": x, "y": y}), "y", f"one-{task}.csv")


def _hostile() -> Findings:
    rng = np.random.default_rng(0)
    a, b = rng.uniform(-1, 1, (2, 90))
    classes = np.where(a * b > 0, SCRIPT, np.where(a > 0, CLOSING, HANDLER))
    table = pd.DataFrame({SCRIPT: a, CLOSING: b, HANDLER: classes})
    return make(table, HANDLER, f"{SCRIPT}.csv")


MAKERS: dict[str, Callable[[], Findings]] = {
    "moons": lambda: bundled("moons", epochs=8),
    "wine": lambda: bundled("wine"),
    "diabetes": lambda: bundled("diabetes"),
    "one-regression": lambda: _one_input("regression"),
    "one-multiclass": lambda: _one_input("multiclass"),
    "hostile": _hostile,
    "interrupted": lambda: bundled("moons", stop=16),
}


@cache
def known(name: str) -> Findings:
    """One of the findings above."""
    return MAKERS[name]()


@pytest.fixture
def run() -> RunInfo:
    return RunInfo(
        command=f"shrinkage run '{SCRIPT}.csv'",
        seconds={"reading": 0.25, "training": 1.5},
        threads=1,
        cores=2,
        platform="Linux, x86_64",
        date=datetime(2025, 3, 4, 5, 6, tzinfo=UTC),
        python="3.11.4",
        seed=7,
        recipes={"Keras": "# λ = 0.1\nDense(1)", "PyTorch": f"x = '{SCRIPT}'"},
    )


@pytest.fixture
def find() -> Callable[[str], Findings]:
    return known


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture
def open_report(page: Page, run: RunInfo, folder: Path) -> Callable[..., Page]:
    """Open the report of some findings, and wait until its figures are drawn."""

    def open_it(name: str, width: int = 1280) -> Page:
        path = folder / f"{name}.html"
        if not path.exists():
            write(known(name), run, path)
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]")
        return page

    return open_it
