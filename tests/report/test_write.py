from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from shrinkage.data import prepare
from shrinkage.errors import SettingError
from shrinkage.findings import Findings
from shrinkage.findings import find as find_all
from shrinkage.network import Network
from shrinkage.report import RunInfo, render, write
from shrinkage.tune import Search, default_training, plan

Find = Callable[[str], Findings]


@pytest.mark.parametrize("name", ["moons", "hostile", "interrupted"])
def test_small_enough_to_send(find: Find, run: RunInfo, name: str) -> None:
    assert len(render(find(name), run).encode()) < 5_000_000


def test_small_enough_to_send_with_a_long_path_and_many_inputs(run: RunInfo) -> None:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(120, 100))
    table = pd.DataFrame(inputs, columns=[f"a column with a long name, {i}" for i in range(100)])
    table["class"] = np.where(inputs[:, :5].sum(axis=1) > 0, "yes", "no")
    wide = prepare(table, "class", name="wide.csv", folds=2, repeats=1)
    chosen = plan(
        wide,
        network=Network(100, (64, 64)),
        training=default_training(wide, epochs=1),
        lambdas=tuple(np.logspace(-4, 0, 20)),
        refits=1,
    )
    search = Search(wide, chosen, threads=1)
    assert len([fit for fit in search if fit.ok]) > 20 * 3 * 2
    found = find_all(search.study, chosen)
    assert found.verification is not None
    assert len(found.verification.boundary.surfaces) == 21
    assert {point.penalty.name for point in found.points if point.penalty} == {
        "l1",
        "l2",
        "elastic_net",
    }
    assert len(render(found, run).encode()) < 5_000_000


def test_asks_for_nothing(find: Find, run: RunInfo) -> None:
    page = render(find("moons"), run)
    markup = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert re.findall(r"\b(?:src|href)\s*=\s*([^\s>]*)", markup) == ['"#main"']
    assert "@import" not in markup
    assert "url(" not in markup


def test_the_policy_lets_only_these_programs_run(find: Find, run: RunInfo) -> None:
    page = render(find("moons"), run)
    programs = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    assert len(programs) == 2
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    rules = policy[1].replace("&#39;", "'")
    for program in programs:
        digest = base64.b64encode(hashlib.sha256(program.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in rules
    assert "default-src 'none'" in rules
    assert "unsafe-eval" not in rules
    assert "script-src 'sha256-" in rules


def test_names_from_the_data_are_escaped(find: Find, run: RunInfo) -> None:
    page = render(find("hostile"), run)
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "</script><b>" not in page
    # Four elements of our own, and nothing that ends one early.
    assert page.count("<script") == page.count("</script") == 4
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_shows_the_findings(find: Find, run: RunInfo) -> None:
    found = find("moons")
    page = render(found, run).replace("\N{NO-BREAK SPACE}", " ")
    assert found.diagnosis.sentence in page
    assert found.diagnosis.prescription in page
    assert found.study.data.fingerprint in page
    assert found.verification is not None
    for point in found.verification.checklist:
        assert point.text in page
    for point in found.points:
        assert point.label in page
    for expected in ("0.2 s", "1.5 s", "1 of 2 cores", "4 March 2025, 05:06", "3.11.4"):
        assert expected in page, expected


def test_code_is_copied_as_it_was_given(find: Find, run: RunInfo) -> None:
    assert "# λ = 0.1\nDense(1)" in render(find("moons"), run)


def test_works_without_verification_recipes_and_command(find: Find, run: RunInfo) -> None:
    bare = replace(run, recipes={}, command="", seconds={})
    page = render(replace(find("moons"), verification=None, notes=("Not verified: x.",)), bare)
    assert "Not verified: x." in page
    assert 'id="lambda"' not in page
    assert "checklist-title" not in page
    assert "code-title" not in page


def test_writes_a_whole_file(find: Find, run: RunInfo, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("old")
    assert write(find("interrupted"), run, target) == target
    text = target.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert text.rstrip().endswith("</html>")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    mask = os.umask(0)
    os.umask(mask)
    assert target.stat().st_mode & 0o777 == 0o666 & ~mask


@pytest.mark.parametrize("place", ["missing/report.html", "file/report.html", "."])
def test_an_impossible_place_is_one_sentence(
    find: Find, run: RunInfo, tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SettingError, match="cannot write the report") as caught:
        write(find("interrupted"), run, tmp_path / place)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_failure_on_the_way_leaves_nothing_behind(
    find: Find, run: RunInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(SettingError, match="no space left on device"):
        write(find("interrupted"), run, tmp_path / "report.html")
    assert not list(tmp_path.iterdir())
