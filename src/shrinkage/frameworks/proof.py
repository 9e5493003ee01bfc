"""A study of a network of one's own → findings and the report."""

from __future__ import annotations

import os
import platform
import warnings
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shrinkage.errors import SettingError
from shrinkage.penalties import L2, Penalty, parse_penalty
from shrinkage.study import Fit, Study

if TYPE_CHECKING:
    from shrinkage.findings import Findings
    from shrinkage.tune import Search


def findings_of(study: Study, *, metric: str | None = None, rule: str = "minimum") -> Findings:
    """Everything that a study says: diagnosis, choice, effect on test rows and weights.

    Parameters
    ----------
    study : Study
        Of one network, as a path makes it.
    metric : str, optional
        What is best; the loss by default.
    rule : str, default "minimum"
        ``"minimum"`` or ``"one_standard_error"``.

    Returns
    -------
    Findings

    Raises
    ------
    ShrinkageError
        When the study has no finished fits without a penalty.
    """
    # Reports and statistics are not loaded by those who only want a penalty.
    from shrinkage.findings import find
    from shrinkage.scores import default_metric
    from shrinkage.tune import Plan

    first = study.trials[0]
    penalties = tuple(dict.fromkeys(t.penalty for t in study.trials if t.penalty is not None))
    plan = Plan(
        network=first.network,
        training=first.training,
        penalties=penalties or (L2(),),
        lambdas=tuple(sorted({trial.lam for trial in study.trials})),
        metric=metric or default_metric(study.data.task),
        rule=rule,
        refits=max(len({trial.seed for trial in study.trials if trial.fold is None}), 1),
    )
    return find(study, plan)


def report(
    study: Study,
    path: str | os.PathLike[str] = "shrinkage.html",
    *,
    metric: str | None = None,
    rule: str = "minimum",
) -> Path:
    """Write the report of a study into one file that needs no network.

    Parameters
    ----------
    study : Study
        Of one network, as a path makes it.
    path : str or path, default "shrinkage.html"
        Where; an existing file is replaced in one step.
    metric, rule : str, optional
        See :func:`~shrinkage.frameworks.proof.findings_of`.

    Returns
    -------
    Path
        Absolute.

    Raises
    ------
    SettingError
        When nothing can be written there.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_wine
    >>> from shrinkage import ShrinkageClassifierCV
    >>> model = ShrinkageClassifierCV(
    ...     hidden_layer_sizes=(4,), penalty="l2", lambdas=[0.1], cv=2, max_iter=2
    ... )
    >>> study = model.fit(*load_wine(return_X_y=True)).study_  # or that of a path
    >>> with TemporaryDirectory() as folder:
    ...     report(study, f"{folder}/wine.html").name
    'wine.html'
    """
    from shrinkage.report import RunInfo, write

    found = findings_of(study, metric=metric, rule=rule)
    seconds = sum(fit.seconds for fit in study.fits)
    run = RunInfo(
        command="",
        seconds={"training": seconds},
        threads=os.cpu_count() or 1,
        cores=os.cpu_count() or 1,
        platform=f"{platform.system()} {platform.release()}, {platform.machine()}",
        date=datetime.now().astimezone(),
        python=platform.python_version(),
        seed=None,
    )
    return write(found, run, path)


def as_far_as_it_went(search: Search, fits: Iterable[Fit]) -> Study:
    """The study of a search, followed to its end or to the first interruption.

    Parameters
    ----------
    search : Search
        Being trained.
    fits : iterable of Fit
        Its fits, as they come.

    Returns
    -------
    Study
        After an interruption, what is finished; a warning says so.

    Raises
    ------
    KeyboardInterrupt
        When it comes before a network without a penalty is finished on a fold.
    """
    try:
        for _ in fits:
            pass
    except KeyboardInterrupt:
        study = search.study
        if not any(fit.ok and fit.trial.penalty is None for fit in study.fold_fits):
            raise
        warnings.warn(
            f"interrupted: the study holds the {len(study.fits)} fits that are finished, of "
            f"{search.expected}.",
            stacklevel=3,
        )
    return search.study


def penalties_of(given: Any) -> tuple[Penalty, ...]:
    """Penalties as a person gives them: one or several, as objects or by name.

    Parameters
    ----------
    given : Penalty, str or sequence of them
        Names as on the command line: ``"l1"``, ``"l2"``, ``"elastic_net"``, ``"group_units"`` …

    Raises
    ------
    SettingError
        On an unknown name, or nothing.
    """
    several = given if isinstance(given, (list, tuple)) else [given]
    if not several:
        raise SettingError("there is no penalty to try; name at least one of l1, l2, elastic_net")
    found = []
    for one in several:
        if not (isinstance(one, str) or hasattr(one, "l1_share")):
            raise SettingError(
                f"{one!r} is not a penalty; give L1(), L2(), ElasticNet(), GroupLasso() or a name"
            )
        found.append(parse_penalty(one) if isinstance(one, str) else one)
    return tuple(dict.fromkeys(found))
