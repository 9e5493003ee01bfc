"""Study files from strangers: a sentence or an answer, never anything else."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shrinkage import Study
from shrinkage.archive import frame, open_study, summary
from shrinkage.archive.comparing import compare
from shrinkage.archive.records import canonical, parsed
from shrinkage.archive.salvage import recover
from shrinkage.archive.tensors import packed
from shrinkage.errors import SettingError, ShrinkageError


@pytest.fixture
def read_all(complete, same_fit):
    """What looks into a file: a sentence is as good as an answer, but a wrong answer is not."""
    truth = {fit.trial: fit for fit in complete.study.fits}

    def look(path: Path) -> None:
        for found in _answers(path):
            if isinstance(found, Study):
                for fit in found.fits:
                    assert fit.trial in found.trials
                    same_fit(fit, truth[fit.trial])

    return look


def _answers(path: Path) -> Iterator[object]:
    for read in (
        summary,
        open_study,
        frame,
        lambda path: frame(path, "histories"),
        lambda path: frame(path, "runs"),
        lambda path: compare(path, path),
    ):
        try:
            yield read(path)
        except ShrinkageError as error:
            assert "\n" not in str(error)  # noqa: PT017  # an answer is as good


def mutated(content: bytes, draw: random.Random) -> bytes:
    """A file with some of its bytes changed, moved, lost or added."""
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 8, 64))):
        place = draw.randrange(len(changed))
        match draw.randrange(6):
            case 0:
                changed[place] ^= 1 << draw.randrange(8)
            case 1:
                changed[place : place + 4] = draw.choice(
                    (b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff")
                )
            case 2:
                page, other = (4096 * draw.randrange(len(changed) // 4096) for _ in range(2))
                changed[page : page + 4096] = changed[other : other + 4096]
            case 3:
                changed[place] = draw.randrange(256)
            case 4:
                # Headers of pages decide most.
                page = 4096 * draw.randrange(max(len(changed) // 4096, 1))
                changed[min(page + draw.randrange(12), len(changed) - 1)] = draw.randrange(256)
            case 5:
                changed[: draw.randrange(100)] = content[: draw.randrange(100)]
    if draw.random() < 0.1:
        del changed[draw.randrange(len(changed)) :]
    return bytes(changed) or b"\0"


@pytest.mark.parametrize("seed", range(8))
def test_mutated_files(complete, read_all, tmp_path, seed):
    content = complete.path.read_bytes()
    draw = random.Random(seed)
    path = tmp_path / "mutated.study"
    for number in range(25):
        path.write_bytes(mutated(content, draw))
        read_all(path)
        if number % 5 == 0:
            saved = tmp_path / f"{number}.study"
            try:
                recover(path, saved)
            except ShrinkageError:
                continue
            summary(saved)
            read_all(saved)


HOSTILE = (
    'UPDATE OR REPLACE records SET value = \'{"record":"Popen","fields":{"args":"ls"}}\'',
    "UPDATE records SET value = replace(value, '\"inputs\":2', '\"inputs\":4294967296')",
    "UPDATE records SET value = replace(value, '\"tuple\":[4]', '\"tuple\":[1000000,9999999]')",
    "UPDATE records SET value = replace(value, '\"epochs\":3', '\"epochs\":-3')",
    "UPDATE OR REPLACE records SET value = x'00'",
    "UPDATE records SET title = x'ff00'",
    "UPDATE trials SET lam = 'much'",
    "UPDATE trials SET lam = 9e999",
    "UPDATE trials SET lam = -1.0",
    "UPDATE trials SET seed = -1",
    "UPDATE trials SET seed = 'x'",
    "UPDATE trials SET rows = -5",
    "UPDATE trials SET network = training",
    "UPDATE trials SET place = 'first'",
    "UPDATE trials SET place = 1",
    "UPDATE parts SET fold = 99",
    "UPDATE parts SET fold = 'x'",
    "UPDATE parts SET fold = -1 WHERE fold = 1",
    "UPDATE fits SET status = 'EXPLODED'",
    "UPDATE fits SET seconds = 'long'",
    "UPDATE fits SET train_loss = x'00'",
    "UPDATE fits SET best_epoch = 'x'",
    "UPDATE fits SET digest = 0",
    "UPDATE fits SET run = 77",
    "UPDATE histories SET tensors = 'text'",
    "UPDATE histories SET tensors = zeroblob(100000)",
    "UPDATE outputs SET tensors = (SELECT tensors FROM parameters)",
    "UPDATE parameters SET tensors = zeroblob(8)",
    "DELETE FROM histories",
    "DELETE FROM records",
    "DELETE FROM parts",
    "DELETE FROM runs",
    "DELETE FROM facts",
    "DELETE FROM arrays",
    "UPDATE facts SET value = '[]'",
    "UPDATE facts SET value = '{}'",
    "UPDATE facts SET value = 'null'",
    "UPDATE facts SET value = 'NaN'",
    "UPDATE facts SET value = '{\"fields\":1e999}'",
    "UPDATE runs SET plan = '{\"lambdas\":-Infinity}'",
    "UPDATE records SET value = replace(value, ':3', ':1e999')",
    "UPDATE facts SET value = '3'",
    "UPDATE facts SET value = '\"text\"'",
    'UPDATE facts SET value = replace(value, \'"record":"Data"\', \'"record":"Part"\')',
    "UPDATE facts SET value = replace(value, '\"folds\":2', '\"folds\":200')",
    'UPDATE facts SET value = replace(value, \'"task":"binary"\', \'"task":"regression"\')',
    "UPDATE runs SET plan = '[]'",
    "UPDATE runs SET versions = '7'",
    "UPDATE runs SET started = 'yesterday'",
    "INSERT INTO findings VALUES (1, '[]')",
    'INSERT INTO findings VALUES (1, \'{"diagnosis":{"sentence":[1]}}\')',
)


@pytest.mark.parametrize("statement", HOSTILE)
def test_files_that_lie(complete, read_all, statement):
    with closing(sqlite3.connect(complete.path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM facts WHERE name = 'digest'")  # as in a file before it
        connection.execute(statement)
    read_all(complete.path)
    saved = complete.path.with_name("saved.study")
    try:
        recover(complete.path, saved)
    except ShrinkageError:
        return
    read_all(saved)


COLUMNS = (
    *("status", "stopped_at", "best_epoch", "train_loss", "validation_loss", "zeros", "spread"),
    *("stationarity", "slope", "polish_iterations", "digest"),
)


@pytest.mark.parametrize("column", COLUMNS)
def test_every_number_of_a_fit_is_under_its_digest(complete, column):
    with closing(sqlite3.connect(complete.path, isolation_level=None)) as connection:
        (value,) = connection.execute(f"SELECT {column} FROM fits WHERE trial = 2").fetchone()
        other = "LOST" if column == "status" else 0.5 if value is None else f"{value}1"
        connection.execute(f"UPDATE fits SET {column} = ? WHERE trial = 2", (other,))
    with pytest.raises(SettingError, match="is damaged"):
        open_study(complete.path)


@pytest.mark.parametrize("table", ["histories", "outputs", "parameters"])
def test_every_byte_of_a_fit_is_under_its_digest(complete, table):
    draw = random.Random(table)
    with closing(sqlite3.connect(complete.path, isolation_level=None)) as connection:
        # One of each kind: refits have no outputs, which are all alike.
        rows = connection.execute(f"SELECT trial, tensors FROM {table} GROUP BY tensors").fetchall()
        put = f"UPDATE {table} SET tensors = ? WHERE trial = ?"
        for _ in range(20):
            (key, content), (_, foreign) = draw.sample(rows, 2)
            changed = bytearray(content)
            changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
            for wrong in (bytes(changed), foreign, content[:-1], content + b"\0"):
                connection.execute(put, (wrong, key))
                with pytest.raises(SettingError, match="is damaged"):
                    open_study(complete.path)
                connection.execute(put, (content, key))
    assert len(open_study(complete.path).fits) == 9


def test_rows_that_point_beyond_the_data_are_refused(complete, data):
    """A compiled kernel would read whatever lies there."""
    import numpy as np

    from shrinkage.data.digests import digest_of

    content = packed({"values": np.array([10**9], dtype=np.int64)})
    with closing(sqlite3.connect(complete.path, isolation_level=None)) as connection:
        (said,) = connection.execute("SELECT value FROM facts WHERE name = 'data'").fetchone()
        data_of = parsed(said)
        name = digest_of([content])
        data_of["fields"]["full"]["fields"]["train"] = {"array": name}
        connection.execute("INSERT INTO arrays VALUES (?, ?)", (name, content))
        connection.execute("UPDATE facts SET value = ? WHERE name = 'data'", (canonical(data_of),))
        connection.execute("DELETE FROM facts WHERE name = 'digest'")
    with pytest.raises(ShrinkageError, match="the data inside the study file are damaged"):
        open_study(complete.path)
