"""The program for Keras 3, on any of its backends."""

from __future__ import annotations

from shrinkage.conventions import KERAS_L1, KERAS_L2, KERAS_WEIGHT_DECAY
from shrinkage.recipes.prescription import Prescription, arguments, number

_ACTIVATIONS = {"identity": '"linear"', "leaky_relu": "layers.LeakyReLU(negative_slope=0.01)"}
# Keras cuts the tails of its normal initializers at two deviations and keeps the variance.
_INITIALIZERS = {"he": "he_normal", "glorot": "glorot_normal", "lecun": "lecun_normal"}
_HEADS = {
    "binary": ("sigmoid", "binary_crossentropy"),
    "multiclass": ("softmax", "sparse_categorical_crossentropy"),
    "regression": ("linear", "mean_squared_error"),
}
_OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "sgd": "SGD"}
_DEFAULTS: dict[str, object] = {
    "beta_1": 0.9,
    "beta_2": 0.999,
    "rho": 0.9,
    "epsilon": 1e-7,
    "momentum": 0.0,
    "nesterov": False,
}


def recipe(finding: Prescription) -> str:
    """The finding as Python source."""
    training = finding.training
    cosine = training.schedule == "cosine"
    weights = "sample_weight=w_train, " if finding.has_weights else ""
    lines = [
        *finding.opening,
        *(["import math", ""] if cosine else []),
        "import keras",
        *(["import numpy as np"] if finding.class_weights else []),
        "from keras import layers",
        "",
        f"EPOCHS, BATCH = {training.epochs}, {finding.batch}",
        *finding.class_weights,
        *_model(finding),
        *_optimizer(finding),
        *finding.about_stop,
        f'model.compile(optimizer, loss="{_HEADS[finding.task][1]}")',
        f"model.fit(X_train, y_train, {weights}epochs={finding.last_epoch}, batch_size=BATCH)",
    ]
    return "\n".join(lines) + "\n"


def _model(finding: Prescription) -> list[str]:
    network = finding.network
    notes, penalty = _regularizer(finding)
    activation = _ACTIVATIONS.get(network.activation, f'"{network.activation}"')
    regularizer = [f"        kernel_regularizer={penalty},"] if penalty else []
    layer = [
        "",
        "",
        "def hidden(units):",
        *(f"    {note}" for note in notes),
        "    return layers.Dense(",
        "        units,",
        f"        activation={activation},",
        f'        kernel_initializer="{_INITIALIZERS[network.hidden_initialization]}",',
        *regularizer,
        "    )",
        "",
        "",
    ]
    head = f'{network.outputs}, activation="{_HEADS[finding.task][0]}"'
    head += ', kernel_initializer="glorot_normal"'
    only = (
        f",\n        kernel_regularizer={penalty},\n    " if penalty and not network.hidden else ""
    )
    return [
        *(layer if network.hidden else notes),
        "model = keras.Sequential([",
        f"    keras.Input(({network.inputs},)),",
        *(f"    hidden({units})," for units in network.hidden),
        f"    layers.Dense({head}{only}),",
        "])",
    ]


def _regularizer(finding: Prescription) -> tuple[list[str], str]:
    """Comments for, and the source of, what is added to a layer's loss."""
    l1, l2 = finding.lambda1, 0.0 if finding.decoupled else finding.lambda2
    notes = []
    if l2:
        notes.append(f"# Keras' l2 · Σw² has no ½, so l2 is half of {number(l2)}.")
    if l1:
        notes.append("# Plain L1 shrinks weights but leaves none exactly zero: that takes the")
        notes.append("# proximal step of the PyTorch program.")
    if l1 or l2:
        notes.append("# The loss that Keras prints includes the penalty.")
    first, second = number(KERAS_L1.value(l1)), number(KERAS_L2.value(l2))
    if l1 and l2:
        return notes, f"keras.regularizers.L1L2(l1={first}, l2={second})"
    if l1:
        return notes, f"keras.regularizers.L1({first})"
    return notes, f"keras.regularizers.L2({second})" if l2 else ""


def _optimizer(finding: Prescription) -> list[str]:
    training = finding.training
    settings: dict[str, object] = {}
    notes = []
    if training.optimizer == "rmsprop":
        # Keras adds epsilon under the root of the second moment, the package to the root.
        settings = {"rho": training.rho, "epsilon": training.epsilon**2}
        notes.append("# epsilon is squared because Keras adds it under the root.")
    elif training.optimizer == "sgd":
        settings = {"momentum": training.momentum, "nesterov": training.nesterov}
    else:
        settings = {"beta_1": training.beta1, "beta_2": training.beta2, "epsilon": training.epsilon}
    decay = KERAS_WEIGHT_DECAY.value(finding.lambda2, decoupled=True) if finding.decoupled else 0.0
    if decay or training.optimizer == "adamw":
        settings["weight_decay"] = decay
    if training.optimizer == "adamw" and not decay:
        notes.append("# Without weight_decay=0, AdamW would decay every weight.")
    rate = number(training.learning_rate)
    lines = []
    if training.schedule == "cosine":
        lines.append("steps = EPOCHS * math.ceil(len(X_train) / BATCH)")
        lines.append(f"rate = keras.optimizers.schedules.CosineDecay({rate}, steps)")
        rate = "rate"
    kind = _OPTIMIZERS[training.optimizer]
    lines += [
        *notes,
        f"optimizer = keras.optimizers.{kind}({rate}{arguments(settings, _DEFAULTS)})",
    ]
    if decay:
        rest = "[layer.bias for layer in model.layers]"
        if finding.network.hidden:
            rest = f"[model.layers[-1].kernel, *{rest}]"
        lines.append("# Decoupled decay, w ← (1 − rate · weight_decay) w; the rest stays free.")
        lines.append(f"rest = {rest}")
        lines.append("optimizer.exclude_from_weight_decay(rest)")
    return lines
