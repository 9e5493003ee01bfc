"""What the displays share: axes of their own or the caller's, colours by meaning, a legend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from shrinkage.errors import SettingError
from shrinkage.figures.colours import ROLES, Mode

if TYPE_CHECKING:
    from types import ModuleType

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

COLUMN = 3.4
"""Inches across one column of a page with two."""
_FONT, _TICKS = 8.0, 7.5
_SMALL: dict[str, Any] = {
    "font.size": _FONT,
    "axes.labelsize": _FONT,
    "axes.titlesize": _FONT,
    "legend.fontsize": _TICKS,
    "xtick.labelsize": _TICKS,
    "ytick.labelsize": _TICKS,
    "lines.linewidth": 1.2,
    "axes.linewidth": 0.7,
}
_DARK = 0.4
"""Luminance of a background below which the colours for dark ones are used."""


def require_matplotlib(caller: str) -> ModuleType:
    """pyplot, or a sentence that says how to get it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise SettingError(
            f"{caller} needs Matplotlib; install it with: pip install 'shrinkage[plot]'"
        ) from error
    return plt


@contextmanager
def canvas(caller: str, ax: Axes | None, height: float) -> Iterator[Axes]:
    """The caller's axes, or new ones of `height` inches and one column's width.

    Sizes of type are set for new axes only: on given ones the caller's style holds.
    """
    plt = require_matplotlib(caller)
    if ax is not None:
        yield ax
        return
    with plt.rc_context(_SMALL):
        _, new = plt.subplots(figsize=(COLUMN, height), layout="constrained")
        small_ticks(new)
        yield new


def small_ticks(ax: Axes) -> None:
    """Settings of the moment for ticks that are not made before the figure is drawn."""
    from matplotlib import rcParams

    ax.tick_params(axis="x", labelsize=rcParams["xtick.labelsize"])
    ax.tick_params(axis="y", labelsize=rcParams["ytick.labelsize"])


def figure_of(ax: Axes) -> Figure:
    """The whole figure that axes are on."""
    from matplotlib.figure import Figure

    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


def mode_of(ax: Axes) -> Mode:
    """Which colours stand out from the axes' background."""
    from matplotlib.colors import to_rgba

    shown = to_rgba(ax.get_facecolor())
    red, green, blue, _ = shown if shown[3] > 0.5 else to_rgba(figure_of(ax).get_facecolor())
    return "dark" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < _DARK else "light"


def roles_of(ax: Axes) -> dict[str, str]:
    """Colours by meaning, for the axes' background."""
    return ROLES[mode_of(ax)]


def small_type() -> float:
    """Points of type for what is written between the lines."""
    from matplotlib import rcParams

    return 0.9 * float(rcParams["font.size"])


def place_legend(ax: Axes, handles: Sequence[Artist], *, own: bool, columns: int = 2) -> Legend:
    """A legend under the axes of a figure of our own, or where the caller's axes have room."""
    look: dict[str, Any] = {"handlelength": 1.8, "columnspacing": 1.2, "labelspacing": 0.35}
    if own:
        look |= {"ncols": columns, "frameon": False}
        return figure_of(ax).legend(handles=handles, loc="outside lower center", **look)
    look |= {"framealpha": 0.8, "edgecolor": "none"}
    return ax.legend(handles=handles, loc="best", **look)


def loss_label(loss: str, unit: str) -> str:
    """``"log loss (nats)"``."""
    return f"{loss} ({unit})" if unit else loss


def scale_losses(ax: Axes, scale: str, ends: tuple[float, float]) -> None:
    """A loss axis from `ends`, with readable numbers where it is logarithmic."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    ax.set_yscale(scale)
    ax.set_ylim(*ends)
    if scale == "log":
        wide = ends[1] > 1000 * ends[0]
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
