"""What the theme leaves undone for people with a keyboard or a screen reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_AFTER_THE_THEME = 900
# Code, tables and data frames scroll sideways where they are wider than the page: Tab gets there.
_SCROLLED = {
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
    '<div class="output text_html"': '<div tabindex="0" class="output text_html"',
}
# Captions of the navigation are marked as headings, and a heading has a level.
_LEVELLED = {'role="heading"': 'role="heading" aria-level="2"'}


def _complete(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: object
) -> None:
    for part, changes in (("body", _SCROLLED), ("furo_navigation_tree", _LEVELLED)):
        for before, after in changes.items():
            if part in context:
                context[part] = context[part].replace(before, after)


def setup(app: Sphinx) -> dict[str, Any]:
    """Complete every page just before it is written."""
    app.connect("html-page-context", _complete, priority=_AFTER_THE_THEME)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
