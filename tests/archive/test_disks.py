"""Real disks that are full, or cannot be written: a sentence, and nothing lost."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from shrinkage.archive import StudyFile, open_study, summary
from shrinkage.cli import main

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither limits nor mounts"),
]

LAMBDAS = ",".join(f"{step / 1000}" for step in range(1, 41))
RUN = (
    *("run", "moons", "--study", "a.study", "--json", "--threads", "1", "--samples", "100"),
    *("--epochs", "4", "--hidden", "8", "--repeats", "5", "--penalty", "l1", "--lambdas", LAMBDAS),
)
ROOM = 500_000
"""Bytes: more than a transaction of 256 fits takes, and less than all of the thousand."""
PROGRAM = f"""
import resource, sys
import shrinkage.report
from shrinkage.archive import StudyFile
from shrinkage.cli import main
shrinkage.report.write = lambda findings, run, path: path.write_text("as if it were drawn")
limit, begin = int(sys.argv[1]), StudyFile.begin
def begin_within(*given):
    if limit:  # the engine, whose compiled files are larger, has been started
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    begin(*given)
StudyFile.begin = begin_within
sys.exit(main({RUN!r}))
"""
# A mount is gone with its process, so that one fills it, keeps what is on it, and makes it larger.
FILLED = f"""
mount -t tmpfs -o size={ROOM} tmpfs mount && >mounted && cd mount || exit
"$0" -c "$1" 0 2>../first.said >../first.out
echo $?
cp -a . ../first
mount -o remount,size=8m "$PWD"
"$0" -c "$1" 0 2>../second.said >../second.out
echo $?
cp -a . ../second
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The study of a run that had room enough."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("shrinkage.report.write", lambda _found, _run, path: path.write_text(""))
        assert main(list(RUN)) == 0
    return open_study(folder / "a.study")


def run_within(folder, limit):
    """Run with a limit to the size of a file in bytes, or none: the exit code and what was said."""
    command = (sys.executable, "-c", PROGRAM, str(limit))
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    return done.returncode, done.stderr


def run_mounted(folder, script, *arguments):
    """Run a script that may mount disks; what it printed, line by line. It leaves ``mounted``."""
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare, and only with it can a disk be mounted without root")
    (folder / "mount").mkdir()
    command = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script)
    done = subprocess.run((*command, *arguments), cwd=folder, capture_output=True, text=True)
    if not (folder / "mounted").exists():
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def check_first(path, code, said, sentence, whole):
    """A sentence, and a sound file with every fit of which it was said that it is kept."""
    assert (code, said) == (2, f"shrinkage: error: {sentence}\n")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    kept = {fit.trial for fit in open_study(path).fits}
    assert kept < {fit.trial for fit in whole.fits}
    assert len(kept) == summary(path).finished > 0
    return len(kept)


def check_second(folder, code, said, before, whole):
    """Going on trains what is missing, and leaves one plain file."""
    assert code == 0, said
    assert {path.name for path in folder.iterdir()} == {"a.study", "shrinkage-moons.html"}
    trained = [run.fits for run in summary(folder / "a.study").runs]
    assert trained == [before, len(whole.fits) - before]


def test_a_full_disk(tmp_path, whole, same):
    codes = map(int, run_mounted(tmp_path, FILLED, sys.executable, PROGRAM))
    first, second = (
        (code, (tmp_path / f"{time}.said").read_text())
        for code, time in zip(codes, ("first", "second"))
    )
    sentence = (
        "the disk with the study file 'a.study' is full; what was written before is kept: make "
        "room, and run the same command again to go on"
    )
    before = check_first(tmp_path / "first" / "a.study", *first, sentence, whole)
    check_second(tmp_path / "second", *second, before, whole)
    same(open_study(tmp_path / "second" / "a.study"), whole)


def test_a_limit_to_the_size_of_files(tmp_path, whole, same):
    """The system calls that another error than a full disk, and SQLite does not tell which."""
    path = tmp_path / "a.study"
    code, said = run_within(tmp_path, ROOM)
    sentence = (
        "the system failed to read or write the study file 'a.study' (disk I/O error); what was "
        "written before is kept: see whether the disk is sound and files may be as large, and run "
        "the same command again to go on"
    )
    before = check_first(path, code, said, sentence, whole)
    check_second(tmp_path, *run_within(tmp_path, 0), before, whole)
    same(open_study(path), whole)


# What a process that was killed has left is a file and its log; the index beside them is no loss.
LOOKED_AT = """
mount -t tmpfs tmpfs mount && >mounted && mv *.study* mount && cd mount || exit
mount -o remount,ro "$PWD"
"$0" -c "$1"
"""
LOOK = """
import json, sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from shrinkage.cli import main
commands = (
    "show whole.study",
    "show killed.study",
    "run moons --study whole.study",
    "run moons --study new.study",
    "merge whole.study whole.study --output both.study",
    "recover whole.study --output saved.study",
    "export whole.study --to csv",
)
for command in commands:
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as said:
        code = main(command.split())
    print(json.dumps([command, code, out.getvalue(), said.getvalue()]))
"""


def test_a_folder_that_cannot_be_written(tmp_path, keeper_of, data, plan):
    whole = keeper_of(tmp_path / "whole.study")
    whole.run(data, plan)
    with StudyFile(whole.path) as file:
        file.connection.execute("PRAGMA journal_mode = WAL")
        file.connection.execute("UPDATE runs SET command = 'in the log'")
        for ending in ("", "-wal"):
            shutil.copyfile(f"{whole.path}{ending}", tmp_path / f"killed.study{ending}")
    lines = run_mounted(tmp_path, LOOKED_AT, sys.executable, LOOK)
    found = {command: rest for command, *rest in map(json.loads, lines)}
    code, out, _ = found.pop("show whole.study")
    assert code == 0
    assert "9 of 9 planned so far" in out
    assert len(found) == 6
    for command, (code, out, said) in found.items():
        assert (code, out) == (2, ""), command
        assert said.startswith("shrinkage: error: ")
        assert said.count("\n") == 1
    assert "has a log beside it, 'killed.study-wal', which" in found.pop("show killed.study")[2]
    for _, _, said in found.values():
        assert "cannot be written (read-only file system); " in said


# The first writes fail at the file itself, at the index of its log, and at its log.
CRAMPED = """
mount -t tmpfs tmpfs mount && >mounted && cd mount || exit
"$0" -c "$1"
"""
BEGIN = f"""
import json, os, subprocess
from contextlib import redirect_stderr
from io import StringIO
from shrinkage.cli import main
for size in (8, 64, 100):
    subprocess.run(("mount", "-o", f"remount,size={{size}}k", os.getcwd()), check=True)
    with redirect_stderr(StringIO()) as said:
        code = main({RUN!r})
    print(json.dumps([code, said.getvalue(), os.listdir()]))
"""


def test_a_disk_that_is_full_from_the_first(tmp_path):
    lines = run_mounted(tmp_path, CRAMPED, sys.executable, BEGIN)
    assert len(lines) == 3
    for code, said, left in map(json.loads, lines):
        assert (code, left) == (2, [])
        assert said.endswith(
            "shrinkage: error: the disk with the study file 'a.study' is full; nothing is written "
            "yet: make room, and run the same command again\n"
        )
