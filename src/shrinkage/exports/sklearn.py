"""A trained network as scikit-learn's own, fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.conventions import SKLEARN_ALPHA
from shrinkage.errors import SettingError
from shrinkage.exports.agreement import Answer, compare, predictor_of, require
from shrinkage.predictor import Predictor

Floats = NDArray[np.float64]

_ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "sigmoid": "logistic", "identity": "identity"}


def to_sklearn(model: Any, *, X: Any = None) -> Any:
    """Export a trained network to scikit-learn, checked to answer the same.

    Its ``coefs_`` and ``intercepts_`` act on raw rows, in double precision: standardization is
    folded into the first kernel, a target's units into the last one.

    Parameters
    ----------
    model : estimator or Predictor
        A fitted estimator of this package, or the network alone.
    X : array-like of shape (rows, inputs), optional
        Rows to compare both networks on; by default 256 drawn around the training rows.

    Returns
    -------
    MLPClassifier or MLPRegressor
        Fitted, with every attribute that prediction, scoring and ``partial_fit`` need. ``alpha`` is
        the L2 part of the penalty, converted. ``loss_`` is NaN and ``loss_curve_`` empty: what it
        was trained with is another loss, free of the penalty.

    Raises
    ------
    SettingError
        When `model` is not fitted, or scikit-learn has no such activation.
    ShrinkageError
        When the exported network differs from the original by more than 1e-5.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from shrinkage import ShrinkageClassifier
    >>> from shrinkage.exports import to_sklearn
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ShrinkageClassifier(hidden_layer_sizes=(8,), random_state=0).fit(X, y)
    >>> network = to_sklearn(model)
    >>> bool((network.predict(X) == model.predict(X)).all())
    True
    """
    predictor = predictor_of(model)
    activation = predictor.network.activation
    if predictor.network.hidden and activation not in _ACTIVATIONS:
        raise SettingError(
            f"scikit-learn's networks have no {activation}; they have {', '.join(_ACTIVATIONS)}: "
            "export this one to ONNX, Keras or PyTorch"
        )
    network = _fitted(predictor)
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        network.feature_names_in_ = np.asarray(names, dtype=object)
    require(compare(predictor, answers(network, predictor), "scikit-learn", "double", X=X))
    return network


def notes(predictor: Predictor) -> tuple[str, ...]:
    """What alpha does not carry over."""
    penalty = predictor.penalty
    if penalty is None or not predictor.lam:
        return ()
    said = ["Trained on, its alpha would act on the folded kernels, the last one too."]
    if penalty.l1_share or penalty.group_share:
        said.append(f"There is no {penalty.label} in scikit-learn's networks.")
    elif _decoupled(predictor):
        said.append("Its decay was decoupled, which no alpha equals.")
    return tuple(said)


def answers(network: Any, predictor: Predictor) -> Answer:
    """What it answers to raw rows, the classes in the order of ours."""

    def answer(rows: Floats) -> NDArray[Any]:
        # Without the check of feature names, which rows of numbers have not.
        found = network._forward_pass_fast(rows, check_input=False)
        if predictor.classes is None:
            return np.asarray(found)
        if found.shape[1] == 1:
            found = np.hstack([1.0 - found, found])
        return np.asarray(found[:, np.argsort(_order(predictor))])

    return answer


def _decoupled(predictor: Predictor) -> bool:
    penalty = predictor.penalty
    return predictor.training.optimizer == "adamw" or bool(penalty and penalty.decoupled)


def _order(predictor: Predictor) -> NDArray[np.intp]:
    """Where each of scikit-learn's classes, which are sorted, is among ours."""
    return np.argsort(np.asarray(predictor.classes), kind="stable")


def _fitted(predictor: Predictor) -> Any:
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import LabelBinarizer

    training, network = predictor.training, predictor.network
    classes = predictor.classes
    batch = min(training.batch_size, predictor.rows)
    kind = MLPRegressor if classes is None else MLPClassifier
    made = kind(
        hidden_layer_sizes=network.hidden,
        activation=_ACTIVATIONS.get(network.activation, "identity"),
        solver="sgd" if training.optimizer == "sgd" else "adam",
        alpha=_alpha(predictor, batch),
        batch_size=batch,
        learning_rate_init=training.learning_rate,
        max_iter=training.epochs,
        n_iter_no_change=training.epochs,
        beta_1=training.beta1,
        beta_2=training.beta2,
        epsilon=training.epsilon,
        momentum=training.momentum,
        nesterovs_momentum=training.nesterov,
        shuffle=training.shuffle,
    )
    made.coefs_, made.intercepts_ = _folded(predictor)
    made.n_features_in_ = network.inputs
    made.n_layers_ = len(network.sizes)
    made.n_outputs_ = network.outputs
    made.out_activation_ = "identity"
    if classes is not None:
        made.out_activation_ = "logistic" if network.outputs == 1 else "softmax"
        made._label_binarizer = LabelBinarizer().fit(classes)
        made.classes_ = made._label_binarizer.classes_
    made.n_iter_ = training.epochs
    made.t_ = training.epochs * predictor.rows
    made.loss_ = float("nan")
    made.loss_curve_ = []
    made.best_loss_ = float("inf")
    made.validation_scores_ = made.best_validation_score_ = None
    made._no_improvement_count = 0
    made._random_state = np.random.RandomState(0)  # scikit-learn's own kind
    made._best_coefs = [kernel.copy() for kernel in made.coefs_]
    made._best_intercepts = [bias.copy() for bias in made.intercepts_]
    return made


def _folded(predictor: Predictor) -> tuple[list[Floats], list[Floats]]:
    """Kernels and biases that take raw rows and answer in the target's own units."""
    kernels = [kernel.astype(np.float64) for kernel in predictor.kernels]
    biases = [bias.astype(np.float64) for bias in predictor.biases]
    kernels[0] = kernels[0] / predictor.scale[:, None]  # 0 where the scale is infinite
    biases[0] = biases[0] - predictor.center @ kernels[0]
    if predictor.classes is None:
        kernels[-1] = kernels[-1] * predictor.target_scale
        biases[-1] = biases[-1] * predictor.target_scale + predictor.target_center
        return kernels, biases
    order = _order(predictor)
    if predictor.network.outputs > 1:
        kernels[-1], biases[-1] = kernels[-1][:, order].copy(), biases[-1][order].copy()
    elif order[0] == 1:  # the logit of the other class
        kernels[-1], biases[-1] = -kernels[-1], -biases[-1]
    return kernels, biases


def _alpha(predictor: Predictor, batch: int) -> float:
    penalty = predictor.penalty
    if penalty is None or _decoupled(predictor):
        return 0.0
    targets = predictor.network.outputs if predictor.classes is None else 0
    return SKLEARN_ALPHA.value(predictor.lam * penalty.l2_share, rows=batch, targets=targets)
