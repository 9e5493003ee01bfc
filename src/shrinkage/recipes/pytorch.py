"""The program for PyTorch."""

from __future__ import annotations

from itertools import pairwise

from shrinkage.conventions import TORCH_ADAMW_WEIGHT_DECAY, TORCH_WEIGHT_DECAY
from shrinkage.recipes.prescription import Prescription, arguments, number

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
    lines = [
        *finding.opening,
        *(["import math", ""] if training.schedule == "cosine" else []),
        *(["import numpy as np"] if finding.class_weights else []),
        "import torch",
        "from torch import nn",
        "",
        f"EPOCHS, BATCH = {training.epochs}, {finding.batch}",
        *finding.class_weights,
        *_model(finding),
        *_arrays(finding),
        *_optimizer(finding),
        *_loop(finding),
    ]
    return "\n".join(lines) + "\n"


def _model(finding: Prescription) -> list[str]:
    network = finding.network
    sizes = network.sizes
    layers = [
        f"    nn.Linear({fan_in}, {fan_out}), {_ACTIVATIONS[network.activation]},"
        for fan_in, fan_out in pairwise(sizes[:-1])
    ]
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
    if finding.penalty is not None:
        which = "linear[:-1]" if network.hidden else "linear"
        lines.append(f"hidden = [layer.weight for layer in {which}]")
    return lines


def _arrays(finding: Prescription) -> list[str]:
    target = "torch.float32).reshape(len(X_train), -1)"
    if finding.task == "multiclass":
        target = "torch.long)"
    lines = [
        "X = torch.tensor(X_train, dtype=torch.float32)",
        f"y = torch.tensor(y_train, dtype={target}",
    ]
    if finding.has_weights:
        shape = "" if finding.task == "multiclass" else ".reshape(-1, 1)"
        lines.append(f"w = torch.tensor(w_train, dtype=torch.float32){shape}")
    reduction = 'reduction="none"' if finding.has_weights else ""
    return [*lines, f"loss = {_LOSSES[finding.task]}({reduction})"]


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
    if training.schedule == "cosine":
        lines.append("steps = EPOCHS * math.ceil(len(X) / BATCH)")
        lines.append("schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)")
    return lines


def _loop(finding: Prescription) -> list[str]:
    decays = finding.decoupled and finding.training.optimizer in ("sgd", "rmsprop")
    value = "loss(model(X[rows]), y[rows])"
    if finding.has_weights:
        value = "(w[rows] * loss(model(X[rows]), y[rows])).mean()"
    body = ["optimizer.zero_grad()", f"{value}.backward()"]
    if decays:
        body += [
            "with torch.no_grad():  # decoupled decay",
            "    for kernel in hidden:",
            f'        kernel.mul_(1 - optimizer.param_groups[0]["lr"] * {number(finding.lambda2)})',
        ]
    body.append("optimizer.step()")
    if finding.lambda1:
        body += _proximal_step(finding)
    if finding.training.schedule == "cosine":
        body.append("schedule.step()")
    return [
        *finding.about_stop,
        f"for epoch in range({finding.last_epoch}):",
        "    for rows in torch.randperm(len(X)).split(BATCH):",
        *(f"        {line}" for line in body),
    ]


def _proximal_step(finding: Prescription) -> list[str]:
    """Soft-threshold each weight by λ₁ times the step that its own gradient was multiplied by."""
    training = finding.training
    step = f'{number(finding.lambda1)} * optimizer.param_groups[0]["lr"]'
    if training.optimizer == "sgd":
        name, threshold = "SGD's", []
        if training.momentum:
            step += f" / (1 - {number(training.momentum)})"
    elif training.optimizer == "rmsprop":
        name = "RMSprop's"
        threshold = ['v = optimizer.state[kernel]["square_avg"]']
    else:
        name = "Adam's"
        threshold = [
            "state = optimizer.state[kernel]",
            f'v = state["exp_avg_sq"] / (1 - {number(training.beta2)} ** state["step"])',
        ]
    if threshold:
        step += f" / (v.sqrt() + {number(training.epsilon)})"
    return [
        f"# L1's proximal step in {name} own metric: it makes weights exactly zero.",
        "with torch.no_grad():",
        "    for kernel in hidden:",
        *(f"        {line}" for line in threshold),
        f"        threshold = {step}",
        "        kernel.copy_(kernel.sign() * (kernel.abs() - threshold).clamp(min=0))",
    ]
