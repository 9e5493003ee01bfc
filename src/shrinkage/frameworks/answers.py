"""What a network's outputs are compared with: classes, or numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Task
from shrinkage.errors import DataError, SettingError, require_known
from shrinkage.training import LOSSES


@dataclass(frozen=True)
class Answer:
    """What a network's outputs are compared with.

    Parameters
    ----------
    task : str
        ``"binary"``, ``"multiclass"`` or ``"regression"``.
    classes : tuple
        Labels in the order of the outputs; empty for a regression.
    outputs : int
        Of the network in this package's convention: 1 for two classes.
    logits_of_two : bool
        Whether the network gives two logits for two classes.
    """

    task: Task
    classes: tuple[Any, ...]
    outputs: int
    logits_of_two: bool = False


def answer_of(targets: NDArray[Any], outputs: int, loss: str | None, name: str) -> Answer:
    """What the targets ask of a network with so many outputs.

    Parameters
    ----------
    targets : ndarray, shape (rows,) or (rows, K)
        Of the rows to train on.
    outputs : int
        Numbers that the network answers for a row.
    loss : str or None
        One of :data:`shrinkage.training.LOSSES`; None decides by the targets: labels and whole
        numbers are classes, others are numbers to predict; 0.0 and 1.0 alone, with one output, are
        classes too.
    name : str
        Of the network, for messages.

    Raises
    ------
    SettingError
        When targets, outputs and loss do not fit together.
    DataError
        When all targets are the same, so that there is nothing to learn.
    """
    if loss is not None:
        require_known("loss", loss, LOSSES)
    if loss == "binary_cross_entropy" and outputs > 1:
        raise SettingError(
            f"binary cross-entropy is about one output, but {name} has {outputs:,}; say "
            "loss='cross_entropy', or give it one output"
        )
    if loss == "cross_entropy" and outputs == 1:
        raise SettingError(
            f"cross-entropy is about one output for each class, but {name} has one; say "
            "loss='binary_cross_entropy', or give it as many outputs as classes"
        )
    classified = _classified(targets, outputs, loss)
    if not classified:
        width = 1 if targets.ndim == 1 else targets.shape[1]
        if width != outputs:
            raise SettingError(
                f"{name} answers {outputs:,} numbers for a row, but there are {width:,} targets; "
                "give it one output for each target, or say loss='cross_entropy' for classes"
            )
        _require_difference(targets, "number")
        return Answer("regression", (), outputs)
    if targets.ndim == 2:
        raise SettingError(
            f"the targets have shape {targets.shape}, but classes need one label for each row; "
            "give the index of the class instead of one column for each"
        )
    _require_difference(targets, "class")
    labels = np.unique(targets)
    if outputs == 1:
        if len(labels) > 2:
            raise SettingError(
                f"{name} has one output, but the targets are {len(labels):,} classes; give it one "
                "output for each class, or say loss='mean_squared_error' for numbers"
            )
        return Answer("binary", tuple(labels.tolist()), 1)
    whole = np.issubdtype(labels.dtype, np.number) and labels[0] >= 0 and labels[-1] < outputs
    if not whole and len(labels) != outputs:
        raise SettingError(
            f"{name} has {outputs:,} outputs, but the targets are {len(labels):,} classes (from "
            f"{labels[0]} to {labels[-1]}); give it one output for each class"
        )
    classes = tuple(range(outputs)) if whole else tuple(labels.tolist())
    if outputs == 2:
        return Answer("binary", classes, 1, logits_of_two=True)
    return Answer("multiclass", classes, outputs)


def _require_difference(targets: NDArray[Any], what: str) -> None:
    """See that targets differ: where they do not, a constant answers all of them."""
    if (targets == targets[:1]).all():
        raise DataError(
            f"all {len(targets):,} training targets are the same {what}, {targets[0]}, so there is "
            "nothing to learn; give rows whose targets differ"
        )


def _classified(targets: NDArray[Any], outputs: int, loss: str | None) -> bool:
    if loss is not None:
        return loss != "mean_squared_error"
    if not np.issubdtype(targets.dtype, np.floating):
        return True
    return outputs == 1 and targets.ndim == 1 and bool(np.isin(targets, (0.0, 1.0)).all())
