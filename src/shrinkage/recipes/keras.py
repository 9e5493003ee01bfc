"""The program for Keras 3, on any of its backends."""

from __future__ import annotations

from shrinkage.conventions import KERAS_L1, KERAS_L2, KERAS_WEIGHT_DECAY
from shrinkage.recipes import keras_steps as steps
from shrinkage.recipes.arrays import held_back, standardizing
from shrinkage.recipes.prescription import Prescription, arguments, number, program

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
    arrays = finding.class_weights or training.patience is not None or steps.in_batches(finding)
    counts = training.schedule == "cosine" or finding.ramps or steps.in_batches(finding)
    lines = [
        *finding.opening,
        *(["import math", ""] if counts else []),
        "import keras",
        *(["import numpy as np"] if arrays else []),
        f"from keras import layers{', ops' if steps.by_optimizer(finding) else ''}",
        "",
        f"EPOCHS, BATCH = {training.epochs}, {finding.batch}",
        *finding.class_weights,
        *standardizing(finding),
        *held_back(finding),
        *steps.arrays(finding),
        *_model(finding),
        *_optimizer(finding),
        *finding.about_stop,
        *_training(finding),
        *(_relaxed(finding.relaxed) if finding.relaxed else []),
    ]
    return program(lines)


def _training(finding: Prescription) -> list[str]:
    """Compile and fit."""
    training = finding.training
    loss = f'"{_HEADS[finding.task][1]}"'
    if steps.one_hot(finding) or (finding.task == "binary" and training.label_smoothing):
        kind = "Binary" if finding.task == "binary" else "Categorical"
        smoothing = training.label_smoothing
        told = f"label_smoothing={number(smoothing)}" if smoothing else ""
        loss = f"keras.losses.{kind}Crossentropy({told})"
    settings = ["optimizer", f"loss={loss}"]
    given = ["X_train", "y_train", *(["sample_weight=w_train"] if finding.has_weights else [])]
    size = ["batch_size=BATCH"]
    if steps.in_batches(finding):
        given, size = ["Batches()"], []
    given += [f"epochs={finding.last_epoch}", *size]
    lines: list[str] = []
    if training.patience is not None:
        watched, lines = steps.callbacks(finding)
        settings.append(f"weighted_metrics=[{watched}]")
        weights = ", w_stop" if finding.has_weights else ""
        given += [f"validation_data=(X_stop, y_stop{weights})", "callbacks=callbacks"]
    return [*lines, *_call("model.compile", settings), *_call("model.fit", given)]


def _call(function: str, given: list[str]) -> list[str]:
    """A call on one line, or on one for each argument."""
    line = f"{function}({', '.join(given)})"
    if len(line) <= 96:
        return [line]
    return [f"{function}(", *(f"    {argument}," for argument in given), ")"]


def _relaxed(finding: Prescription) -> list[str]:
    """The second training."""
    return [
        "",
        "# The relaxed fit: once more, without the penalty, while zeros stay zero.",
        f"EPOCHS = {finding.training.epochs}",
        *steps.frozen(finding),
        *_optimizer(finding),
        *_training(finding),
    ]


def _model(finding: Prescription) -> list[str]:
    network = finding.network
    notes, penalty = _regularizer(finding)
    activation = _ACTIVATIONS.get(network.activation, f'"{network.activation}"')
    regularizer = [f"        kernel_regularizer={penalty},"] if penalty else []
    constraint = steps.constraint(finding)
    if constraint:
        regularizer.append(f"        kernel_constraint={constraint},")
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
    only = ""
    if not network.hidden:
        settings = [f"kernel_regularizer={penalty}"] if penalty else []
        settings += [f"kernel_constraint={constraint}"] if constraint else []
        only = "".join(f",\n        {setting}" for setting in settings)
        only += ",\n    " if settings else ""
    dropout = finding.training.dropout
    drop = f" layers.Dropout({number(dropout)})," if dropout else ""
    return [
        *(layer if network.hidden else notes),
        "model = keras.Sequential([",
        f"    keras.Input(({network.inputs},)),",
        *steps.noises(finding),
        *(f"    hidden({units}),{drop}" for units in network.hidden),
        f"    layers.Dense({head}{only}),",
        "])",
        *(
            ["dense = [layer for layer in model.layers if isinstance(layer, layers.Dense)]"]
            if steps.more_layers(finding)
            else []
        ),
    ]


def _regularizer(finding: Prescription) -> tuple[list[str], str]:
    """Comments for, and the source of, what is added to a layer's loss."""
    if steps.by_optimizer(finding):
        return [], ""
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
    own = steps.by_optimizer(finding)
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
    decay = 0.0
    if finding.decoupled and not own:
        decay = KERAS_WEIGHT_DECAY.value(finding.lambda2, decoupled=True)
    if decay or training.optimizer == "adamw":
        settings["weight_decay"] = decay
    if training.optimizer == "adamw" and not decay:
        notes.append("# Without weight_decay=0, AdamW would decay every weight.")
    if training.averaging:
        settings |= {"use_ema": True, "ema_momentum": training.averaging}
        notes.append("# Keras' average begins with the weights of the first step.")
        if finding.makes_zeros and own:
            notes.append("# What became zero late is near zero in the average, not exactly zero.")
    rate = number(training.learning_rate)
    lines = []
    if training.schedule == "cosine" or finding.ramps:
        lines.append("steps = EPOCHS * math.ceil(len(X_train) / BATCH)")
    if training.schedule == "cosine":
        lines.append(f"rate = keras.optimizers.schedules.CosineDecay({rate}, steps)")
        rate = "rate"
    kind = f"keras.optimizers.{_OPTIMIZERS[training.optimizer]}"
    lines += steps.optimizer(finding, kind) if own else []
    made = "Penalized" if own else kind
    lines += [*notes, f"optimizer = {made}({rate}{arguments(settings, _DEFAULTS)})"]
    if decay:
        dense = "dense" if steps.more_layers(finding) else "model.layers"
        rest = f"[layer.bias for layer in {dense}]"
        if finding.network.hidden:
            rest = f"[{dense}[-1].kernel, *{rest}]"
        lines.append("# Decoupled decay, w ← (1 − rate · weight_decay) w; the rest stays free.")
        lines.append(f"rest = {rest}")
        lines.append("optimizer.exclude_from_weight_decay(rest)")
    return lines
