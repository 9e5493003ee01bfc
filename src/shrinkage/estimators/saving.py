"""A fitted estimator in one file that cannot execute code, and back."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from shrinkage.container import Content, read, write
from shrinkage.data import Part
from shrinkage.errors import SettingError
from shrinkage.estimators.cross_validated import ShrinkageClassifierCV, ShrinkageRegressorCV
from shrinkage.estimators.single import ShrinkageClassifier, ShrinkageRegressor
from shrinkage.estimators.stored import Reader, Unstorable, Writer, check
from shrinkage.study import Study

ESTIMATORS = {
    kind.__name__: kind
    for kind in (
        ShrinkageClassifier,
        ShrinkageRegressor,
        ShrinkageClassifierCV,
        ShrinkageRegressorCV,
    )
}

_VIEWS = {"coefs_": "kernels", "intercepts_": "biases"}
"""Attributes that are views of the network's parameters."""
_KIND = "estimator"
_OWN = "an estimator of this package"


def save(estimator: Any, path: str | os.PathLike[str], *, inputs: bool = False) -> Path:
    """Save a fitted estimator as one file that cannot execute code.

    The file is of the safetensors format, with its facts in JSON and a checksum over everything.
    It holds the parameters and every fitted attribute; `study_`, by default, without the inputs of
    the training rows.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator of this package.
    path : str or path-like
        Where to; a file that is there is replaced, when all of the new one is written.
    inputs : bool, default False
        Whether the inputs of the training rows are in the file too. Without them a loaded estimator
        shows all that it has found, and only what trains it anew on the same rows
        (``CapacityDisplay.from_estimator``) needs them. Targets and weights are always there.

    Returns
    -------
    Path
        Absolute.

    Raises
    ------
    SettingError
        When the estimator is not fitted or has a parameter that such a file cannot hold, or when
        nothing can be written there.

    See Also
    --------
    load : Reads the file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from shrinkage import ShrinkageClassifier
    >>> from shrinkage.estimators.saving import load, save
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ShrinkageClassifier(hidden_layer_sizes=(8,), random_state=0).fit(X, y)
    >>> with TemporaryDirectory() as folder:
    ...     path = save(model, Path(folder) / "iris.shrinkage")
    ...     again = load(path)
    >>> bool((again.predict_proba(X) == model.predict_proba(X)).all())
    True
    """
    kind = type(estimator).__name__
    if ESTIMATORS.get(kind) is not type(estimator):
        raise SettingError(
            f"only {_OWN} can be saved, got {kind}; save the last step of a pipeline, and rebuild "
            "the others"
        )
    if not hasattr(estimator, "predictor_"):
        raise SettingError(f"this {kind} is not fitted, so there is nothing to save; call fit")
    writer = Writer()
    given = estimator.get_params(deep=False)
    found = {
        name: value
        for name, value in vars(estimator).items()
        if name not in given and name not in _VIEWS
    }
    if not inputs:
        found = _without_inputs(found)
    header = {
        "estimator": kind,
        "parameters": _written(writer, given),
        "attributes": _written(writer, found),
        "objects": writer.objects,
    }
    return write(path, _KIND, header, writer.tensors)


def load(path: str | os.PathLike[str]) -> Any:
    """Load an estimator that was saved.

    Nothing in the file is ever run, so it may come from a stranger.

    Parameters
    ----------
    path : str or path-like
        Where from.

    Returns
    -------
    estimator
        Fitted: it predicts the same, to the bit.

    Raises
    ------
    SettingError
        When there is no such file, when it is empty, truncated, damaged or of another kind, or when
        a later version of this package wrote it.

    See Also
    --------
    shrinkage.estimators.saving.save : Writes the file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_diabetes
    >>> from shrinkage import ShrinkageRegressor
    >>> from shrinkage.estimators.saving import load, save
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = ShrinkageRegressor(hidden_layer_sizes=(8,), random_state=0).fit(X, y)
    >>> with TemporaryDirectory() as folder:
    ...     again = load(save(model, Path(folder) / "diabetes.shrinkage"))
    >>> again.lambda_, again.score(X, y) == model.score(X, y)
    (0.01, True)
    """
    content = read(path, _KIND)
    try:
        return _estimator(content)
    # Whatever else a file may say, it is not what `save` writes.
    except (
        *(TypeError, ValueError, KeyError, IndexError, AttributeError),
        *(MemoryError, OverflowError, RecursionError),
    ) as error:
        by = content.versions.get("shrinkage", "an unknown version")
        raise SettingError(
            f"'{path}' does not hold an estimator that this version of shrinkage can read; "
            f"shrinkage {by} wrote it"
        ) from error


def _written(writer: Writer, values: dict[str, Any]) -> dict[str, Any]:
    told = {}
    for name, value in sorted(values.items()):
        try:
            told[name] = writer.write(value)
        except Unstorable as error:
            what = error.args[0]
            instead = " such as a number of folds, or None" if name == "cv" else ""
            raise SettingError(
                f"cannot save {name}: a file that cannot execute code cannot hold a "
                f"{type(what).__name__}; set it to something plain{instead}, with "
                f"set_params({name}=…)"
            ) from error
    return told


def _without_inputs(found: dict[str, Any]) -> dict[str, Any]:
    """The attributes with a study that has rows, but no column of inputs."""
    whole: Study = found["study_"]
    data = whole.data
    parts = tuple(map(_without_columns, data.parts))
    study = replace(whole, data=replace(data, parts=parts, full=_without_columns(data.full)))
    light = found | {"study_": study}
    if "selection_" in found:
        light["selection_"] = replace(found["selection_"], study=study)
    return light


def _without_columns(part: Part) -> Part:
    return replace(part, inputs=part.inputs[:, :0])


def _estimator(content: Content) -> Any:
    header = content.header
    reader = Reader(header["objects"], content.tensors)
    given = {name: reader.read(told) for name, told in header["parameters"].items()}
    found = {name: reader.read(told) for name, told in header["attributes"].items()}
    estimator = ESTIMATORS[header["estimator"]](**given)
    check(found["predictor_"])
    for name, value in found.items():
        if name in given or name.startswith("__"):
            raise ValueError(name)
        setattr(estimator, name, value)
    for name, part in _VIEWS.items():
        setattr(estimator, name, getattr(estimator.predictor_, part))
    return estimator
