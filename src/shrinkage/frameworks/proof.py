"""A study of a network of one's own → findings and the report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from shrinkage.errors import SettingError
from shrinkage.frameworks.path import PathStudy
from shrinkage.penalties import L2
from shrinkage.study import Study

if TYPE_CHECKING:
    from shrinkage.findings import Findings


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
    SettingError
        When it is no study.
    ShrinkageError
        When the study has no finished fits without a penalty.
    """
    if not isinstance(study, Study):
        raise SettingError(
            f"expected the study of a path, got {type(study).__name__}; hand in what path() "
            "returned, or an estimator's study_"
        )
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
        When it is no study, or nothing can be written there.

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
    from shrinkage.engine.pool import available_threads
    from shrinkage.report import RunInfo, write

    if not isinstance(path, (str, os.PathLike)):
        raise SettingError(f"path is {path!r}; give the name of a file, such as 'shrinkage.html'")
    found = findings_of(study, metric=metric, rule=rule)
    call, seed = (study.call, study.seed) if isinstance(study, PathStudy) else ("", None)
    seconds = {"training": sum(fit.seconds for fit in study.fits)}
    run = RunInfo.here(call, seconds, threads=available_threads(), seed=seed)
    return write(found, run, path)
