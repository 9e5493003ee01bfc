"""A study's file: how fast fits go into it, how fast it is looked into, and what it survives."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.measure import Effort, interleaved, seconds
from benchmarks.table import Median, Row
from benchmarks.worker import ROOT
from shrinkage import L1, Fit, Network, ShrinkageError, Study, Trial
from shrinkage.archive import Run, StudyFile, frame, open_study, summary, told_fields
from shrinkage.archive.salvage import recover
from shrinkage.data import Data, bundled, prepare
from shrinkage.engine.pool import run_trial
from shrinkage.tune import Plan, Search, default_training, plan
from shrinkage.tune.search import versions

RATE_BAR, SHOW_BAR, SHARE_BAR = 2_000.0, 1.0, 3.0
_MEMORY = 4 << 30
"""Bytes that the reader of mutated files may ask for."""


def rows(effort: Effort) -> list[Row]:
    """Rate, share of a run, a look at many fits, and mutated files."""
    with TemporaryDirectory() as folder:
        place = Path(folder)
        return [
            _rate(place, effort),
            _share(place, effort),
            _show(place, effort),
            _mutated(place, effort),
        ]


def _small() -> tuple[Data, Plan, Fit]:
    table, target = bundled("moons", samples=200)
    data = prepare(table, target, folds=5, repeats=1, name="moons")
    training = replace(default_training(data), epochs=20)
    planned = plan(data, network=Network(2, (8,)), training=training)
    trial = Trial(planned.network, training, L1(), 0.01, 0, 0)
    return data, planned, run_trial(trial, data.part(0)).forget()


def _many(fit: Fit, count: int) -> Iterator[Fit]:
    """Fits of as many different trials, all with the same numbers."""
    for number in range(count):
        lam = 1e-6 * (1 + number // 5)
        yield replace(fit, trial=replace(fit.trial, lam=lam, fold=number % 5))


def _write(path: Path, data: Data, planned: Plan, fits: list[Fit]) -> None:
    with StudyFile(path) as file:
        file.begin(data, Run("", told_fields(planned), versions(), {}))
        for fit in fits:
            file.add(fit, [fit.trial], "path")
        file.finish(complete=True)


def _rate(place: Path, effort: Effort) -> Row:
    """From the first fit until all of them lie in one closed file."""
    data, planned, fit = _small()
    count = effort.size(10_000, 200)
    fits = list(_many(fit, count))
    rates = []
    for turn in range(effort.rounds):
        path = place / f"rate-{turn}.study"
        rates.append(count / seconds(lambda path=path: _write(path, data, planned, fits)))
        path.unlink()
    return Row(
        f"fits written into a study file, {count:,} small ones",
        median(rates),
        "fits/s",
        RATE_BAR,
        best=max(rates),
        spread=(min(rates), max(rates)),
        detail="network 2-8-1, 20 epochs; opening and closing included",
    )


def _share(place: Path, effort: Effort) -> Row:
    """The search of the demo with a file and without, one thread's processor time each."""
    table, target = bundled("moons", samples=effort.size(1_000, 100))
    data = prepare(table, target, name="moons")
    training = default_training(data, epochs=effort.size(100, 2))
    planned = plan(data, training=training, penalties=(L1(),))
    numbers = iter(range(1_000))

    def without() -> float:
        search = Search(data, planned)
        begin = _processor()
        for _ in search:
            pass
        return _processor() - begin

    def with_file() -> float:
        from shrinkage.archive import Recorded

        search = Search(data, planned)
        begin = _processor()
        with StudyFile(place / f"share-{next(numbers)}.study") as file:
            file.begin(data, Run("", told_fields(planned), versions(), {}))
            for _ in Recorded(search, file):
                pass
            file.finish(complete=True)
        return _processor() - begin

    without()  # the engine is loaded
    times = interleaved({"with": with_file, "without": without}, effort.rounds)
    share = 100 * (median(times["with"]) / median(times["without"]) - 1)
    best = 100 * (min(times["with"]) / min(times["without"]) - 1)
    return Row(
        "what writing adds to the processor time of a search on moons",
        share,
        "%",
        SHARE_BAR,
        "at most",
        medians=tuple(
            Median(f"{name} a file", median(taken), "s") for name, taken in times.items()
        ),
        best=best,
        detail=f"networks 2-128-128-1, {training.epochs} epochs; user and system time",
    )


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _show(place: Path, effort: Effort) -> Row:
    """`shrinkage show` in a fresh process."""
    data, planned, fit = _small()
    count = effort.size(100_000, 500)
    path = place / "many.study"
    _write(path, data, planned, list(_many(fit, count)))
    command = [sys.executable, "-m", "shrinkage", "show", str(path)]
    taken = []
    for _ in range(1 + effort.rounds):
        begin = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, cwd=place)
        taken.append(time.perf_counter() - begin)
    size = path.stat().st_size / 1e6
    reading = seconds(lambda: open_study(path))
    return Row(
        f"shrinkage show, {count:,} fits",
        median(taken[1:]),
        "s",
        SHOW_BAR,
        "at most",
        best=min(taken),
        detail=f"a fresh process; the file has {size:,.0f} MB; Study.open reads it in "
        f"{reading:.1f} s",
    )


def _mutated(place: Path, effort: Effort) -> Row:
    """Files with bytes changed, read in a process with bounded memory, which must not die."""
    data, planned, fit = _small()
    whole = place / "whole.study"
    first = run_trial(replace(fit.trial, fold=None), data.full)
    _write(whole, data, planned, [*_many(fit, 40), first])
    count = effort.size(10_000, 40)
    command = [sys.executable, "-m", "benchmarks.study_file", str(whole), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it died"])[-1]
        return Row("mutated study files", None, "", 0.0, "at most", detail=reason[:200])
    odd, refused, peak = done.stdout.split()
    return Row(
        f"of {count:,} mutated study files, read with anything but a sentence or a true answer",
        float(odd),
        "",
        0.0,
        "at most",
        detail=f"{int(refused):,} refused with a sentence; peak memory {float(peak):.0f} MB of a "
        f"process that may ask for {_MEMORY >> 30} GB",
    )


def mutated(content: bytes, draw: random.Random) -> bytes:
    """A file with some of its bytes changed, moved, lost or added."""
    changed = bytearray(content)
    pages = len(changed) // 4096
    for _ in range(draw.choice((1, 1, 2, 8, 64, 512))):
        place = draw.randrange(len(changed))
        how = draw.randrange(5)
        if how == 0:
            changed[place] ^= 1 << draw.randrange(8)
        elif how == 1:
            changed[place : place + 4] = draw.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"))
        elif how == 2:
            page, other = 4096 * draw.randrange(pages), 4096 * draw.randrange(pages)
            changed[page : page + 4096] = changed[other : other + 4096]
        elif how == 3:
            # Headers of pages decide most.
            changed[4096 * draw.randrange(pages) + draw.randrange(12)] = draw.randrange(256)
        else:
            start = 100 * draw.randrange(1, len(changed) // 100)
            changed[start : start + 100] = draw.randbytes(100)
    if draw.random() < 0.1:
        del changed[draw.randrange(len(changed)) :]
    return bytes(changed)


def _read_mutated(whole: Path, count: int) -> None:
    """Print how many files were odd, how many refused, and the peak of memory in MB."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    content, draw = whole.read_bytes(), random.Random(0)
    path, saved = whole.with_name("mutated.study"), whole.with_name("saved.study")
    truth = {fit.trial: _bits(fit) for fit in open_study(whole).fits}
    odd = refused = 0
    for number in range(count):
        path.write_bytes(mutated(content, draw))
        reads: list[Callable[[Path], object]] = [summary, open_study, frame]
        reads.append(lambda path: frame(path, "histories"))
        if number % 10 == 0:
            reads.append(lambda path: recover(path, saved))
        for read in reads:
            try:
                found = read(path)
                if isinstance(found, Study) and any(
                    _bits(fit) != truth.get(fit.trial) for fit in found.fits
                ):
                    raise AssertionError("a fit that was never trained")
            except ShrinkageError:
                refused += read is open_study
            except Exception as error:  # noqa: BLE001  # what must not happen, to be counted
                odd += 1
                sys.stderr.write(f"{number}: {type(error).__name__}: {error}\n")
        saved.unlink(missing_ok=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(odd, refused, f"{peak:.0f}")


def _bits(fit: Fit) -> tuple[object, ...]:
    """All of a fit that a training has decided."""
    arrays = (fit.parameters, fit.epochs, fit.train_loss, fit.validation_loss, fit.outputs)
    numbers = (fit.final_train_loss, fit.status, fit.stopped_at, fit.best_epoch, fit.kept)
    return (*(values.tobytes() for values in arrays), *numbers)


if __name__ == "__main__":
    _read_mutated(Path(sys.argv[1]), int(sys.argv[2]))
