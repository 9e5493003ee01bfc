"""One point of the joint search: everything of a trial but its fold and its seed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shrinkage.network import Network
from shrinkage.penalties import Penalty, describe
from shrinkage.study import Trial
from shrinkage.training import Training


@dataclass(frozen=True)
class Candidate:
    """A network, its training and its penalty.

    Parameters
    ----------
    network : Network
        Its inputs are those of the full training part.
    training : Training
        With every regularizer but the penalty.
    penalty : Penalty or None
        None for no penalty; then `lam` is 0.
    lam : float
        λ in the package's convention.
    """

    network: Network
    training: Training
    penalty: Penalty | None = None
    lam: float = 0.0

    def trial(self, inputs: int, fold: int | None, seed: int) -> Trial:
        """The question to the engine, for a part with so many inputs."""
        network = replace(self.network, inputs=inputs)
        return Trial(network, self.training, self.penalty, self.lam, fold, seed)

    def differences(self, base: Candidate) -> dict[str, str]:
        """Ingredient → what it is here, for each in which this one differs from `base`.

        Ingredients are named as on the command line; the values are for people.
        """
        found = {}
        if (self.penalty, self.lam) != (base.penalty, base.lam):
            found["penalty"] = describe(self.penalty, self.lam)
        for name, (fields, form) in INGREDIENTS.items():
            own = [getattr(self.training, field) for field in fields]
            if own != [getattr(base.training, field) for field in fields]:
                found[name] = form.format(*own)
        shape, basic = (self.network.hidden, self.network.activation), base.network
        if shape != (basic.hidden, basic.activation):
            layers = "×".join(map(str, self.network.hidden)) or "none"
            found["network"] = f"hidden layers {layers} ({self.network.activation})"
        return found

    def without(self, ingredient: str, base: Candidate) -> Candidate:
        """The same with one ingredient as in `base`."""
        if ingredient == "penalty":
            training = replace(self.training, lam_schedule=base.training.lam_schedule)
            return replace(self, penalty=base.penalty, lam=base.lam, training=training)
        if ingredient == "network":
            shape = {"hidden": base.network.hidden, "activation": base.network.activation}
            return replace(self, network=replace(self.network, **shape))  # type: ignore[arg-type]  # each of its own field's type
        fields = INGREDIENTS[ingredient][0]
        settings = {field: getattr(base.training, field) for field in fields}
        patience = self.training.patience
        if "epochs" in settings and patience is not None and "patience" not in settings:
            settings["patience"] = min(patience, settings["epochs"])
        return replace(self, training=replace(self.training, **settings))

    def label(self, base: Candidate) -> str:
        """Everything in which it differs from `base`, in one line."""
        return "; ".join(self.differences(base).values()) or "as without regularization"


INGREDIENTS: dict[str, tuple[tuple[str, ...], str]] = {
    "dropout": (("dropout",), "dropout {:g}"),
    "input dropout": (("input_dropout",), "input dropout {:g}"),
    "input noise": (("input_noise",), "input noise {:g}"),
    "mixup": (("mixup",), "mixup {:g}"),
    "label smoothing": (("label_smoothing",), "label smoothing {:g}"),
    "averaging": (("averaging",), "averaging {:g}"),
    "max-norm": (("max_norm",), "max-norm {:g}"),
    "learning rate": (("learning_rate",), "learning rate {:g}"),
    "epochs": (("epochs",), "{:d} epochs"),
    "batch size": (("batch_size",), "batches of {:d}"),
}
"""Ingredients of a training: their fields, and how people read them."""
