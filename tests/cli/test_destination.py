"""Where the report goes, and what is spared on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from shrinkage.cli.destination import choose
from shrinkage.errors import SettingError

REPORT = '<!doctype html><head><meta name="generator" content="shrinkage 1.0"></head>'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("moons", "shrinkage-moons.html"),
        ("data/credit-g.csv", "shrinkage-credit-g.html"),
        ("adult.csv.gz", "shrinkage-adult.html"),
        ("Ä b.Parquet", "shrinkage-Ä-b.html"),
        ("<>.csv", "shrinkage-report.html"),
        ("v1.2", "shrinkage-v1.2.html"),
    ],
)
def test_usual_name(folder: Path, source: str, name: str) -> None:
    assert choose(None, source) == folder / name
    assert not list(folder.iterdir())


def test_an_earlier_report_is_replaced_and_another_file_is_not(folder: Path) -> None:
    usual = folder / "shrinkage-moons.html"
    usual.write_text(REPORT)
    assert choose(None, "moons") == usual
    usual.write_text("my own page")
    assert choose(None, "moons") == folder / "shrinkage-moons-2.html"
    (folder / "shrinkage-moons-2.html").write_text("another")
    assert choose(str(folder), "moons") == folder / "shrinkage-moons-3.html"
    assert usual.read_text() == "my own page"


def test_a_real_report_counts_as_one(folder: Path) -> None:
    template = Path(__file__).parents[2] / "src/shrinkage/report/templates/base.html.j2"
    Path("old.html").write_text(template.read_text())
    assert choose("old.html", "moons") == folder / "old.html"


def test_output_may_be_a_file_or_a_directory(folder: Path) -> None:
    (folder / "reports").mkdir()
    assert choose("reports", "moons") == folder / "reports" / "shrinkage-moons.html"
    assert choose("reports/", "moons") == folder / "reports" / "shrinkage-moons.html"
    assert choose("reports/mine.htm", "moons") == folder / "reports" / "mine.htm"


def test_a_link_stays_a_link(folder: Path) -> None:
    (folder / "real.html").write_text(REPORT)
    (folder / "link.html").symlink_to("real.html")
    assert choose("link.html", "moons") == folder / "real.html"


def test_a_file_that_is_no_report_is_not_replaced(folder: Path) -> None:
    (folder / "thesis.html").write_text("years of work")
    with pytest.raises(SettingError, match=r"'thesis\.html' exists and is no report"):
        choose("thesis.html", "moons")


def test_a_folder_that_refuses_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)  # root is refused nothing
    with pytest.raises(SettingError, match=r"'r\.html' cannot be written \(permission denied\)"):
        choose("r.html", "moons")
