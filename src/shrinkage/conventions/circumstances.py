"""What a setting's meaning depends on, and what it comes down to."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from shrinkage.errors import SettingError


@dataclass(frozen=True)
class Circumstances:
    """What a setting's meaning may depend on, besides its own numbers.

    Parameters
    ----------
    rows : int or None, default None
        Training rows.
    batch_size : int or None, default None
        Rows in one step.
    targets : int, default 0
        Columns of the target of a regression; 0 for a classification.
    momentum : Fraction or None, default None
        Of SGD, undampened.

    Raises
    ------
    SettingError
        On a value that no training can have.
    """

    rows: int | None = None
    batch_size: int | None = None
    targets: int = 0
    momentum: Fraction | None = None

    def __post_init__(self) -> None:
        for name, count in (("rows", self.rows), ("batch size", self.batch_size)):
            if count is not None and count < 1:
                raise SettingError(f"{name} is {count}; it must be at least 1")
        if self.rows is not None and self.batch_size is not None and self.batch_size > self.rows:
            raise SettingError(
                f"batch size is {self.batch_size}, but there are {self.rows} rows; a batch cannot "
                "have more rows than the table"
            )
        if self.targets < 0:
            raise SettingError(
                f"targets is {self.targets}; it must be 0 for classes, or the number of columns"
            )
        if self.momentum is not None and not 0 <= self.momentum < 1:
            raise SettingError(f"momentum is {float(self.momentum):g}; it must lie in [0, 1)")


@dataclass(frozen=True)
class Strength:
    """Exact λ of the package.

    Parameters
    ----------
    l1, l2 : Fraction
        Beside Σ|w| and beside ½ Σw².
    """

    l1: Fraction
    l2: Fraction
