"""Ctrl-C and SIGTERM, sent to real processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")

PATIENCE = 120.0
"""Seconds after which a process that shows nothing has failed; compiling takes 20."""
Shown = Callable[[str], str]


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], Shown]]:
    """A run whose progress goes to a terminal, and a function that waits for words on it."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "shrinkage", "run", *arguments],
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        cwd=folder,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "80", "NO_COLOR": "1"},
    )
    os.close(theirs)
    seen = ""

    def wait_for(pattern: str) -> str:
        nonlocal seen
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, seen) and time.monotonic() < end:
            try:
                seen += os.read(ours, 4096).decode(errors="replace")
            except OSError:  # the process has closed its end
                break
        assert re.search(pattern, seen), seen[-2000:]
        return seen

    try:
        yield process, wait_for
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_first_signal_keeps_what_is_finished(tmp_path: Path, number: int, code: int) -> None:
    arguments = ("moons", "--epochs", "400", "--folds", "5", "--hidden", "32")
    with started(tmp_path, *arguments) as (process, wait_for):
        wait_for(r"\b[3-9]\d/\d+ fits")
        process.send_signal(number)
        out, _ = process.communicate(timeout=PATIENCE)
        said = wait_for("stopping: the findings so far follow")
    assert process.returncode == code
    assert "Traceback" not in said
    report = tmp_path / "shrinkage-moons.html"
    assert out.endswith(f"Report {report}\n")
    assert "1 Diagnosis" in out
    assert "The run was interrupted" in out
    assert list(tmp_path.iterdir()) == [report]


@pytest.mark.slow
def test_signal_before_anything_is_finished(tmp_path: Path) -> None:
    with started(tmp_path, "moons", "--samples", "400") as (process, wait_for):
        wait_for("reading moons")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE)
        said = wait_for("there is nothing to report")
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())


def ended(program: str) -> subprocess.CompletedProcess[str]:
    """A program of its own, that has ended."""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_second_signal_ends_at_once() -> None:
    program = (
        "import os, signal\n"
        "from shrinkage.cli.interruption import Interruption\n"
        "with Interruption() as interruption:\n"
        "    interruption.finishing = True\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    print('still here', flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    print('never')\n"
    )
    done = ended(program)
    assert (done.returncode, done.stdout, done.stderr) == (130, "still here\n", "")


def test_a_signal_inside_a_finalizer_is_heard_after_it() -> None:
    program = (
        "import os, signal, time\n"
        "from shrinkage.cli.interruption import Interruption\n"
        "class Finalized:\n"
        "    def __del__(self):\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "with Interruption() as interruption:\n"
        "    one = Finalized()\n"
        "    try:\n"
        "        del one\n"
        "        print('swallowed', flush=True)\n"
        "        time.sleep(60)\n"
        "    except KeyboardInterrupt:\n"
        "        raise SystemExit(interruption.exit_code)\n"
    )
    done = ended(program)
    assert (done.returncode, done.stdout, done.stderr) == (143, "swallowed\n", "")


def test_what_else_a_finalizer_raises_is_still_told() -> None:
    program = (
        "from shrinkage.cli.interruption import Interruption\n"
        "class Finalized:\n"
        "    def __del__(self):\n"
        "        raise ValueError('lost')\n"
        "with Interruption():\n"
        "    Finalized()\n"
    )
    done = ended(program)
    assert "ValueError: lost" in done.stderr


def test_a_signal_inside_code_from_a_string_leaves_the_exit_code(tmp_path: Path) -> None:
    program = (
        "import os, signal\n"
        "from shrinkage import cli\n"
        "def interrupted(_):\n"
        "    exec('os.kill(os.getpid(), signal.SIGTERM)', {'os': os, 'signal': signal})\n"
        "cli._invoke = interrupted\n"
        "raise SystemExit(cli.main([]))\n"
    )
    (tmp_path / "interrupted.py").write_text(program)
    command = [sys.executable, "-m", "interrupted"]  # as `python -m shrinkage` is
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 143, done.stderr


def test_a_signal_that_typer_made_an_exit_code_of_is_told_with_its_own() -> None:
    program = (
        "import os, signal\n"
        "from shrinkage import cli\n"
        "def swallowing(_):\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "    except KeyboardInterrupt:\n"
        "        return 130\n"
        "cli._invoke = swallowing\n"
        "raise SystemExit(cli.main([]))\n"
    )
    done = ended(program)
    assert done.returncode == 143
    assert "there is nothing to report" in done.stderr


def test_before_a_process_ends_at_once_it_does_what_comes_last() -> None:
    program = (
        "from shrinkage.cli.interruption import Interruption\n"
        "with Interruption() as interruption:\n"
        "    interruption.lastly += [lambda: 1 / 0, lambda: print('put away', flush=True)]\n"
        "    interruption.end_now()\n"
        "    print('never')\n"
    )
    done = ended(program)
    assert (done.returncode, done.stdout, done.stderr) == (130, "put away\n", "")


@pytest.mark.slow
def test_reader_who_has_seen_enough(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "shrinkage", "run", "moons", "--epochs", "2", "--folds", "2"]
    with subprocess.Popen(
        [*command, "--lambdas", "0.01", "--hidden", "8"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 0
    assert re.fullmatch(r"(compiling .*\n)?\d+ fits in .*\n", said)
    assert (tmp_path / "shrinkage-moons.html").exists()
