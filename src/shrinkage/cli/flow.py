"""What every command goes through: reading, starting the engine, training, saying how it was made.

Whoever interrupts it, at whatever moment, gets what is finished.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from shrinkage.cli.interruption import Interruption
from shrinkage.cli.options import Options
from shrinkage.errors import ShrinkageError
from shrinkage.terminal.progress import Pace
from shrinkage.terminal.screen import Screen

if TYPE_CHECKING:
    from shrinkage.data import Data
    from shrinkage.exhibits import Basis, Shown
    from shrinkage.findings import Findings
    from shrinkage.lesson.runner import Taught
    from shrinkage.report import RunInfo
    from shrinkage.study import Fit, Study

_COMPILES_AFTER = 1.0
"""Seconds after which the engine is not being loaded but compiled."""


class Trainings(Protocol):
    """Trials under way."""

    @property
    def stage(self) -> str:
        """What is being trained now."""

    @property
    def expected(self) -> int:
        """Fits that it will take in all."""

    def __iter__(self) -> Iterator[Fit]:
        """Train."""


class Work(Trainings, Protocol):
    """Those of a search, or of an exhibit's series."""

    @property
    def study(self) -> Study:
        """What is finished."""


class Stopwatch:
    """Seconds of each stage, in order."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def stage(self, name: str) -> None:
        """The stage that ends now."""
        now = time.perf_counter()
        self.seconds[name] = now - self._last
        self._last = now


def read(options: Options, screen: Screen) -> Data:
    """The table that the command names."""
    interruption = Interruption.current or Interruption()
    with screen.working(f"reading {options.source}"):
        from shrinkage.data import open_source, prepare

        interruption.check()  # what is imported may swallow what a signal raises
        table, targets, name = open_source(
            options.source, options.target, options.samples, options.noise, options.seed
        )
        augmentation = options.training.get("augmentation")
        return prepare(
            table,
            targets,
            task=options.task,
            folds=options.folds,
            repeats=options.repeats,
            seed=options.seed,
            name=name,
            image=augmentation and augmentation.shape,
        )


def basis_of(options: Options, data: Data) -> Basis:
    """Network and training that the options ask for, on this table."""
    from shrinkage.exhibits import Basis
    from shrinkage.network import Network
    from shrinkage.tune import default_training

    return Basis(
        data=data,
        network=Network(data.full.n_inputs, outputs=data.n_outputs, **options.network),
        training=default_training(data, **options.training),
        seed=options.seed,
    )


def threads_of(given: int | None) -> int:
    """Networks that are trained at the same time."""
    from shrinkage.engine.pool import available_threads

    return given or available_threads()


def start_engine(basis: Basis, screen: Screen, interruption: Interruption) -> None:
    """Load or compile the kernels before the clock of the progress bar starts.

    Compilation cannot be interrupted, so it has a thread of its own, and Ctrl-C leaves it behind.

    Raises
    ------
    KeyboardInterrupt
        On a signal.
    """
    from shrinkage.engine.pool import warm_up

    failure: list[BaseException] = []

    def start() -> None:
        try:
            warm_up(basis.data, basis.network, basis.training)
        except BaseException as error:  # noqa: BLE001  # handed to the main thread
            failure.append(error)

    thread = threading.Thread(target=start, name="engine", daemon=True)
    try:
        interruption.check()
        with screen.working("starting the engine") as working:
            thread.start()
            thread.join(_COMPILES_AFTER)
            if thread.is_alive():
                working.say("compiling the engine, once: about 20 seconds …")
            while thread.is_alive():
                thread.join(0.2)
    except KeyboardInterrupt:
        interruption.leaves = True
        raise
    if failure:
        raise failure[0]


def train(
    work: Work,
    screen: Screen,
    interruption: Interruption,
    workers: Callable[[], str] = str,
) -> bool:
    """Train to the end (True) or to the first signal; ``work.study`` holds what is finished.

    Parameters
    ----------
    work, screen, interruption, workers
        See :func:`follow`.
    """
    after = "the findings so far follow; Ctrl-C again ends at once, without them"
    try:
        return follow(work, screen, interruption, after, workers)
    except ShrinkageError as error:  # without a fit to choose from there is nothing to refit
        from shrinkage.scores import explained

        raise explained(error, work.study) from error


def follow(
    work: Trainings,
    screen: Screen,
    interruption: Interruption,
    after: str,
    workers: Callable[[], str] = str,
) -> bool:
    """Train to the end (True) or to the first signal; `work` holds what is finished.

    Parameters
    ----------
    work : Trainings
        What to train.
    screen : Screen
        Shows the progress.
    interruption : Interruption
        From the end of this training on it only notes a signal: what follows takes seconds.
    after : str
        What an interruption is told to lead to.
    workers : callable, default str
        Tells of the workers of a cluster; nothing where there is none.
    """
    pace = Pace(workers=workers)
    pace.update(0, work.expected, work.stage)
    try:
        interruption.finishing = False
        with screen.training(pace), closing(_fits(work)) as fits:
            interruption.check()  # a signal may have come while it was only noted
            for done, _ in enumerate(fits, start=1):
                pace.update(done, work.expected, work.stage)
                interruption.check()
            interruption.finishing = True
    except KeyboardInterrupt:
        interruption.finishing = True
        screen.note(f"stopping: {after}")
        return False
    return True


def _fits(work: Trainings) -> Generator[Fit, None, None]:
    """The work as a generator, so that closing it stops the trainings under way."""
    yield from work


def run_info(
    command: str,
    watch: Stopwatch,
    *,
    threads: int,
    seed: int,
    recipes: Mapping[str, str] = MappingProxyType({}),
) -> RunInfo:
    """How, where and when the findings were made."""
    from shrinkage.report import RunInfo

    return RunInfo.here(command, watch.seconds, threads=threads, seed=seed, recipes=recipes)


def with_recipes(run: RunInfo, recipes: Mapping[str, str]) -> RunInfo:
    """How the findings were made, with the code that applies them."""
    return replace(run, recipes=recipes)


def hand_over(
    content: Findings | Shown | Taught,
    run: RunInfo,
    screen: Screen,
    path: Path,
    document: Callable[[Path | None], dict[str, Any]],
    *,
    as_json: bool,
) -> None:
    """Write the report and say where it is; JSON is printed even if that fails.

    Parameters
    ----------
    content : Findings or Shown or Taught
        What the report shows.
    run : RunInfo
        How it was made.
    screen : Screen
        Prints.
    path : Path
        Where the report goes.
    document : callable
        What `--json` prints, given where the report was written; None if it was not.
    as_json : bool
        Whether that is asked for.
    """
    from shrinkage.report import write

    written = False
    try:
        with screen.working("writing the report"):
            write(content, run, path)
        written = True
    finally:
        if as_json:
            screen.json(document(path if written else None))
    screen.report(path)


def settings_of(basis: Basis, threads: int) -> dict[str, Any]:
    """What `--json` says of network, training and data, whichever command it is."""
    return {
        "hidden": basis.network.hidden,
        "activation": basis.network.activation,
        "initialization": basis.network.initialization,
        "folds": basis.data.folds,
        "repeats": basis.data.repeats,
        "seed": basis.seed,
        "threads": threads,
        "training": asdict(basis.training),
    }
