"""Two studies as one, and two side by side."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from shrinkage import L1, L2, Network
from shrinkage.archive.comparing import compare
from shrinkage.archive.merging import merge
from shrinkage.archive.summary import summary
from shrinkage.errors import SettingError


@pytest.fixture
def two(keeper_of, tmp_path, data, plan):
    """The plan's L1 in one file, L2 at other λ in another."""
    first, second = keeper_of(tmp_path / "a.study"), keeper_of(tmp_path / "b.study")
    first.run(data, plan)
    second.run(data, replace(plan, penalties=(L2(),), lambdas=(0.01, 0.1)))
    return first, second


def test_both_fits_are_there_once(two, keeper_of, tmp_path, data, plan, uninterrupted, same):
    first, second = two
    both = keeper_of(tmp_path / "both.study")
    found = merge(first.path, second.path, both.path, "shrinkage merge")
    mine, theirs = first.study, second.study
    union = {fit.trial for fit in mine.fits} | {fit.trial for fit in theirs.fits}
    assert {fit.trial for fit in both.study.fits} == union
    assert (found.fits, found.differing) == (len(union), 0)
    assert found.shared == len(mine.fits) + len(theirs.fits) - len(union) > 0
    # The first's plan comes first, and the new file goes on with what both asked.
    assert both.study.trials[: len(mine.trials)] == mine.trials
    asked = replace(plan, penalties=(L1(), L2()), lambdas=(0.001, 0.01, 0.1))
    new = both.run(data, asked)
    whole = uninterrupted(data, asked)
    assert set(new) == set(whole.trials) - union
    same(both.study, whole)


def test_the_plan_asks_for_both(two, tmp_path):
    into = tmp_path / "both.study"
    merge(two[0].path, two[1].path, into)
    with closing(sqlite3.connect(into)) as connection:
        (plan,) = connection.execute("SELECT plan FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    said = json.loads(plan)
    assert said["lambdas"] == {"tuple": [0.001, 0.01, 0.1]}
    assert [one["record"] for one in said["penalties"]["tuple"]] == ["L1", "L2"]
    assert [run.fits for run in summary(into).runs] == [9, 6, 0]


def test_repeats_are_shared_out(keeper_of, tmp_path, moons, plan, uninterrupted, same):
    some, all_ = keeper_of(tmp_path / "a.study"), keeper_of(tmp_path / "b.study")
    some.run(moons(), plan)
    all_.run(moons(repeats=2), plan, most=7)
    for one, other in ((some, all_), (all_, some)):
        both = keeper_of(tmp_path / f"{one.path.stem}.both.study")
        merge(one.path, other.path, both.path)
        both.run(moons(repeats=2), plan)
        same(both.study, uninterrupted(moons(repeats=2), plan))


def test_a_result_that_differs_is_told(two, keeper_of, tmp_path, data, plan, run_of):
    from shrinkage.archive import StudyFile

    fit = next(fit for fit in two[0].study.fits if fit.trial.penalty is None)
    other = keeper_of(tmp_path / "c.study")
    with StudyFile(other.path) as file:
        file.begin(data, run_of(plan))
        file.add(replace(fit, final_train_loss=9.0), [fit.trial], "path")
        file.finish(complete=True)
    found = merge(two[0].path, other.path, tmp_path / "both.study")
    assert (found.shared, found.differing) == (1, 1)
    both = keeper_of(tmp_path / "both.study").study
    assert {f.final_train_loss for f in both.fits if f.trial == fit.trial} == {fit.final_train_loss}
    compared = compare(two[0].path, other.path)
    assert (compared.shared, compared.identical) == (1, 0)


def test_other_settings_do_not_merge(two, keeper_of, tmp_path, data, plan, moons):
    into = tmp_path / "both.study"
    for change, match in (
        ({"network": Network(2, (5,))}, "hidden units 4, now 5"),
        ({"seed": 3}, "seed 0, now 3"),
        ({"training": replace(plan.training, epochs=4)}, "epochs 3, now 4"),
    ):
        other = keeper_of(tmp_path / f"{next(iter(change))}.study")
        other.run(data, replace(plan, **change), most=1)
        with pytest.raises(SettingError, match=match):
            merge(two[0].path, other.path, into)
    other = keeper_of(tmp_path / "rows.study")
    other.run(moons(seed=1), plan, most=1)
    with pytest.raises(SettingError, match="the same columns hold other values; only studies"):
        merge(two[0].path, other.path, into)
    other = keeper_of(tmp_path / "folds.study")
    other.run(moons(folds=3), plan, most=1)
    with pytest.raises(SettingError, match="other folds: only repeats may differ"):
        merge(two[0].path, other.path, into)
    assert not into.exists()


def test_nothing_is_overwritten(two):
    first, second = two
    before = second.path.read_bytes()
    with pytest.raises(SettingError, match="exists; name another file with --output"):
        merge(first.path, second.path, second.path)
    assert second.path.read_bytes() == before


def test_a_damaged_fit_is_not_merged(two, tmp_path):
    with closing(sqlite3.connect(two[1].path, isolation_level=None)) as connection:
        connection.execute("UPDATE fits SET zeros = 0.125")
    with pytest.raises(SettingError, match="is damaged"):
        merge(two[0].path, two[1].path, tmp_path / "both.study")
    assert {path.name for path in tmp_path.iterdir()} == {"a.study", "b.study"}


def test_compared(two, tmp_path, keeper_of, moons, plan):
    found = compare(two[0].path, two[1].path)
    assert found.same_rows
    assert found.settings == ("λ 0.001,0.01, now 0.01,0.1", "penalties L1, now L2")
    assert found.versions == ()
    assert found.shared == found.identical > 0
    other = keeper_of(tmp_path / "c.study")
    other.run(moons(seed=1), plan)
    assert not compare(two[0].path, other.path).same_rows
