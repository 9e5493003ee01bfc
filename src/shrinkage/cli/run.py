"""``shrinkage run``: the whole way from a source to its report, whoever interrupts it."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shrinkage.cli import destination
from shrinkage.cli.interruption import NOTHING_YET, Interruption
from shrinkage.cli.options import Options
from shrinkage.errors import ShrinkageError
from shrinkage.terminal.plain import say
from shrinkage.terminal.progress import Pace
from shrinkage.terminal.screen import Screen

if TYPE_CHECKING:
    from shrinkage.data import Data
    from shrinkage.findings import Findings
    from shrinkage.report import RunInfo
    from shrinkage.study import Fit
    from shrinkage.tune import Plan, Search

_COMPILES_AFTER = 1.0
"""Seconds after which the engine is not being loaded but compiled."""


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


def carry_out(options: Options) -> int:
    """Run everything, show it and write the report.

    Parameters
    ----------
    options : Options
        The command.

    Returns
    -------
    int
        0, or after an interruption 128 + the signal.

    Raises
    ------
    ShrinkageError
        On input that cannot be used; nothing is written then.
    KeyboardInterrupt
        If it was interrupted before there was anything to report.
    """
    interruption = Interruption.current or Interruption()
    screen = Screen(json=options.json, quiet=options.quiet)
    path = destination.choose(options.output, options.source)
    watch = Stopwatch()
    data = _read(options, screen)
    watch.stage("reading")
    search = _plan(options, data)
    screen.understood(data)
    screen.planned(search.plan, data, search.expected, _threads(options), options.given)
    _start_engine(data, search.plan, screen, interruption)
    watch.stage("starting the engine")
    complete = _train(search, screen, interruption)
    watch.stage("training")
    found = _find(search, screen, complete=complete)
    watch.stage("findings")
    run = _run_info(options, watch, found)
    screen.findings(found)
    screen.code(run.recipes)
    _hand_over(options, found, run, screen, path, complete=complete)
    return 0 if interruption.signal is None else interruption.exit_code


def _read(options: Options, screen: Screen) -> Data:
    with screen.working(f"reading {options.source}"):
        from shrinkage.data import open_source, prepare

        table, targets, name = open_source(
            options.source, options.target, options.samples, options.noise, options.seed
        )
        return prepare(
            table,
            targets,
            task=options.task,
            folds=options.folds,
            repeats=options.repeats,
            seed=options.seed,
            name=name,
        )


def _plan(options: Options, data: Data) -> Search:
    from shrinkage.network import Network
    from shrinkage.tune import Search, default_training, plan

    network = Network(data.full.n_inputs, outputs=data.n_outputs, **options.network)
    training = default_training(data, **options.training)
    planned = plan(data, network=network, training=training, **options.plan)
    return Search(data, planned, threads=options.threads)


def _threads(options: Options) -> int:
    from shrinkage.engine.pool import available_threads

    return options.threads or available_threads()


def _start_engine(data: Data, plan: Plan, screen: Screen, interruption: Interruption) -> None:
    """Load or compile the kernels before the clock of the progress bar starts.

    Compilation cannot be interrupted, so it has a thread of its own, and Ctrl-C leaves it behind.
    """
    failure: list[BaseException] = []

    def start() -> None:
        try:
            _tiny_fit(data, plan)
        except BaseException as error:  # noqa: BLE001  # handed to the main thread
            failure.append(error)

    thread = threading.Thread(target=start, name="engine", daemon=True)
    try:
        with screen.working("starting the engine") as working:
            thread.start()
            thread.join(_COMPILES_AFTER)
            if thread.is_alive():
                working.say("compiling the engine, once: about 20 seconds …")
            while thread.is_alive():
                thread.join(0.2)
    except KeyboardInterrupt:
        say(NOTHING_YET, "shrinkage: ")
        interruption.end_now()
    if failure:
        raise failure[0]


def _tiny_fit(data: Data, plan: Plan) -> None:
    """One step and one prediction on arrays of the types that all fits have."""
    from shrinkage.engine.pool import predict, run_trial
    from shrinkage.study import Trial

    part = data.part(0)
    few = replace(part, train=part.train[:2].copy(), validation=part.validation[:2].copy())
    network = replace(plan.network, inputs=part.n_inputs)
    fit = run_trial(Trial(network, replace(plan.training, epochs=1), None, 0.0, 0, 0), few)
    predict(network, fit.parameters, part.inputs[:2], plan.training.loss)


def _train(search: Search, screen: Screen, interruption: Interruption) -> bool:
    """Train to the end (True) or to the first signal; ``search.study`` holds what is finished."""
    import shrinkage.findings  # noqa: F401  # not to be interrupted half loaded, and needed next

    pace = Pace()
    pace.update(0, search.expected, search.stage)
    try:
        with screen.training(pace), closing(_fits(search)) as fits:
            for done, _ in enumerate(fits, start=1):
                pace.update(done, search.expected, search.stage)
                interruption.check()
            interruption.finishing = True
    except KeyboardInterrupt:
        interruption.finishing = True
        screen.note("stopping: the findings so far follow; Ctrl-C again ends at once, without them")
        return False
    except ShrinkageError as error:  # without a fit to choose from there is nothing to refit
        raise _explained(error, search) from error
    return True


def _fits(search: Search) -> Generator[Fit, None, None]:
    """The search as a generator, so that closing it stops the trainings under way."""
    yield from search


def _find(search: Search, screen: Screen, *, complete: bool) -> Findings:
    from shrinkage.findings import find

    try:
        with screen.working("measuring the effect on the test rows and the weights"):
            return find(search.study, search.plan, stage=None if complete else search.stage)
    except ShrinkageError as error:
        if not complete:
            raise KeyboardInterrupt from error
        raise _explained(error, search) from error


def _explained(error: ShrinkageError, search: Search) -> ShrinkageError:
    """The reason why there is nothing to choose from, when that is known."""
    fits, diverged = search.study.fits, search.study.diverged
    if not diverged:
        return error
    return ShrinkageError(
        f"{len(diverged)} of {len(fits)} fits failed, too many to compare anything; the first "
        f"{diverged[0].message}"
    )


def _hand_over(
    options: Options,
    found: Findings,
    run: RunInfo,
    screen: Screen,
    path: Path,
    *,
    complete: bool,
) -> None:
    """Write the report and say where it is; JSON is printed even if that fails."""
    from shrinkage.report import write

    written = False
    try:
        with screen.working("writing the report"):
            write(found, run, path)
        written = True
    finally:
        if options.json:
            document = _document(found, run, path if written else None)
            screen.json(document | {"interrupted": not complete})
    screen.report(path)


def _run_info(options: Options, watch: Stopwatch, found: Findings) -> RunInfo:
    from shrinkage.recipes import recipes
    from shrinkage.report import RunInfo

    return RunInfo(
        command=options.command,
        seconds=watch.seconds,
        threads=_threads(options),
        cores=os.cpu_count() or 1,
        platform=f"{platform.system()} {platform.release()}, {platform.machine()}",
        date=datetime.now().astimezone(),
        python=platform.python_version(),
        seed=options.seed,
        recipes=recipes(found),
    )


def _document(found: Findings, run: RunInfo, path: Path | None) -> dict[str, Any]:
    """What `--json` prints: the findings, and how they were made."""
    from shrinkage.findings import as_dict

    plan, data = found.plan, found.study.data
    return as_dict(found) | {
        "settings": {
            "hidden": plan.network.hidden,
            "activation": plan.network.activation,
            "initialization": plan.network.initialization,
            "penalties": [penalty.name for penalty in plan.penalties],
            "lambdas": plan.lambdas,
            "metric": plan.metric,
            "rule": plan.rule,
            "folds": data.folds,
            "repeats": data.repeats,
            "seed": plan.seed,
            "threads": run.threads,
            "training": asdict(plan.training),
        },
        "code": dict(run.recipes),
        "command": run.command,
        "seconds": dict(run.seconds),
        "report": None if path is None else str(path),
    }
