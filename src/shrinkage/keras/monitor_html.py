"""What a monitor saw, as HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import inf, isfinite
from typing import TYPE_CHECKING

from shrinkage.intervals import decimals

if TYPE_CHECKING:
    from shrinkage.keras.monitor import OverfittingMonitor

_WIDE, _HIGH, _LEFT, _RIGHT, _LOW = 640, 240, 52, 120, 28
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
    return f"{value:.{decimals(value)}f}" if isfinite(value) else "not finite"


def _curves(epochs: Sequence[int], curves: dict[str, list[float]]) -> str:
    """Both losses by epoch as far as they are finite, labelled at their ends."""
    shown = {
        name: [(e, value) for e, value in zip(epochs, curve, strict=True) if isfinite(value)]
        for name, curve in curves.items()
    }
    values = [value for points in shown.values() for _, value in points]
    if not values:
        return ""
    low, high = min(*values, 0.0), max(*values, 0.0)
    first, last = epochs[0], max(epochs[-1], epochs[0] + 1)

    def place(epoch: int, value: float) -> tuple[float, float]:
        x = _LEFT + (_WIDE - _LEFT - _RIGHT) * (epoch - first) / (last - first)
        return x, 10 + (_HIGH - _LOW - 10) * (high - value) / (high - low or 1.0)

    parts, free = [], -inf
    for name, points in sorted(shown.items(), key=lambda item: -item[1][-1][1] if item[1] else inf):
        if not points:
            continue
        line = " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in points)
        x, y = place(*points[-1])
        free = max(y + 4, free + 14)  # labels do not lie on each other
        parts.append(
            f'<polyline points="{line}" fill="none" stroke="{_COLOURS[name]}" stroke-width="2"/>'
            f'<text x="{x + 6:.1f}" y="{free:.1f}">{name}</text>'
        )
    parts += [
        f'<text x="{_LEFT - 6}" y="{place(first, value)[1] + 4:.1f}" text-anchor="end">'
        f"{_number(value)}</text>"
        for value in (low, high)
    ]
    return (
        f'<svg viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="Loss by epoch on training and '
        f'validation rows">{"".join(parts)}<text x="{_LEFT}" y="{_HIGH - 8}">epoch {first:,}</text>'
        f'<text x="{_WIDE - _RIGHT}" y="{_HIGH - 8}" text-anchor="end">epoch {epochs[-1]:,}</text>'
        "</svg>"
    )
