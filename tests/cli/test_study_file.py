"""`--study FILE` and the commands on such a file."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from shrinkage import Study


def document(outcome):
    """What --json printed, without what differs from run to run."""
    found = json.loads(outcome.out)
    for name in ("seconds", "report", "command", "interrupted"):
        found.pop(name)
    if found["smaller"]:
        found["smaller"].pop("seconds")
    return found


def words(outcome):
    """What a help says, without the frame around it."""
    return " ".join(outcome.out.replace("│", " ").split())


@pytest.fixture(autouse=True)
def quick_reports(request, monkeypatch):
    """A report is drawn only where it is looked at: that takes longer than all the rest."""
    if "drawn" in request.fixturenames:
        return
    page = '<meta name="generator" content="shrinkage">'
    monkeypatch.setattr("shrinkage.report.write", lambda _found, _run, path: path.write_text(page))


@pytest.fixture
def drawn():
    """Reports are drawn."""


@pytest.fixture
def kept(command, good):
    """A study of the good table, and what the command said."""
    return document(command.quick(good, "--study", "good.study", "--json"))


def test_a_study_file_changes_no_number(command, good, kept):
    assert document(command.quick(good, "--json")) == kept


def test_running_again_trains_nothing(command, good, kept):
    outcome = command.quick(good, "--study", "good.study")
    assert re.search(
        r"^1\d fits in good.study already: what is missing of the plan is trained$",
        outcome.err,
        re.MULTILINE,
    )
    assert re.search(r"^0 fits in \d+:\d\d", outcome.err, re.MULTILINE)
    assert command.files() >= {"good.study", "shrinkage-good.html"}
    assert not [name for name in command.files() if name.startswith("good.study-")]


def test_the_report_of_a_file_is_that_of_its_run(command, kept, drawn):
    outcome = command("report", "good.study", "--json", "--output", "again.html")
    assert outcome.code == 0
    assert document(outcome) == kept
    assert (command.folder / "again.html").stat().st_size > 100_000


def test_the_stored_findings_are_what_was_printed(command, kept):
    with closing(sqlite3.connect(command.folder / "good.study")) as connection:
        (value,) = connection.execute("SELECT value FROM findings").fetchone()
    found = json.loads(value)
    assert found["path"] == kept["path"]
    assert found["diagnosis"] == kept["diagnosis"]


def test_python_reads_the_same_study(command, kept):
    study = Study.open(command.folder / "good.study")
    assert len(study.fits) == kept["fits"]["finished"]
    assert study.data.fingerprint == kept["data"]["fingerprint"]
    assert not study.missing


def test_show(command, good, kept):
    said = " ".join(command("show", "good.study").out.split())
    for expected in (
        "Study good.study, ",
        "Data good.csv, 60 rows, target target.",
        "Network 3-8-1 (relu)",
        "planned so far.",
        "complete: shrinkage run",
        kept["diagnosis"]["sentence"],
    ):
        assert expected in said
    found = json.loads(command("show", "good.study", "--json").out)
    assert found["finished"] == found["planned"] == kept["fits"]["finished"]
    assert [line["penalty"] for line in found["lines"]] == ["no penalty", "L1", "L2", "elastic net"]


def test_more_is_added(command, good, kept):
    more = ("--study", "good.study", "--lambdas", "0.01,0.1", "--repeats", "2", "--json")
    first = command("run", good, *QUICK, *more)
    assert first.code == 0, first.err
    alone = command("run", good, *QUICK, *more[2:])
    assert document(first) == document(alone)
    runs = json.loads(command("show", "good.study", "--json").out)["runs"]
    assert 0 < runs[1]["fits"] < json.loads(first.out)["fits"]["finished"]


QUICK = ("--epochs", "2", "--folds", "2", "--hidden", "8")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--hidden", "9"), "hidden units 8, now 9"),
        (("--epochs", "3"), "epochs 2, now 3"),
        (
            ("--seed", "1"),
            "the same rows, others of them set aside for the test; seed 0, now 1",
        ),
        (("--dropout", "0.5"), "dropout 0, now 0.5"),
    ],
)
def test_other_settings_are_listed(command, good, kept, option, said):
    before = (command.folder / "good.study").read_bytes()
    refusal = command("run", good, *QUICK, "--study", "good.study", *option).err
    assert f"good.study is a study of other data or settings: {said}; name another" in refusal
    assert (command.folder / "good.study").read_bytes() == before


def test_what_the_size_decided_stays_as_it_was(command, good):
    """More folds are more training rows, which would mean other epochs."""
    few = ("--lambdas", "0.01", "--hidden", "8", "--study", "good.study", "--repeats", "1")
    assert command("run", good, *few, "--folds", "2", "--epochs", "4").code == 0
    outcome = command("run", good, *few, "--folds", "3")
    assert outcome.code == 0, outcome.err
    assert "4 epochs" in " ".join(outcome.out.split())


def test_other_rows_are_named(command, good, kept, tmp_path):
    table = (command.folder / "good.csv").read_text().splitlines()
    (command.folder / "good.csv").write_text("\n".join(table[:-1]) + "\n")
    refusal = command("run", good, *QUICK, "--lambdas", "0.01", "--study", "good.study").err
    assert "other data or settings: rows 60, now 59;" in refusal


def test_another_column_and_another_order_are_named(command, good, kept, table):
    again = ("run", good, *QUICK, "--lambdas", "0.01", "--study", "good.study")
    for changed, said in (
        (table().rename(columns={"x1": "age"}), "columns x1, now age;"),
        (table().iloc[::-1], "the same rows in another order;"),
    ):
        changed.to_csv(command.folder / good, index=False)
        assert f"other data or settings: {said}" in command(*again).refusal


def test_two_machines(command, good):
    for name, penalty in (("a", "l1"), ("b", "l2")):
        command.quick(good, "--penalty", penalty, "--study", f"{name}.study", "--json")
    outcome = command("merge", "a.study", "b.study", "--output", "both.study", "--quiet")
    assert outcome.out == f"{command.folder / 'both.study'}\n"
    together = document(
        command.quick(good, "--penalty", "l1,l2", "--study", "both.study", "--json")
    )
    assert together == document(command.quick(good, "--penalty", "l1,l2", "--json"))
    said = " ".join(command("compare", "a.study", "b.study").out.split())
    assert "Both are about the same rows." in said
    assert "Penalties L1, now L2." in said
    found = json.loads(command("compare", "a.study", "both.study", "--json").out)
    assert found["identical"] == found["shared"] == found["first"]["finished"]


def test_export(command, kept):
    for to, name in (("parquet", "good-parquet"), ("csv", "good-csv"), ("mlflow", "mlruns")):
        outcome = command("export", "good.study", "--to", to, "--quiet")
        assert outcome.out == f"{command.folder / name}\n"
    assert "did you mean 'parquet'" in command("export", "good.study", "--to", "parquett").refusal


def test_recover(command, kept):
    content = (command.folder / "good.study").read_bytes()
    (command.folder / "good.study").write_bytes(b"\0" * 100 + content[100:])
    assert "is not a study file" in command("show", "good.study").refusal
    outcome = command("recover", "good.study")
    assert outcome.out == f"Study {command.folder / 'good-recovered.study'}\n"
    assert "fits recovered, 0 lost." in outcome.err
    found = json.loads(command("show", "good-recovered.study", "--json").out)
    assert found["finished"] == kept["fits"]["finished"]


def test_a_recovered_file_without_its_plan_is_reported(command, kept):
    with closing(sqlite3.connect(command.folder / "good.study", isolation_level=None)) as one:
        one.execute("DELETE FROM runs")
    said = command("recover", "good.study").err
    assert "What was to be tried is lost: a report of a λ path rests on its fits alone" in said
    shown = " ".join(command("show", "good-recovered.study").out.split())
    assert "recovered from a damaged file" in shown
    assert "1970" not in shown
    found = document(command("report", "good-recovered.study", "--json"))
    # What a run wrote beside its fits is lost, and nothing is put in its place.
    lost = {"versions": {}, "settings": kept["settings"] | {"seed": None, "threads": None}}
    assert found == kept | lost


def test_what_cannot_be_recovered_leaves_no_file(command, kept):
    content = (command.folder / "good.study").read_bytes()
    (command.folder / "good.study").write_bytes(content[:20_000])
    assert "not one fit; bring back a copy" in command("recover", "good.study").refusal
    assert "good-recovered.study" not in command.files()


def test_help_names_what_is_written(command):
    assert "NAME-recovered.study beside NAME.study" in words(command("recover", "--help"))
    assert "NAME-parquet or NAME-csv; mlruns" in words(command("export", "--help"))


def test_while_another_process_writes(command, good, kept):
    """The second writer is told who it is; whoever only looks is not kept out."""
    program = "import sys; from shrinkage.archive import StudyFile; file = StudyFile('good.study')"
    with subprocess.Popen(
        [sys.executable, "-c", f"{program}; print('held', flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=command.folder,
    ) as other:
        assert other.stdout.readline() == "held\n"
        refusal = command("run", good, *QUICK, "--study", "good.study").refusal
        assert f"'good.study' is being written by process {other.pid} on " in refusal
        found = json.loads(command("show", "good.study", "--json").out)
        assert found["writer"].startswith(f"process {other.pid} on ")
        assert found["finished"] == kept["fits"]["finished"]
        assert command("export", "good.study", "--to", "csv").code == 0


def test_a_command_that_fails_leaves_no_study(command):
    assert command("run", "moonz", "--study", "new.study").code == 2
    assert command.files() == {"good.csv"} or not command.files()


def test_refusals(command, good, kept):
    for arguments, said in (
        (("show", "none.study"), "there is no study file 'none.study'"),
        (("show", "good.csv"), "is not a study file that shrinkage wrote"),
        (("report", "good.csv"), "is not a study file that shrinkage wrote"),
        (("run", good, "--study", "good.csv"), "is not a study file that shrinkage wrote"),
        (("run", good, "--study", "none/a.study"), "there is no directory"),
        (("run", good, "--study", ""), "--study is empty"),
        (("merge", "good.study", "good.study", "-o", "good.study"), "exists; name another"),
        (("compare", "good.study", "none.study"), "there is no study file 'none.study'"),
    ):
        assert said in command(*arguments).refusal


def test_a_network_of_ones_own_is_reported_beside_its_module(command, kept):
    own = (
        '{"fields":{"inputs":3,"multiplications":32,"name":"Mine","outputs":1,"places":{"fields":'
        '{"blocks":{"tuple":[{"fields":{"kind":"other","label":"w","layer":1,"shape":{"tuple":'
        '[41]},"start":0,"transposed":false},"record":"Block"}]},"penalize_output":false,"reach":'
        '24},"record":"Layout"}},"record":"OwnNetwork"}'
    )
    with closing(sqlite3.connect(command.folder / "good.study", isolation_level=None)) as one:
        one.execute("UPDATE records SET value = ? WHERE kind = 'network'", (own,))
        one.execute("DELETE FROM fits")
    refusal = command("report", "good.study").refusal
    assert "a report on Mine needs the module itself" in refusal


def test_a_file_without_a_plan(command, kept):
    with closing(sqlite3.connect(command.folder / "good.study", isolation_level=None)) as one:
        one.execute("UPDATE runs SET plan = '{}'")
    found = document(command("report", "good.study", "--json"))
    assert found["selection"] == kept["selection"]
    again = command.quick("good.csv", "--study", "good.study", "--json")
    assert document(again) == kept
    assert command("report", "good.study").code == 0


def test_a_run_that_failed_has_ended(command, good):
    wild = ("--optimizer", "sgd", "--learning-rate", "1e9", "--study", "wild.study")
    outcome = command("run", good, *wild, "--epochs", "3", "--folds", "2", "--repeats", "1")
    assert outcome.code == 2
    shown = " ".join(command("show", "wild.study").out.split())
    assert "stopped early" in shown
    assert "not ended" not in shown
    assert "stopped in: refining near the best λ" in shown
