"""What the network answers over a plane of inputs, for every λ along the path of refits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data, Part
from shrinkage.engine.pool import predict
from shrinkage.study import Fit
from shrinkage.verify.large import looked_at

Floats = NDArray[np.float64]

GRID = 120  # points along each axis
_CELLS = 1 << 22  # inputs built at once, so that memory does not grow with the columns
_COLUMNS, _ROWS_OF_EACH = 1_000, 10  # up to and from which their covariances are taken
_POINTS = 2_000  # training rows shown on the plane; more would hide the surface


@dataclass(frozen=True, eq=False)
class Plane:
    """Where the surfaces are computed, and the data projected onto it.

    Parameters
    ----------
    kind : str
        ``"one input"``, ``"two inputs"`` (both in original units) or ``"principal components"``.
    x, y : ndarray of float64, shapes (nx,) and (ny,)
        Grid coordinates; `y` is one 0 for one input.
    x_label, y_label : str
        Column names, or ``"principal component 1 (34% of the variance)"``; `y_label` is empty for
        one input. From the data: escape before showing.
    explained : float
        Share of the variance of the encoded inputs that lies in the plane; 1 for inputs.
    points : ndarray of float32, shape (n, 2)
        Training rows in the plane's coordinates, at most 2,000 of them; for one input the second
        coordinate is the target (class index, or original units).
    point_targets : ndarray of float32, shape (n,)
        Class index of each point, or its (first) target in original units.
    outside : int
        Training rows that lie beyond the drawn range (far outliers).
    sentence : str
        What the plane is, for a caption.
    origin : ndarray of float64, shape (inputs,)
        The network's input at the plane's (0, 0).
    directions : ndarray of float64, shape (1 or 2, inputs)
        What one unit of x (and of y) adds to it.
    """

    kind: Literal["one input", "two inputs", "principal components"]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    x_label: str
    y_label: str
    explained: float
    points: NDArray[np.float32]
    point_targets: NDArray[np.float32]
    outside: int
    sentence: str
    origin: NDArray[np.float64]
    directions: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Surface:
    """The answer of one fit over the plane.

    Parameters
    ----------
    label : str
        ``"no penalty"``, ``"L2, λ = 0.01"``.
    lam : float
        Its λ; 0 without penalty.
    values : ndarray of float32, shape (ny, nx)
        Binary: probability of ``classes[1]``. Multiclass: probability of the winning class.
        Regression: prediction of the first target in original units.
    winners : ndarray of uint8 or uint16, shape (ny, nx), or None
        Index of the most probable class; None for regression.
    """

    label: str
    lam: float
    values: NDArray[np.float32]
    winners: NDArray[np.uint8] | NDArray[np.uint16] | None


@dataclass(frozen=True, eq=False)
class Boundary:
    """A plane and a surface for each λ, from no penalty upwards.

    Parameters
    ----------
    task : str
        ``"binary"``, ``"multiclass"`` or ``"regression"``.
    classes : tuple of str
        Class names in the order of their index; empty for regression.
    plane : Plane
        Shared by all surfaces.
    surfaces : tuple of Surface
        In rising λ; the first is the fit without penalty when it exists.
    """

    task: str
    classes: tuple[str, ...]
    plane: Plane
    surfaces: tuple[Surface, ...]


def boundary_along(
    fits: Sequence[Fit], labels: Sequence[str], data: Data, inputs: Sequence[int] = ()
) -> Boundary:
    """The surface of each fit over one plane through the data.

    Parameters
    ----------
    fits : sequence of Fit
        Refits on every training row, in rising λ.
    labels : sequence of str
        For people, one for each fit.
    data : Data
        Whose training rows place the plane.
    inputs : sequence of int, default ()
        One or two of the inputs, for a slice; see :func:`plane_through`.

    Returns
    -------
    Boundary
        With one or two inputs over those inputs in original units; with more, over the plane of
        the first two principal components of the encoded, standardized inputs.
    """
    plane = plane_through(data, inputs=inputs)
    return Boundary(data.task, data.classes, plane, surfaces_over(plane, fits, labels, data))


def plane_through(data: Data, grid: int = GRID, inputs: Sequence[int] = ()) -> Plane:
    """The plane of the inputs (at most two of them), or of their first two principal components.

    Parameters
    ----------
    data : Data
        The training rows to pass through.
    grid : int, default 120
        Points along each axis.
    inputs : sequence of int, default ()
        One or two of the inputs, for a slice along them with all others at their medians.

    Returns
    -------
    Plane
        Its grid covers the rows; what lies further out than half the width of the central 98 %
        is left out and counted.
    """
    part = looked_at(data.full)
    along = list(inputs or range(part.n_inputs))
    frame = _inputs_frame(part, along) if len(along) <= 2 else _principal_frame(part)
    targets = part.targets[:, 0] * part.target_scale[0] + part.target_center[0]
    sentences = [frame.sentence]
    if part is not data.full:
        sentences.append(f"{len(part.inputs):,} training rows stand for all.")
    if data.task == "regression" and len(data.target_names) > 1:
        sentences.append(f"The first of {len(data.target_names)} targets is shown.")
    axes = [_axis(values, grid) for values in frame.coordinates.T]
    inside = np.all(
        [(a[0] <= v) & (v <= a[-1]) for a, v in zip(axes, frame.coordinates.T, strict=True)],
        axis=0,
    )
    outside = int(np.count_nonzero(~inside))
    if outside:
        sentences.append(f"{outside} far {'row lies' if outside == 1 else 'rows lie'} beyond it.")
    shown = _sample(np.flatnonzero(inside))
    points = frame.coordinates[shown]
    if frame.kind == "one input":
        points = np.column_stack([points[:, 0], targets[shown]])
    return Plane(
        kind=frame.kind,
        x=axes[0],
        y=axes[1] if len(axes) == 2 else np.zeros(1),
        x_label=frame.labels[0],
        y_label=frame.labels[1] if len(axes) == 2 else "",
        explained=frame.explained,
        points=points.astype(np.float32),
        point_targets=targets[shown].astype(np.float32),
        outside=outside,
        sentence=" ".join(sentences),
        origin=frame.origin,
        directions=frame.directions,
    )


class _Frame(NamedTuple):
    """Coordinates of every training row, (rows, 1 or 2), and the way back to network inputs."""

    kind: Literal["one input", "two inputs", "principal components"]
    coordinates: Floats
    origin: Floats
    directions: Floats
    labels: tuple[str, ...]
    explained: float
    sentence: str


def _inputs_frame(part: Part, shown: list[int]) -> _Frame:
    """One or two inputs, in the units before standardization; the others at their medians."""
    one, others = len(shown) == 1, part.n_inputs - len(shown)
    labels = tuple(part.columns[i] for i in shown)
    center, scale = part.center[shown], part.scale[shown]
    origin = np.median(part.inputs, axis=0).astype(np.float64) if others else np.zeros(len(shown))
    origin[shown] = -center / scale
    directions = np.zeros((len(shown), part.n_inputs))
    directions[range(len(shown)), shown] = 1.0 / scale
    # An input that never changes has an infinite scale: the network does not see it.
    width = np.where(np.isinf(scale), 0.0, scale)
    sentence = f"Over the input{'' if one else 's'} {' and '.join(labels)}"
    if others:
        sentence += f", the other {others} at {'its median' if others == 1 else 'their medians'}"
    return _Frame(
        kind="one input" if one else "two inputs",
        coordinates=part.inputs[:, shown] * width + center,
        origin=origin,
        directions=directions,
        labels=labels,
        explained=1.0,
        sentence=f"{sentence}.",
    )


def _principal_frame(part: Part) -> _Frame:
    """The first two principal components of the standardized inputs."""
    coordinates, mean, components, shares = principal(part.inputs)
    explained = float(shares.sum())
    return _Frame(
        kind="principal components",
        coordinates=coordinates.astype(np.float64),
        origin=mean.astype(np.float64),
        directions=components.astype(np.float64),
        labels=tuple(
            f"principal component {i} ({share:.0%} of the variance)"
            for i, share in enumerate(shares, start=1)
        ),
        explained=explained,
        sentence=(
            "Over the plane of the first two principal components through the mean of the "
            f"{part.n_inputs} encoded inputs; it holds {explained:.0%} of their variance, and what "
            "the network does in the other directions is not seen here."
        ),
    )


def principal(
    inputs: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """The first two principal components, as scikit-learn's PCA finds them.

    Parameters
    ----------
    inputs : ndarray of float32, shape (rows, columns)
        At least two columns.

    Returns
    -------
    coordinates, mean, components, shares : ndarray of float32
        Of each row, (rows, 2); of the columns, (columns,); the directions, (2, columns); the shares
        of the variance, (2,).
    """
    rows, columns = inputs.shape
    if columns > _COLUMNS or rows < _ROWS_OF_EACH * columns:
        from sklearn.decomposition import PCA

        pca = PCA(n_components=2, random_state=0)
        coordinates = pca.fit_transform(inputs)
        return coordinates, pca.mean_, pca.components_, pca.explained_variance_ratio_
    # What PCA does with many rows of few columns. Its package takes 60 MB to be loaded, which of a
    # large table's run would be a good part of all that is not the table.
    mean = inputs.mean(axis=0)
    covariance = inputs.T @ inputs
    covariance -= rows * mean[:, None] * mean
    covariance /= rows - 1
    variances, vectors = np.linalg.eigh(covariance)
    variances = np.maximum(variances, 0.0)[::-1]
    components = vectors.T[::-1][:2]
    largest = np.abs(components).argmax(axis=1)
    components = components * np.sign(components[range(2), largest])[:, None]
    return (
        inputs @ components.T - mean @ components.T,
        mean,
        components,
        variances[:2] / variances.sum(),
    )


def _axis(values: Floats, grid: int) -> Floats:
    """Grid over `values`, without outliers so far that they would squeeze the rest."""
    near, far = np.quantile(values, (0.01, 0.99))
    reach = 0.5 * (far - near) or np.inf
    low, high = max(values.min(), near - reach), min(values.max(), far + reach)
    margin = 0.05 * (high - low) or 0.5
    return np.linspace(low - margin, high + margin, grid)


def _sample(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """At most 2,000 of `rows`, always the same ones."""
    if rows.size <= _POINTS:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, _POINTS, replace=False))


def coordinates_on(plane: Plane, part: Part) -> Floats:
    """Rows of `part` in the plane's coordinates, float64 (rows, 1 or 2): see :func:`looked_at`."""
    directions = plane.directions  # orthogonal, so each coordinate is a projection of its own
    lengths = np.square(directions).sum(axis=1)
    found: Floats = (looked_at(part).inputs - plane.origin) @ directions.T / lengths
    return found


def outputs_over(plane: Plane, fit: Fit) -> NDArray[np.float32]:
    """The network's outputs at each point of the plane's grid, (ny, nx, outputs)."""
    network, loss = fit.trial.network, fit.trial.training.loss
    found = [predict(network, fit.parameters, inputs, loss) for _, inputs in _pieces(plane)]
    return np.concatenate(found).reshape(plane.y.size, plane.x.size, network.outputs)


def surfaces_over(
    plane: Plane, fits: Sequence[Fit], labels: Sequence[str], data: Data
) -> tuple[Surface, ...]:
    """The answer of each fit at each point of the plane's grid.

    Parameters
    ----------
    plane : Plane
        Where.
    fits : sequence of Fit
        With their parameters.
    labels : sequence of str
        For people, one for each fit.
    data : Data
        Task, classes and the scale of the target.

    Returns
    -------
    tuple of Surface
        In the order of `fits`.
    """
    if not fits:
        return ()
    shape = (plane.y.size, plane.x.size)
    values = np.empty((len(fits), plane.y.size * plane.x.size), dtype=np.float32)
    index_type = np.uint8 if len(data.classes) <= 256 else np.uint16
    winners = np.empty(values.shape, dtype=index_type)
    # Pieces outermost: the inputs of a piece of the plane serve every fit.
    for piece, inputs in _pieces(plane):
        for i, fit in enumerate(fits):
            outputs = predict(fit.trial.network, fit.parameters, inputs, fit.trial.training.loss)
            values[i, piece], winners[i, piece] = _shown(outputs, data)
    classified = data.task != "regression"
    return tuple(
        Surface(
            label,
            fit.trial.lam,
            values[i].reshape(shape),
            winners[i].reshape(shape) if classified else None,
        )
        for i, (fit, label) in enumerate(zip(fits, labels, strict=True))
    )


def grid_of(plane: Plane) -> Floats:
    """The network's inputs at each point of the grid, row by row, (ny · nx, inputs)."""
    return plane.origin + _places(plane) @ plane.directions


def _places(plane: Plane) -> Floats:
    across, along = (axis.ravel() for axis in np.meshgrid(plane.x, plane.y))
    return np.column_stack([across, along])[:, : len(plane.directions)]


def _pieces(plane: Plane) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """The grid's points row by row, and the network's inputs there, a piece at a time."""
    places = _places(plane)
    step = max(_CELLS // plane.directions.shape[1], 1)
    for first in range(0, len(places), step):
        piece = slice(first, first + step)
        yield piece, (plane.origin + places[piece] @ plane.directions).astype(np.float32)


def _shown(outputs: NDArray[np.float32], data: Data) -> tuple[Floats, NDArray[np.intp]]:
    """Value and winning class of each row (see :class:`Surface`)."""
    first = outputs[:, 0].astype(np.float64)
    if data.task == "binary":
        return first, (first > 0.5).astype(np.intp)
    if data.task == "multiclass":
        return outputs.max(axis=1).astype(np.float64), outputs.argmax(axis=1)
    part = data.full
    return first * part.target_scale[0] + part.target_center[0], np.zeros(first.size, np.intp)
