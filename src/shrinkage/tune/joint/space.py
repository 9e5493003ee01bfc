"""What the joint search chooses from, and the recipes it tries first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from shrinkage.penalties import L1, L2, ElasticNet, GroupLasso, Penalty
from shrinkage.tune.joint.candidate import Candidate

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

_WIDTHS = (32, 64, 128, 256)
_LAMBDAS = {"l2": (1e-5, 0.3), "elastic_net": (1e-6, 0.1)}
_SPARSE_LAMBDAS = (1e-6, 0.03)
PENALTIES: tuple[Penalty, ...] = (L2(), L1(), ElasticNet(), GroupLasso("inputs"))


@dataclass(frozen=True)
class Space:
    """Candidates around a base.

    Parameters
    ----------
    base : Candidate
        Without regularization; what the space does not vary is as it is there.
    penalties : tuple of Penalty
        To choose from. λ down to where it has no effect stands for no penalty.
    classes : bool
        Whether labels can be smoothed.
    """

    base: Candidate
    penalties: tuple[Penalty, ...] = PENALTIES
    classes: bool = True

    def suggest(self, asked: BaseTrial) -> Candidate:
        """The candidate of one of Optuna's trials, by its suggestions."""
        names = [penalty.name for penalty in self.penalties]
        name = asked.suggest_categorical("penalty", names)
        low, high = _LAMBDAS.get(name, _SPARSE_LAMBDAS)
        lam = asked.suggest_float(f"lambda {name}", low, high, log=True)
        base = self.base.training
        longest = base.epochs
        settings: dict[str, Any] = {
            "dropout": asked.suggest_float("dropout", 0.0, 0.6, step=0.05),
            "input_noise": asked.suggest_float("input noise", 0.0, 0.4, step=0.05),
            "mixup": asked.suggest_float("mixup", 0.0, 0.4, step=0.1),
            "learning_rate": float(
                f"{asked.suggest_float('learning rate', 3e-4, 3e-2, log=True):.3g}"
            ),
            "epochs": asked.suggest_int("epochs", max(longest // 8, 1), longest, log=True),
        }
        if self.classes:
            settings["label_smoothing"] = asked.suggest_float(
                "label smoothing", 0.0, 0.2, step=0.05
            )
        settings = {name: _tidy(value) for name, value in settings.items()}
        width = asked.suggest_categorical("width", _WIDTHS)
        depth = asked.suggest_int("depth", 1, 3)
        activation = asked.suggest_categorical("activation", ("relu", "silu", "selu"))
        return Candidate(
            replace(self.base.network, hidden=(width,) * depth, activation=activation),
            replace(base, **settings),
            next(penalty for penalty in self.penalties if penalty.name == name),
            float(f"{lam:.4g}"),
        )

    def first(self) -> list[dict[str, Any]]:
        """Suggestions to begin with: what often does well, each penalty among them."""
        found = []
        for place, recipe in enumerate(_RECIPES):
            penalty = self.penalties[place % len(self.penalties)].name
            low, high = _LAMBDAS.get(penalty, _SPARSE_LAMBDAS)
            longest = self.base.training.epochs
            values = {
                **recipe,
                "penalty": penalty,
                f"lambda {penalty}": low * (high / low) ** recipe["strength"],
                "epochs": max(round(recipe["epochs"] * longest), longest // 8, 1),
            }
            del values["strength"]
            if not self.classes:
                del values["label smoothing"]
            found.append(values)
        return found


def _tidy(value: Any) -> Any:
    """A multiple of a step without its rounding error: 0.15, not 0.15000000000000002."""
    return round(value, 6) if isinstance(value, float) else value


def _recipe(
    strength: float,
    dropout: float,
    noise: float,
    smoothing: float,
    mixup: float,
    rate: float,
    epochs: float,
    width: int,
    depth: int,
    activation: str,
) -> dict[str, Any]:
    return {
        "strength": strength,
        "dropout": dropout,
        "input noise": noise,
        "label smoothing": smoothing,
        "mixup": mixup,
        "learning rate": rate,
        "epochs": epochs,
        "width": width,
        "depth": depth,
        "activation": activation,
    }


_RECIPES = (
    _recipe(0.5, 0.2, 0.0, 0.1, 0.0, 0.003, 0.5, 256, 2, "silu"),
    _recipe(0.5, 0.0, 0.0, 0.0, 0.0, 0.005, 0.3, 128, 2, "relu"),
    _recipe(0.5, 0.3, 0.1, 0.1, 0.0, 0.003, 1.0, 256, 3, "relu"),
    _recipe(0.7, 0.0, 0.0, 0.0, 0.0, 0.005, 1.0, 128, 2, "relu"),
    _recipe(0.7, 0.5, 0.0, 0.1, 0.0, 0.005, 0.5, 128, 1, "relu"),
    _recipe(0.3, 0.1, 0.0, 0.05, 0.2, 0.002, 0.5, 256, 2, "selu"),
    _recipe(0.4, 0.0, 0.2, 0.0, 0.0, 0.005, 0.3, 64, 2, "silu"),
    _recipe(0.85, 0.1, 0.0, 0.1, 0.0, 0.01, 1.0, 64, 1, "relu"),
)
"""Strength is the place of λ in its range, from 0 to 1, on a logarithmic scale."""
