"""Losses and gradients of all copies of a stack: as one program, or one copy after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import vmap
from torch.nn.modules.batchnorm import _NormBase

from shrinkage.engine.stacked.module import ModuleNetwork, evaluating
from shrinkage.engine.stacked.rewriting import Rewriting
from shrinkage.errors import ShrinkageError

Values = dict[str, Tensor]


@dataclass(eq=False)
class Batch:
    """Rows of a step for each copy.

    Parameters
    ----------
    inputs : tensor, shape (C, rows, inputs)
    targets : tensor, shape (C, rows, 1 or K)
    weights : tensor, shape (C, rows)
    keys : tensor of int64, shape (C,)
        Of each copy's draws; see :class:`Rewriting`.
    """

    inputs: Tensor
    targets: Tensor
    weights: Tensor
    keys: Tensor


def row_losses(logits: Tensor, targets: Tensor, loss: str, smoothing: float = 0.0) -> Tensor:
    """The loss of each row, (rows,), from what the module answers before the head."""
    if loss == "cross_entropy":
        classes = targets[:, 0].long()
        return F.cross_entropy(logits, classes, reduction="none", label_smoothing=smoothing)
    if loss == "binary_cross_entropy":
        if smoothing:
            targets = targets * (1.0 - smoothing) + 0.5 * smoothing
        found = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        return found[:, 0]
    return F.mse_loss(logits, targets, reduction="none").mean(dim=1)


class Gradients:
    """Mean losses of a step, and their gradients.

    Parameters
    ----------
    network : ModuleNetwork
        Whose copies they are.
    loss : str
        One of :data:`shrinkage.training.LOSSES`.
    smoothing : float
        Of the labels.
    stacked : bool
        Whether all copies run as one program; else there is exactly one.
    """

    def __init__(
        self, network: ModuleNetwork, loss: str, smoothing: float, *, stacked: bool
    ) -> None:
        self._network = network
        self._loss = loss
        self._smoothing = smoothing
        self.stacked = stacked
        self._rewrites = True
        self._trained = [array for array in network.arrays if array.role == "trained"]
        self._others = [array for array in network.arrays if array.role != "trained"]
        self._losses: Callable[..., Any] = vmap(self._one, randomness="error")
        if network.compiled:
            # On a GPU the small operations of a step are recorded once, as one graph.
            graphs = torch.device(network.device).type == "cuda"
            self._losses = torch.compile(
                self._losses, mode="reduce-overhead" if graphs else "default"
            )

    def _one(
        self, values: Values, inputs: Tensor, targets: Tensor, weights: Tensor, key: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Mean weighted loss of one copy, to descend on, and the same for the record."""
        logits = self._rewritten(values, inputs, self._network.skeleton, key)
        rows = row_losses(logits, targets, self._loss, self._smoothing)
        return (rows * weights).mean(), (rows.detach() * weights).sum()

    def _rewritten(self, values: Values, inputs: Tensor, module: nn.Module, key: Tensor) -> Tensor:
        """The module's answers, with what :class:`Rewriting` changes where there is any of it."""
        if not self._rewrites:
            return self._network.answers(values, inputs, module)
        with Rewriting(key, convolutions=self.stacked) as mode:
            found = self._network.answers(values, inputs, module)
        if module.training:  # dropouts do nothing in evaluation mode, so that one says nothing
            self._rewrites = mode.used
        return found

    def __call__(self, vectors: Tensor, batch: Batch, gradient: Tensor) -> Tensor:
        """Sums of the rows' weighted losses, (C,); the gradient of their means is written.

        Parameters
        ----------
        vectors : tensor, shape (C, P)
            All arrays of each copy; buffers are updated in place where a copy runs alone.
        batch : Batch
            Of one step.
        gradient : tensor, shape (C, trained)
            Receives the gradient.
        """
        values, leaves = self._views(vectors)
        sums: Tensor
        if self.stacked:
            means, sums = self._losses(
                values, batch.inputs, batch.targets, batch.weights, batch.keys
            )
            total = means.sum()
        else:
            total, alone = self._one(
                values, batch.inputs[0], batch.targets[0], batch.weights[0], batch.keys[0]
            )
            sums = alone[None]
        slopes = torch.autograd.grad(total, leaves, allow_unused=True)
        copies = len(gradient)
        torch.cat(
            [
                torch.zeros_like(leaf).reshape(copies, -1)
                if slope is None
                else slope.reshape(copies, -1)
                for leaf, slope in zip(leaves, slopes)
            ],
            dim=1,
            out=gradient,
        )
        return sums

    def _views(self, vectors: Tensor) -> tuple[Values, list[Tensor]]:
        """The arrays of all copies, or of the only one, by name; and those to be trained."""
        copies = len(vectors)
        values: Values = {}
        leaves = []
        for array in (*self._trained, *self._others):
            view = vectors[:, array.start : array.stop].detach()
            shape = (copies, *array.shape) if self.stacked else array.shape
            value = view.view(shape) if view.is_contiguous() else view.reshape(shape)
            if array.role == "trained":
                leaves.append(value.requires_grad_())
            elif not self.stacked:
                value = vectors[0, array.start : array.stop].view(shape)
            values[array.name] = value
        return values, leaves

    def answers(self, vectors: Tensor, inputs: Tensor) -> Tensor:
        """What the copies answer in evaluation mode before the head.

        Parameters
        ----------
        vectors : tensor, shape (C, P)
            All arrays of each copy.
        inputs : tensor, shape (C, rows, inputs)
            Rows of each.

        Returns
        -------
        tensor, shape (C, rows, outputs)
        """
        network = self._network
        with evaluating(network.skeleton) as module, torch.no_grad():
            values, _ = self._views(vectors)
            if not self.stacked:
                return network.answers(values, inputs[0], module)[None]

            def one(values: Values, rows: Tensor) -> Tensor:
                return self._rewritten(values, rows, module, rows.new_zeros((), dtype=torch.int64))

            found: Tensor = vmap(one, randomness="error")(values, inputs)
            return found


def why_not_stacked(network: ModuleNetwork, loss: str, vectors: Tensor, batch: Batch) -> str | None:
    """Why copies of this module cannot run as one program; None where they can.

    Found by trying: a step of two copies on a few rows, and the answers of both.
    """
    for name, layer in network.skeleton.named_modules():
        running = isinstance(layer, _NormBase) and layer.track_running_stats and layer.training
        if running:
            return (
                f"layer '{name}' ({type(layer).__name__}) keeps running statistics, which a stack "
                "cannot update"
            )
    entered: list[tuple[str, nn.Module]] = []
    handles = [
        layer.register_forward_pre_hook(
            lambda *_, name=name, layer=layer: entered.append((name, layer))
        )
        for name, layer in network.skeleton.named_modules()
    ]
    try:
        trial = Gradients(network, loss, 0.0, stacked=True)
        trial(vectors, batch, torch.empty_like(vectors[:, : network.trained]))
        trial.answers(vectors, batch.inputs)
    except ShrinkageError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever a module of somebody's own does
        name, layer = entered[-1] if entered else ("", network.skeleton)
        where = f"layer '{name}' ({type(layer).__name__})" if name else type(layer).__name__
        return f"{where} cannot be batched: {_first_sentence(error)}"
    finally:
        for handle in handles:
            handle.remove()
    return None


def _first_sentence(error: Exception) -> str:
    """What an error says, at most a line of it."""
    text = " ".join(str(error).split()) or type(error).__name__
    for known, plain in _REASONS.items():
        if known in text:
            return plain
    return text.split(". ")[0][:160]


_REASONS = {
    "data-dependent control flow": "which way it goes depends on the data",
    "calling out to .item()": "it takes a number out of a tensor, so that its way depends on data",
    "Batching rule not implemented": "PyTorch has no rule for it",
    "randomness": "it draws random numbers in a way that one generator would serve all copies",
    "running_mean": "it keeps running statistics, which a stack cannot update",
}
"""What PyTorch says, and what it means here."""
