"""The program for scikit-learn, whose networks have one penalty: L2 on every kernel."""

from __future__ import annotations

from shrinkage.conventions import SKLEARN_ALPHA
from shrinkage.recipes import scikit_learn_loop as epochs
from shrinkage.recipes.prescription import Prescription, arguments, comment, number, program

_ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "sigmoid": "logistic", "identity": "identity"}
_DEFAULTS: dict[str, object] = {
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-8,
    "momentum": 0.9,
    "nesterovs_momentum": True,
}


def recipe(finding: Prescription) -> str:
    """The finding as Python source, as near as scikit-learn comes to it."""
    training, network = finding.training, finding.network
    kind = "MLPRegressor" if finding.task == "regression" else "MLPClassifier"
    last = finding.stop or training.epochs
    hidden = f"({', '.join(map(str, network.hidden))}{',' * (len(network.hidden) == 1)})"
    alpha, why, notes = _alpha(finding)
    optimizer = "sgd" if training.optimizer == "sgd" else "adam"
    settings: dict[str, object] = {
        "beta_1": training.beta1,
        "beta_2": training.beta2,
        "epsilon": training.epsilon,
    }
    if optimizer == "sgd":
        settings = {"momentum": training.momentum, "nesterovs_momentum": training.nesterov}
    more = arguments(settings, _DEFAULTS).removeprefix(", ")
    looped = epochs.by_epoch(finding, alpha)
    weights = ", sample_weight=w_train" if finding.has_weights else ""
    own_training = [
        f"    max_iter={last},",
        f"    n_iter_no_change={last},  # trains to the end, and warns that it did",
    ]
    lines = [
        *finding.opening,
        *comment(_differences(finding)),
        *comment(notes),
        *(epochs.imports(finding, alpha) if looped else []),
        *(["import numpy as np"] if finding.class_weights and not looped else []),
        f"from sklearn.neural_network import {kind}",
        "",
        *finding.class_weights,
        *(epochs.arrays(finding) if looped else []),
        f"model = {kind}(",
        f"    hidden_layer_sizes={hidden},",
        f'    activation="{_ACTIVATIONS.get(network.activation, "relu")}",',
        f'    solver="{optimizer}",',
        f"    alpha={number(alpha)},{why}",
        f"    batch_size={finding.batch},",
        f"    learning_rate_init={number(_rate(finding))},{_about_rate(finding)}",
        *([f"    {more},"] if more else []),
        *([] if looped else own_training),
        ")",
        *(epochs.loop(finding, alpha) if looped else []),
        *([] if looped else [f"model.fit(X_train, y_train{weights})"]),
    ]
    return program(lines)


def _alpha(finding: Prescription) -> tuple[float, str, str]:
    """alpha, the comment beside it, and a sentence where it is not the penalty that was found."""
    if finding.penalty is None:
        return 0.0, "", ""
    if finding.decoupled:
        return 0.0, "", "Decoupled decay has no equal in any alpha; this trains without a penalty."
    lam, note = finding.lambda2, ""
    if finding.makes_zeros:
        label = finding.penalty.label
        note = f"{label[0].upper()}{label[1:]} cannot be expressed here; "
        if finding.best_l2 is not None:
            lam = finding.best_l2
            note += f"alpha is the best L2 of the same run, λ = {number(lam)}."
        elif lam:
            note += f"alpha is its L2 part alone, λ₂ = {number(lam)}."
        else:
            return 0.0, "", note + "no L2 was tried, so this trains without a penalty."
    alpha = SKLEARN_ALPHA.value(lam, rows=finding.batch, targets=finding.targets)
    why = "  # λ · rows of a batch"
    if finding.targets:
        why += f" · {finding.targets}/2, as is its squared error"
    return alpha, why, note


def _rate(finding: Prescription) -> float:
    """SGD steps along the gradient, which for a squared error is targets/2 times ours."""
    rate = finding.training.learning_rate
    return rate * 2 / finding.targets if _about_rate(finding) else rate


def _about_rate(finding: Prescription) -> str:
    scaled = finding.training.optimizer == "sgd" and finding.targets not in (0, 2)
    return f"  # · 2/{finding.targets}, for the same reason" if scaled else ""


def _differences(finding: Prescription) -> str:
    """What this program does otherwise than was measured."""
    training, network = finding.training, finding.network
    differences = ["starts from uniform Glorot weights"]
    if network.activation not in _ACTIVATIONS:
        differences.append(f"has no {network.activation} (relu here)")
    if training.optimizer in ("rmsprop", "adamw"):
        differences.append(f"has no {training.optimizer} (adam here)")
    if training.schedule == "cosine":
        differences.append("keeps the learning rate constant")
    differences += epochs.differences(finding)
    differences.append("penalizes the output kernel too")
    return f"Near, not equal: scikit-learn {', '.join(differences[:-1])} and {differences[-1]}."
