"""``shrinkage run``: the whole way from a source to its report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from shrinkage.cli import destination, flow
from shrinkage.cli.exhibit import with_exhibits
from shrinkage.cli.interruption import Interruption
from shrinkage.cli.keeping import Keeping, keeping
from shrinkage.cli.options import Options
from shrinkage.cli.plans import told_exhibits, told_plan
from shrinkage.cli.workforce import Workforce, workforce
from shrinkage.errors import ShrinkageError
from shrinkage.terminal.screen import Screen

if TYPE_CHECKING:
    from shrinkage.exhibits import Basis
    from shrinkage.findings import Findings
    from shrinkage.report import RunInfo
    from shrinkage.tune import Search
    from shrinkage.tune.joint import JointSearch


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
    path = destination.choose(options.output, options.source)
    screen = Screen(json=options.json, quiet=options.quiet)
    with keeping(options) as kept, workforce(options, screen) as workers:
        return _run(options, path, kept, workers, screen)


def _run(options: Options, path: Path, kept: Keeping, workers: Workforce, screen: Screen) -> int:
    interruption = Interruption.current or Interruption()
    watch = flow.Stopwatch()
    data = flow.read(options, screen)
    watch.stage("reading")
    basis = kept.basis(flow.basis_of(options, data))
    search = _plan(options, basis, kept, workers)
    screen.understood(data)
    threads = workers.threads
    screen.planned(search, data, threads, options.given)
    kept.tell(screen, search.before)
    flow.start_engine(basis, screen, interruption)
    watch.stage("starting the engine")
    import shrinkage.findings  # noqa: F401  # not to be interrupted half loaded, and needed next

    plan = told_plan(search.plan, options.joint) | told_exhibits(options.exhibits)
    kept.begin(data, plan, threads)
    complete = searched = flow.train(kept.recorded(search), screen, interruption, workers)
    watch.stage("training")
    kept.finish(search, complete=searched, seconds=watch.seconds)
    found = _find(search, screen, complete=complete)
    watch.stage("findings")
    from shrinkage.recipes import recipes

    run = flow.run_info(
        options.command, watch, threads=threads, seed=options.seed, recipes=recipes(found)
    )
    screen.findings(found)
    screen.code(run.recipes)
    if options.exhibits:
        found, finished = with_exhibits(options, found, basis, screen, interruption, workers, kept)
        complete = complete and finished
        watch.stage("exhibits")
        kept.finish(search, complete=searched, seconds=watch.seconds)
    kept.found(lambda: document(found, run, None) | {"interrupted": not complete})
    flow.hand_over(
        found,
        run,
        screen,
        path,
        lambda written: document(found, run, written) | {"interrupted": not complete},
        as_json=options.json,
    )
    return 0 if interruption.signal is None else interruption.exit_code


def _plan(
    options: Options, basis: Basis, kept: Keeping, workers: Workforce
) -> Search | JointSearch:
    from shrinkage.tune import Search, plan
    from shrinkage.tune.joint import PENALTIES, JointSearch

    settings = dict(options.plan)
    if options.joint is not None:
        settings = {"penalties": PENALTIES} | settings
    planned = plan(basis.data, network=basis.network, training=basis.training, **settings)
    who: dict[str, Any] = {
        "threads": options.threads,
        "executor": workers.executor,
        "limit": options.fit_limit,
    }
    kept.look(basis)
    if options.joint is None:
        return Search(basis.data, planned, done=kept.known, **who)
    spent = kept.spent()
    return JointSearch(
        basis.data,
        planned,
        **who,
        **options.joint,
        done=kept.known,
        before=spent.seconds,
        seats=spent.seats if kept.same_joint(planned) else None,
    )


def _find(search: Search | JointSearch, screen: Screen, *, complete: bool) -> Findings:
    from shrinkage.findings import find

    try:
        with screen.working("measuring the effect on the test rows and the weights"):
            return find(
                search.study,
                search.plan,
                stage=None if complete else search.stage,
                joint=getattr(search, "joint", None),
            )
    except ShrinkageError as error:
        if not complete:
            raise KeyboardInterrupt from error
        from shrinkage.scores import explained

        raise explained(error, search.study) from error


def document(found: Findings, run: RunInfo, path: Path | None) -> dict[str, Any]:
    """What `--json` prints: the findings, and how they were made.

    Parameters
    ----------
    found : Findings
        What a study says.
    run : RunInfo
        How it was made.
    path : Path or None
        Where the report is; None when it was not written.
    """
    from shrinkage.exhibits import Basis
    from shrinkage.findings import as_dict
    from shrinkage.network import perceptron_of

    plan = found.plan
    basis = Basis(found.study.data, perceptron_of(plan.network), plan.training, plan.seed)
    return as_dict(found) | {
        "settings": flow.settings_of(basis, run.threads)
        | {
            "penalties": [penalty.name for penalty in plan.penalties],
            "lambdas": plan.lambdas,
            "metric": plan.metric,
            "rule": plan.rule,
        },
        "code": dict(run.recipes),
        "command": run.command,
        "seconds": dict(run.seconds),
        "report": None if path is None else str(path),
    }
