"""A study's tables for other programs."""

from __future__ import annotations

import json
import re
import sys

import numpy as np
import pandas as pd
import pytest

from shrinkage.archive import StudyFile, frame
from shrinkage.archive.exporting import export
from shrinkage.errors import SettingError


def test_fits_say_what_the_study_says(complete):
    table = frame(complete.path)
    study = complete.study
    assert len(table) == len(study.fits)
    assert table["lambda"].tolist() == [fit.trial.lam for fit in study.fits]
    assert table["train_loss"].tolist() == [fit.final_train_loss for fit in study.fits]
    losses = [fit.final_validation_loss for fit in study.fits]
    np.testing.assert_array_equal(table["validation_loss"], losses)
    assert table["zeros"].tolist() == [fit.sparsity for fit in study.fits]
    folds = [None if np.isnan(fold) else int(fold) for fold in table["fold"]]
    assert folds == [fit.trial.fold for fit in study.fits]
    assert set(table["penalty"]) == {"no penalty", "L1"}


def test_histories_have_a_row_for_each_epoch(complete):
    table = frame(complete.path, "histories")
    fits = frame(complete.path)
    for trial, fit in zip(fits["trial"], complete.study.fits):
        own = table[table["trial"] == trial]
        assert own["epoch"].tolist() == fit.epochs.tolist()
        np.testing.assert_array_equal(own["validation_loss"], fit.validation_loss)


def test_outputs_have_a_row_for_each_validation_row(complete):
    table = frame(complete.path, "outputs")
    for trial, fit in zip(frame(complete.path)["trial"], complete.study.fits):
        own = table[table["trial"] == trial]
        assert own["row"].tolist() == list(range(len(fit.outputs)))
        assert set(own["output"]) <= {0}
        np.testing.assert_array_equal(own["value"], fit.outputs[:, 0])


def test_parameters_are_whole(complete):
    table = frame(complete.path, "parameters")
    trials = frame(complete.path)["trial"]
    kept = {trial: fit for trial, fit in zip(trials, complete.study.fits) if fit.parameters.size}
    assert table["trial"].tolist() == sorted(kept)
    assert len(kept) == 3
    for trial, values in zip(table["trial"], table["parameters"]):
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, kept[trial].parameters)


def test_findings_are_those_of_their_run(keeper, data, plan, run_of):
    with StudyFile(keeper.path) as file:
        for number in range(3):
            file.begin(data, run_of(plan))
            file.finish(complete=True)
            if number != 1:
                file.found({"number": number})
    table = frame(keeper.path, "findings")
    assert table["run"].tolist() == [1, 3]
    assert [json.loads(said)["number"] for said in table["findings"]] == [0, 2]


def test_an_empty_study_has_empty_tables(keeper, data, plan, run_of):
    with StudyFile(keeper.path) as file:
        file.begin(data, run_of(plan))
        file.finish(complete=False)
    for name in ("fits", "histories", "outputs", "parameters", "findings"):
        assert len(frame(keeper.path, name)) == 0
    assert frame(keeper.path, "runs")["complete"].tolist() == [0]


def test_unknown_names(complete):
    with pytest.raises(SettingError, match="did you mean 'histories'"):
        frame(complete.path, "history")
    with pytest.raises(SettingError, match="unknown kind of frame"):
        frame(complete.path, kind="excel")


def test_polars_has_the_same_numbers(complete):
    import polars as pl

    for name in ("fits", "histories", "runs"):
        found, expected = frame(complete.path, name, kind="polars"), frame(complete.path, name)
        assert isinstance(found, pl.DataFrame)
        assert found.columns == list(expected.columns)
        assert found.height == len(expected) > 0
    losses = frame(complete.path, kind="polars")["validation_loss"].to_numpy()
    np.testing.assert_array_equal(losses, frame(complete.path)["validation_loss"])


def test_polars_is_asked_for(complete, monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(SettingError, match="pip install polars"):
        frame(complete.path, kind="polars")


@pytest.mark.parametrize("to", ["parquet", "csv"])
def test_tables_go_out_and_come_back(complete, tmp_path, to):
    folder = export(complete.path, to, tmp_path / "out")
    assert {path.name for path in folder.iterdir()} == {
        f"{name}.{to}" for name in ("fits", "histories", "runs")
    }
    read = pd.read_parquet if to == "parquet" else pd.read_csv
    for name in ("fits", "histories"):
        again = read(folder / f"{name}.{to}")
        pd.testing.assert_frame_equal(
            again, frame(complete.path, name), check_dtype=False, rtol=1e-15
        )


def test_mlflow_finds_each_fit_as_a_run(complete, tmp_path):
    folder = export(complete.path, "mlflow", tmp_path / "mlruns")
    (experiment,) = (path for path in folder.iterdir() if path.name.isdigit())
    meta = (experiment / "meta.yaml").read_text()
    assert f'artifact_location: "{experiment.as_uri()}"' in meta
    assert 'name: "moons (moons.study)"' in meta
    runs = [path for path in experiment.iterdir() if path.is_dir()]
    table = frame(complete.path)
    assert len(runs) == len(table)
    last = {}
    for run in runs:
        assert re.fullmatch("[0-9a-f]{32}", run.name)
        lam = float((run / "params" / "lambda").read_text())
        lines = (run / "metrics" / "train_loss").read_text().splitlines()
        assert len(lines) in (1, 3)  # a fold's losses are not taken after every epoch
        assert all(re.fullmatch(r"\d+ \S+ \d+", line) for line in lines)
        if (run / "params" / "fold").exists():
            fold = int((run / "params" / "fold").read_text())
            taken = (run / "metrics" / "validation_loss").read_text().splitlines()
            last[lam, fold] = float(taken[-1].split()[1])
    own = table[table["fold"].notna()]
    assert last == {
        (row["lambda"], int(row["fold"])): row["validation_loss"] for _, row in own.iterrows()
    }


def test_a_folder_in_use_is_left_alone(complete, tmp_path):
    (tmp_path / "out").mkdir()
    assert export(complete.path, "csv", tmp_path / "out") == tmp_path / "out"
    with pytest.raises(SettingError, match="exists and is not empty; name another --output"):
        export(complete.path, "csv", tmp_path / "out")
    with pytest.raises(SettingError, match="there is no directory"):
        export(complete.path, "csv", tmp_path / "none" / "out")
    with pytest.raises(SettingError, match="choose one of: parquet, csv, mlflow"):
        export(complete.path, "excel", tmp_path / "other")


def test_nothing_is_left_of_a_folder_that_failed(complete, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shrinkage.archive.exporting._write_tables", fail)
    with pytest.raises(SettingError, match=r"cannot be written \(no space left on device\)"):
        export(complete.path, "csv", tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"moons.study"}
