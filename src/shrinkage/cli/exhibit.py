"""``shrinkage capacity`` and its like: from a source to the page of one exhibit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shrinkage.cli import destination, flow
from shrinkage.cli.interruption import Interruption
from shrinkage.cli.keeping import Keeping, keeping
from shrinkage.cli.options import Options
from shrinkage.cli.plans import told_basis, told_exhibits
from shrinkage.cli.workforce import Workforce, workforce
from shrinkage.errors import ShrinkageError
from shrinkage.terminal.screen import Screen

if TYPE_CHECKING:
    from shrinkage.exhibits import Basis, Exhibit, Record, Series, Shown
    from shrinkage.findings import Findings
    from shrinkage.report import RunInfo
    from shrinkage.study import Fit


def carry_out(options: Options) -> int:
    """Train the exhibit's networks, show what they say and write its page.

    Parameters
    ----------
    options : Options
        The command; its exhibit is the only one in :attr:`Options.exhibits`.

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
    screen = Screen(json=options.json, quiet=options.quiet)
    with keeping(options) as kept, workforce(options, screen) as workers:
        return _carry_out(options, kept, screen, workers)


def _carry_out(options: Options, kept: Keeping, screen: Screen, workers: Workforce) -> int:
    from shrinkage.exhibits import Shown

    (exhibit,) = options.exhibits
    interruption = Interruption.current or Interruption()
    path = destination.choose(options.output, options.source, exhibit.name)
    watch = flow.Stopwatch()
    data = flow.read(options, screen)
    watch.stage("reading")
    basis = kept.basis(flow.basis_of(options, data))
    kept.look(basis)
    series = _series(options, exhibit, basis, workers, kept.known.values())
    screen.understood(data)
    threads = workers.threads
    screen.prepared(series, threads, options.given, options.seed)
    kept.tell(screen, series.before)
    flow.start_engine(basis, screen, interruption)
    watch.stage("starting the engine")
    kept.begin(data, told_basis(basis) | told_exhibits(options.exhibits), threads)
    complete = flow.train(kept.recorded(series), screen, interruption, workers)
    watch.stage("training")
    kept.finish(series, complete=complete, seconds=watch.seconds)
    record = _read(series, screen, complete=complete)
    watch.stage("findings")
    run = flow.run_info(options.command, watch, threads=threads, seed=options.seed)
    screen.exhibit(record)
    shown = Shown(record, exhibit.title, basis, series.study)
    kept.found(lambda: document(shown, run, None) | {"interrupted": not complete})
    flow.hand_over(
        shown,
        run,
        screen,
        path,
        lambda written: document(shown, run, written) | {"interrupted": not complete},
        as_json=options.json,
    )
    return 0 if interruption.signal is None else interruption.exit_code


def _series(
    options: Options,
    exhibit: Exhibit,
    basis: Basis,
    workers: Workforce,
    known: Iterable[Fit],
) -> Series:
    """An exhibit's trials, trained as the command says."""
    from shrinkage.exhibits import Series

    return Series(
        exhibit,
        basis,
        known=known,
        threads=options.threads,
        executor=workers.whole,
        limit=options.fit_limit,
    )


def _read(series: Series, screen: Screen, *, complete: bool) -> Record:
    try:
        with screen.working("reading the finished networks"):
            return series.exhibit.read(series.study)
    except ShrinkageError as error:
        if not complete:
            raise KeyboardInterrupt from error
        from shrinkage.scores import explained

        raise explained(error, series.study) from error


def document(shown: Shown, run: RunInfo, path: Path | None) -> dict[str, Any]:
    """What `--json` prints: the record, and how it was made."""
    from dataclasses import asdict

    from shrinkage.findings import about_data
    from shrinkage.scores import Failures

    study, name = shown.study, shown.record.name
    return {
        "data": about_data(study.data),
        "fits": {
            "planned": len(study.trials),
            "finished": len(study.fits),
            **asdict(Failures.of(study.fits)),
        },
        "exhibits": {name: shown.record.as_dict()},
        "warnings": list(study.data.description.warnings),
        "versions": study.versions,
        "settings": flow.settings_of(shown.basis, run.threads),
        "command": run.command,
        "seconds": dict(run.seconds),
        "report": None if path is None else str(path),
    }


def with_exhibits(
    options: Options,
    found: Findings,
    basis: Basis,
    screen: Screen,
    interruption: Interruption,
    workers: Workforce,
    kept: Keeping,
) -> tuple[Findings, bool]:
    """Add the exhibits that a run asks for, after its search; False when it was interrupted."""
    complete = interruption.signal is None

    def carried(exhibit: Exhibit, basis: Basis) -> Series | None:
        nonlocal complete
        if not complete:
            return None
        known = (*kept.known.values(), *found.study.fits)
        series = _series(options, exhibit, basis, workers, known)
        complete = flow.train(kept.recorded(series, beside=True), screen, interruption, workers)
        return series

    return added(options.exhibits, found, basis, screen, carried), complete


def added(
    exhibits: Iterable[Exhibit],
    found: Findings,
    basis: Basis,
    screen: Screen,
    carried: Callable[[Exhibit, Basis], Series | None],
) -> Findings:
    """Findings with exhibits beside them, which start from what is recommended.

    An exhibit that these data cannot answer, or that an interruption left without enough fits,
    becomes a note: the findings stand without it.

    Parameters
    ----------
    exhibits : iterable of Exhibit
        What to add.
    found : Findings
        Of the search.
    basis : Basis
        Of the search.
    screen : Screen
        Where each is shown.
    carried : callable
        From an exhibit and its basis to its trials with their fits; None when there was no time.
    """
    from dataclasses import replace

    records: list[Record] = []
    notes: list[str] = []
    point = found.recommended
    if point is not None and point.penalty is not None:
        basis = replace(basis, choice=(point.penalty, point.lam))
    for exhibit in exhibits:
        try:
            series = carried(exhibit, basis)
            if series is None:
                notes.append(f"The run was interrupted before its part on {exhibit.name}.")
                continue
            records.append(exhibit.read(series.study))
        except ShrinkageError as error:
            notes.append(f"No part on {exhibit.name}: {error}.")
            screen.note(notes[-1])
            continue
        screen.exhibit(records[-1])
    return replace(found, exhibits=tuple(records), notes=(*found.notes, *notes))
