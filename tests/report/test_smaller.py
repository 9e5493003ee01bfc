"""The section about the smaller network and the relaxed refit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from shrinkage import data as tables
from shrinkage import findings, tune
from shrinkage.network import Network
from shrinkage.penalties import GroupLasso
from shrinkage.report import write
from shrinkage.report.smaller import smaller_part


@pytest.fixture(scope="module")
def found():
    """One word that matters, and numbers that do not, under group lasso on inputs."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(150, 8)), columns=[f"noise {i}" for i in range(8)])
    table["<b>word</b>"] = rng.choice(["red", "green", "blue"], size=150)
    table["y"] = np.where(table["<b>word</b>"] == "red", 1.0, 0.0) + rng.normal(0, 0.3, 150)
    data = tables.prepare(table, "y", name="words", folds=3, repeats=1, task="regression")
    training = tune.default_training(data, epochs=60, learning_rate=0.01)
    plan = tune.plan(
        data, network=Network(data.full.n_inputs, (8,), 1), training=training,
        lambdas=(0.1,), penalties=(GroupLasso("inputs"),), refits=1,
    )  # fmt: skip
    search = tune.Search(data, plan)
    list(search)
    return findings.find(search.study, plan)


def test_the_section_lists_what_is_left(found):
    part = smaller_part(found)
    small = found.verification.shrinking
    assert part["title"].startswith(f"{small.compacted.after:,} of {small.compacted.before:,}")
    rows = {name: (before, after) for name, before, after in part["network"]["rows"]}
    assert rows["columns of the table"] == ("9", str(len(small.columns)))
    assert rows["inputs"] == (str(found.study.data.full.n_inputs), str(len(small.inputs)))
    assert "<b>word</b>" in part["network"]["columns"]
    assert "<b>word</b> = red" in part["network"]["inputs"]
    assert part["relaxed"]["sentence"] == found.verification.relaxation.sentence


def test_the_page_shows_it_as_text(found, run, tmp_path: Path):
    path = tmp_path / "report.html"
    write(found, run, path)
    page = path.read_text(encoding="utf-8")
    assert "Verify: what is left" in page
    assert "&lt;b&gt;word&lt;/b&gt; = red" in page


def test_a_penalty_that_prunes_nothing_has_no_such_section(find):
    assert smaller_part(find("interrupted")) is None
