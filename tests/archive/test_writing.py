"""Writing fits as they arrive: to the bit, once, by one process, until the disk is full."""

from __future__ import annotations

import json
import os
import pickle
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from shrinkage import L1, Fit, Network, Study, Training, Trial
from shrinkage.archive import StudyFile, frame, open_study, summary
from shrinkage.archive.exporting import export
from shrinkage.archive.holding import held
from shrinkage.archive.merging import merge
from shrinkage.archive.salvage import recover
from shrinkage.archive.tensors import unpacked
from shrinkage.engine.pool import run_trial, train
from shrinkage.errors import SettingError
from shrinkage.study import Status


def trial_of(data, lam=0.01, fold=0, seed=0, **training):
    how = Training("binary_cross_entropy", **({"epochs": 3} | training))
    return Trial(Network(2, (4,)), how, L1(), lam, fold, seed)


def write(path, data, plan, run_of, fits):
    with StudyFile(path) as file:
        file.begin(data, run_of(plan))
        for fit in fits:
            file.add(fit, [fit.trial], "path")
        file.finish(complete=True)


def test_fits_come_back_to_the_bit(keeper, data, plan, run_of, same):
    trials = [
        trial_of(data),
        trial_of(data, fold=None),
        trial_of(data, fold=1, epochs=60, patience=1, learning_rate=0.3),
        trial_of(data, fold=0, seed=7, polish=20),
        replace(trial_of(data), penalty=None, lam=0.0),
        replace(trial_of(data), rows=9),
        trial_of(data, lam=float(np.nextafter(0.1, 1))),
    ]
    fits = list(train(trials, data, threads=1))
    write(keeper.path, data, plan, run_of, fits)
    same(keeper.study, Study.of(data, [fit.trial for fit in fits], fits, {}))
    assert {fit.status for fit in fits} >= {Status.COMPLETED, Status.STOPPED_EARLY}


@pytest.mark.parametrize(
    "how",
    [
        {"lam": 1},
        {"lam": np.float32(0.1)},
        {"seed": np.int64(7)},
        {"fold": np.int64(1)},
        {"rows": np.int64(9)},
    ],
    ids=str,
)
def test_numbers_of_any_kind_are_the_same_question(keeper, data, plan, run_of, how):
    """A λ of 1 is one of 1.0, and SQLite knows no numbers of NumPy's."""
    fit = run_trial(replace(trial_of(data), **how), data.part(0))
    write(keeper.path, data, plan, run_of, [fit])
    (again,) = keeper.study.fits
    assert again.trial == fit.trial
    with StudyFile(keeper.path) as file:
        assert list(file.done(data)) == [fit.trial]
    write(keeper.path, data, plan, run_of, [fit])
    assert len(keeper.study.fits) == 1


def test_what_is_not_finite_comes_back(keeper, data, plan, run_of, same):
    fit = run_trial(trial_of(data), data.part(0))
    broken = replace(
        fit,
        status=Status.DIVERGED,
        final_train_loss=float("nan"),
        train_loss=np.array([1.0, np.inf]),
        validation_loss=np.array([np.nan, -np.inf]),
        epochs=np.array([1, 2]),
        stationarity=float("inf"),
        slope=float("nan"),
    )
    write(keeper.path, data, plan, run_of, [broken])
    same(keeper.study, Study.of(data, [fit.trial], [broken], {}))
    assert keeper.study.diverged


def test_weights_let_go_stay_away(keeper, data, plan, run_of):
    fit = run_trial(trial_of(data), data.part(0)).forget()
    write(keeper.path, data, plan, run_of, [fit])
    (again,) = keeper.study.fits
    assert again.parameters.size == 0
    assert (again.sparsity, again.spread) == (fit.sparsity, fit.spread)


def test_study_opens_what_was_written(complete, data, plan, uninterrupted, same):
    study = Study.open(complete.path)
    same(study, uninterrupted(data, plan))
    assert study.versions["shrinkage"]
    same(Study.open(complete.path, data=data), study)


def test_a_fit_is_written_once(keeper, data, plan, run_of):
    fit = run_trial(trial_of(data), data.part(0))
    write(keeper.path, data, plan, run_of, [fit, fit, fit])
    write(keeper.path, data, plan, run_of, [replace(fit, final_train_loss=9.0)])
    (again,) = keeper.study.fits
    assert again.final_train_loss == fit.final_train_loss


def test_one_plain_file_is_left(complete):
    assert {path.name for path in complete.path.parent.iterdir()} == {"moons.study"}
    with closing(sqlite3.connect(complete.path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM results").fetchone() == (9,)


def test_a_fit_can_be_read_while_others_come(keeper, data, plan, run_of):
    fit = run_trial(trial_of(data), data.part(0))
    with StudyFile(keeper.path) as file:
        file.begin(data, run_of(plan))
        file.add(fit, [fit.trial], "path")
        file.finish(complete=False, stage="path")
        assert len(keeper.study.fits) == 1
        assert held(keeper.path).startswith(f"process {os.getpid()} on ")
    assert held(keeper.path) is None


def test_a_second_writer_is_told_who_holds_it(keeper, data, plan):
    program = (
        "import sys\n"
        "from shrinkage.archive import StudyFile\n"
        "with StudyFile(sys.argv[1]):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(keeper.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(SettingError, match=rf"being written by process {other.pid} on \S+, si"):
            StudyFile(keeper.path)
        other.kill()
    # Whoever was killed holds nothing, whatever the lock says.
    assert keeper.path.with_name("moons.study-lock").exists()
    assert len(keeper.run(data, plan)) == 9


def test_two_names_of_one_file_are_one_file(keeper, tmp_path):
    link = tmp_path / "link.study"
    with StudyFile(keeper.path):
        link.symlink_to(keeper.path)
        with pytest.raises(SettingError, match="being written by process"):
            StudyFile(link)


def test_where_nothing_can_be_locked(keeper, monkeypatch):
    def refuse(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("shrinkage.archive.holding._lock", refuse)
    with pytest.raises(SettingError, match=r"\(no locks available\), so .* on a local disk"):
        StudyFile(keeper.path)
    assert held(keeper.path) is None


def test_a_lock_that_says_nothing_is_still_a_lock(keeper, tmp_path):
    with StudyFile(keeper.path):
        keeper.path.with_name("moons.study-lock").write_text("")
        assert held(keeper.path) == "another process"


def fill(file, more=4):
    """Let the disk be full after so many more pages."""
    (pages,) = file.connection.execute("PRAGMA page_count").fetchone()
    file.connection.execute(f"PRAGMA max_page_count = {pages + more}")


def test_a_full_disk_is_a_sentence_and_the_file_stays_whole(keeper, data, plan, run_of):
    fits = list(train([trial_of(data, seed=seed) for seed in range(3)], data, threads=1))
    write(keeper.path, data, plan, run_of, fits[:1])
    large = replace(fits[1], outputs=np.zeros((20_000, 1), dtype=np.float32))
    with StudyFile(keeper.path) as file:
        fill(file)
        file.begin(data, run_of(plan))
        for fit in (large, fits[2]):
            file.add(fit, [fit.trial], "path")
        with pytest.raises(SettingError, match=r"disk with the study file .* is full.*is kept: m"):
            file.finish(complete=True)
    with closing(sqlite3.connect(keeper.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert [fit.trial.seed for fit in keeper.study.fits] == [0]
    assert {path.name for path in keeper.path.parent.iterdir()} == {"moons.study"}


def test_of_a_disk_that_is_full_at_once_nothing_is_left(keeper, data, plan, run_of):
    def begin():
        with StudyFile(keeper.path) as file:
            fill(file, more=0)
            file.begin(data, run_of(plan))

    with pytest.raises(SettingError, match="is full; nothing is written yet: make room"):
        begin()
    assert not list(keeper.path.parent.iterdir())


def test_training_hears_of_a_failure_at_the_next_fit(keeper, data, plan, run_of):
    fit = run_trial(trial_of(data), data.part(0))
    large = replace(fit, outputs=np.zeros((200_000, 1), dtype=np.float32))

    def endless(file):
        while True:  # the queue holds a thousand
            file.add(large, [fit.trial])

    with StudyFile(keeper.path) as file:
        fill(file)
        file.begin(data, run_of(plan))
        with pytest.raises(SettingError, match="is full"):
            endless(file)


def test_an_empty_file_becomes_a_study(keeper, data, plan):
    keeper.path.touch()
    assert len(keeper.run(data, plan)) == 9


def test_a_folder_that_cannot_be_written(keeper, monkeypatch, complete):
    def refuse(*_args, **_more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(SettingError, match=r"cannot be written \(permission denied\)"):
        StudyFile(keeper.path)


def test_no_folder(tmp_path):
    with pytest.raises(SettingError, match="there is no directory"):
        StudyFile(tmp_path / "none" / "a.study")
    with pytest.raises(SettingError, match="is a folder"):
        StudyFile(tmp_path)


def test_the_clock_has_no_say(keeper, data, plan, monkeypatch, uninterrupted, same):
    from datetime import UTC, datetime

    class Early(datetime):
        @classmethod
        def now(cls):
            return datetime(1971, 1, 1, tzinfo=UTC)

    keeper.run(data, plan, most=3)
    monkeypatch.setattr("shrinkage.archive.writing.datetime", Early)
    monkeypatch.setattr("shrinkage.archive.holding.datetime", Early)
    keeper.run(data, plan)
    whole = uninterrupted(data, plan)
    same(keeper.study, whole)
    # The last run is the one that was written last, and merging and exporting ask no clock.
    before, after = summary(keeper.path).runs
    assert (before.fits, after.fits, after.complete) == (3, len(whole.fits) - 3, True)
    assert after.started < before.started
    both = keeper.path.with_name("both.study")
    assert merge(keeper.path, keeper.path, both).fits == len(whole.fits)
    same(open_study(both), whole)
    runs = export(both, "mlflow", keeper.path.with_name("runs"))
    assert len(list(runs.glob("*/*/meta.yaml"))) == len(whole.fits)


def test_a_penalty_of_ones_own_is_refused_by_name(keeper, data, plan, run_of):
    class Mine(L1):
        pass

    trial = replace(trial_of(data), penalty=Mine())
    fit = run_trial(trial, data.part(0))
    with pytest.raises(SettingError, match="cannot hold Mine"):
        write(keeper.path, data, plan, run_of, [fit])


def test_schema_is_readable_with_any_tool(complete):
    with closing(sqlite3.connect(complete.path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema")]
        (plan,) = connection.execute("SELECT plan FROM runs").fetchone()
        row = connection.execute(
            "SELECT penalty, count(*), min(validation_loss) FROM results WHERE fold IS NOT NULL "
            "GROUP BY penalty ORDER BY penalty"
        ).fetchall()
    assert {"facts", "runs", "records", "trials", "fits", "histories", "parameters"} <= set(names)
    assert json.loads(plan)["lambdas"] == {"tuple": [0.001, 0.01]}
    assert [(penalty, fits) for penalty, fits, _ in row] == [("L1", 4), ("no penalty", 2)]
    assert isinstance(row[0][2], float)


def test_there_are_numbers_text_and_tensors_and_nothing_is_unpickled(
    complete, data, plan, run_of, tmp_path, monkeypatch
):
    def refuse(*_args, **_more):
        raise AssertionError("unpickled")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    with StudyFile(complete.path) as file:
        file.begin(data, run_of(plan))
        assert len(file.done(data)) == 9
        file.found({"diagnosis": {"sentence": "as said"}})
        file.finish(complete=True)
    with closing(sqlite3.connect(complete.path)) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table'"
        ).fetchall()
        values = {
            name: [value for row in connection.execute(f"SELECT * FROM {name}") for value in row]
            for (name,) in tables
        }
    assert len(values) == 11
    for name, found in values.items():
        assert found, name
        for value in found:
            assert isinstance(value, int | float | str | bytes | None)
            assert not isinstance(value, bytes) or unpacked(value)
    for look in (summary, open_study, frame, lambda path: recover(path, tmp_path / "new.study")):
        look(complete.path)
    merge(complete.path, tmp_path / "new.study", tmp_path / "both.study")
    export(complete.path, "csv", tmp_path / "out")


def test_fit_is_a_record_of_its_own(complete):
    for fit in complete.study.fits:
        assert isinstance(fit, Fit)
        assert (fit.parameters.size > 0) == (fit.trial.fold is None)
