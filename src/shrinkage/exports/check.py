"""An exported network beside the original, on rows of one's own and whenever one likes."""

from __future__ import annotations

import os
from typing import Any

from shrinkage.errors import SettingError
from shrinkage.exports import keras, onnx, sklearn, torch
from shrinkage.exports.agreement import Agreement, compare, predictor_of


def agreement_of(model: Any, exported: Any, X: Any = None) -> Agreement:
    """Compare an exported network with the original.

    Every export is compared before it is handed out; this tells the result, what the export does
    not carry over, and serves for a model that was saved and read again.

    Parameters
    ----------
    model : estimator or Predictor
        What was exported.
    exported : onnx.ModelProto, path of an ONNX file, keras.Model, torch.nn.Module or MLP
        What came of it.
    X : array-like of shape (rows, inputs), optional
        Rows to compare both networks on; by default 256 drawn around the training rows.

    Returns
    -------
    Agreement
        Prints as a sentence, whether they agree or not.

    Raises
    ------
    SettingError
        When `exported` is something else.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from shrinkage import ShrinkageClassifier
    >>> from shrinkage.exports import agreement_of, to_sklearn
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ShrinkageClassifier(hidden_layer_sizes=(8,), random_state=0).fit(X, y)
    >>> found = agreement_of(model, to_sklearn(model), X=X)
    >>> found.holds, found.rows
    (True, 150)
    """
    predictor = predictor_of(model)
    if isinstance(exported, (str, os.PathLike)):
        exported = onnx.read(exported)
    roots = {kind.__module__.partition(".")[0] for kind in type(exported).__mro__}
    if "onnx" in roots:
        answer = onnx.answers(exported)
        return compare(predictor, answer, "ONNX", onnx.precision(exported), X=X)
    # Before PyTorch: on that backend, a Keras model is a module of it.
    if "keras" in roots:
        answer = keras.answers(exported)
        return compare(predictor, answer, "Keras", "single", keras.notes(predictor), X)
    if "torch" in roots:
        return compare(predictor, torch.answers(exported), "PyTorch", "double", X=X)
    if "sklearn" in roots and hasattr(exported, "coefs_"):
        answer = sklearn.answers(exported, predictor)
        return compare(predictor, answer, "scikit-learn", "double", sklearn.notes(predictor), X)
    raise SettingError(
        f"there is no export to compare in a {type(exported).__name__}; pass what to_onnx, "
        "to_keras, to_torch or to_sklearn returned"
    )
