"""What is left of a damaged file, and that nothing broken comes with it."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shrinkage.archive import summary
from shrinkage.archive.salvage import Salvaged, recover
from shrinkage.archive.wreck import _highest
from shrinkage.errors import SettingError


@pytest.fixture
def saved(keeper_of, tmp_path):
    return keeper_of(tmp_path / "saved.study")


def test_a_whole_file_is_saved_whole(complete, saved, same):
    found = recover(complete.path, saved.path)
    assert found == Salvaged(9, 0, exact=True, data=True, plan=True)
    same(saved.study, complete.study)


@pytest.mark.parametrize("first", [0, 100])
def test_a_lost_first_page_is_made_anew(complete, saved, same, first):
    whole = complete.study
    content = bytearray(complete.path.read_bytes())
    content[first:4096] = bytes(4096 - first)
    complete.path.write_bytes(content)
    assert recover(complete.path, saved.path).fits == 9
    same(saved.study, whole)


def test_a_lost_end(keeper, data, plan, saved, uninterrupted, same):
    long = replace(plan, lambdas=tuple(0.001 * step for step in range(1, 60)))
    keeper.run(data, long)
    whole = keeper.study
    content = keeper.path.read_bytes()
    keeper.path.write_bytes(content[: 9 * len(content) // 10])
    found = recover(keeper.path, saved.path)
    assert 0 < found.fits < len(whole.fits)
    assert not found.exact or found.fits + found.damaged == len(whole.fits)
    # And the study goes on from there.
    trained = saved.run(data, long)
    assert len(trained) == len(whole.fits) - found.fits
    same(saved.study, whole)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_saved_is_true(complete, data, plan, saved, uninterrupted, same, seed):
    draw = random.Random(seed)
    content = bytearray(complete.path.read_bytes())
    for _ in range(2 + 3 * seed):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    for _ in range(seed % 3):
        page = 4096 * draw.randrange(1, len(content) // 4096)
        content[page : page + 4096] = draw.randbytes(4096)
    complete.path.write_bytes(content)
    try:
        found = recover(complete.path, saved.path)
    except SettingError as error:
        assert "nothing of a study can be read" in str(error)  # noqa: PT017  # or all is saved, below
        return
    assert summary(saved.path).finished + summary(saved.path).besides == found.fits
    saved.run(data, plan)
    same(saved.study, uninterrupted(data, plan))


def test_nothing_to_save(tmp_path, saved):
    with pytest.raises(SettingError, match="there is no study file"):
        recover(tmp_path / "none.study", saved.path)
    strange = tmp_path / "strange.study"
    strange.write_bytes(b"not a database" * 1000)
    with pytest.raises(SettingError, match="nothing of a study can be read"):
        recover(strange, saved.path)
    assert not saved.path.exists()


@pytest.mark.parametrize("share", [0.2, 0.4])
def test_without_a_fit_there_is_no_file(complete, saved, share):
    content = complete.path.read_bytes()
    complete.path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(SettingError, match="not one fit; bring back a copy of it, or run the"):
        recover(complete.path, saved.path)
    assert not saved.path.exists()


def test_how_many_are_lost_is_said_only_where_it_is_known(complete, saved, keeper_of):
    """Fits whose questions are gone are counted; those in pages that are gone cannot be."""
    with closing(sqlite3.connect(complete.path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM trials WHERE id > 6")
    found = recover(complete.path, saved.path)
    assert found == Salvaged(6, 3, exact=True, data=True, plan=True)


def test_of_a_table_that_is_cut_off_the_number_is_unknown(keeper, data, plan, saved):
    long = replace(plan, lambdas=tuple(0.001 * step for step in range(1, 60)))
    keeper.run(data, long)
    with closing(sqlite3.connect(keeper.path)) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'fits'"
        ).fetchone()
    content = bytearray(keeper.path.read_bytes())
    start = 4096 * (root - 1)
    assert content[start] == 5  # an inner page: its last child is one of the leaves
    last = int.from_bytes(content[start + 8 : start + 12], "big")
    content[4096 * (last - 1) : 4096 * last] = bytes(4096)
    keeper.path.write_bytes(content)
    found = recover(keeper.path, saved.path)
    assert not found.exact
    assert found.fits > 0


def test_fits_whose_run_is_lost_have_been_recovered(complete, saved):
    with closing(sqlite3.connect(complete.path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM runs")
    found = recover(complete.path, saved.path)
    assert found == Salvaged(9, 0, exact=True, data=True, plan=False)
    (run,) = summary(saved.path).runs
    assert run.recovered
    assert (run.fits, run.complete, run.command) == (9, False, "")
    assert run.started == run.ended
    assert datetime.fromisoformat(run.started) > datetime.fromtimestamp(0, UTC)


def test_nothing_is_overwritten(complete):
    with pytest.raises(SettingError, match="exists; name another"):
        recover(complete.path, complete.path)


def test_no_id_is_larger_than_the_file_allows(complete):
    """Ids are asked for one by one where a table is broken: a broken one must not be the last."""
    with closing(sqlite3.connect(complete.path, isolation_level=None)) as connection:
        connection.execute("UPDATE trials SET id = ? WHERE id = 9", (1 << 60,))
        assert 9 < _highest(connection) <= complete.path.stat().st_size // 50
