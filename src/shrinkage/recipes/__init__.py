"""Findings → short programs in Keras, PyTorch and scikit-learn that train what was found."""

from __future__ import annotations

from shrinkage.findings import Findings
from shrinkage.recipes import keras, pytorch, scikit_learn
from shrinkage.recipes.prescription import Prescription, prescribe

__all__ = ["Prescription", "prescribe", "programs", "recipes"]


def recipes(findings: Findings) -> dict[str, str]:
    """The finding as code.

    Every program needs only its framework and NumPy, and assumes ``X_train`` and ``y_train`` as its
    first lines say. Nothing from the data, such as a name, gets into the code.

    Parameters
    ----------
    findings : Findings
        Decides the network, its training and the penalty.

    Returns
    -------
    dict of str to str
        ``"Keras"``, ``"PyTorch"`` and ``"scikit-learn"`` → Python source.
    """
    return programs(prescribe(findings))


def programs(prescription: Prescription) -> dict[str, str]:
    """A network, its training and its penalty as code, whatever prescribed them.

    Parameters
    ----------
    prescription : Prescription
        What to write down.

    Returns
    -------
    dict of str to str
        As of :func:`recipes`.
    """
    return {
        "Keras": keras.recipe(prescription),
        "PyTorch": pytorch.recipe(prescription),
        "scikit-learn": scikit_learn.recipe(prescription),
    }
