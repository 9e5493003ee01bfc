"""Empty plots in the house style, and the record of which property plays which colour role."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, floor, log10
from typing import Any

from bokeh.model import Model
from bokeh.models import ColumnDataSource, FixedTicker, HoverTool, Range1d
from bokeh.plotting import figure

from shrinkage.figures.colours import MODES, ROLES, Mode

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Paint:
    """One property of one model and the role it plays."""

    model: str
    property: str
    role: str


@dataclass(frozen=True)
class Series:
    """Numbers of a plot that can be taken along, as a person wants to find them in a table.

    Parameters
    ----------
    source : str
        Id of the data source that is drawn.
    columns : dict of str to str
        Its columns that are shown, and their headings with units.
    label : str, default ""
        Which of a plot's series it is; empty where there is one only.
    classes : tuple of str, default ()
        What the numbers of a column ``target`` stand for.
    """

    source: str
    columns: dict[str, str]
    label: str = ""
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grid:
    """A surface of codes that can be taken along as numbers.

    Parameters
    ----------
    source : str
        Id of the data source that holds ``codes``.
    x, y : tuple of (float, float, int)
        First and last coordinate, and how many there are.
    task : str
        ``"binary"``, ``"multiclass"`` or ``"regression"``.
    classes : tuple of str
        Class names.
    levels : int
        Steps of probability in a multiclass code.
    values : tuple of float
        What codes 0 and 255 of a regression stand for.
    target : str
        What a regression predicts.
    """

    source: str
    x: tuple[float, float, int]
    y: tuple[float, float, int]
    task: str
    classes: tuple[str, ...]
    levels: int
    values: tuple[float, float]
    target: str


@dataclass(frozen=True)
class Drawing:
    """A plot of the stage.

    Parameters
    ----------
    name : str
        By which the page finds it.
    plot : Model
        The Bokeh plot.
    alternative : str
        What it shows, in words, for those who cannot see it.
    x_label, y_label : str
        Names of the axes with their units. The page sets them beside the plot, where they wrap and
        are never cut off; names from the data are then text of the page, and never read as TeX.
    series : tuple of Series
        Its numbers.
    grid : Grid or None
        Its surface.
    """

    name: str
    plot: Model
    alternative: str
    x_label: str
    y_label: str
    series: tuple[Series, ...] = ()
    grid: Grid | None = None


@dataclass(eq=False)
class Stage:
    """All drawings of a page, with the colours that the page may change.

    Parameters
    ----------
    drawings : dict of str to Drawing
        By name.
    paints : list of Paint
        Who plays which role.
    palettes : dict
        Roles that are lists of colours, for each mode.
    """

    drawings: dict[str, Drawing] = field(default_factory=dict)
    paints: list[Paint] = field(default_factory=list)
    palettes: dict[Mode, dict[str, list[str]]] = field(
        default_factory=lambda: {mode: {} for mode in MODES}
    )
    _labels: dict[str, tuple[str, str]] = field(default_factory=dict)
    _series: dict[str, list[Series]] = field(default_factory=dict)
    _grids: dict[str, Grid] = field(default_factory=dict)

    def paint(self, model: Model, **roles: str) -> None:
        """Let properties of `model` play roles, from now on."""
        for name, role in roles.items():
            self.paints.append(Paint(model.id, name, role))
            palette = self.palettes["light"].get(role)
            setattr(model, name, palette or ROLES["light"][role])

    def add_palette(self, role: str, light: list[str], dark: list[str]) -> None:
        """Name a list of colours."""
        self.palettes["light"][role] = light
        self.palettes["dark"][role] = dark

    def add(self, name: str, plot: figure, alternative: str) -> None:
        """Keep a finished plot under a name."""
        plot.name = name
        self.drawings[name] = Drawing(
            name,
            plot,
            alternative,
            *self._labels[plot.id],
            tuple(self._series.get(plot.id, ())),
            self._grids.get(plot.id),
        )

    def tabulate(
        self,
        plot: figure,
        source: ColumnDataSource,
        columns: dict[str, str],
        label: str = "",
        classes: tuple[str, ...] = (),
    ) -> None:
        """Let the page offer columns of a source as a table; see :class:`Series`."""
        series = Series(source.id, columns, label, classes)
        self._series.setdefault(plot.id, []).append(series)

    def tabulate_grid(self, plot: figure, grid: Grid) -> None:
        """Let the page offer a surface as a table."""
        self._grids[plot.id] = grid

    def plot(self, x_label: str, y_label: str, *, height: int = 340, **settings: Any) -> figure:
        """An empty plot: no frame, no toolbar, quiet axes, as wide as the page lets it be.

        Parameters
        ----------
        x_label, y_label : str
            For the page to show; see :class:`Drawing`.
        height : int
            In CSS pixels.
        **settings
            For :func:`bokeh.plotting.figure`.
        """
        settings = {"tools": "", "toolbar_location": None, "min_border": 2, **settings}
        plot = figure(height=height, sizing_mode="stretch_width", **settings)
        plot.background_fill_color = None
        plot.border_fill_color = None
        plot.outline_line_color = None
        plot.min_border_right = 14
        self._labels[plot.id] = (x_label, y_label)
        for axis in (*plot.xaxis, *plot.yaxis):
            axis.major_label_text_font = FONT
            axis.major_label_text_font_size = "12px"
            axis.minor_tick_line_color = None
            axis.major_tick_in = 0
            axis.major_tick_out = 4
            self.paint(
                axis,
                major_label_text_color="muted",
                axis_line_color="axis",
                major_tick_line_color="axis",
            )
        plot.xgrid.grid_line_color = None
        for grid in plot.ygrid:
            self.paint(grid, grid_line_color="line")
        return plot


def hover(
    plot: figure, renderers: list[Any], rows: list[tuple[str, str]], mode: str = "mouse"
) -> HoverTool:
    """Values under the pointer, or under the finger.

    Parameters
    ----------
    plot : figure
        Gets the tool.
    renderers : list
        What can be pointed at.
    rows : list of (str, str)
        A name and a value with Bokeh's ``@column`` in it. They become HTML, so nothing in them may
        come from the data; columns may, as Bokeh escapes them.
    mode : str
        ``"mouse"`` hits what is under the pointer, ``"vline"`` what is above and below it too.
    """
    html = "".join(
        f"<div style='display:flex;justify-content:space-between;gap:14px'>"
        f"<span style='opacity:.72'>{name}</span><span>{value}</span></div>"
        if name
        else f"<div style='font-weight:600'>{value}</div>"
        for name, value in rows
    )
    tool = HoverTool(renderers=renderers, tooltips=html, mode=mode)
    plot.add_tools(tool)
    return tool


def loss_ticks(plot: figure, low: float, high: float) -> None:
    """Put 1, 2 and 5 of every power of ten on a logarithmic y axis, in plain digits."""
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    places = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    shown = [place for place in places if low <= place <= high]
    plot.yaxis.ticker = FixedTicker(ticks=shown)
    plot.yaxis.major_label_overrides = {place: f"{place:g}" for place in shown}


def compact_ticks(axis: Any, ends: Range1d) -> None:
    """Label an axis whose numbers are very large or very small as "3·10⁶"; leave others be."""
    largest = max(abs(ends.start), abs(ends.end))
    if 1e-3 <= largest < 1e5:
        return
    exponent = floor(log10(largest))
    unit = 10.0**exponent
    steps = range(ceil(2 * ends.start / unit), floor(2 * ends.end / unit) + 1)
    coarse = ceil(len(steps) / 8)
    places = [0.5 * step * unit for step in steps if step % coarse == 0]
    axis.ticker = FixedTicker(ticks=places)
    axis.major_label_overrides = {
        place: f"{place / unit:.2g}·{power_label(exponent)}" if place else "0" for place in places
    }


def power_label(exponent: int) -> str:
    """A power of ten for an axis.

    Examples
    --------
    >>> power_label(-3), power_label(0), power_label(1)
    ('10⁻³', '1', '10')
    """
    if exponent in (0, 1):
        return str(10**exponent)
    return "10" + str(exponent).translate(_SUPERSCRIPTS)
