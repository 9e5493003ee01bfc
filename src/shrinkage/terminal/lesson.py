"""The lesson in a terminal: what is to be trained, then every claim with its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from shrinkage.terminal import sections
from shrinkage.terminal.plain import plain

if TYPE_CHECKING:
    from shrinkage.lesson.exhibited import Claim, Setting
    from shrinkage.lesson.runner import Taught

_MARKS = {
    "holds": ("✓", "green"),
    "does not hold here": ("✗", "red"),
    "not decided here": ("?", "yellow"),
}


def planned(expected: int, setting: Setting, threads: int) -> RenderableType:
    """How many networks, and of what."""
    at_once = f"{threads} at a time" if threads > 1 else "one at a time"
    text = (
        f"{expected:,} networks, {at_once}: {setting.seeds} seeds, each with new data and new "
        f"first weights; {setting.epochs:,} epochs on a hundred points."
    )
    settable = Text("Yours to set: --seeds, --epochs, --only; more in shrinkage lesson --help.")
    settable.stylize("dim")
    return sections.labelled([("Lesson", [text, settable], "")])


def taught(found: Taught) -> list[RenderableType]:
    """Each exhibit with its claims, then how many hold."""
    parts: list[RenderableType] = []
    for one in found.exhibited:
        parts.append(Text(plain(one.title), style="bold"))
        parts += [Padding(_claim(claim), (0, 0, 0, 2)) for claim in one.claims]
        parts.append(Text(""))
    counts = (
        f"{found.count('holds')} hold",
        f"{found.count('does not hold here')} do not hold here",
        f"{found.count('not decided here')} not decided here",
    )
    parts.append(Text(f"{len(found.claims)} claims: {', '.join(counts)}."))
    if found.unread:
        missing = [f"{one.title}: {one.reason}." for one in found.unread]
        parts += [sections.labelled([("Missing", missing, "yellow")])]
    parts.append(Text(""))
    return parts


def _claim(claim: Claim) -> Text:
    mark, style = _MARKS[claim.verdict]
    text = Text()
    text.append(f"{mark} {claim.verdict}", style=style)
    text.append(f": {plain(claim.text)} ")
    text.append(plain(claim.measured), style="dim")
    return text
