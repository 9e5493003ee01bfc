"""What the rest of the package sees of a table: arrays, folds and a test set."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shrinkage.data.description import Description
from shrinkage.errors import SettingError
from shrinkage.training import Loss

Task = Literal["binary", "multiclass", "regression"]

_LOSSES: dict[Task, Loss] = {
    "binary": "binary_cross_entropy",
    "multiclass": "cross_entropy",
    "regression": "mean_squared_error",
}


FARTHEST = 1e6
"""Standard deviations at which an encoded input is cut off, for single precision to hold it."""


def _no_numbers() -> NDArray[np.float32]:
    return np.empty(0, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Part:
    """One fold's view of the training rows.

    Every statistic in it (imputing, encoding, scaling, the target's scale) comes from the rows
    `train` alone. The arrays are shared between threads and are not to be written to.

    Parameters
    ----------
    inputs : ndarray of float32, shape (rows, columns), C-contiguous
        ALL training rows, encoded and standardized. Of a large table the parts share one such
        array, and what the network sees is ``(inputs − shift) · stretch``: see :meth:`seen`.
    targets : ndarray of float32, shape (rows, outputs)
        Classification: one column with the index of the class. Regression: one column for each
        target, standardized.
    weights : ndarray of float32, shape (rows,)
        Sample weights, mean 1 over the rows `train`; ones when none were given.
    train, validation : ndarray of int64, shapes (n,) and (m,)
        Rows to train and to validate on; no validation rows in the part of every training row.
    columns : tuple of str
        Names of the encoded inputs.
    center, scale : ndarray of float64, shape (columns,)
        Of the final standardization: encoded value = input · scale + center.
    target_center, target_scale : ndarray of float64, shape (outputs,)
        The same for the targets of a regression; 0 and 1 for classification.
    sources : tuple of str, default ()
        For each encoded input the column of the table that it comes from; empty where there is no
        table.
    shift, stretch : ndarray of float32, shape (columns,) or (0,), default empty
        Turn inputs that parts share into those standardized by the rows `train` alone; empty where
        :attr:`inputs` already are.
    """

    inputs: NDArray[np.float32]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    columns: tuple[str, ...]
    center: NDArray[np.float64]
    scale: NDArray[np.float64]
    target_center: NDArray[np.float64]
    target_scale: NDArray[np.float64]
    sources: tuple[str, ...] = ()
    shift: NDArray[np.float32] = field(default_factory=_no_numbers)
    stretch: NDArray[np.float32] = field(default_factory=_no_numbers)

    @property
    def n_inputs(self) -> int:
        """Number of encoded input columns."""
        return int(self.inputs.shape[1])

    @property
    def shares(self) -> bool:
        """Whether :attr:`inputs` are another part's too, to be shifted and stretched for this."""
        return self.shift.size > 0

    def seen(self, rows: NDArray[np.int64] | slice) -> NDArray[np.float32]:
        """Some rows of :attr:`inputs` as the network of this part sees them.

        Parameters
        ----------
        rows : ndarray of int64 or slice
            Which.

        Returns
        -------
        ndarray of float32, shape (m, columns)
        """
        inputs = self.inputs[rows]
        if not self.shares:
            return inputs
        moved: NDArray[np.float32] = (inputs - self.shift) * self.stretch
        return np.clip(moved, -FARTHEST, FARTHEST, out=moved)

    def alone(self) -> Part:
        """Itself with inputs of its own, which take memory where they were shared."""
        if not self.shares:
            return self
        nothing = _no_numbers()
        return replace(self, inputs=self.seen(slice(None)), shift=nothing, stretch=nothing)


@dataclass(frozen=True, eq=False)
class TestSet:
    """Rows that nothing but the verification looks at.

    Parameters
    ----------
    inputs : ndarray of float32, shape (rows, columns)
        Through the preprocessing of :attr:`Data.full`.
    targets : ndarray of float64, shape (rows, outputs)
        Index of the class, or the regression targets in their ORIGINAL units; in double precision,
        since a large offset would cost single precision all their differences.
    weights : ndarray of float32, shape (rows,)
        Sample weights with mean 1; ones when none were given.
    """

    __test__ = False  # the name starts with "Test", and pytest would collect it

    inputs: NDArray[np.float32]
    targets: NDArray[np.float64]
    weights: NDArray[np.float32]


def _no_rows() -> NDArray[np.int64]:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Data:
    """A table made ready for training: folds, all training rows, and the test set.

    Parameters
    ----------
    name : str
        For people: a file's or a bundled table's name.
    task : str
        ``"binary"``, ``"multiclass"`` or ``"regression"``.
    classes : tuple of str
        Class names in the order of their indices; empty for regression.
    target_names : tuple of str
        Column names of the targets.
    parts : tuple of Part
        One for each fold of each repeat; index = repeat · folds + fold.
    folds, repeats : int
        Of the (stratified) cross-validation.
    full : Part
        Every training row, none for validation.
    test : TestSet
        Set aside before anything else.
    description : Description
        What was understood of the table, for people.
    fingerprint : str
        Hexadecimal BLAKE2b over the arrays: same fingerprint, same data and folds.
    train_rows, test_rows : ndarray of int64
        Positions, from 0, of the rows of :attr:`full` and of :attr:`test` in the table as it was
        given, so that another program can be given the same rows; empty where there is no table.
    independent : bool, default False
        Whether the parts are draws of their own from a generator that share no row, so that
        intervals over them need not allow for overlapping training rows.
    """

    name: str
    task: Task
    classes: tuple[str, ...]
    target_names: tuple[str, ...]
    parts: tuple[Part, ...]
    folds: int
    repeats: int
    full: Part
    test: TestSet
    description: Description
    fingerprint: str
    train_rows: NDArray[np.int64] = field(default_factory=_no_rows)
    test_rows: NDArray[np.int64] = field(default_factory=_no_rows)
    independent: bool = False

    @property
    def n_outputs(self) -> int:
        """Outputs of the network: 1 for two classes, else one for each class or target."""
        if self.task == "binary":
            return 1
        return len(self.classes) if self.task == "multiclass" else len(self.target_names)

    @property
    def standardized(self) -> bool:
        """Whether the targets of a regression have mean 0 and deviation 1 in training."""
        full = self.full
        return bool((full.target_scale != 1.0).any() or (full.target_center != 0.0).any())

    @property
    def loss(self) -> Loss:
        """The loss that fits the task."""
        return _LOSSES[self.task]

    @property
    def by_fold(self) -> dict[int | None, Part]:
        """Every training row under None, then each fold's part under its index."""
        return {None: self.full, **dict(enumerate(self.parts))}

    def alone(self) -> Data:
        """Itself with parts that share no inputs, which may take far more memory."""
        if not any(part.shares for part in self.parts):
            return self
        return replace(self, parts=tuple(part.alone() for part in self.parts))

    def part(self, fold: int | None) -> Part:
        """The part of a fold (an index into :attr:`parts`), or of every training row for None.

        Raises
        ------
        SettingError
            When there is no such fold.
        """
        if fold is None:
            return self.full
        if not 0 <= fold < len(self.parts):
            raise SettingError(
                f"there is no fold {fold}; this data has folds 0 to {len(self.parts) - 1}"
            )
        return self.parts[fold]

    def overlap(self, used: NDArray[np.bool_]) -> tuple[float, float]:
        """How far the parts that are `used` (F,) share training rows, for intervals over them.

        Returns
        -------
        train_rows, validation_rows : float
            Means over these parts, as :func:`shrinkage.intervals.corrected_interval` takes them.
            Independent draws share no row: they have 0 validation rows, which widens nothing.
        """
        parts = [part for part, use in zip(self.parts, used, strict=True) if use]
        train_rows = float(np.mean([part.train.size for part in parts]))
        if self.independent:
            return train_rows, 0.0
        return train_rows, float(np.mean([part.validation.size for part in parts]))
