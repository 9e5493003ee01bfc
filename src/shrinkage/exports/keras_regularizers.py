"""A regularizer that Keras lacks. Importing this module lets Keras load models that carry it."""

from __future__ import annotations

from typing import Any

import keras

from shrinkage.errors import SettingError, require_known
from shrinkage.penalties import GROUPS


@keras.saving.register_keras_serializable("shrinkage")
class GroupLasso(keras.regularizers.Regularizer):  # type: ignore[misc]  # keras has no annotations
    """λ Σ √|g| ‖w_g‖ over the columns (units) or the rows (inputs) of a kernel.

    Parameters
    ----------
    lam : float
        λ, not negative.
    over : str, default "units"
        ``"units"``: the weights into a unit are a group; ``"inputs"``: those out of an input.

    Raises
    ------
    SettingError
        On another name, or a negative λ.
    """

    def __init__(self, lam: float, over: str = "units") -> None:
        require_known("group", over, GROUPS)
        if not lam >= 0:
            raise SettingError(f"lam is {lam}; it must be 0 or larger")
        self.lam = lam
        self.over = over

    def __call__(self, x: Any) -> Any:
        """The penalty of a kernel, shape (fan-in, fan-out)."""
        axis = 0 if self.over == "units" else 1
        squares = keras.ops.sum(keras.ops.square(x), axis=axis)
        # The root has no derivative at 0, where 0 is the one that keeps a dead group dead.
        dead = keras.ops.equal(squares, 0.0)
        norms = keras.ops.sqrt(keras.ops.where(dead, keras.ops.ones_like(squares), squares))
        norms = keras.ops.where(dead, keras.ops.zeros_like(norms), norms)
        return self.lam * x.shape[axis] ** 0.5 * keras.ops.sum(norms)

    def get_config(self) -> dict[str, Any]:
        """What a saved model says of it."""
        return {"lam": self.lam, "over": self.over}
