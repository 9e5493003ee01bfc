"""What the network answers over a plane for every λ, packed small enough to travel in a page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from contourpy import LineType, contour_generator
from numpy.typing import NDArray

from shrinkage.findings import Findings
from shrinkage.verify.boundary import Boundary, Plane, Surface

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8] | NDArray[np.uint16]

_ISOLINES = 7


@dataclass(frozen=True, eq=False)
class Frame:
    """One λ: its surface as codes, its contour and what is known of it.

    Parameters
    ----------
    label : str
        ``"no penalty"``, ``"L2, λ = 0.01"``.
    lam : float
        Its λ; 0 without penalty.
    codes : ndarray of uint8 or uint16, shape (ny, nx)
        Binary: probability of the second class in 255ths. Regression: prediction in 255ths of
        :attr:`SurfaceFigure.values`. Multiclass: winner · levels + its probability in levels.
    line : ndarray of float32, shape (nx,), or None
        One input only: the values themselves.
    contour_x, contour_y : ndarray of float32
        One line broken by NaN: where the probability is 0.5 (binary), or equal predictions
        (regression); empty for more classes.
    """

    label: str
    lam: float
    codes: Codes
    line: NDArray[np.float32] | None
    contour_x: NDArray[np.float32]
    contour_y: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SurfaceFigure:
    """The surfaces along λ over one plane.

    Parameters
    ----------
    task : str
        ``"binary"``, ``"multiclass"`` or ``"regression"``.
    classes : tuple of str
        Class names; empty for regression.
    target : str
        Name of the (first) target.
    plane : Plane
        Where, and the training rows on it.
    frames : tuple of Frame
        In rising λ.
    levels : int
        Steps of probability in a multiclass code; 255 else.
    values : tuple of float
        What codes 0 and 255 stand for: (0, 1), or predictions in the target's units.
    isolines : tuple of float
        Levels of the contours.
    selected : int
        Index of the selected frame; of no penalty when none was selected.
    """

    task: str
    classes: tuple[str, ...]
    target: str
    plane: Plane
    frames: tuple[Frame, ...]
    levels: int
    values: tuple[float, float]
    isolines: tuple[float, ...]
    selected: int


def surface_figure(findings: Findings) -> SurfaceFigure | None:
    """The figure's numbers; None without a verification, or when no refit finished."""
    verification = findings.verification
    if verification is None or not verification.boundary.surfaces:
        return None
    target = findings.study.data.target_names[0]
    return surfaces_of(verification.boundary, target, verification.after)


def surfaces_of(boundary: Boundary, target: str, selected: str = "") -> SurfaceFigure:
    """The numbers of any surfaces over one plane, at least one.

    Parameters
    ----------
    boundary : Boundary
        The surfaces.
    target : str
        Name of the (first) target.
    selected : str, default ""
        Label of the surface to point out; the first where there is no such label.
    """
    values, isolines = _scale(boundary)
    levels = max(256 // len(boundary.classes), 4) if boundary.task == "multiclass" else 255
    labels = [surface.label for surface in boundary.surfaces]
    return SurfaceFigure(
        task=boundary.task,
        classes=boundary.classes,
        target=target,
        plane=boundary.plane,
        frames=tuple(
            _frame(surface, boundary, levels, values, isolines) for surface in boundary.surfaces
        ),
        levels=levels,
        values=values,
        isolines=isolines,
        selected=labels.index(selected) if selected in labels else 0,
    )


def _scale(boundary: Boundary) -> tuple[tuple[float, float], tuple[float, ...]]:
    """What the colours run over, and where contours lie."""
    if boundary.task != "regression":
        return (0.0, 1.0), ((0.5,) if boundary.task == "binary" else ())
    # Rows and surfaces share one scale; a wild corner of one surface must not bleach the others.
    everywhere = np.concatenate([surface.values.ravel() for surface in boundary.surfaces])
    rows = boundary.plane.point_targets
    low = min(float(np.quantile(everywhere, 0.005)), float(rows.min()))
    high = max(float(np.quantile(everywhere, 0.995)), float(rows.max()))
    if low == high:
        return (low - 0.5, high + 0.5), ()
    return (low, high), tuple(_round_levels(low, high))


def _round_levels(low: float, high: float) -> Floats:
    """Readable numbers between `low` and `high`, about seven of them."""
    rough = (high - low) / _ISOLINES
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * min((1.0, 2.0, 5.0, 10.0), key=lambda nice: abs(nice * power - rough))
    return np.asarray(np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step)


def _frame(
    surface: Surface,
    boundary: Boundary,
    levels: int,
    values: tuple[float, float],
    isolines: tuple[float, ...],
) -> Frame:
    one_input = boundary.plane.kind == "one input"
    if boundary.task == "multiclass":
        codes = _class_codes(surface, levels, len(boundary.classes))
    else:
        share = (surface.values - values[0]) / (values[1] - values[0])
        codes = np.rint(np.clip(share, 0.0, 1.0) * 255).astype(np.uint8)
    x, y = ([], []) if one_input else _contours(surface, boundary.plane, isolines)
    return Frame(
        label=surface.label,
        lam=surface.lam,
        codes=codes,
        line=surface.values[0].astype(np.float32) if one_input else None,
        contour_x=np.array(x, dtype=np.float32),
        contour_y=np.array(y, dtype=np.float32),
    )


def _class_codes(surface: Surface, levels: int, classes: int) -> Codes:
    assert surface.winners is not None
    # The most probable of K classes has at least 1/K.
    share = (surface.values.astype(np.float64) - 1 / classes) / (1 - 1 / classes)
    level = np.rint(np.clip(share, 0.0, 1.0) * (levels - 1))
    codes = surface.winners.astype(np.int64) * levels + level.astype(np.int64)
    return codes.astype(np.uint8) if classes * levels <= 256 else codes.astype(np.uint16)


def _contours(
    surface: Surface, plane: Plane, isolines: tuple[float, ...]
) -> tuple[list[float], list[float]]:
    generator = contour_generator(plane.x, plane.y, surface.values, line_type=LineType.Separate)
    x: list[float] = []
    y: list[float] = []
    for level in isolines:
        lines: list[Floats] = generator.lines(level)  # type: ignore[assignment]  # by line_type
        for line in lines:
            x += [*line[:, 0], float("nan")]
            y += [*line[:, 1], float("nan")]
    return x, y
