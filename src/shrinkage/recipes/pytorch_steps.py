"""What the PyTorch program does in every step and epoch."""

from __future__ import annotations

from shrinkage.recipes.prescription import Prescription, number
from shrinkage.training import Augmentation

STANDARDIZING = [
    "center, spread = pixels.mean(0), pixels.std(0, correction=0)",
    "scale = (spread[spread > 0] ** 2).mean().sqrt()  # one for all pixels",
    "",
    "",
    "def standardized(pixels):",
    "    return (pixels - center) / scale * (spread > 0)",
    "",
    "",
    "X = standardized(pixels)",
]
_GROUP_STEP = [
    "def shrunk(kernel, threshold, dim):",
    '    """The group lasso\'s proximal step; a group lies along `dim`."""',
    "    threshold = threshold.clamp(min=1e-30)",
    "    lives = ((kernel / threshold) ** 2).sum(dim, keepdim=True) > 1",
    "    norm = kernel.norm(dim=dim, keepdim=True) - threshold.amax(dim, keepdim=True)",
    "    norm = norm.clamp(min=0)",
    "    for _ in range(20):  # Newton's steps to ‖kernel / (norm + threshold)‖ = 1",
    "        ratio = kernel / (norm + threshold)",
    "        length = ratio.norm(dim=dim, keepdim=True)",
    "        slope = (ratio**2 / (norm + threshold)).sum(dim, keepdim=True)",
    "        norm = norm + (length**2 * (length - 1) / slope).clamp(min=0)",
    "    return torch.where(lives, kernel * norm / (norm + threshold), 0.0)",
]


def functions(finding: Prescription) -> list[str]:
    """Functions that the loop calls, each after two empty lines."""
    training = finding.training
    found: list[list[str]] = []
    if training.augmentation is not None:
        found.append(_changed(training.augmentation))
    if finding.group:
        found.append(_GROUP_STEP)
    if training.averaging:
        found.append(_averaging(finding))
    lines = [line for function in found for line in ("", "", *function)]
    return [*lines, "", ""] if lines else []


def _changed(told: Augmentation) -> list[str]:
    height, width = told.shape
    wide = "" if height == width else f" * {height} / {width}"
    high = "" if height == width else f" * {width} / {height}"
    mirror = "1 - 2 * torch.randint(2, (len(images),))"
    flip = ["    theta[:, 0] *= mirror[:, None]"] if told.flip else []
    return [
        "def changed(pixels):",
        '    """Every image turned, shifted and resized by a draw of its own."""',
        f"    images = pixels.reshape(-1, 1, {height}, {width})",
        "    sides = [images[..., 0, :], images[..., -1, :], images[..., 0], images[..., -1]]",
        "    sides[2:] = [side[..., 1:-1] for side in sides[2:]]",
        "    background = torch.cat(sides, dim=2).quantile(0.5, dim=2)[..., None, None]",
        "    draws = 2 * torch.rand(4, len(images)) - 1",
        f"    angle = {number(told.rotate)} * draws[0].deg2rad()",
        f"    size = 1 + {number(told.scale)} * draws[1]",
        f"    down, right = {number(2 * told.shift)} * draws[2:]  # of an image whose sides are 2",
        "    cos, sin = angle.cos() / size, angle.sin() / size",
        *([f"    mirror = {mirror}"] if told.flip else []),
        "    theta = torch.stack([",
        f"        cos, -sin{wide}, sin{wide} * down - cos * right,",
        f"        sin{high}, cos, -sin{high} * right - cos * down,",
        "    ]).T.reshape(-1, 2, 3)",
        *flip,
        "    grid = nn.functional.affine_grid(theta, images.shape, align_corners=False)",
        "    moved = nn.functional.grid_sample(images - background, grid, align_corners=False)",
        "    return (moved + background).reshape(pixels.shape)",
    ]


def _averaging(finding: Prescription) -> list[str]:
    decay = number(finding.training.averaging)
    return [
        "def kept(average, new, updates):",
        "    # The decay grows at first, or the first weights would count for long.",
        f"    decay = min({decay}, (updates + 2) / (updates + 11))",
        "    return decay * average + (1 - decay) * new",
        "",
        "",
        "def finished():",
        '    """The average, with zeros where the last weights are exactly zero."""'
        if finding.makes_zeros
        else '    """The average."""',
        "    state = {name: value.clone() for name, value in average.module.state_dict().items()}",
        *(
            [
                "    for name, value in model.state_dict().items():",
                "        state[name][value == 0] = 0",
            ]
            if finding.makes_zeros
            else []
        ),
        "    return state",
    ]


def loop(finding: Prescription) -> list[str]:
    """Every epoch, and every step of it."""
    training = finding.training
    state = "finished()" if training.averaging else "copy.deepcopy(model.state_dict())"
    before = []
    if training.averaging:
        before.append("average = torch.optim.swa_utils.AveragedModel(model, avg_fn=kept)")
    if finding.ramps:
        before.append("step = 0")
    if training.patience is not None:
        before.append("least, best_epoch = math.inf, -1")
    after = ["model.load_state_dict(best)"] if training.patience is not None else []
    if training.averaging and training.patience is None:
        after = ["model.load_state_dict(finished())"]
    return [
        *before,
        *finding.about_stop,
        f"for epoch in range({finding.last_epoch}):",
        "    for rows in torch.randperm(len(X)).split(BATCH):",
        *(f"        {line}" for line in _step(finding)),
        *(f"    {line}" for line in _judgement(finding, state)),
        *after,
    ]


def ending(finding: Prescription) -> list[str]:
    """What makes the model ready for predictions."""
    training = finding.training
    drops = training.dropout or training.input_dropout
    return ["model.eval()  # no dropout in predictions"] if drops else []


def _judgement(finding: Prescription, state: str) -> list[str]:
    training = finding.training
    if training.patience is None:
        return []
    judge = "judge" if training.label_smoothing and finding.task == "multiclass" else "loss"
    value = f"{judge}(answers, y_stop)"
    if finding.has_weights:
        value = f"((w_stop * {value}).sum() / w_stop.sum())"
    drops = training.dropout or training.input_dropout
    return [
        *(["model.eval()"] if drops else []),
        "with torch.no_grad():",
        f"    state = {state}",
        "    answers = torch.func.functional_call(model, state, (X_stop,))",
        f"    now = {value}.item()",
        *(["model.train()"] if drops else []),
        "if now < least:",
        "    least, best_epoch, best = now, epoch, state",
        f"elif epoch - best_epoch >= {training.patience}:",
        "    break",
    ]


def _step(finding: Prescription) -> list[str]:
    training = finding.training
    inputs = _inputs(finding)
    body = [
        *inputs,
        "optimizer.zero_grad()",
        *_backward(finding, "inputs" if inputs else "X[rows]"),
    ]
    if finding.frozen:
        body += [
            "for kernel, mask in zip(hidden, free):",
            "    kernel.grad.mul_(mask)",
        ]
    if finding.ramps:
        body += _rise(finding)
    if finding.decoupled and training.optimizer in ("sgd", "rmsprop"):
        rate = f'optimizer.param_groups[0]["lr"] * {_risen(finding, finding.lambda2)}'
        body += [
            "with torch.no_grad():  # decoupled decay",
            "    for kernel in hidden:",
            f"        kernel.mul_(1 - {rate})",
        ]
    body.append("optimizer.step()")
    if finding.makes_zeros:
        body += _proximal_step(finding)
    if training.max_norm is not None:
        body += [
            "with torch.no_grad():  # the norm of the weights into each hidden unit",
            "    for kernel in hidden:",
            f"        kernel.copy_(kernel.renorm(2, 0, {number(training.max_norm)}))",
        ]
    if training.averaging:
        body.append("average.update_parameters(model)")
    if training.schedule == "cosine":
        body.append("schedule.step()")
    return body


def _inputs(finding: Prescription) -> list[str]:
    """Lines that make a step's inputs, if they are not simply those of its rows."""
    training = finding.training
    if not (training.augmentation or training.mixup or training.input_noise):
        return []
    first = "standardized(changed(pixels[rows]))" if training.augmentation else "X[rows]"
    lines = [f"inputs = {first}"]
    if training.mixup:
        alpha = number(training.mixup)
        lines += [
            f"own = torch.distributions.Beta({alpha}, {alpha}).sample()",
            "other = rows.flip(0)  # every row is mixed with another one",
            "inputs = own * inputs + (1 - own) * inputs.flip(0)",
        ]
    if training.input_noise:
        lines.append(
            f"inputs = inputs + {number(training.input_noise)} * torch.randn(inputs.shape)"
        )
    return lines


def _backward(finding: Prescription, inputs: str) -> list[str]:
    if not finding.training.mixup:
        value = f"loss(model({inputs}), y[rows])"
        if finding.has_weights:
            value = f"(w[rows] * {value}).mean()"
        return [f"{value}.backward()"]
    terms = ["own * loss(answers, y[rows])", "(1 - own) * loss(answers, y[other])"]
    if finding.has_weights:
        terms = [
            term.replace("loss", f"w[{rows}] * loss")
            for term, rows in zip(terms, ("rows", "other"))
        ]
    mean = ".mean()" if finding.has_weights else ""
    return [
        "answers = model(inputs)",
        f"mixed = {terms[0]}",
        f"mixed = mixed + {terms[1]}",
        f"mixed{mean}.backward()",
    ]


def _rise(finding: Prescription) -> list[str]:
    """λ's share in this step."""
    training = finding.training
    along = f"min(1, step / ({number(training.lam_ramp)} * steps))"
    lines = [f"share = {along}  # λ rises from 0"]
    if training.lam_schedule == "cosine":
        lines = [
            f"share = 0.5 - 0.5 * math.cos(math.pi * {along})  # λ rises from 0",
        ]
    lines.append("step += 1")
    by_optimizer = finding.lambda2 and not (
        finding.decoupled and training.optimizer in ("sgd", "rmsprop")
    )
    if by_optimizer:
        decay = number(finding.lambda2)
        lines.append(f'optimizer.param_groups[0]["weight_decay"] = share * {decay}')
    return lines


def _risen(finding: Prescription, lam: float) -> str:
    return f"share * {number(lam)}" if finding.ramps else number(lam)


def _proximal_step(finding: Prescription) -> list[str]:
    """Shrink each weight by λ times the step that its own gradient was multiplied by."""
    training = finding.training
    grouped = finding.group > 0
    lam = _risen(finding, finding.group or finding.lambda1)
    step = f'{lam} * optimizer.param_groups[0]["lr"]'
    if training.optimizer == "sgd":
        name, threshold = "SGD's", []
        if training.momentum:
            step += f" / (1 - {number(training.momentum)})"
        if grouped:
            step += " * torch.ones_like(kernel)"
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
    lines = [*threshold, f"threshold = {step}"]
    if not grouped:
        lines.append("kernel.copy_(kernel.sign() * (kernel.abs() - threshold).clamp(min=0))")
        title = f"# L1's proximal step in {name} own metric: it makes weights exactly zero."
        which = "hidden"
    else:
        over = finding.penalty.groups if finding.penalty else "units"
        dim = 1 if over == "units" else 0
        lines += [
            f"kernel.copy_(shrunk(kernel, kernel.shape[{dim}] ** 0.5 * threshold, {dim}))",
        ]
        title = (
            f"# The group lasso's proximal step in {name} own metric: {over} become exactly zero."
        )
        which = "hidden" if over == "units" else "hidden[:1]"
    return [
        title,
        "with torch.no_grad():",
        f"    for kernel in {which}:",
        *(f"        {line}" for line in lines),
    ]
