"""Epoch by epoch with `partial_fit`, for what scikit-learn's own training does not know."""

from __future__ import annotations

from shrinkage.recipes.arrays import changing, held_back, standardizing
from shrinkage.recipes.prescription import Prescription, number

_INTERPOLATION = 'moved = map_coordinates(ink, places, order=1, mode="grid-constant")'


def by_epoch(finding: Prescription, alpha: float) -> bool:
    """Whether the program has to train epoch by epoch."""
    training = finding.training
    return bool(
        training.input_dropout
        or training.input_noise
        or training.mixup
        or training.label_smoothing
        or training.patience is not None
        or training.max_norm is not None
        or training.averaging
        or training.augmentation
        or (finding.ramps and alpha)
    )


def differences(finding: Prescription) -> list[str]:
    """What is otherwise than in the engine's training."""
    training = finding.training
    found = []
    if training.dropout:
        found.append(f"has no dropout of hidden units ({number(training.dropout)} was found)")
    if training.mixup:
        found.append("mixes each row by a share of its own")
    if finding.task != "regression" and (training.mixup or training.label_smoothing):
        found.append("draws one class with its share where a target has several")
    rarely = [
        what
        for what, on in (
            ("limits norms", training.max_norm is not None),
            ("averages weights", training.averaging),
            ("changes λ", finding.ramps),
        )
        if on
    ]
    found += [f"{what} once in an epoch" for what in rarely]
    if training.relaxed_epochs:
        found.append("has no second training without penalty, since no weight is exactly zero")
    return found


def imports(finding: Prescription, alpha: float) -> list[str]:
    """Everything but the network."""
    training = finding.training
    rises = finding.ramps and alpha and training.lam_schedule == "cosine"
    lines = []
    if training.patience is not None or training.averaging:
        lines.append("import copy")
    if training.averaging or rises:
        lines.append("import math")
    lines += [""] if lines else []
    lines.append("import numpy as np")
    if training.augmentation:
        lines.append("from scipy.ndimage import map_coordinates")
    if training.patience is not None:
        lines.append(f"from sklearn.metrics import {_metric(finding)}")
    return lines


def _metric(finding: Prescription) -> str:
    return "mean_squared_error" if finding.task == "regression" else "log_loss"


def arrays(finding: Prescription) -> list[str]:
    """Images, and rows held back."""
    training = finding.training
    lines = [*standardizing(finding), *held_back(finding)]
    if training.augmentation:
        if training.patience is not None:
            lines.append("X_stop = standardized(X_stop)")
        lines += changing(finding, [_INTERPOLATION])
    return lines


def loop(finding: Prescription, alpha: float) -> list[str]:
    """The training."""
    training = finding.training
    before = ["rng = np.random.default_rng()"]
    classes = ""
    if finding.task != "regression":
        before.append(f"classes = np.arange({max(finding.network.outputs, 2)})")
        classes = ", classes=classes"
    if training.patience is not None:
        before.append("least, best_epoch = np.inf, -1")
    body = _rows(finding)
    if finding.ramps and alpha:
        body += _rise(finding, alpha)
    given = "X_train, y_train" if not _draws_rows(finding) else "X, y"
    weights = ""
    if finding.has_weights:
        weights = ", sample_weight=w" if training.mixup else ", sample_weight=w_train"
    body.append(f"model.partial_fit({given}{classes}{weights})")
    if training.max_norm is not None:
        which = "model.coefs_[:-1]" if finding.network.hidden else "model.coefs_"
        largest = number(training.max_norm)
        body += [
            f"for kernel in {which}:",
            "    norms = np.linalg.norm(kernel, axis=0)",
            f"    kernel *= {largest} / np.maximum(norms, {largest})",
        ]
    body += _judgement(finding)
    after = []
    if training.patience is not None:
        after = ["model = best"]
    elif training.averaging:
        after = ["model.coefs_, model.intercepts_ = average"]
    return [
        *before,
        f"for epoch in range({finding.stop or training.epochs}):",
        *(f"    {line}" for line in body),
        *after,
    ]


def _draws_rows(finding: Prescription) -> bool:
    training = finding.training
    return bool(
        training.augmentation
        or training.mixup
        or training.label_smoothing
        or training.input_noise
        or training.input_dropout
    )


def _rows(finding: Prescription) -> list[str]:
    """This epoch's inputs and targets."""
    training = finding.training
    if not _draws_rows(finding):
        return []
    inputs = "standardized(changed(X_train))" if training.augmentation else "X_train"
    lines = [f"X, y = {inputs}, y_train"]
    if training.mixup:
        alpha = number(training.mixup)
        lines += [
            f"own = rng.beta({alpha}, {alpha}, len(X))  # every row is mixed with another one",
            "other = rng.permutation(len(X))",
            "X = own[:, None] * X + (1 - own[:, None]) * X[other]",
        ]
        if finding.task != "regression":
            lines += ["same = rng.random(len(X)) < own", "y = np.where(same, y, y[other])"]
            if finding.has_weights:
                lines.append("w = np.where(same, w_train, w_train[other])")
        else:
            columns = "[:, None]" if finding.targets > 1 else ""
            share = f"own{columns}"
            if finding.has_weights:
                lines += [
                    "w = own * w_train + (1 - own) * w_train[other]",
                    f"share = (own * w_train / w){columns}",
                ]
                share = "share"
            lines.append(f"y = {share} * y + (1 - {share}) * y[other]")
    if training.label_smoothing:
        lines += [
            f"smooth = rng.random(len(y)) < {number(training.label_smoothing)}",
            "y = np.where(smooth, rng.choice(classes, len(y)), y)",
        ]
    if training.input_noise:
        lines.append(f"X = X + rng.normal(0, {number(training.input_noise)}, X.shape)")
    if training.input_dropout:
        rate = number(training.input_dropout)
        lines.append(f"X = X * (rng.random(X.shape) >= {rate}) / (1 - {rate})")
    return lines


def _rise(finding: Prescription, alpha: float) -> list[str]:
    training = finding.training
    ramp = number(training.lam_ramp)
    along = f"min(1, epoch / ({ramp} * {training.epochs}))"
    share = f"share = {along}  # λ rises from 0"
    if training.lam_schedule == "cosine":
        share = f"share = 0.5 - 0.5 * math.cos(math.pi * {along})  # λ rises from 0"
    return [share, f"model.set_params(alpha=share * {number(alpha)})"]


def _judgement(finding: Prescription) -> list[str]:
    """The average of the weights, and what early stopping makes of them."""
    training = finding.training
    lines = []
    if training.averaging:
        decay = number(training.averaging)
        lines += [
            "latest = [model.coefs_, model.intercepts_]",
            "if epoch == 0:",
            "    average = copy.deepcopy(latest)",
            f"keep = {decay} ** math.ceil(len(X_train) / {finding.batch})",
            "average = [",
            "    [keep * old + (1 - keep) * new for old, new in zip(*pair)]",
            "    for pair in zip(average, latest)",
            "]",
        ]
    if training.patience is None:
        return lines
    lines.append("judged = copy.deepcopy(model)")
    if training.averaging:
        lines.append("judged.coefs_, judged.intercepts_ = average")
    weights = ", sample_weight=w_stop" if finding.has_weights else ""
    answers = "judged.predict(X_stop)"
    labels = ""
    if finding.task != "regression":
        answers, labels = "judged.predict_proba(X_stop)", ", labels=classes"
    return [
        *lines,
        f"now = {_metric(finding)}(y_stop, {answers}{weights}{labels})",
        "if now < least:",
        "    least, best_epoch, best = now, epoch, judged",
        f"elif epoch - best_epoch >= {training.patience}:",
        "    break",
    ]
