"""What the joint search chooses from, and the recipes it tries first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from shrinkage.penalties import L1, L2, GroupLasso, Penalty
from shrinkage.tune.joint.candidate import Candidate

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

_WIDTHS = (32, 64, 128, 256)
_LAMBDAS = {"l2": (1e-4, 1.0), "elastic_net": (1e-5, 0.3), "group_inputs": (3e-4, 1e-2)}
_SPARSE_LAMBDAS = (1e-6, 0.03)
PENALTIES: tuple[Penalty, ...] = (L2(), L1(), GroupLasso("inputs"))
_FEW_ROWS = 10_000
"""Up to so many training rows, trainings longer than the usual one are affordable."""
_STRETCH, _SHRINK = 4.0, 0.25
"""Most and least epochs, as multiples of the usual ones."""


@dataclass(frozen=True)
class Space:
    """Candidates around a base.

    Parameters
    ----------
    base : Candidate
        Without regularization; what the space does not vary is as it is there.
    penalties : tuple of Penalty
        To choose from. λ down to where it has no effect stands for no penalty.
    classes : bool, default True
        Whether labels can be smoothed.
    rows : int, default 1
        Training rows, which decide how long a training may be.
    """

    base: Candidate
    penalties: tuple[Penalty, ...] = PENALTIES
    classes: bool = True
    rows: int = 1

    def suggest(self, asked: BaseTrial) -> Candidate:
        """The candidate of one of Optuna's trials, by its suggestions."""
        names = [penalty.name for penalty in self.penalties]
        name = asked.suggest_categorical("penalty", names)
        low, high = _LAMBDAS.get(name, _SPARSE_LAMBDAS)
        lam = asked.suggest_float(f"lambda {name}", low, high, log=True)
        rate = asked.suggest_float("learning rate", 5e-4, 1e-2, log=True)
        settings: dict[str, Any] = {
            "dropout": asked.suggest_float("dropout", 0.0, 0.5, step=0.05),
            "input_noise": asked.suggest_float("input noise", 0.0, 0.1, step=0.05),
            "mixup": asked.suggest_float("mixup", 0.0, 0.3, step=0.1),
            "epochs": asked.suggest_int("epochs", *self._epochs, log=True),
            # A group lasso at full strength from the first step kills inputs before any is learnt.
            "lam_schedule": "linear" if name.startswith("group") else "constant",
        }
        if self.classes:
            settings["label_smoothing"] = asked.suggest_float(
                "label smoothing", 0.0, 0.1, step=0.05
            )
        patience = self.base.training.patience
        settings = {name: _tidy(value) for name, value in settings.items()}
        settings["patience"] = patience and min(patience, settings["epochs"])
        width = asked.suggest_categorical("width", _WIDTHS)
        depth = asked.suggest_int("depth", 0, 3)
        activation = asked.suggest_categorical("activation", ("relu", "silu"))
        if depth == 0:  # without hidden units neither can act
            settings["dropout"], activation = 0.0, self.base.network.activation
        return Candidate(
            replace(self.base.network, hidden=(width,) * depth, activation=activation),
            replace(self.base.training, learning_rate=float(f"{rate:.3g}"), **settings),
            next(penalty for penalty in self.penalties if penalty.name == name),
            float(f"{lam:.4g}"),
        )

    @property
    def _epochs(self) -> tuple[int, int]:
        """Least and most epochs: around the usual ones, no more of them where rows are many."""
        usual = self.base.training.epochs
        most = round(_STRETCH * usual) if self.rows <= _FEW_ROWS else usual
        return max(round(_SHRINK * usual), 1), most

    def first(self) -> list[dict[str, Any]]:
        """Suggestions to begin with: what often does well, each penalty among them."""
        found = []
        shortest, longest = self._epochs
        names = [penalty.name for penalty in self.penalties]
        for place, recipe in enumerate(_RECIPES):
            name = recipe["penalty"] if recipe["penalty"] in names else names[place % len(names)]
            low, high = _LAMBDAS.get(name, _SPARSE_LAMBDAS)
            lam = float(np.clip(recipe["lambda"], low, high))
            if name != recipe["penalty"]:
                lam = (low * high) ** 0.5
            epochs = round(recipe["epochs"] * self.base.training.epochs)
            values = {key: value for key, value in recipe.items() if key != "lambda"} | {
                "penalty": name,
                f"lambda {name}": lam,
                "epochs": int(np.clip(epochs, shortest, longest)),
            }
            if not self.classes:
                del values["label smoothing"]
            if values not in found:  # fewer penalties, or fewer epochs, can make two the same
                found.append(values)
        return found


def _tidy(value: Any) -> Any:
    """A multiple of a step without its rounding error: 0.15, not 0.15000000000000002."""
    return round(value, 6) if isinstance(value, float) else value


_KEYS = (
    "penalty",
    "lambda",
    "dropout",
    "input noise",
    "mixup",
    "label smoothing",
    "learning rate",
    "epochs",
    "width",
    "depth",
    "activation",
)
_RECIPES: tuple[dict[str, Any], ...] = tuple(
    dict(zip(_KEYS, values, strict=True))
    for values in (
        ("l2", 0.003, 0.0, 0.0, 0.0, 0.0, 0.005, 1.0, 128, 2, "relu"),
        ("group_inputs", 0.003, 0.0, 0.0, 0.0, 0.0, 0.005, 2.0, 128, 2, "relu"),
        ("l2", 0.03, 0.25, 0.0, 0.2, 0.0, 0.003, 1.0, 128, 2, "relu"),
        ("l2", 0.001, 0.0, 0.0, 0.0, 0.0, 0.005, 1.0, 32, 0, "relu"),
        ("l2", 0.0003, 0.0, 0.0, 0.0, 0.0, 0.005, 3.5, 128, 2, "relu"),
        ("l1", 0.0003, 0.0, 0.0, 0.0, 0.0, 0.005, 1.0, 128, 2, "relu"),
        ("l2", 0.3, 0.5, 0.0, 0.0, 0.05, 0.001, 1.0, 128, 2, "relu"),
        ("l2", 0.003, 0.2, 0.05, 0.1, 0.1, 0.002, 1.0, 256, 2, "silu"),
    )
)
"""Epochs are multiples of the usual ones."""
