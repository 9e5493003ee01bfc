"""A file that may be anything: a sentence for each way in which it is no study."""

from __future__ import annotations

import gzip
import pickle
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from shrinkage import L1, Network, Training, Trial
from shrinkage.archive import StudyFile, open_study, schema, summary
from shrinkage.archive.opening import reading
from shrinkage.archive.salvage import recover
from shrinkage.errors import SettingError


def edit(path, *statements):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement, *values in statements:
            connection.execute(statement, values)


def refused(path, match):
    for read in (summary, open_study, StudyFile):
        with pytest.raises(SettingError, match=match):
            read(path)


def test_nothing_there(tmp_path):
    for read in (summary, open_study):
        with pytest.raises(SettingError, match=r"no study file '.*a.study'; shrinkage run … --stu"):
            read(tmp_path / "a.study")
        with pytest.raises(SettingError, match="is a folder"):
            read(tmp_path)


def test_empty(tmp_path):
    path = tmp_path / "a.study"
    path.touch()
    for read in (summary, open_study):
        with pytest.raises(SettingError, match=r"is empty; shrinkage run … --study '.*' makes a"):
            read(path)


def test_a_file_that_was_copied_without_its_log(keeper, data, plan, run_of):
    copy = keeper.path.with_name("copy.study")
    with StudyFile(keeper.path) as file:
        file.begin(data, run_of(plan))
        shutil.copyfile(keeper.path, copy)
    for read in (summary, open_study):
        with pytest.raises(SettingError, match=r"is empty: .* without the log .*'copy.study-wal'"):
            read(copy)
    with StudyFile(copy) as file:  # and a run fills it
        assert not file.begun


def test_foreign_files(tmp_path):
    path = tmp_path / "a.study"
    path.write_bytes(pickle.dumps({"a": 1}))
    refused(path, "is a pickle, which can execute code")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "b")
    refused(path, "is a zip archive")
    path.write_text("<!doctype html>\n")
    refused(path, "is a web page")
    path.write_text("x,y\n1,2\n")
    refused(path, "is not a study file that shrinkage wrote; it was not opened")
    path.unlink()
    edit(path, ("CREATE TABLE fits (id)",))
    refused(path, "is an SQLite database, but no study file")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.99])
def test_truncated(complete, share):
    content = complete.path.read_bytes()
    complete.path.write_bytes(content[: 20 + int(share * len(content))])
    refused(complete.path, "is truncated: its end is missing; .* shrinkage recover '")


def test_damaged_pages(complete):
    content = bytearray(complete.path.read_bytes())
    content[100:4096] = bytes(3996)
    complete.path.write_bytes(content)
    refused(complete.path, "is damaged; copy it again, or save what is left with: shrinkage recov")


def test_one_bit_of_a_result_is_found(complete):
    edit(complete.path, ("UPDATE fits SET train_loss = train_loss + 1e-12 WHERE trial = 3",))
    with pytest.raises(SettingError, match="is damaged"):
        open_study(complete.path)


def test_one_bit_of_a_weight_is_found(complete):
    with closing(sqlite3.connect(complete.path)) as connection:
        key, content = connection.execute("SELECT trial, tensors FROM parameters").fetchone()
    changed = bytearray(content)
    changed[-1] ^= 1
    edit(complete.path, ("UPDATE parameters SET tensors = ? WHERE trial = ?", bytes(changed), key))
    with pytest.raises(SettingError, match="is damaged"):
        open_study(complete.path)


@pytest.mark.parametrize("table", ["histories", "outputs", "parameters"])
def test_every_part_of_a_fit_is_missed(complete, table):
    whole = complete.path.read_bytes()
    with closing(sqlite3.connect(complete.path)) as connection:
        keys = [key for (key,) in connection.execute(f"SELECT trial FROM {table}")]
    assert keys
    for key in keys:
        complete.path.write_bytes(whole)
        edit(complete.path, (f"DELETE FROM {table} WHERE trial = ?", key))
        with pytest.raises(SettingError, match="is damaged"):
            open_study(complete.path)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trials SET lam = 0.002 WHERE lam = 0.001",
        "UPDATE trials SET seed = 5 WHERE id = 2",
        "UPDATE trials SET rows = 9 WHERE id = 2",
        "UPDATE trials SET penalty = NULL",
        "UPDATE records SET value = replace(value, '\"epochs\":3', '\"epochs\":4')",
    ],
)
def test_a_fit_of_another_question_is_found(complete, statement):
    """A fit's digest is over its question too."""
    edit(complete.path, (statement,))
    with pytest.raises(SettingError, match="is damaged"):
        open_study(complete.path)


def test_one_bit_of_the_data_is_found(complete, data, same, plan, uninterrupted):
    edit(complete.path, ("UPDATE arrays SET tensors = CAST(tensors || x'00' AS BLOB)",))
    with pytest.raises(SettingError, match="the data inside the study file are damaged; give them"):
        open_study(complete.path)
    same(open_study(complete.path, data=data), uninterrupted(data, plan))


@pytest.mark.parametrize("change", [("upper", "uppes"), ('"class"', '"glass"'), ("moons", "loons")])
def test_one_letter_of_the_data_is_found(complete, tmp_path, data, change):
    """What classes and columns are called is no array, but is under a digest as well."""
    before = said_of_data(complete.path)
    statement = "UPDATE facts SET value = replace(value, ?, ?) WHERE name = 'data'"
    edit(complete.path, (statement, *change))
    assert said_of_data(complete.path) != before
    with pytest.raises(SettingError, match="the data inside the study file are damaged; give them"):
        open_study(complete.path)
    assert not recover(complete.path, tmp_path / "saved.study").data
    study = open_study(tmp_path / "saved.study", data=data)
    assert len(study.fits) == 9


def said_of_data(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT value FROM facts WHERE name = 'data'").fetchone()


def test_a_newer_version(complete):
    edit(complete.path, (f"PRAGMA user_version = {schema.VERSION + 1}",))
    refused(complete.path, f"of version {schema.VERSION + 1}, and this version .* up to")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON fits BEGIN DELETE FROM fits; END",
        "CREATE VIEW more AS SELECT * FROM fits",
        "CREATE TABLE more (a)",
        "ALTER TABLE fits ADD COLUMN more",
        "DROP TABLE histories",
        "CREATE INDEX more ON fits (run)",
    ],
)
def test_another_schema_is_no_study(complete, statement):
    edit(complete.path, (statement,))
    refused(complete.path, "is damaged")


@pytest.fixture
def newer(monkeypatch):
    """As if the next version had a table more."""
    more = "CREATE TABLE notes (text TEXT NOT NULL)"
    monkeypatch.setitem(schema.SCHEMAS, 2, f"{schema.FIRST}{more};\n")
    monkeypatch.setitem(schema.MIGRATIONS, 1, lambda connection: connection.execute(more))
    monkeypatch.setattr(schema, "VERSION", 2)
    monkeypatch.setattr("shrinkage.archive.opening.VERSION", 2)


def test_an_older_version_is_brought_to_this_one(complete, newer, data, plan, wider, same):
    before = complete.study
    same(complete.study, before)
    assert version_of(complete.path) == 1  # reading leaves it as it is
    assert complete.run(data, wider(plan))
    assert version_of(complete.path) == 2
    kept = {fit.trial for fit in complete.study.fits}
    assert kept >= {trial for trial in before.trials if trial.fold is not None}


def test_a_migration_that_fails_changes_nothing(complete, newer, monkeypatch):
    def fail(connection):
        connection.execute("CREATE TABLE notes (text TEXT NOT NULL)")
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setitem(schema.MIGRATIONS, 1, fail)
    with pytest.raises(SettingError, match="is full"):
        StudyFile(complete.path)
    assert version_of(complete.path) == 1
    with closing(sqlite3.connect(complete.path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema")]
    assert "notes" not in names


def version_of(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def test_a_file_that_was_written_with_version_1(tmp_path):
    """What was written once is read for ever: its tables, its JSON, its bytes and its digests.

    A new version adds its own file here; this one is never written again.
    """
    path = tmp_path / "old.study"
    path.write_bytes(gzip.decompress(Path(__file__).with_name("version-1.study.gz").read_bytes()))
    assert version_of(path) == 1
    found = summary(path)
    assert (found.finished, found.planned, found.name) == (9, 9, "moons")
    study = open_study(path)
    training = Training("binary_cross_entropy", epochs=3)
    assert study.trials[1] == Trial(Network(2, (4,)), training, L1(), 0.001, 0, 1671244638)
    assert study.trials == tuple(fit.trial for fit in study.fits)
    fit, refit = study.fits[1], study.fits[-1]
    assert fit.final_train_loss == 0.5561785397003405
    assert fit.final_validation_loss == 0.6478874816093594
    assert refit.parameters.size == Network(2, (4,)).places.size
    assert study.data.fingerprint == "ece0ac9630f1e91a9500b4566b733a54"
    assert recover(path, tmp_path / "saved.study").fits == 9
    with StudyFile(path) as file:
        assert set(file.done(study.data)) == set(study.trials)
    assert version_of(path) == schema.VERSION


def test_reading_writes_nothing(complete):
    before = complete.path.read_bytes()
    summary(complete.path)
    open_study(complete.path)
    assert complete.path.read_bytes() == before
    with (
        closing(reading(complete.path)) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("DELETE FROM fits")


def test_a_log_that_a_killed_process_left_is_read(complete):
    copy = complete.path.with_name("copy.study")
    with StudyFile(complete.path) as file:
        file.connection.execute("PRAGMA journal_mode = WAL")
        file.connection.execute("UPDATE runs SET command = 'in the log'")
        for ending in ("", "-wal"):
            shutil.copyfile(f"{complete.path}{ending}", f"{copy}{ending}")
    assert b"in the log" not in copy.read_bytes()
    assert summary(copy).runs[0].command == "in the log"
    assert summary(copy).finished == 9


def test_where_no_lock_can_be_made_the_file_is_read_as_it_lies(complete, monkeypatch):
    connect = sqlite3.connect
    asked = []

    def refuse(database, *args, **more):
        asked.append(str(database))
        if str(database).endswith("?mode=ro"):
            raise sqlite3.OperationalError("unable to open database file")
        return connect(database, *args, **more)

    monkeypatch.setattr(sqlite3, "connect", refuse)
    assert summary(complete.path).finished == 9
    assert asked[-1].endswith("immutable=1")


def test_a_table_that_never_ends_is_given_up(complete):
    """Pages of a damaged file may point at each other."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT count(*) FROM n"
    with (
        closing(reading(complete.path)) as connection,
        pytest.raises(sqlite3.OperationalError, match="interrupted"),
    ):
        connection.execute(endless)
