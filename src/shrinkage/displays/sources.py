"""What the displays are made from: a study, or an estimator that has one."""

from __future__ import annotations

from typing import Any

from shrinkage.detect.gains import Point, point_of
from shrinkage.errors import SettingError
from shrinkage.study import Fit, Study
from shrinkage.tune import Selection, select


def fitted(estimator: Any, display: str) -> Any:
    """The estimator of this package behind `estimator`.

    That is itself, the last step of a pipeline, or what a search over parameters found.

    Raises
    ------
    NotFittedError
        When it is not fitted.
    SettingError
        When there is no such estimator.
    """
    from sklearn.utils.validation import check_is_fitted

    inner = estimator
    while not hasattr(inner, "predictor_"):
        check_is_fitted(inner)
        if hasattr(inner, "best_estimator_"):
            inner = inner.best_estimator_
        elif hasattr(inner, "steps"):
            inner = inner.steps[-1][1]
        else:
            raise SettingError(
                f"{display} shows how an estimator of this package was trained, but "
                f"{type(inner).__name__} is none; fit for instance a ShrinkageClassifierCV"
            )
    return inner


def choice_of(estimator: Any, display: str) -> Selection:
    """What a fitted estimator chose from its λ path."""
    selection = getattr(estimator, "selection_", None)
    if isinstance(selection, Selection):
        return selection
    study = estimator.study_
    if not study.fold_fits or len({point_of(fit) for fit in study.fold_fits}) < 3:
        name = type(estimator).__name__
        raise SettingError(
            f"{display} needs a path of λ, but {name} was trained at one; fit a {name}CV"
        )
    return select(study)


def point_selected(selection: Selection) -> Point:
    """Penalty and λ of a choice; (None, 0) for no penalty."""
    point = selection.point
    return (point.penalty, point.lam) if point.penalty and point.lam else (None, 0.0)


def beside(fit: Fit, study: Study) -> Fit:
    """The unpenalized fit that differs from `fit` in nothing else; itself without one."""
    where = (fit.trial.fold, fit.trial.seed)
    for other in study.fits:
        same = (other.trial.fold, other.trial.seed) == where
        if same and point_of(other) == (None, 0.0) and other.ok and other.parameters.size:
            return other
    return fit
