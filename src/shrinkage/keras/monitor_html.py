"""What a monitor saw, as HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from shrinkage.intervals import decimals

if TYPE_CHECKING:
    from shrinkage.keras.monitor import OverfittingMonitor

_WIDE, _HIGH, _LEFT, _LOW = 640, 240, 52, 28
_COLOURS = {"training rows": "#0072b2", "validation rows": "#d55e00"}
"""Of Okabe and Ito, told apart without colour vision."""
_STYLE = """<style>
.shrinkage-monitor { font: 15px/1.5 system-ui, sans-serif; max-width: 44rem }
.shrinkage-monitor table { border-collapse: collapse; font-variant-numeric: tabular-nums }
.shrinkage-monitor th, .shrinkage-monitor td { padding: .1rem .6rem; text-align: right }
.shrinkage-monitor svg { width: 100%; height: auto }
.shrinkage-monitor text { font-size: 12px; fill: currentColor }
</style>"""


def page_of(monitor: OverfittingMonitor) -> str:
    """Verdict, curves and numbers.

    Parameters
    ----------
    monitor : OverfittingMonitor
        After a training.

    Returns
    -------
    str
        A fragment, to be shown in a notebook or put into a page.
    """
    frame = monitor.frame()
    curves = {
        "training rows": frame["train_loss"].tolist(),
        "validation rows": frame["validation_loss"].tolist(),
    }
    head = "".join(f'<th scope="col">{escape(name.replace("_", " "))}</th>' for name in frame)
    body = "".join(
        f'<tr><th scope="row">{epoch:,}</th>{"".join(f"<td>{_number(v)}</td>" for v in line)}</tr>'
        for epoch, line in zip(frame.index.tolist(), frame.to_numpy().tolist(), strict=True)
    )
    return (
        f'{_STYLE}<div class="shrinkage-monitor"><p>{escape(monitor.summary())}</p>'
        f"{_curves(frame.index.tolist(), curves)}"
        "<details><summary>All epochs that were measured; losses are free of any penalty</summary>"
        f'<table><thead><tr><th scope="col">epoch</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></details></div>"
    )


def _number(value: float) -> str:
    return f"{value:.{decimals(value)}f}"


def _curves(epochs: Sequence[int], curves: dict[str, list[float]]) -> str:
    """Both losses by epoch, labelled at their ends."""
    values = [value for curve in curves.values() for value in curve]
    low, high = min(*values, 0.0), max(values)
    first, last = epochs[0], max(epochs[-1], epochs[0] + 1)

    def place(epoch: int, value: float) -> str:
        x = _LEFT + (_WIDE - _LEFT - 120) * (epoch - first) / (last - first)
        y = 10 + (_HIGH - _LOW - 10) * (high - value) / (high - low or 1.0)
        return f"{x:.1f},{y:.1f}"

    parts = []
    for name, curve in curves.items():
        points = " ".join(place(epoch, value) for epoch, value in zip(epochs, curve, strict=True))
        x, y = place(epochs[-1], curve[-1]).split(",")
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{_COLOURS[name]}" '
            f'stroke-width="2"/><text x="{float(x) + 6:.1f}" y="{float(y) + 4:.1f}">{name}</text>'
        )
    ticks = "".join(
        f'<text x="{_LEFT - 6}" y="{float(place(first, value).split(",")[1]) + 4:.1f}" '
        f'text-anchor="end">{_number(value)}</text>'
        for value in (low, high)
    )
    return (
        f'<svg viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="Loss by epoch on training and '
        f'validation rows">{"".join(parts)}{ticks}<text x="{_LEFT}" y="{_HIGH - 8}">epoch '
        f"{first:,}</text>"
        f'<text x="{_WIDE - 120}" y="{_HIGH - 8}" text-anchor="end">epoch {epochs[-1]:,}</text>'
        "</svg>"
    )
