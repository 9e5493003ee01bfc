"""`--study FILE` where more than a λ path is trained: joint searches and exhibits."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from shrinkage import Study

JOINT = (
    *("run", "good.csv", "--tune", "all", "--budget", "40fits", "--committee", "2"),
    *("--epochs", "2", "--hidden", "8", "--folds", "2", "--repeats", "1", "--json"),
)
BESIDE = (
    *("run", "good.csv", "--with", "interaction,learning-curve,capacity", "--lambdas", "0.01"),
    *("--epochs", "2", "--hidden", "8", "--folds", "3", "--repeats", "1", "--json"),
)
ALONE = (
    *("capacity", "good.csv", "--widths", "1,4", "--epochs", "2", "--folds", "2"),
    *("--repeats", "1", "--json"),
)


@pytest.fixture(autouse=True)
def quick_reports(monkeypatch):
    """No report is drawn: that takes longer than all the rest."""
    page = '<meta name="generator" content="shrinkage">'
    monkeypatch.setattr("shrinkage.report.write", lambda _found, _run, path: path.write_text(page))


def document(outcome):
    """What --json printed, without what differs from run to run."""
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    for name in ("seconds", "report", "command", "interrupted"):
        found.pop(name)
    if found.get("smaller"):
        found["smaller"].pop("seconds")
        found["smaller"].pop("sentence")
    if found.get("joint"):
        found["joint"].pop("seconds")
        found["joint"]["sentences"].pop(0)  # with the seconds in it
        found["selection"].pop("sentence")
    return found


def lose(folder, every):
    """Some fits are not there, as after a crash."""
    with closing(sqlite3.connect(folder / "good.study")) as connection, connection:
        for table in ("fits", "histories", "outputs", "parameters"):
            connection.execute(f"DELETE FROM {table} WHERE trial % ? = 1", (every,))
        connection.execute("DELETE FROM facts WHERE name IN ('spent', 'names', 'screened')")
        (left,) = connection.execute("SELECT count(*) FROM fits").fetchone()
        return left


@pytest.mark.parametrize("asked", [JOINT, BESIDE, ALONE], ids=["joint", "beside", "alone"])
def test_a_study_file_changes_no_number_and_goes_on_after_a_crash(command, good, asked):
    without = document(command(*asked))
    kept = (*asked, "--study", "good.study")
    first = document(command(*kept))
    assert first == without
    left = lose(command.folder, 3)
    assert left
    assert document(command(*kept)) == without
    with closing(sqlite3.connect(command.folder / "good.study")) as connection:
        (trained,) = connection.execute("SELECT count(*) FROM fits WHERE run = 2").fetchone()
        (fits,) = connection.execute("SELECT count(*) FROM fits").fetchone()
    assert trained == fits - left > 0


@pytest.mark.parametrize("asked", [JOINT, BESIDE, ALONE], ids=["joint", "beside", "alone"])
def test_the_report_of_a_file_is_that_of_its_run(command, good, asked):
    run = command(*asked, "--study", "good.study")
    again = command("report", "good.study", "--json", "--output", "again.html")
    assert document(again) == document(run)


def test_a_joint_search_of_nothing_new_says_how_long_it_took(command, good):
    kept = (*JOINT, "--study", "good.study")
    took, again = (json.loads(command(*kept).out)["joint"]["seconds"] for _ in range(2))
    assert again == took


def test_python_reads_what_the_search_led_to(command, good):
    found = json.loads(command(*JOINT, "--study", "good.study").out)
    study = Study.open(command.folder / "good.study")
    assert not study.missing
    assert len(study.fits) == found["fits"]["finished"]
    assert "the best recipe" in study.names.values()
    assert study.screened


def test_exhibits_are_not_part_of_the_study_beside_them(command, good):
    found = json.loads(command(*BESIDE, "--study", "good.study").out)
    study = Study.open(command.folder / "good.study")
    assert len(study.fits) == found["fits"]["finished"]
    shown = command("show", "good.study").out
    assert "more beside them" in shown
    assert "2-10-1" not in shown  # a network of the capacity sweep


def test_what_an_exhibit_alone_found_is_shown(command, good):
    headline = json.loads(command(*ALONE, "--study", "good.study").out)["exhibits"]["capacity"][
        "headline"
    ]
    assert " ".join(command("show", "good.study").out.split()).endswith(f"{headline}.")


def test_studies_of_other_kinds_are_not_merged(command, good):
    training = (*("--epochs", "2", "--hidden", "8", "--folds", "2", "--repeats", "1"),)
    command(*JOINT, "--study", "joint.study")
    command("run", "good.csv", "--lambdas", "0.01", *training, "--study", "path.study")
    refused = command("merge", "joint.study", "path.study", "--output", "both.study").refusal
    assert "a study of a joint search" in refused
    assert "both.study" not in command.files()


def test_a_study_and_a_storage_exclude_each_other(command, good):
    refused = command(*JOINT, "--study", "a.study", "--storage", "a.journal").refusal
    assert "--study keeps all that --storage does" in refused
