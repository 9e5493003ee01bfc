"""The accuracy protocol: every method sees the same rows, records last, the numbers are right."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from benchmarks.accuracy_records import Key, Record, Records
from benchmarks.budget import Budget

from benchmarks import accuracy_page, outer


def _record(
    table: str, split: int, method: str, score: float, budget: float | None = None
) -> Record:
    clock = None if budget is None else "wall"
    key = Key(table, split, method, budget, clock)
    return Record(key, (score,), 1.0, 2.0, {"λ": 0.1}, 80, 20, {}, "a machine", "today")


def test_peers_get_the_rows_and_classes_that_the_network_gets() -> None:
    split = outer.outer("wine", 3, None)
    inputs, labels = split.train
    assert labels.tolist() == split.data.full.targets[:, 0].astype(int).tolist()
    assert split.test[1].tolist() == split.data.test.targets[:, 0].astype(int).tolist()
    full = split.data.full
    raw = full.inputs * full.scale + full.center
    np.testing.assert_allclose(inputs.to_numpy(), raw, rtol=1e-5, atol=1e-5)
    for train, validation in split.inner:
        assert sorted([*train, *validation]) == list(range(len(labels)))


def test_records_last_and_the_newest_of_a_cell_counts(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.add(_record("wine", 0, "L2 only", 0.5))
    records.add(_record("wine", 1, "L2 only", 0.6))
    records.add(_record("wine", 0, "L2 only", 0.7))
    records.add(_record("wine", 0, "XGBoost", 0.8, budget=60.0))
    with next(tmp_path.glob("xgb*")).open("a") as file:
        file.write('{"key": {"table": "wi')  # cut off by an interruption
    again = Records(tmp_path)
    assert {(r.key.method, r.key.split): r.score for r in again} == {
        ("L2 only", 0): 0.7,
        ("L2 only", 1): 0.6,
        ("XGBoost", 0): 0.8,
    }
    assert [r.key.method for r in again.of(5, 30.0, "wall")] == ["L2 only"] * 2
    assert len(again.of(1, 60.0, "wall")) == 2


def test_a_record_after_a_line_that_was_cut_off_is_read(tmp_path: Path) -> None:
    (tmp_path / "l2-only.jsonl").write_text('{"key": {"table": "wi')
    records = Records(tmp_path)
    records.add(_record("wine", 1, "L2 only", 0.6))
    assert [record.score for record in Records(tmp_path)] == [0.6]


def test_only_tables_that_all_methods_have_are_compared() -> None:
    records = [
        _record(table, split, method, score)
        for table, method, score in (
            ("wine", "tune all", 0.95),
            ("wine", "XGBoost", 0.90),
            ("digits", "tune all", 0.10),
        )
        for split in range(2)
    ]
    tables, values = accuracy_page.matrix(accuracy_page.collect(records), ("tune all", "XGBoost"))
    assert tables == ["wine"]
    gain = accuracy_page.advantage(*values)
    assert gain.estimate == pytest.approx(5.0)
    by_name = {bar.name: bar for bar in accuracy_page.bars(records)}
    assert by_name["balanced accuracy of tune all over XGBoost"].passed
    assert by_name["balanced accuracy of tune all over unregularized"].value is None


def test_ranks_are_means_over_tables_and_ties_share_theirs() -> None:
    values = np.array([[[0.9], [0.5]], [[0.8], [0.7]], [[0.8], [0.6]]])
    np.testing.assert_allclose(accuracy_page.mean_ranks(values), [2.0, 1.75, 2.25])


def test_the_gain_has_the_interval_of_its_splits() -> None:
    ours = np.array([[90.0, 91.0, 92.0], [80.0, 83.0, 82.0]])
    other = np.array([[89.0, 90.0, 90.0], [80.0, 80.0, 79.0]])
    gain = accuracy_page.advantage(ours, other)
    per_split = np.array([0.5, 2.0, 2.5])
    error = per_split.std(ddof=1) * np.sqrt(1 / 3 + 0.2 / 0.8)
    assert gain.estimate == pytest.approx(per_split.mean())
    assert gain.high - gain.estimate == pytest.approx(4.302653 * error, rel=1e-5)


def test_the_search_of_trees_ends_by_the_clock_it_is_given() -> None:
    pytest.importorskip("xgboost", reason="XGBoost is a peer of the benchmarks, not installed")
    pytest.importorskip("optuna", reason="Optuna is not installed")
    from benchmarks.peers.xgboost import xgboost_search

    ticks = itertools.count()
    budget = Budget(30.0, lambda: float(next(ticks)) / 20)  # every look at the clock: 0.05 s
    split = outer.outer("wine", 0, None)
    (predicted,), settings = xgboost_search(split, budget)
    assert np.mean(predicted == split.test[1]) > 0.8
    assert 1 <= settings["complete"] <= settings["trials"] < 50
