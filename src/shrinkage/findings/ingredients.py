"""What regularizes a training besides its penalty, in words."""

from __future__ import annotations

from shrinkage.training import Augmentation, Training


def ingredients(training: Training) -> tuple[str, ...]:
    """A clause for everything that is on.

    Parameters
    ----------
    training : Training
        As planned.

    Returns
    -------
    tuple of str
        Empty when nothing is.

    Examples
    --------
    >>> ingredients(Training("cross_entropy", dropout=0.25, patience=20))
    ('dropout of 25% of the hidden units', 'early stopping after 20 epochs without improvement')
    """
    said = [
        sentence.format(value)
        for sentence, value in (
            ("dropout of {:.3g}% of the hidden units", 100 * training.dropout),
            ("dropout of {:.3g}% of the inputs", 100 * training.input_dropout),
            ("noise of deviation {:g} on the inputs", training.input_noise),
            ("mixup with α = {:g}", training.mixup),
            ("labels smoothed by {:g}", training.label_smoothing),
            ("norms of incoming weights up to {:g}", training.max_norm),
            ("weights averaged with decay {:g}", training.averaging),
        )
        if value
    ]
    if training.patience is not None:
        epochs = "1 epoch" if training.patience == 1 else f"{training.patience} epochs"
        said.append(f"early stopping after {epochs} without improvement")
    if training.lam_schedule != "constant":
        shape = "along a cosine" if training.lam_schedule == "cosine" else "linearly"
        said.append(f"λ rising {shape} in the first {100 * training.lam_ramp:.3g}% of the steps")
    if training.relaxed_epochs:
        said.append(f"{training.relaxed_epochs} epochs more without penalty, zeros kept")
    if training.augmentation is not None:
        said.append(_images(training.augmentation))
    return tuple(said)


def _images(augmentation: Augmentation) -> str:
    changes = [
        sentence.format(value)
        for sentence, value in (
            ("turned by up to {:g}°", augmentation.rotate),
            ("shifted by up to {:.3g}%", 100 * augmentation.shift),
            ("resized by up to {:.3g}%", 100 * augmentation.scale),
            ("mirrored half of the time", augmentation.flip),
        )
        if value
    ]
    height, width = augmentation.shape
    listed = " and ".join(filter(None, [", ".join(changes[:-1]), *changes[-1:]]))
    return f"images of {height}x{width} {listed or 'as they are'}"
