"""What the rest of the package asks of a network that is not one of its perceptrons."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.errors import SettingError
from shrinkage.network.places import Layout

_STEP = 1e-2
"""Of the differences that stand for derivatives: rounding and curvature both cost little there."""


@dataclass(frozen=True, eq=False)
class OwnNetwork(ABC):
    """A network of the user's own, from whatever framework, as an architecture to be trained.

    It stands wherever a :class:`shrinkage.Network` does: in a trial, in a study, in a report. Two
    are equal only when they are the same object.

    Parameters
    ----------
    name : str
        For people: the class of the model.
    inputs : int
        Numbers in a row; a row that is an image is flattened.
    outputs : int
        1 for two classes or one target, else the number of classes or targets.
    places : Layout
        Where its arrays lie in the flat vector of a fit. What is penalized comes first.
    multiplications : int
        For the answer at one row, about.
    """

    name: str
    inputs: int
    outputs: int
    places: Layout
    multiplications: int

    @property
    def hidden(self) -> tuple[int, ...]:
        """Units of each penalized hidden kernel."""
        return tuple(b.shape[-1] for b in self.places.kernels if b.kind == "hidden kernel")

    def taking(self, inputs: int) -> OwnNetwork:
        """Itself; it cannot take another number of inputs than it does.

        Raises
        ------
        SettingError
            When it is asked to.
        """
        if inputs != self.inputs:
            raise SettingError(
                f"{self.name} takes {self.inputs:,} numbers in a row, but the data have {inputs:,}"
            )
        return self

    @abstractmethod
    def train(
        self, trials: Iterable[Any], data: Any, *, expired: Callable[[], bool] | None = None
    ) -> Iterator[Any]:
        """Train trials that are about this network; see :func:`shrinkage.train`."""

    @abstractmethod
    def logits(
        self, parameters: NDArray[np.float32], inputs: NDArray[np.floating[Any]]
    ) -> NDArray[np.floating[Any]]:
        """What it answers before the head.

        Parameters
        ----------
        parameters : ndarray of float32, shape (P,)
            Of a fit.
        inputs : ndarray of float32 or float64, shape (rows, inputs)
            In double precision the arithmetic is too, where the framework has it.

        Returns
        -------
        ndarray, shape (rows, outputs)
            Log odds of the second of two classes, a logit for each class, or predictions.
        """

    def jacobians(
        self, parameters: NDArray[np.float32], inputs: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Derivatives of :meth:`logits` by the inputs, (rows, outputs, inputs).

        Here by central differences, exact to about four digits; a framework with derivatives of its
        own may do better.
        """
        found = np.empty((len(inputs), self.outputs, self.inputs))
        for column in range(self.inputs):
            ahead, behind = inputs.copy(), inputs.copy()
            ahead[:, column] += _STEP
            behind[:, column] -= _STEP
            rise = self.logits(parameters, ahead) - self.logits(parameters, behind)
            found[:, :, column] = rise / (2 * _STEP)
        return found

    def __str__(self) -> str:
        return f"{self.name} ({self.places.count:,} parameters)"
