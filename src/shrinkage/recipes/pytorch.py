"""The program for PyTorch."""

from __future__ import annotations

from itertools import pairwise

from shrinkage.conventions import TORCH_ADAMW_WEIGHT_DECAY, TORCH_WEIGHT_DECAY
from shrinkage.recipes import pytorch_steps as steps
from shrinkage.recipes.arrays import held_back
from shrinkage.recipes.prescription import Prescription, arguments, number, program

_ACTIVATIONS = {
    "relu": "nn.ReLU()",
    "leaky_relu": "nn.LeakyReLU(0.01)",
    "elu": "nn.ELU()",
    "selu": "nn.SELU()",
    "gelu": "nn.GELU()",
    "silu": "nn.SiLU()",
    "tanh": "nn.Tanh()",
    "sigmoid": "nn.Sigmoid()",
    "identity": "nn.Identity()",
}
_INITIALIZERS = {
    "he": 'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")',
    "lecun": 'nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")',
    "glorot": "nn.init.xavier_normal_(layer.weight)",
}
_LOSSES = {
    "binary": "nn.BCEWithLogitsLoss",
    "multiclass": "nn.CrossEntropyLoss",
    "regression": "nn.MSELoss",
}
_OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "sgd": "SGD"}
_DEFAULTS: dict[str, object] = {
    "betas": "(0.9, 0.999)",
    "eps": 1e-8,
    "alpha": 0.99,
    "momentum": 0.0,
    "nesterov": False,
}


def recipe(finding: Prescription) -> str:
    """The finding as Python source."""
    training = finding.training
    relaxed = finding.relaxed
    mathematics = training.schedule == "cosine" or finding.ramps or training.patience is not None
    lines = [
        *finding.opening,
        *(["import copy"] if training.patience is not None else []),
        *(["import math"] if mathematics else []),
        *([""] if mathematics or training.patience is not None else []),
        *(["import numpy as np"] if finding.class_weights or training.patience is not None else []),
        "import torch",
        "from torch import nn",
        "",
        f"EPOCHS, BATCH = {training.epochs}, {finding.batch}",
        *finding.class_weights,
        *held_back(finding),
        *_model(finding),
        *_arrays(finding),
        *steps.functions(finding),
        *_optimizer(finding),
        *steps.loop(finding),
        *(_relaxed(relaxed) if relaxed else []),
        *steps.ending(finding),
    ]
    return program(lines)


def _model(finding: Prescription) -> list[str]:
    network = finding.network
    sizes = network.sizes
    training = finding.training
    dropout = f" nn.Dropout({number(training.dropout)})," if training.dropout else ""
    layers = [
        f"    nn.Linear({fan_in}, {fan_out}), {_ACTIVATIONS[network.activation]},{dropout}"
        for fan_in, fan_out in pairwise(sizes[:-1])
    ]
    if training.input_dropout:
        layers.insert(0, f"    nn.Dropout({number(training.input_dropout)}),")
    answers = {"binary": "  # a logit: sigmoid gives the probability of class 1"}
    answers["multiclass"] = "  # logits: softmax gives the probabilities"
    lines = [
        "model = nn.Sequential(",
        *layers,
        f"    nn.Linear({sizes[-2]}, {sizes[-1]}),{answers.get(finding.task, '')}",
        ")",
        "linear = [layer for layer in model if isinstance(layer, nn.Linear)]",
        "for layer in linear:",
        f"    {_INITIALIZERS[network.hidden_initialization if network.hidden else 'glorot']}",
        "    nn.init.zeros_(layer.bias)",
    ]
    if network.hidden and network.hidden_initialization != "glorot":
        lines.append("nn.init.xavier_normal_(linear[-1].weight)")
    if finding.penalty is not None or training.max_norm is not None:
        which = "linear[:-1]" if network.hidden else "linear"
        lines.append(f"hidden = [layer.weight for layer in {which}]")
    return lines


def _arrays(finding: Prescription) -> list[str]:
    images = finding.training.augmentation is not None
    given = "pixels" if images else "X"
    lines = [f"{given} = torch.tensor(X_train, dtype=torch.float32)"]
    if images:
        lines += steps.STANDARDIZING
    lines.append(_target(finding, "y", "train"))
    if finding.has_weights:
        lines.append(_weights(finding, "w", "train"))
    if finding.training.patience is not None:
        stop = "torch.tensor(X_stop, dtype=torch.float32)"
        lines.append(f"X_stop = {f'standardized({stop})' if images else stop}")
        lines.append(_target(finding, "y_stop", "stop"))
        if finding.has_weights:
            lines.append(_weights(finding, "w_stop", "stop"))
    return [*lines, *_losses(finding)]


def _target(finding: Prescription, name: str, rows: str) -> str:
    target = f"torch.float32).reshape(len(X_{rows}), -1)"
    if finding.task == "multiclass":
        target = "torch.long)"
    return f"{name} = torch.tensor(y_{rows}, dtype={target}"


def _weights(finding: Prescription, name: str, rows: str) -> str:
    shape = "" if finding.task == "multiclass" else ".reshape(-1, 1)"
    return f"{name} = torch.tensor(w_{rows}, dtype=torch.float32){shape}"


def _losses(finding: Prescription) -> list[str]:
    """The loss, and where it differs the one that early stopping judges by."""
    kind, smoothing = _LOSSES[finding.task], number(finding.training.label_smoothing)
    reduction = ['reduction="none"'] if finding.has_weights else []
    plain = f"{kind}({', '.join(reduction)})"
    if not finding.training.label_smoothing:
        return [f"loss = {plain}"]
    if finding.task == "multiclass":
        smooth = ", ".join([f"label_smoothing={smoothing}", *reduction])
        lines = [f"loss = {kind}({smooth})"]
        return [*lines, f"judge = {plain}"] if finding.training.patience is not None else lines
    half = number(finding.training.label_smoothing / 2)
    return [f"y = (1 - {smoothing}) * y + {half}  # smoothed labels", f"loss = {plain}"]


def _optimizer(finding: Prescription) -> list[str]:
    training = finding.training
    adamw = training.optimizer == "adamw" or (finding.decoupled and training.optimizer == "adam")
    settings: dict[str, object] = {}
    if training.optimizer == "sgd":
        settings = {"momentum": training.momentum, "nesterov": training.nesterov}
    elif training.optimizer == "rmsprop":
        settings = {"alpha": training.rho, "eps": training.epsilon}
    else:
        betas = f"({number(training.beta1)}, {number(training.beta2)})"
        settings = {"betas": betas, "eps": training.epsilon}
    kind = "AdamW" if adamw else _OPTIMIZERS[training.optimizer]
    lines = []
    if adamw:
        decay = TORCH_ADAMW_WEIGHT_DECAY.value(finding.lambda2, decoupled=True)
        note = "AdamW: w ← (1 − lr · weight_decay) w; its default, 0.01, would decay the rest too."
        lines.append(f"# {note}")
        settings["weight_decay"] = 0.0
    elif finding.decoupled:
        decay = 0.0
    else:
        decay = TORCH_WEIGHT_DECAY.value(finding.lambda2)
    what = "model.parameters()"
    if decay:
        if not adamw:
            lines.append(
                "# weight_decay · w joins the gradient, so it is λ itself; the rest stays free."
            )
        rest = "[layer.bias for layer in linear]"
        lines.append(
            f"rest = [linear[-1].weight, *{rest}]" if finding.network.hidden else f"rest = {rest}"
        )
        lines.append(
            f'groups = [{{"params": hidden, "weight_decay": {number(decay)}}}, {{"params": rest}}]'
        )
        what = "groups"
    shown = arguments({"lr": training.learning_rate} | settings, _DEFAULTS)
    lines.append(f"optimizer = torch.optim.{kind}({what}{shown})")
    if training.schedule == "cosine" or finding.ramps:
        lines.append("steps = EPOCHS * math.ceil(len(X) / BATCH)")
    if training.schedule == "cosine":
        lines.append("schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)")
    return lines


def _relaxed(finding: Prescription) -> list[str]:
    """The second training."""
    return [
        "",
        "# The relaxed fit: once more, without the penalty, while zeros stay zero.",
        f"EPOCHS = {finding.training.epochs}",
        *(["free = [(kernel != 0).float() for kernel in hidden]"] if finding.frozen else []),
        *_optimizer(finding),
        *steps.loop(finding),
    ]
