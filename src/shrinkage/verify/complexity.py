"""How complicated a decision boundary is: its length for its area, and the islands in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from contourpy import LineType, contour_generator
from numpy.typing import NDArray
from scipy.ndimage import label as connected

from shrinkage.data import Data
from shrinkage.study import Fit
from shrinkage.verify.boundary import Floats, Plane, coordinates_on, outputs_over, plane_through

FINE_GRID = 239
"""Points along each axis; every second one is a point of the grid that is drawn."""
ISLAND_ROWS = 5
"""Most training rows in an island."""
_TOUCHING = np.ones((3, 3), dtype=np.int64)  # also across corners: a thin finger stays in one piece


@dataclass(frozen=True)
class Complexity:
    """What is measured of one network's boundary on a plane.

    Parameters
    ----------
    length : float
        Length of the boundary between predicted classes for each unit of the plane's area, in
        standard deviations of the inputs: their lengths, and squares of these, so its unit is one
        over standard deviations. A straight line across a square of 4 by 4 has 4 / 16 = 0.25.
    islands : int
        Connected regions of one predicted class that do not reach the plane's edge, hold at most
        :data:`ISLAND_ROWS` training rows, and are not the largest region of their class.
    regions : int
        All connected regions.
    """

    length: float
    islands: int
    regions: int


def no_boundary(data: Data) -> str | None:
    """Why there is no boundary to measure, as a sentence; None where there is one."""
    if data.task == "regression":
        several = len(data.target_names) > 1
        what = "the targets are numbers" if several else "the target is a number"
        return f"There is no boundary to measure: {what}, and a boundary separates classes."
    if data.full.n_inputs == 1:
        return (
            "There is no boundary to measure: with one input it consists of single points, which "
            "have no length."
        )
    return None


def fine_plane(data: Data) -> Plane:
    """The plane of :func:`shrinkage.verify.boundary.plane_through`, on the grid for measuring."""
    return plane_through(data, FINE_GRID)


def complexity(fit: Fit, plane: Plane, data: Data) -> Complexity:
    """Measure the boundary of one network.

    Parameters
    ----------
    fit : Fit
        A classification, with its parameters.
    plane : Plane
        Of two dimensions.
    data : Data
        Whose training rows are counted; with more than two inputs, by their projections.

    Returns
    -------
    Complexity
        What is finer than the plane's grid is not seen.
    """
    outputs = outputs_over(plane, fit)
    shares = _shares(outputs, data)
    unit_x, unit_y = np.linalg.norm(plane.directions, axis=1)
    winners = shares.argmax(axis=2)
    rows = held_rows(plane, coordinates_on(plane, data.full), winners.shape)
    return Complexity(
        length_per_area(shares, plane.x * unit_x, plane.y * unit_y),
        *islands(winners, rows),
    )


def _shares(outputs: NDArray[np.float32], data: Data) -> Floats:
    """Probability of each class, (ny, nx, K)."""
    wide = outputs.astype(np.float64)
    return np.concatenate([1.0 - wide, wide], axis=2) if data.task == "binary" else wide


def length_per_area(shares: Floats, x: Floats, y: Floats) -> float:
    """Length of the lines on which the most probable class changes, for each unit of area.

    Parameters
    ----------
    shares : ndarray of float64, shape (ny, nx, K)
        Probabilities of the classes.
    x, y : ndarray of float64, shapes (nx,) and (ny,)
        Coordinates of the grid, in the unit of length.

    Returns
    -------
    float
        In one over that unit. Between the grid's points shares are interpolated (marching
        squares), so for a smooth boundary the error falls with the square of the grid's step.
    """
    area = float((x[-1] - x[0]) * (y[-1] - y[0]))
    length = 0.0
    for k in np.unique(shares.argmax(axis=2)):
        others = np.delete(shares, k, axis=2).max(axis=2)
        generator = contour_generator(
            x, y, shares[:, :, k] - others, line_type=LineType.ChunkCombinedNan
        )
        points, *_ = generator.lines(0.0)[0]
        if points is not None:
            steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
            length += float(np.nansum(steps))
    return 0.5 * length / area  # every line lies between two classes and was followed for both


def held_rows(plane: Plane, places: Floats, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """How many of the rows at `places` (rows, 2) lie nearest to each point of the grid."""
    counts = np.zeros(shape, dtype=np.int64)
    cells = [
        np.rint((places[:, i] - axis[0]) / (axis[1] - axis[0])).astype(np.int64)
        for i, axis in enumerate((plane.x, plane.y))
    ]
    inside = (cells[0] >= 0) & (cells[0] < shape[1]) & (cells[1] >= 0) & (cells[1] < shape[0])
    np.add.at(counts, (cells[1][inside], cells[0][inside]), 1)
    return counts


def islands(
    winners: NDArray[np.int64], rows: NDArray[np.int64], most: int = ISLAND_ROWS
) -> tuple[int, int]:
    """Count islands and regions.

    Parameters
    ----------
    winners : ndarray of int, shape (ny, nx)
        Predicted class at each point of the grid.
    rows : ndarray of int, shape (ny, nx)
        Training rows near each point.
    most : int, default 5
        Rows that an island may hold.

    Returns
    -------
    islands, regions : int
        See :class:`Complexity`. Points that touch, also by a corner, belong together.
    """
    found, regions = 0, 0
    for k in np.unique(winners):
        labels, count = connected(winners == k, _TOUCHING)
        regions += count
        sizes = np.bincount(labels.ravel(), minlength=count + 1)
        held = np.bincount(labels.ravel(), rows.ravel(), minlength=count + 1)
        small = held <= most
        edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
        small[edge] = False
        small[0] = False  # the other classes
        small[1 + int(sizes[1:].argmax())] = False
        found += int(np.count_nonzero(small))
    return found, regions
