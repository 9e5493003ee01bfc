"""Rows and losses from whatever PyTorch's users keep them in."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isbuiltin, isfunction
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader, Dataset

from shrinkage.errors import DataError, SettingError
from shrinkage.frameworks.arrays import OwnRows, own_rows
from shrinkage.training import Loss

_LOSSES: dict[Any, Loss] = {
    nn.CrossEntropyLoss: "cross_entropy",
    nn.BCEWithLogitsLoss: "binary_cross_entropy",
    nn.MSELoss: "mean_squared_error",
    nn.functional.cross_entropy: "cross_entropy",
    nn.functional.binary_cross_entropy_with_logits: "binary_cross_entropy",
    nn.functional.mse_loss: "mean_squared_error",
}
"""Modules by their class, and functions, which take the mean where nothing else is said."""


def loss_name(loss: str | nn.Module | Callable[..., Any] | None) -> str | None:
    """The loss in this package's words; None leaves it to the targets.

    Raises
    ------
    SettingError
        When it is another one, or does something that a path does in another way.
    """
    if loss is None or isinstance(loss, str):
        return loss
    found = _LOSSES.get(loss if isfunction(loss) or isbuiltin(loss) else type(loss))
    if found is None:
        raise SettingError(
            f"{_called(loss)} is not one that a path knows; give 'cross_entropy', "
            "'binary_cross_entropy' or 'mean_squared_error'"
        )
    reduction = getattr(loss, "reduction", "mean")
    if reduction != "mean":
        gives = "a vector" if reduction == "none" else "a sum over rows"
        raise SettingError(
            f"the loss is made with reduction='{reduction}', so it gives {gives}, and λ would not "
            "be the strength against the mean loss; make it with reduction='mean'"
        )
    if getattr(loss, "ignore_index", -100) >= 0:
        raise SettingError(
            "the loss leaves out a class (ignore_index); leave its rows out of the data instead"
        )
    if getattr(loss, "weight", None) is not None or getattr(loss, "pos_weight", None) is not None:
        raise SettingError(
            "the loss has weights of classes; leave them out and give class_weight='balanced'"
        )
    return found


def _called(loss: Any) -> str:
    """A loss that is none of those, in a message."""
    if isinstance(loss, type):
        return f"the loss is the class {loss.__name__} and not made of it, which"
    if isfunction(loss) or isbuiltin(loss):
        own = loss.__name__ == "<lambda>"
        return "a loss that is a function of your own" if own else f"the function {loss.__name__}"
    return f"the loss {type(loss).__name__}" if callable(loss) else f"the loss {loss!r}"


def read(data: Any, where: str) -> OwnRows:
    """Rows of two arrays, of a Dataset or of a DataLoader's dataset.

    Parameters
    ----------
    data : (X, y), Dataset or DataLoader
        As it was handed in.
    where : str
        For messages: ``"train_data"``.

    Raises
    ------
    DataError
        When it is something else, or does not fit together.
    """
    if isinstance(data, DataLoader):
        data = data.dataset
    if isinstance(data, Dataset):
        data = _collected(data, where)
    if not (isinstance(data, (tuple, list)) and len(data) == 2):
        raise DataError(
            f"{where} is a {type(data).__name__}; give (X, y), a Dataset or a DataLoader"
        )
    inputs, targets = (_array(one) if isinstance(one, torch.Tensor) else one for one in data)
    return own_rows(inputs, targets, where)


def _collected(dataset: Dataset[Any], where: str) -> tuple[Any, Any]:
    """All rows of a dataset, in its order."""
    tensors = getattr(dataset, "tensors", None)
    if tensors is not None and len(tensors) == 2:
        return tensors[0], tensors[1]
    if not hasattr(dataset, "__len__"):
        raise DataError(f"{where} is an iterable dataset without a length; give its rows as (X, y)")
    rows = [dataset[i] for i in range(len(dataset))]
    if not rows:
        raise DataError(f"{where} has no rows")
    if not (isinstance(rows[0], (tuple, list)) and len(rows[0]) == 2):
        raise DataError(f"a row of {where} is not a pair (inputs, target); give (X, y)")
    return (
        _stacked([_array(inputs) for inputs, _ in rows], "inputs", where),
        _stacked([_array(target) for _, target in rows], "targets", where),
    )


def _stacked(parts: list[NDArray[Any]], what: str, where: str) -> NDArray[Any]:
    for row, part in enumerate(parts):
        if part.shape != parts[0].shape:
            raise DataError(
                f"the {what} of {where} differ in shape: row {row} has {part.shape}, row 0 has "
                f"{parts[0].shape}; bring them to one"
            )
    return np.stack(parts)


def _array(part: Any) -> NDArray[Any]:
    """A tensor on any device, or anything else that NumPy understands."""
    if isinstance(part, torch.Tensor) and part.is_meta:
        raise DataError("the rows are on the meta device, which holds no numbers; give real ones")
    if isinstance(part, torch.Tensor):
        if part.dtype == torch.bfloat16:
            part = part.float()
        return part.detach().cpu().numpy()  # type: ignore[no-any-return]  # NumPy's, by PyTorch
    return np.asarray(part)
