"""What λ means elsewhere: the settings of other frameworks, and exact conversion to and from ours.

Ours is J = mean loss + λ₁ Σ|w| + (λ₂/2) Σ w², over hidden kernels. Each framework's setting is one
record, and conversion is one formula over its fields; a setting is added by listing it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shrinkage.errors import SettingError

Reach = Literal["chosen kernels", "every kernel", "every parameter"]

DECOUPLED = (
    "Decoupled decay multiplies each weight by 1 − learning rate · λ instead of adding λw to the "
    "gradient, so how strong it is depends on the learning rate and on the optimizer, and no λ of "
    "the penalized objective equals it."
)


@dataclass(frozen=True)
class Setting:
    """One regularization setting of one framework.

    Parameters
    ----------
    framework, name : str
        ``"Keras"``, ``"l2"``.
    part : str
        ``"l1"`` when it stands for λ₁, ``"l2"`` when it stands for λ₂.
    factor : float, default 1.0
        Its value for λ = 1.
    times_rows : bool, default False
        Whether it is divided by the rows of a batch before it acts, so that its value grows with
        them.
    half_sum_loss : bool, default False
        Whether the squared error beside it is ½ Σ over targets, where ours is the mean over
        targets without the ½: then it must grow with the loss to keep its share.
    decoupled : bool, default False
        Whether it multiplies weights instead of joining the gradient.
    reach : str, default "chosen kernels"
        What it acts on when nothing else is said.
    """

    framework: str
    name: str
    part: Literal["l1", "l2"]
    factor: float = 1.0
    times_rows: bool = False
    half_sum_loss: bool = False
    decoupled: bool = False
    reach: Reach = "chosen kernels"

    def value(
        self, lam: float, *, rows: int | None = None, targets: int = 0, decoupled: bool = False
    ) -> float:
        """This setting's number for one of ours.

        Parameters
        ----------
        lam : float
            λ₁ or λ₂, whichever :attr:`part` says.
        rows : int, optional
            Rows of a batch; needed when :attr:`times_rows`.
        targets : int, default 0
            Columns of the target of a regression; 0 for a classification.
        decoupled : bool, default False
            Whether `lam` acts decoupled in our training.

        Returns
        -------
        float
            Gives the same stationary points, on the kernels that both act on.

        Raises
        ------
        SettingError
            Between a decoupled and a coupled λ, or without the rows that are needed.

        Examples
        --------
        >>> KERAS_L2.value(0.01)
        0.005
        >>> SKLEARN_ALPHA.value(0.01, rows=32)
        0.32
        """
        return lam * self._scale(rows, targets, decoupled)

    def lam(
        self, value: float, *, rows: int | None = None, targets: int = 0, decoupled: bool = False
    ) -> float:
        """Our λ for this setting's number: the inverse of :meth:`value`, with its parameters.

        Examples
        --------
        >>> KERAS_L2.lam(0.005)
        0.01
        """
        return value / self._scale(rows, targets, decoupled)

    def _scale(self, rows: int | None, targets: int, decoupled: bool) -> float:
        if decoupled != self.decoupled:
            raise SettingError(
                f"{self.framework} {self.name} has no exact counterpart: {DECOUPLED}"
            )
        scale = self.factor
        if self.half_sum_loss and targets:
            scale *= targets / 2
        if self.times_rows:
            if rows is None:
                raise SettingError(
                    f"{self.framework} {self.name} depends on the rows of a batch; pass rows"
                )
            scale *= rows
        return scale


KERAS_L1 = Setting("Keras", "l1", "l1")
KERAS_L2 = Setting("Keras", "l2", "l2", factor=0.5)
"""Keras' l2 · Σw² has no ½."""
KERAS_WEIGHT_DECAY = Setting("Keras", "weight_decay", "l2", decoupled=True, reach="every parameter")
TORCH_WEIGHT_DECAY = Setting("PyTorch", "weight_decay", "l2", reach="every parameter")
"""Of SGD, RMSprop and Adam: weight_decay · w joins the gradient."""
TORCH_ADAMW_WEIGHT_DECAY = Setting(
    "PyTorch", "AdamW weight_decay", "l2", decoupled=True, reach="every parameter"
)
"""The same step as our decoupled λ₂ at the same learning rate."""
SKLEARN_ALPHA = Setting(
    "scikit-learn",
    "alpha",
    "l2",
    times_rows=True,
    half_sum_loss=True,
    reach="every kernel",
)
"""Of MLPClassifier and MLPRegressor with solver sgd or adam (lbfgs: every row is in the batch)."""

SETTINGS = (
    KERAS_L1,
    KERAS_L2,
    KERAS_WEIGHT_DECAY,
    TORCH_WEIGHT_DECAY,
    TORCH_ADAMW_WEIGHT_DECAY,
    SKLEARN_ALPHA,
)
"""Every setting that is known here."""
