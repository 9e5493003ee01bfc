"""In which order the layers of a model run."""

from __future__ import annotations

import re
from typing import Any

from shrinkage.errors import SettingError


def run_order(model: Any, example: Any) -> list[Any]:
    """Layers in the order in which they run on an example, in prediction.

    Parameters
    ----------
    model : keras.Model
        Built; nothing of it changes.
    example : array, or tuple of them
        Its inputs.

    Returns
    -------
    list of keras.Layer
        Those within `model`, not itself; one that runs twice is there twice.

    Raises
    ------
    SettingError
        When the model cannot be run on it.
    """
    run: list[Any] = []
    before = {id(one): (one, one.__dict__.get("call")) for one in model._flatten_layers(False)}
    for layer, _ in before.values():
        # Keras looks `call` up on the layer each time (ops/operation.py); past its own tracking of
        # attributes, for this is none of the model's.
        layer.__dict__["call"] = _noting(run, layer)
    try:
        model(*(example if isinstance(example, tuple) else (example,)), training=False)
    except (TypeError, ValueError, RuntimeError) as error:
        raise SettingError(
            f"the model '{model.name}' cannot be run on the example ({_said(error)}); give inputs "
            "as for a prediction, in a tuple where it takes several"
        ) from error
    finally:
        for layer, call in before.values():
            del layer.__dict__["call"]
            if call is not None:
                layer.__dict__["call"] = call
    return run


def _said(error: Exception) -> str:
    """What Keras has to say, below the line that names the layer and without its colours."""
    lines = re.sub(r"\x1b\[[\d;]*m", "", str(error)).split("\n")
    told = [line.strip() for line in lines if line.strip()]
    return next((one for one in told if not one.startswith("Exception encountered")), "no reason")


def _noting(run: list[Any], layer: Any) -> Any:
    inner = layer.call

    def call(*arguments: Any, **named: Any) -> Any:
        run.append(layer)
        return inner(*arguments, **named)

    return call
