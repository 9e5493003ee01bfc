"""What a capacity sweep found, width by width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from shrinkage.exhibits import capacity_wording as wording
from shrinkage.exhibits.exhibit import Table
from shrinkage.intervals import Interval
from shrinkage.verify.boundary import Boundary


@dataclass(frozen=True)
class Measured:
    """One measure where the network was trained, where it was validated, and on the test rows.

    Parameters
    ----------
    train, validation : Interval
        Over the folds.
    test : Interval or None
        Mean of the networks trained on every training row, over bootstrap resamples of the test
        rows; None without such networks.
    """

    train: Interval
    validation: Interval
    test: Interval | None


@dataclass(frozen=True, eq=False)
class WidthPoint:
    """Networks of one width.

    Parameters
    ----------
    hidden : tuple of int
        Units of each hidden layer.
    parameters : int
        Weights and biases of a network trained on every training row.
    loss : Measured
        Penalty-free mean loss.
    wrong : Measured or None
        Share of rows whose most probable class is not their own; None for regression.
    against_best : Interval or None
        Test loss less that of the best width, on the same resampled rows; None for the best.
    networks : int
        Trained on every training row, from different seeds.
    length, islands : Interval or None
        Mean over these networks of what :class:`shrinkage.verify.complexity.Complexity` measures.
    """

    hidden: tuple[int, ...]
    parameters: int
    loss: Measured
    wrong: Measured | None
    against_best: Interval | None
    networks: int
    length: Interval | None
    islands: Interval | None

    @property
    def width(self) -> int:
        """Units of a hidden layer."""
        return self.hidden[0]

    @property
    def label(self) -> str:
        """For people."""
        return width_label(self.hidden)


def width_label(hidden: tuple[int, ...]) -> str:
    """Hidden layers of one width, for people.

    Examples
    --------
    >>> width_label((1,)), width_label((1000,)), width_label((50, 50))
    ('1 unit', '1,000 units', '2 layers of 50 units')
    """
    units = f"{hidden[0]:,} unit" + ("" if hidden[0] == 1 else "s")
    return units if len(hidden) == 1 else f"{len(hidden)} layers of {units}"


@dataclass(frozen=True, eq=False)
class Capacity:
    """Errors and boundary against the width.

    Parameters
    ----------
    points : tuple of WidthPoint
        From the narrowest to the widest, at least two.
    best : int
        Index of the point with the least mean validation loss.
    loss_name, unit : str
        ``"log loss"``, ``"nats"``.
    gain : Interval or None
        By how much the best narrower width validates better than the widest, measured on folds
        that had no part in choosing it; None when nothing can be compared.
    surfaces : Boundary or None
        A surface for each width, of its first network; None when one is missing.
    why_no_boundary : str or None
        A sentence where this task has no boundary to measure.
    test_rows : int
        Untouched rows.
    notes : tuple of str
        What is missing or was left out.
    """

    points: tuple[WidthPoint, ...]
    best: int
    loss_name: str
    unit: str
    gain: Interval | None
    surfaces: Boundary | None
    why_no_boundary: str | None
    test_rows: int
    notes: tuple[str, ...]

    name: ClassVar[str] = "capacity"

    @property
    def verdict(self) -> str:
        """``"narrower"``, ``"wider"`` or ``"unclear"``: what validates better than the widest.

        ``"narrower"`` when some width below the widest validates better than it, beyond noise;
        ``"wider"`` when the widest validates better than whatever would be chosen instead.
        """
        if self.gain is None or not self.gain.excludes(0.0):
            return "unclear"
        return "narrower" if self.gain.low > 0 else "wider"

    @property
    def headline(self) -> str:
        """The point, without a full stop."""
        return wording.headline(self)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Errors, verdict, test rows and boundary, each with numbers."""
        return wording.sentences(self)

    @property
    def table(self) -> Table:
        """A row for each width; the best is pointed out."""
        return wording.table(self)

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and strings."""
        return {
            "headline": self.headline,
            "sentences": list(self.sentences),
            "verdict": self.verdict,
            "loss": self.loss_name,
            "unit": self.unit,
            "best": self.points[self.best].width,
            "gain_over_widest": _interval(self.gain),
            "test_rows": self.test_rows,
            "widths": [
                {
                    "width": point.width,
                    "layers": len(point.hidden),
                    "parameters": point.parameters,
                    "networks": point.networks,
                    "loss": _measured(point.loss),
                    "wrong": _measured(point.wrong),
                    "test_loss_against_best": _interval(point.against_best),
                    "boundary_length": _interval(point.length),
                    "islands": _interval(point.islands),
                }
                for point in self.points
            ],
            "no_boundary": self.why_no_boundary,
            "notes": list(self.notes),
        }


def _interval(interval: Interval | None) -> dict[str, float | None] | None:
    if interval is None:
        return None
    ends = (interval.low, interval.high) if interval.bounded else (None, None)
    return {
        "estimate": interval.estimate,
        "low": ends[0],
        "high": ends[1],
        "level": interval.level,
    }


def _measured(measured: Measured | None) -> dict[str, Any] | None:
    if measured is None:
        return None
    return {
        "train": _interval(measured.train),
        "validation": _interval(measured.validation),
        "test": _interval(measured.test),
    }
