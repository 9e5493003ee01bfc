"""What tests share: fresh kernels, reproducible Hypothesis, and a browser without network."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import chromium
import hypothesis
import pytest
import stale_kernels

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from shrinkage.data import Part
    from shrinkage.study import Fit, Trial

stale_kernels.drop()

# Keras looks for TensorFlow unless it is told otherwise; the tests have PyTorch.
os.environ.setdefault("KERAS_BACKEND", "torch")

# What is computed here is small: threads of OpenMP and BLAS would mostly wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Numba compiles inside a first example, so no deadline; CI draws the same examples every time.
hypothesis.settings.register_profile("developer", deadline=None)
hypothesis.settings.register_profile("continuous", deadline=None, derandomize=True)
hypothesis.settings.load_profile("continuous" if os.environ.get("CI") else "developer")


_ALONE = (
    "tests/archive/test_killing.py",
    "tests/cli/test_dask.py",
    "tests/cli/test_interruption.py",
    "tests/clusters/",
)
"""Files whose tests count seconds, kill or interrupt."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that open a browser, and those that want the machine for themselves."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
        if item.nodeid.startswith(_ALONE):
            item.add_marker("alone")
        if " at 0x" in item.nodeid:  # as many names as processes that run the tests side by side
            raise pytest.UsageError(f"{item.nodeid}: a test is named by an address; give it an id")


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Trial], bool]], None]:
    """Call it with what decides which trials never end; their training then is really that long."""
    from shrinkage.engine import limits

    train = limits.run_trial

    def choose(chosen: Callable[[Trial], bool]) -> None:
        def run_trial(trial: Trial, part: Part, *rest: Any) -> Fit:
            if rest and chosen(
                trial
            ):  # without more it is the first epoch, before the clock starts
                trial = replace(trial, training=replace(trial.training, epochs=5_000_000))
            return train(trial, part, *rest)

        monkeypatch.setattr(limits, "run_trial", run_trial)

    return choose


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, headless and without network, for the whole session."""
    executable = chromium.find()
    if executable is None:
        # CI must not lose these tests silently.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(chromium.MISSING)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=list(chromium.FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh, offline page; the test fails if the page complained or asked for anything outside.

    Open a report with ``page.goto(path.as_uri())``.
    """
    context = browser.new_context(offline=True)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
    opened.on(
        "console",
        lambda message: (
            complaints.append(f"console {message.type}: {message.text}")
            if message.type in {"error", "warning"}
            else None
        ),
    )
    opened.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("file:", "data:", "blob:", "about:"))
            else complaints.append(f"asked for {request.url}")
        ),
    )
    yield opened
    context.close()
    assert not complaints, "\n".join(complaints)
