"""What the Keras program needs where a training uses more than layers and regularizers."""

from __future__ import annotations

from shrinkage.recipes.arrays import changing
from shrinkage.recipes.prescription import Prescription, number

_METRICS = {
    "binary": "BinaryCrossentropy",
    "multiclass": "SparseCategoricalCrossentropy",
    "regression": "MeanSquaredError",
}
_GROUP_STEP = [
    "def shrunk(kernel, threshold, axis):",
    '    """The group lasso\'s proximal step; a group lies along `axis`."""',
    "    threshold = ops.maximum(threshold, 1e-30)",
    "    lives = ops.sum((kernel / threshold) ** 2, axis, keepdims=True) > 1",
    "    norm = ops.sqrt(ops.sum(kernel**2, axis, keepdims=True))",
    "    norm = ops.maximum(norm - ops.max(threshold, axis, keepdims=True), 0)",
    "    for _ in range(20):  # Newton's steps to ‖kernel / (norm + threshold)‖ = 1",
    "        ratio = kernel / (norm + threshold)",
    "        length = ops.sqrt(ops.sum(ratio**2, axis, keepdims=True))",
    "        slope = ops.sum(ratio**2 / (norm + threshold), axis, keepdims=True)",
    "        norm = norm + ops.maximum(length**2 * (length - 1) / slope, 0)",
    "    return ops.where(lives, kernel * norm / (norm + threshold), 0.0)",
]

_INTERPOLATION = [
    'ink, places = ink.astype("float32"), places.astype("float32")',
    "moved = keras.ops.image.map_coordinates(ink, places, order=1)",
    "moved = keras.ops.convert_to_numpy(moved)",
]


def in_batches(finding: Prescription) -> bool:
    """Whether the program makes its batches itself."""
    return bool(finding.training.mixup or finding.training.augmentation)


def one_hot(finding: Prescription) -> bool:
    """Whether targets are a column for each class."""
    training = finding.training
    soft = training.mixup or training.label_smoothing
    return finding.task == "multiclass" and bool(soft)


def _one_column(finding: Prescription) -> bool:
    """Whether the targets of two classes need a column's shape."""
    training = finding.training
    return finding.task == "binary" and bool(training.label_smoothing or training.patience)


def more_layers(finding: Prescription) -> bool:
    """Whether layers stand between the dense ones, and something asks for these alone."""
    training = finding.training
    between = training.dropout or training.input_dropout or training.input_noise
    asked = by_optimizer(finding) or finding.frozen or finding.decoupled
    return bool(asked and between) or by_optimizer(finding)


def by_optimizer(finding: Prescription) -> bool:
    """Whether the penalty acts in the optimizer's step: it makes zeros there, or λ changes."""
    ends = finding.lam > 0 and finding.training.relaxed_epochs > 0
    return bool(finding.group or finding.ramps or ends or finding.frozen)


def noises(finding: Prescription) -> list[str]:
    """Layers in front of the first dense one."""
    training = finding.training
    lines = []
    if training.input_noise:
        lines.append(f"    layers.GaussianNoise({number(training.input_noise)}),")
    if training.input_dropout:
        lines.append(f"    layers.Dropout({number(training.input_dropout)}),")
    return lines


def constraint(finding: Prescription) -> str:
    """Source of the limit of the norms of a unit's incoming weights."""
    largest = finding.training.max_norm
    return "" if largest is None else f"keras.constraints.MaxNorm({number(largest)})"


def callbacks(finding: Prescription) -> tuple[str, list[str]]:
    """The metric that tells when to stop, without penalty or smoothing; and who listens."""
    training = finding.training
    kind = "CategoricalCrossentropy" if one_hot(finding) else _METRICS[finding.task]
    average = []
    if training.averaging:
        average = ["    keras.callbacks.SwapEMAWeights(swap_on_epoch=True),  # judge the average"]
    return f'keras.metrics.{kind}(name="data_loss")', [
        "callbacks = [",
        *average,
        "    keras.callbacks.EarlyStopping(",
        '        "val_data_loss",',
        '        mode="min",',
        f"        patience={training.patience},",
        "        restore_best_weights=True,",
        "    ),",
        "]",
    ]


def arrays(finding: Prescription) -> list[str]:
    """Targets and batches."""
    training = finding.training
    lines = []
    classes = finding.network.outputs
    if one_hot(finding):
        lines.append(f"y_train = keras.utils.to_categorical(y_train, {classes})")
        if training.patience is not None:
            lines.append(f"y_stop = keras.utils.to_categorical(y_stop, {classes})")
    if _one_column(finding):
        lines.append("y_train = y_train.reshape(-1, 1)")
        if training.patience is not None:
            lines.append("y_stop = y_stop.reshape(-1, 1)")
    if training.augmentation and training.patience is not None:
        lines.append("X_stop = standardized(X_stop)")
    if training.augmentation:
        lines += changing(finding, _INTERPOLATION)
    if in_batches(finding):
        lines += ["", "", *_batches(finding)]
    return lines


def _batches(finding: Prescription) -> list[str]:
    training = finding.training
    weighted = finding.has_weights
    inputs = "standardized(changed(X_train[rows]))" if training.augmentation else "X_train[rows]"
    returned = "inputs, targets" + (", weights" if weighted else "")
    body = [f"inputs, targets = {inputs}, y_train[rows]"]
    if weighted:
        body.append("weights = w_train[rows]")
    if training.mixup:
        alpha = number(training.mixup)
        share = "own"
        body += [
            f"own = np.random.beta({alpha}, {alpha})  # every row is mixed with another one",
            "inputs = own * inputs + (1 - own) * inputs[::-1]",
        ]
        if weighted:
            share = "share"
            body += [
                "share, weights = own * weights, own * weights + (1 - own) * weights[::-1]",
                "share = (share / weights)" + _like_targets(finding),
            ]
        body.append(f"targets = {share} * targets + (1 - {share}) * targets[::-1]")
    return [
        "class Batches(keras.utils.PyDataset):",
        '    """Every epoch in a new order."""',
        "",
        "    def __len__(self):",
        "        return math.ceil(len(X_train) / BATCH)",
        "",
        "    def on_epoch_begin(self):",
        "        self.order = np.random.permutation(len(X_train))",
        "",
        "    def __getitem__(self, index):",
        "        rows = self.order[index * BATCH : (index + 1) * BATCH]",
        *(f"        {line}" for line in body),
        f"        return {returned}",
    ]


def _like_targets(finding: Prescription) -> str:
    """An axis more where targets have columns."""
    columns = finding.task == "multiclass" or finding.targets > 1 or _one_column(finding)
    return "[:, None]" if columns else ""


def frozen(finding: Prescription) -> list[str]:
    """Which weights may move in the second training."""
    if not finding.frozen:
        return []
    which = "dense[:-1]" if finding.network.hidden else "dense"
    return [
        f"free = [layer.kernel for layer in {which}]",
        'free = {kernel.path: ops.cast(kernel != 0, "float32") for kernel in free}',
    ]


def optimizer(finding: Prescription, kind: str) -> list[str]:
    """An optimizer whose step includes the penalty, after two empty lines."""
    over = finding.penalty.groups if finding.penalty else None
    which = "dense[:-1]" if finding.network.hidden else "dense"
    which = f"{which}[:1]" if over == "inputs" else which
    body = _in_step(finding)
    step = ["super().update_step(gradient, variable, learning_rate)"]
    if finding.frozen:
        lines = [
            "if variable.path in free:",
            "    gradient = gradient * free[variable.path]",
            *step,
        ]
        about = "A step in which zeros stay zero."
    else:
        before, after = body
        lines = [
            f"if all(variable.path != layer.kernel.path for layer in {which}):",
            "    super().update_step(gradient, variable, learning_rate)",
            "    return",
            *before,
            *step,
            *after,
        ]
        about = "A step that includes the penalty."
    shrink = ["", "", *_GROUP_STEP] if finding.group else []
    return [
        *shrink,
        "",
        "",
        f"class Penalized({kind}):",
        f'    """{about}"""',
        "",
        "    def update_step(self, gradient, variable, learning_rate):",
        *(f"        {line}" for line in lines),
        "",
        "",
    ]


def _in_step(finding: Prescription) -> tuple[list[str], list[str]]:
    """What the penalty does before and after a step of the loss."""
    before: list[str] = []
    lam1, lam2 = number(finding.group or finding.lambda1), number(finding.lambda2)
    if finding.ramps:
        ramp = number(finding.training.lam_ramp)
        before += [
            'step = ops.cast(self.iterations, "float32")',
            f"share = ops.minimum(1.0, step / ({ramp} * steps))  # λ rises from 0",
        ]
        if finding.training.lam_schedule == "cosine":
            before.append("share = 0.5 - 0.5 * ops.cos(math.pi * share)")
        lam1, lam2 = f"share * {lam1}", f"share * {lam2}"
    if finding.lambda2 and finding.decoupled:
        before.append(f"variable.assign(variable * (1 - learning_rate * {lam2}))")
    elif finding.lambda2:
        before.append(f"gradient = gradient + {lam2} * variable")
    return before, _proximal_step(finding, lam1) if finding.makes_zeros else []


def _proximal_step(finding: Prescription, lam: str) -> list[str]:
    """Shrink each weight by λ times the step that its own gradient was multiplied by."""
    training = finding.training
    epsilon = number(training.epsilon)
    lines = ["v = self._velocities[self._get_variable_index(variable)]"]
    step = f"{lam} * learning_rate"
    if training.optimizer == "sgd":
        lines = []
        step += f" / (1 - {number(training.momentum)})" if training.momentum else ""
    else:
        if training.optimizer != "rmsprop":
            lines.append('taken = ops.cast(self.iterations + 1, "float32")')
            lines.append(f"v = v / (1 - ops.power({number(training.beta2)}, taken))")
        step += f" / (ops.sqrt(v) + {epsilon})"
    if not finding.group:
        size = "ops.maximum(ops.abs(variable) - threshold, 0)"
        return [
            *lines,
            "# L1's proximal step makes weights exactly zero.",
            f"threshold = {step}",
            f"variable.assign(ops.sign(variable) * {size})",
        ]
    axis = 0 if finding.penalty and finding.penalty.groups == "units" else 1
    spread = " * ops.ones_like(variable)" if training.optimizer == "sgd" else ""
    return [
        *lines,
        f"threshold = variable.shape[{axis}] ** 0.5 * {step}{spread}",
        f"variable.assign(shrunk(ops.convert_to_tensor(variable), threshold, {axis}))",
    ]
