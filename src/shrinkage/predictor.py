"""A trained network with its preprocessing: rows as they come in, answers out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Part
from shrinkage.data.numeric import scaled
from shrinkage.engine.pool import predict
from shrinkage.network import Network, layout
from shrinkage.penalties import Penalty
from shrinkage.study import Fit
from shrinkage.training import Training

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Predictor:
    """A trained network, and all that is needed to use it elsewhere.

    Parameters
    ----------
    network : Network
        Its shape.
    training : Training
        How it was trained; its loss decides the head.
    penalty : Penalty or None
        On its hidden kernels.
    lam : float
        λ in the package's convention; 0 without a penalty.
    parameters : ndarray of float32, shape (P,)
        In the order of :func:`shrinkage.network.layout`.
    center, scale : ndarray of float64, shape (inputs,)
        The network sees (value − center) / scale. An input that was constant has scale ``inf``:
        whatever its value, it counts 0.
    target_center, target_scale : ndarray of float64, shape (outputs,)
        Of a regression: prediction = output · target_scale + target_center. 0 and 1 for classes.
    classes : ndarray or None
        Labels in the order of the class indices; None for a regression.
    columns : tuple of str
        Names of the inputs.
    rows : int
        Training rows, each different one counted once.
    """

    network: Network
    training: Training
    penalty: Penalty | None
    lam: float
    parameters: NDArray[np.float32]
    center: Floats
    scale: Floats
    target_center: Floats
    target_scale: Floats
    classes: NDArray[Any] | None
    columns: tuple[str, ...]
    rows: int

    @staticmethod
    def of(fit: Fit, part: Part, classes: NDArray[Any] | None) -> Predictor:
        """The network of a fit, with the preprocessing of the part that it was trained on."""
        trial = fit.trial
        return Predictor(
            network=trial.perceptron,
            training=trial.training,
            penalty=trial.penalty,
            lam=trial.lam,
            parameters=fit.parameters,
            center=part.center,
            scale=part.scale,
            target_center=part.target_center,
            target_scale=part.target_scale,
            classes=classes,
            columns=part.columns,
            rows=part.train.size,
        )

    @property
    def kernels(self) -> list[NDArray[np.float32]]:
        """Weights of each layer, (fan-in, fan-out); they act on the scaled inputs."""
        return [block.of(self.parameters) for block in layout(self.network).kernels]

    @property
    def biases(self) -> list[NDArray[np.float32]]:
        """Biases of each layer, (fan-out,)."""
        return [block.of(self.parameters) for block in layout(self.network).biases]

    def outputs(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        """What the network says.

        Parameters
        ----------
        inputs : ndarray of float, shape (rows, inputs)
            In their original units.

        Returns
        -------
        ndarray of float32, shape (rows, outputs)
            Probability of the second class, probabilities of all classes, or standardized targets.
        """
        rows = scaled(inputs, self.center, self.scale)
        return predict(self.network, self.parameters, rows, self.training.loss)

    def probabilities(self, inputs: NDArray[Any]) -> Floats:
        """Probabilities of the classes, shape (rows, classes); each row sums to 1."""
        outputs = self.outputs(inputs).astype(np.float64)
        if outputs.shape[1] == 1:
            return np.hstack([1.0 - outputs, outputs])
        total: Floats = outputs.sum(axis=1, keepdims=True)
        return outputs / total

    def predictions(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """Labels, shape (rows,), or numbers in the target's own units, shape (rows, targets)."""
        if self.classes is None:
            return self.outputs(inputs).astype(np.float64) * self.target_scale + self.target_center
        labels: NDArray[Any] = self.classes[self.probabilities(inputs).argmax(axis=1)]
        return labels
