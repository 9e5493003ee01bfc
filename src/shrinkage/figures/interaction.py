"""The interaction map as a figure: validation loss of every cell of λ and dropout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shrinkage.exhibits.interaction_record import Interaction
from shrinkage.intervals import decimals
from shrinkage.penalties import describe_lambda

Floats = NDArray[np.float64]

_GAP = 0.25
"""Between the row without a penalty (λ = 0 has no logarithm) and the others, in cells."""
_BEYOND = 1.5
"""Losses further above the least than this many times the plain network's share one colour."""


@dataclass(frozen=True, eq=False)
class InteractionFigure:
    """Cells of the map, in units of cells from the plain network's at (0, 0).

    Parameters
    ----------
    x, y : ndarray of float64, shape (k,)
        Centres: dropout to the right, λ upwards.
    loss, error : ndarray of float64, shape (k,)
        Mean validation loss of each cell and its standard error; NaN where a fit diverged.
    shown : tuple of str
        The loss as it stands in the cell.
    lam, dropout : tuple of str
        What the cell is.
    colour : ndarray of float64, shape (k,)
        From 0 (the least loss) to 1 (`scale`'s upper end, or more): the root of the share of the
        way between them.
    near : ndarray of bool, shape (k,)
        Within one standard error of the best.
    best : int
        The cell with the least loss.
    ridge : ndarray of int64, shape (r,)
        For each dropout the cell with the least loss.
    rows, columns : tuple of (float, str)
        Places of the axes' labels.
    scale : tuple of float
        Losses at the ends of the colours.
    clipped : bool
        Whether some losses lie above the upper end.
    penalty, loss_name, unit : str
        For the axes.
    """

    x: Floats
    y: Floats
    loss: Floats
    error: Floats
    shown: tuple[str, ...]
    lam: tuple[str, ...]
    dropout: tuple[str, ...]
    colour: Floats
    near: NDArray[np.bool_]
    best: int
    ridge: NDArray[np.int64]
    rows: tuple[tuple[float, str], ...]
    columns: tuple[tuple[float, str], ...]
    scale: tuple[float, float]
    clipped: bool
    penalty: str
    loss_name: str
    unit: str


def interaction_figure(found: Interaction) -> InteractionFigure:
    """The figure's numbers."""
    heights = np.arange(len(found.lambdas), dtype=np.float64) + np.where(
        np.array(found.lambdas) > 0, _GAP, 0.0
    )
    widths = np.arange(len(found.dropouts), dtype=np.float64)
    x, y = np.meshgrid(widths, heights)
    lam = tuple("none" if lam == 0 else describe_lambda(lam) for lam in found.lambdas)
    dropout = tuple("none" if share == 0 else f"{share:g}" for share in found.dropouts)
    loss = found.losses.ravel()
    finite = loss[np.isfinite(loss)]
    least = float(finite.min())
    highest = _upper_end(finite, least, float(found.losses[0, 0]))
    places = decimals(least)
    across = len(found.dropouts)
    return InteractionFigure(
        x=x.ravel(),
        y=y.ravel(),
        loss=loss,
        error=found.errors.ravel(),
        shown=tuple(f"{value:.{places}f}" if np.isfinite(value) else "–" for value in loss),
        lam=tuple(label for label in lam for _ in dropout),
        dropout=dropout * len(lam),
        # A root, so that cells near the least are told apart beside a plain network far above.
        colour=np.sqrt(np.clip((loss - least) / max(highest - least, 1e-12), 0.0, 1.0)),
        near=found.near.ravel(),
        best=found.best[0] * across + found.best[1],
        ridge=np.array(
            [row * across + column for column, row in enumerate(found.ridge) if row is not None]
        ),
        rows=tuple(zip(heights.tolist(), lam, strict=True)),
        columns=tuple(zip(widths.tolist(), dropout, strict=True)),
        scale=(least, highest),
        clipped=bool(finite.max() > highest),
        penalty=found.penalty.label,
        loss_name=found.loss_name,
        unit=found.unit,
    )


def _upper_end(losses: Floats, least: float, plain: float) -> float:
    """Where the colours end: a λ that predicts a constant must not make all others look alike."""
    highest = float(losses.max())
    middle = float(np.median(losses)) - least
    reach = max(_BEYOND * (plain - least), 2.0 * middle)
    return min(highest, least + reach) if reach > 0 else highest
