"""A large table: encoded once for all folds, read a column at a time, and kept in its file."""

from __future__ import annotations

import gc
import pickle
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from mmap import mmap
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyarrow import feather

from shrinkage.data import Data, Part, load_table, open_source, prepare, written
from shrinkage.data.encode import Encoded
from shrinkage.data.mapped import mapped
from shrinkage.data.shared import move
from shrinkage.data.stored import StoredTable
from shrinkage.engine.pool import run_trial, train
from shrinkage.errors import DataError
from shrinkage.network import Network
from shrinkage.penalties import L1
from shrinkage.study import Trial
from shrinkage.training import Training


def _table(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """Numbers of different scales, with gaps, a flag, a date, categories with rare ones, a text."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(rows)
    gaps = np.where(rng.random(rows) < 0.1, np.nan, rng.standard_normal(rows) * 1e3 + 5e6)
    colours = rng.choice(["red", "green", "blue", "mauve"], rows, p=[0.5, 0.3, 0.19, 0.01])
    words = rng.choice(["early", "late", "never", "often", "rarely"], (rows, 3))
    return pd.DataFrame(
        {
            "x": x,
            "tiny": x**2 * 1e-9,
            "gaps": gaps,
            "flag": rng.random(rows) < 0.03,
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), "D"),
            "colour": colours,
            "note": [" ".join(row) + f" {i}" for i, row in enumerate(words)],
            "constant": 1,
            "y": np.where(x + rng.standard_normal(rows) > 0, "yes", "no"),
        }
    )


@pytest.fixture
def largely(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Data]:
    """As if every table were large."""

    def prepared(*given: object, **settings: object) -> Data:
        with monkeypatch.context() as patched:
            _lower(patched)
            return prepare(*given, **settings)

    return prepared


def _lower(patched: pytest.MonkeyPatch, cells: int = 1) -> None:
    for room in ("prepare", "table"):
        patched.setattr(sys.modules[f"shrinkage.data.{room}"], "LARGE", cells)


def _by_name(part: Part) -> pd.DataFrame:
    return pd.DataFrame(part.seen(slice(None)), columns=part.columns).sort_index(axis=1)


@pytest.mark.parametrize("target", ["y", "x"])
def test_a_shared_table_is_what_separate_ones_are(
    largely: Callable[..., Data], target: str
) -> None:
    table = _table()
    weights = np.random.default_rng(1).uniform(0.5, 2, len(table))
    small = prepare(table, target, sample_weight=weights)
    large = largely(table, target, sample_weight=weights)
    assert small.full.columns != large.full.columns  # the order is the table's
    assert large.description == small.description
    pd.testing.assert_frame_equal(_by_name(small.full), _by_name(large.full), atol=2e-6)
    np.testing.assert_array_equal(small.test.targets, large.test.targets)
    for one, other in zip(small.parts, large.parts, strict=True):
        assert other.inputs is large.full.inputs
        for name in ("train", "validation", "weights", "targets", "target_scale"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_each_fold_is_standardized_by_its_own_training_rows(largely: Callable[..., Data]) -> None:
    table = _table().drop(columns=["gaps", "colour", "note"])
    small, large = prepare(table, "y"), largely(table, "y")
    for one, other in zip((small.full, *small.parts), (large.full, *large.parts), strict=True):
        assert one.columns == other.columns
        np.testing.assert_allclose(one.inputs, other.seen(slice(None)), atol=2e-6)
        np.testing.assert_allclose(one.center, other.center, rtol=1e-6)
        np.testing.assert_allclose(one.scale, other.scale, rtol=1e-6)
        own = other.seen(other.train).astype(np.float64)
        np.testing.assert_allclose(own.mean(axis=0), 0, atol=1e-6)


def _written(table: pd.DataFrame, folder: Path, kind: str) -> Path:
    path = folder / f"table.{kind}"
    if kind == "parquet":
        table.to_parquet(path, row_group_size=70)
    elif kind == "arrow":
        feather.write_feather(table, path, compression="uncompressed", chunksize=70)
    else:
        table.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("kind", ["parquet", "arrow", "csv", "csv.gz"])
def test_a_large_file_is_read_as_the_table_in_it(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A text is looked at once it is longer than what is read to tell its kind.
    path = _written(_table(1500), tmp_path, kind)
    whole, targets, _ = open_source(path, "y")
    monkeypatch.setattr(written, "SAMPLE_BYTES", 1000)
    monkeypatch.setattr(written, "_CELLS_AT_ONCE", 900)
    _lower(monkeypatch)
    left, *_ = open_source(path, "y")
    assert isinstance(left, StoredTable)
    assert left.columns == tuple(whole.columns)
    for name in whole:
        values = left[name].astype(whole[name].dtype)
        pd.testing.assert_series_equal(values, whole[name])
    one, other = prepare(whole, targets), prepare(left, targets)
    assert one.fingerprint == other.fingerprint
    assert one.description == other.description


@pytest.mark.parametrize(
    ("late", "became"),
    [("1.5", "float64"), ("word", "str"), ("", "float64"), ("True", "str"), ("None", "str")],
)
def test_what_a_column_is_may_show_late(
    late: str, became: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["a,b", *(f"{i},0{i}" for i in range(60)), f"{late},7", "3,8"]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(written, "SAMPLE_BYTES", 64)
    monkeypatch.setattr(written, "_CELLS_AT_ONCE", 20)
    table = written.written_anew(path, 100)
    assert table is not None
    assert len(table) == 62
    whole = load_table(path)
    assert table["a"].dtype == became
    pd.testing.assert_series_equal(table["a"], whole["a"].astype(became))


def test_a_text_written_anew_goes_with_its_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _written(_table(1500), tmp_path, "csv")
    monkeypatch.setattr(written, "SAMPLE_BYTES", 1000)
    table = written.written_anew(path, 1)
    assert table is not None
    assert table.path.exists()
    folder = table.path.parent
    del table
    gc.collect()
    assert not folder.exists()


def test_what_is_wrong_with_a_large_text_is_said_as_of_a_small_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b\n" + "1,2\n" * 500 + "1,2,3\n")
    monkeypatch.setattr(written, "SAMPLE_BYTES", 64)
    _lower(monkeypatch)
    with pytest.raises(DataError, match=r"line 502 of table.csv has 3 cells where 2 were expected"):
        open_source(path, "b")


@pytest.mark.parametrize("settings", [{}, {"polish": 3}, {"patience": 2, "dropout": 0.2}])
def test_a_step_gathers_what_the_fold_sees(
    largely: Callable[..., Data], settings: dict[str, float]
) -> None:
    data = largely(_table(), "y")
    training = Training(data.loss, epochs=3, **settings)
    trial = Trial(Network(data.full.n_inputs, (5,)), training, L1(), 1e-3, 1, seed=4)
    part = data.part(1)
    assert part.shares
    assert not part.alone().shares
    shared, alone = run_trial(trial, part), run_trial(trial, part.alone())
    for name in ("parameters", "outputs", "train_loss", "validation_loss"):
        np.testing.assert_array_equal(getattr(shared, name), getattr(alone, name))


def test_test_rows_lie_in_a_file(largely: Callable[..., Data]) -> None:
    data = largely(_table(), "y")
    base = data.test.inputs
    while isinstance(base, np.ndarray):
        base = base.base
    assert isinstance(base, mmap)
    assert data.test.inputs.shape == (80, data.full.n_inputs)
    np.testing.assert_array_equal(
        np.sort(np.concatenate([data.train_rows, data.test_rows])), np.arange(400)
    )


def test_folds_are_told_apart_by_the_fingerprint(largely: Callable[..., Data]) -> None:
    table = _table()
    one = largely(table, "y")
    assert one.fingerprint == largely(table, "y").fingerprint
    table.loc[5, "x"] += 1
    assert one.fingerprint != largely(table, "y").fingerprint
    assert one.fingerprint != largely(_table(), "y", seed=1).fingerprint


def test_what_is_constant_in_a_fold_says_nothing_there() -> None:
    inputs = np.zeros((8, 2), dtype=np.float32)
    inputs[:, 0] = np.arange(8)
    inputs[6:, 1] = 5.0
    encoded = Encoded(inputs, ("a", "b"), ("a", "b"), np.zeros(2), np.ones(2))
    (moved,) = move(encoded, [np.arange(5)], np.array([0.0, 0.0]))
    np.testing.assert_allclose(moved.center, [2, 0])
    np.testing.assert_allclose(moved.scale, [np.sqrt(2), 1])
    np.testing.assert_allclose((inputs[7] - moved.shift) * moved.stretch, [5 / np.sqrt(2), 0])


def test_large_inputs_travel_as_the_path_of_a_file(
    largely: Callable[..., Data], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = largely(_table(), "y")
    parts = data.by_fold
    with mapped(parts) as same:
        assert same is parts  # small
    monkeypatch.setattr("shrinkage.data.mapped.LEAST", 1)
    with mapped(parts) as sent:
        part = sent[1]
        assert part.inputs is sent[None].inputs
        (path,) = {one.inputs.filename for one in sent.values()}
        content = pickle.dumps(part)
        assert len(content) < part.inputs.nbytes
        arrived = pickle.loads(content)
        assert len(pickle.dumps(arrived)) == len(content)  # from worker to worker too
        np.testing.assert_array_equal(arrived.inputs, data.part(1).inputs)
        assert arrived.inputs.flags.writeable  # to what is compiled the same as in memory
        trial = Trial(Network(8, (3,)), Training(data.loss, epochs=1), None, 0.0, 1, seed=0)
        trial = replace(trial, network=replace(trial.perceptron, inputs=part.n_inputs))
        there, here = run_trial(trial, arrived), run_trial(trial, data.part(1))
        np.testing.assert_array_equal(there.parameters, here.parameters)
    assert not Path(path).exists()


@pytest.mark.slow
def test_processes_share_what_is_mapped(
    largely: Callable[..., Data], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = largely(_table(), "y")
    monkeypatch.setattr("shrinkage.data.mapped.LEAST", 1)
    network, training = Network(data.full.n_inputs, (3,)), Training(data.loss, epochs=2)
    trials = [Trial(network, training, L1(), 1e-3, fold, seed=fold) for fold in range(3)]
    here = {fit.trial: fit for fit in train(trials, data)}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        there = {fit.trial: fit for fit in train(trials, data, executor=pool)}
    for trial in trials:
        np.testing.assert_array_equal(here[trial].parameters, there[trial].parameters)
        np.testing.assert_array_equal(here[trial].outputs, there[trial].outputs)
