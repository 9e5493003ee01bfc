"""Lines on NumPy arrays that programs share: rows held back, and rows that are images."""

from __future__ import annotations

from shrinkage.recipes.prescription import Prescription, number


def held_back(finding: Prescription) -> list[str]:
    """Rows to stop early on, if the training does."""
    training = finding.training
    if training.patience is None:
        return []
    names = ["X", "y", *(["w"] if finding.has_weights else [])]
    taken = ", ".join(f"{name}_stop" for name in names)
    left = ", ".join(f"{name}_train" for name in names)
    share = f"{100 * training.stopping_share:.3g}%"
    return [
        "",
        f"# {share} of the rows are not trained on: they tell when to stop.",
        f"some = max(1, round({number(training.stopping_share)} * len(X_train)))",
        "stop, train = np.split(np.random.permutation(len(X_train)), [some])",
        f"{taken} = {', '.join(f'{name}_train[stop]' for name in names)}",
        f"{left} = {', '.join(f'{name}_train[train]' for name in names)}",
    ]


def standardizing(finding: Prescription) -> list[str]:
    """A function that standardizes pixels, where rows are images."""
    if finding.training.augmentation is None:
        return []
    return [
        "",
        "center, spread = X_train.mean(axis=0), X_train.std(axis=0)",
        "scale = np.sqrt(np.mean(spread[spread > 0] ** 2))  # one for all pixels",
        "",
        "",
        "def standardized(pixels):",
        "    return ((pixels - center) / scale * (spread > 0)).astype(np.float32)",
        "",
        "",
    ]


def changing(finding: Prescription, interpolation: list[str]) -> list[str]:
    """A function that changes images, where rows are images.

    Parameters
    ----------
    finding : Prescription
    interpolation : list of str
        Lines that make ``moved`` of ``ink`` (n, height, width), 0 outside, at ``places``: image,
        row and column of every pixel.
    """
    told = finding.training.augmentation
    assert told is not None
    height, width = told.shape
    mirror = ["mirror = np.where(np.random.random(len(images)) < 0.5, -1.0, 1.0)[:, None, None]"]
    sideways = "mirror * (cos * x - sin * y)" if told.flip else "cos * x - sin * y"
    down, right = number((height - 1) / 2), number((width - 1) / 2)
    lines = [
        f"images = pixels.reshape(-1, {height}, {width})",
        "edge = [images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]]",
        "background = np.median(np.concatenate(edge, axis=1), axis=1)[:, None, None]",
        "angle, down, right, size = np.random.uniform(-1, 1, (4, len(images), 1, 1))",
        f"angle, size = np.deg2rad({number(told.rotate)} * angle), 1 + {number(told.scale)} * size",
        "cos, sin = np.cos(angle) / size, np.sin(angle) / size",
        *(mirror if told.flip else []),
        f"y = np.arange({height})[:, None] - {down} - {number(told.shift * height)} * down",
        f"x = np.arange({width}) - {right} - {number(told.shift * width)} * right",
        "image = np.arange(len(images))[:, None, None] + 0 * x * y",
        f"places = np.stack([image, cos * y + sin * x + {down}, {sideways} + {right}])",
        "ink = images - background",
        *interpolation,
        "return (moved + background).reshape(pixels.shape)",
    ]
    return [
        "",
        "",
        "def changed(pixels):",
        '    """Every image turned, shifted and resized by a draw of its own."""',
        *(f"    {line}" for line in lines),
        "",
        "",
    ]
