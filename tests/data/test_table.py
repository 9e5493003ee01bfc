"""Files: what can be read is read, and what cannot is refused with one clear sentence."""

import gzip
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from shrinkage.data import load_table, open_source
from shrinkage.errors import DataError, SettingError, ShrinkageError

_PLAIN = "age,city,target\n31,Rome,yes\n45,Oslo,no\n"


def _write(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _expected() -> pd.DataFrame:
    return pd.DataFrame({"age": [31, 45], "city": ["Rome", "Oslo"], "target": ["yes", "no"]})


@pytest.mark.parametrize(
    "content",
    [
        _PLAIN,
        _PLAIN.replace(",", "\t"),
        _PLAIN.replace(",", ";"),
        _PLAIN.replace(",", "|"),
        _PLAIN.replace("\n", "\r\n"),
        _PLAIN.replace(",", ", "),
        "\ufeff" + _PLAIN,
        gzip.compress(_PLAIN.encode(), mtime=0),
        _PLAIN.replace("Rome", '"Rome"'),
    ],
    ids=["csv", "tab", "semicolon", "bar", "crlf", "spaces", "bom", "gzip", "quoted"],
)
def test_text_is_read_by_its_contents(tmp_path: Path, content: str | bytes) -> None:
    table = load_table(_write(tmp_path, content, "misleading.name"))
    pd.testing.assert_frame_equal(table, _expected())


def test_parquet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    _expected().to_parquet(path)
    pd.testing.assert_frame_equal(load_table(path), _expected())


def test_a_named_index_of_a_parquet_file_is_a_column(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    _expected().set_index("city").to_parquet(path)
    assert set(load_table(path).columns) == {"age", "city", "target"}


def test_missing_marks_and_the_word_none(tmp_path: Path) -> None:
    table = load_table(_write(tmp_path, "a,b,c\n1,None,x\n?,red,NA\n3,blue,\n"))
    assert table["a"].isna().tolist() == [False, True, False]
    assert table["b"].tolist() == ["None", "red", "blue"]
    assert table["c"].isna().tolist() == [False, True, True]


def test_decimal_commas_go_with_semicolons(tmp_path: Path) -> None:
    table = load_table(_write(tmp_path, "a;b\n1,5;x\n-2,25;y\n"))
    assert table["a"].tolist() == [1.5, -2.25]


def test_a_comma_inside_quotes_is_no_delimiter(tmp_path: Path) -> None:
    table = load_table(_write(tmp_path, 'a,b\n"x, ""y""\nz",1\nw,2\n'))
    assert table["a"].tolist() == ['x, "y"\nz', "w"]


def test_a_very_wide_header_is_read(tmp_path: Path) -> None:
    names = [f"column_number_{place}" for place in range(6000)]
    content = ",".join(names) + "\n" + ",".join("1" * 6000) + "\n"
    assert list(load_table(_write(tmp_path, content)).columns) == names


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "table.csv is empty"),
        (" \n\n", "table.csv is empty"),
        (gzip.compress(b"", mtime=0), "table.csv is empty"),
        ("a,b,target\n", "has column names but no rows"),
        ("a,b,a\n1,2,3\n", r"two columns called 'a' \(columns 1 and 3\); rename"),
        ("1,2,1\n3,4,5\n", "two columns called '1' .* add a header row"),
        ("5.1,3.5,rose\n4.9,3.0,rose\n", "first row of table.csv holds numbers"),
        ("just some words\nand more of them\n", "not a table: it has one column only"),
        ("a,b\n1,2,3\n", "row 1 of table.csv has 3 cells, but the header names 2"),
        ("a,b\n" + "1,2\n" * 70 + "1,2,3\n", "line 72 of table.csv has 3 cells where 2 were"),
        ('a,b\n1,"2\n3,4\n', "quotation mark that is never closed"),
        ("<!DOCTYPE html>\n<p>a,b</p>", "web page or XML"),
        ("<?xml version='1.0'?><a/>", "web page or XML"),
        ('[{"a": 1, "b": 2}]', "is JSON"),
        ('{"a": [1, 2]}', "is JSON"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "binary file, not a table"),
        (b"PK\x03\x04anything", "zip archive or a spreadsheet; export"),
        (b"%PDF-1.7", "a PDF document"),
        ("a,b\n1,é\n".encode("latin1"), r"not encoded as UTF-8 \(byte 0xe9 in line 2\)"),
        ("a,b\n1,2\n".encode("utf-16"), "encoded as UTF-16; save it as UTF-8"),
        (gzip.compress(_PLAIN.encode() * 99, mtime=0)[:40], "damaged gzip file"),
        (b"PAR1 but no more", "damaged Parquet file"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = _write(tmp_path, content)
    with pytest.raises(DataError, match=message) as caught:
        load_table(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_suggests_its_neighbours(tmp_path: Path) -> None:
    _write(tmp_path, _PLAIN, "credit.csv")
    with pytest.raises(DataError, match=r"no file .*credti.csv; did you mean credit.csv"):
        open_source(str(tmp_path / "credti.csv"))
    with pytest.raises(DataError, match=r"no file .*; check the path"):
        open_source(str(tmp_path / "nowhere" / "x.csv"))


def test_a_directory_is_refused_and_names_a_table_in_it(tmp_path: Path) -> None:
    _write(tmp_path, _PLAIN, "credit.csv")
    with pytest.raises(DataError, match=r"is a directory; name a file in it, such as .*credit.csv"):
        load_table(tmp_path)


def test_what_is_neither_file_nor_bundled_gets_a_suggestion() -> None:
    with pytest.raises(DataError, match="'mons' is neither a file nor bundled; did you mean 'moon"):
        open_source("mons")
    with pytest.raises(DataError, match=r"no file moons.csv; did you mean moons"):
        open_source("moons.csv")


def test_a_source_is_a_file_or_a_bundled_name(tmp_path: Path) -> None:
    table, targets, name = open_source(str(_write(tmp_path, _PLAIN)), "city")
    assert (targets, name) == (("city",), "table.csv")
    pd.testing.assert_frame_equal(table, _expected())
    table, targets, name = open_source("moons", samples=20, noise=0.0, seed=1)
    assert (len(table), targets, name) == (20, ("class",), "moons")


@pytest.mark.parametrize("options", [{"samples": 20}, {"noise": 0.1}])
def test_toy_options_on_a_file_are_refused(tmp_path: Path, options: dict[str, float]) -> None:
    with pytest.raises(SettingError, match=r"was given for the file table.csv"):
        open_source(str(_write(tmp_path, _PLAIN)), **options)


def test_any_bytes_give_a_table_or_one_sentence(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    alphabet = np.frombuffer(b'a1,;\t"\n\r.{[<\x00\xe9\xff', dtype=np.uint8)
    for _ in range(300):
        content = rng.choice(alphabet, rng.integers(0, 60)).tobytes()
        path = _write(tmp_path, content)
        with suppress(ShrinkageError):
            table = load_table(path)
            assert len(table) > 0
            assert table.columns.is_unique
