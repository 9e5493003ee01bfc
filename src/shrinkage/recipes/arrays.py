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


def draws(finding: Prescription) -> list[str]:
    """Lines of a function that draw how each of ``images`` is changed.

    They leave ``cos`` and ``sin`` of the map from a changed image back to its image, ``mirror`` (1
    or −1), and ``down`` and ``right`` in pixels: arrays with an image in each row.
    """
    told = finding.training.augmentation
    assert told is not None
    height, width = told.shape
    mirror = "np.where(np.random.random(len(images)) < 0.5, -1.0, 1.0)" if told.flip else "1.0"
    return [
        "# Every image: its angle, shift and size are drawn anew.",
        "angle, down, right, size = np.random.uniform(-1, 1, (4, len(images)))",
        f"angle, size = np.deg2rad({number(told.rotate)} * angle), 1 + {number(told.scale)} * size",
        f"down, right = {number(told.shift * height)} * down, {number(told.shift * width)} * right",
        "cos, sin = np.cos(angle) / size, np.sin(angle) / size",
        f"mirror = {mirror}",
    ]


BACKGROUND = [
    "edge = [images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]]",
    "background = np.median(np.concatenate(edge, axis=1), axis=1)[:, None, None]",
]
"""Lines that take each image's background: the median of its outermost pixels."""
