"""How complicated a decision boundary is: its length for its area, its bends and its islands."""

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
_STRAIGHT = 3.0  # steps of the grid between two looks at a line's direction
_FEWEST_SIDES = 6  # of a closed line, however small
_CERTAIN = 3e-8  # half of what single precision can tell from 1
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
    curvature : float
        Mean absolute curvature of the boundary: the angle in radians by which its direction turns,
        left or right, for each unit of its own length, in one over standard deviations of the
        inputs. A circle has one over its radius, a straight line 0; no boundary counts as 0.
    """

    length: float
    islands: int
    regions: int
    curvature: float


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
    x, y = plane.x * unit_x, plane.y * unit_y
    lines = boundary_lines(shares, x, y)
    found, regions = islands(winners, rows)
    return Complexity(
        length=length_per_area(lines, x, y),
        islands=found,
        regions=regions,
        curvature=mean_curvature(lines, x, y),
    )


def _shares(outputs: NDArray[np.float32], data: Data) -> Floats:
    """Probability of each class, (ny, nx, K)."""
    wide = outputs.astype(np.float64)
    return np.concatenate([1.0 - wide, wide], axis=2) if data.task == "binary" else wide


def boundary_lines(shares: Floats, x: Floats, y: Floats) -> list[Floats]:
    """The lines on which the most probable class changes, once for each class that they bound.

    Parameters
    ----------
    shares : ndarray of float64, shape (ny, nx, K)
        Probabilities of the classes.
    x, y : ndarray of float64, shapes (nx,) and (ny,)
        Coordinates of the grid, in the unit of length.

    Returns
    -------
    list of ndarray of float64, shapes (points, 2)
        In that unit; a closed line ends where it began. Between the grid's points the logarithm of
        the odds is interpolated (marching squares), which is linear in what the network computes
        and tells more than 1 from 1 where it is certain: for a smooth boundary the error falls
        with the square of the grid's step.
    """
    logarithms = np.log(np.maximum(shares, _CERTAIN))
    lines: list[Floats] = []
    for k in np.unique(shares.argmax(axis=2)):
        others = np.delete(logarithms, k, axis=2).max(axis=2)
        generator = contour_generator(
            x, y, logarithms[:, :, k] - others, line_type=LineType.Separate
        )
        lines += [np.asarray(line, dtype=np.float64) for line in generator.lines(0.0)]
    return lines


def length_per_area(lines: list[Floats], x: Floats, y: Floats) -> float:
    """Length of the boundary for each unit of area.

    Parameters
    ----------
    lines : list of ndarray of float64, shapes (points, 2)
        Of :func:`boundary_lines`.
    x, y : ndarray of float64, shapes (nx,) and (ny,)
        Coordinates of the grid.

    Returns
    -------
    float
        In one over their unit.
    """
    area = float((x[-1] - x[0]) * (y[-1] - y[0]))
    length = sum(float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum()) for line in lines)
    return 0.5 * length / area  # every line lies between two classes and was followed for both


def mean_curvature(lines: list[Floats], x: Floats, y: Floats) -> float:
    """How much the boundary bends: its total turning, in radians, over its length.

    Parameters
    ----------
    lines : list of ndarray of float64, shapes (points, 2)
        Of :func:`boundary_lines`.
    x, y : ndarray of float64, shapes (nx,) and (ny,)
        Coordinates of the grid.

    Returns
    -------
    float
        In one over their unit; 0 without a boundary. Directions are compared every three steps of
        the grid, so that the grid itself adds no bends, and bends closer together than that are
        not seen. A corner counts with its angle, also where the regions of three classes meet.

    References
    ----------
    Total absolute curvature of a polygon: Milnor (1950), "On the total curvature of knots", Annals
    of Mathematics 52(2).
    """
    step = _STRAIGHT * max(float(x[1] - x[0]), float(y[1] - y[0]))
    turned, length = 0.0, 0.0
    for line in lines:
        sides = np.linalg.norm(np.diff(line, axis=0), axis=1)
        along = np.concatenate([[0.0], np.cumsum(sides)])
        closed = bool(np.array_equal(line[0], line[-1]))
        count = max(round(along[-1] / step), _FEWEST_SIDES if closed else 1)
        places = np.linspace(0.0, along[-1], count + 1)
        points = [np.interp(places, along, line[:, axis]) for axis in (0, 1)]
        across, up = (np.diff(values) for values in points)
        if closed:
            across, up = np.append(across, across[0]), np.append(up, up[0])
        angles = np.arctan2(
            across[:-1] * up[1:] - up[:-1] * across[1:], across[:-1] * across[1:] + up[:-1] * up[1:]
        )
        turned += float(np.abs(angles).sum())
        length += float(along[-1])
    return turned / length if length > 0 else 0.0


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
