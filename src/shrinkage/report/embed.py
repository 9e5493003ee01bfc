"""Bokeh's figures and program as text inside a page, with a policy that lets nothing else run."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from shrinkage.figures.colours import MODES, ROLES
from shrinkage.figures.screen import Stage

_UNSAFE = str.maketrans({"<": r"\u003c", ">": r"\u003e", "&": r"\u0026"})


@dataclass(frozen=True)
class Embedded:
    """What the template needs of the figures.

    Parameters
    ----------
    places : dict of str to dict
        For each drawing: the ``id`` of the element it goes into, its ``alternative`` text and the
        names of its axes, ``x`` and ``y``.
    documents : str
        Bokeh's documents as JSON that may stand inside a script element.
    bokeh : str
        Bokeh's program.
    settings : dict
        What the page's program needs to find and to colour them.
    """

    places: dict[str, dict[str, str]]
    documents: str
    bokeh: str
    settings: dict[str, Any]


def embed(stage: Stage) -> Embedded:
    """Turn a stage's drawings into text."""
    from bokeh.document import Document
    from bokeh.embed.util import standalone_docs_json_and_render_items

    document = Document()
    for drawing in stage.drawings.values():
        document.add_root(drawing.plot)
    roots: dict[str, str] = {}
    documents: dict[Any, Any] = {}
    items: list[Any] = []
    if stage.drawings:
        documents, render_items = standalone_docs_json_and_render_items([document])
        items = [item.to_json() for item in render_items]
        roots = items[0]["roots"]
    return Embedded(
        places={
            name: {
                "id": roots[drawing.plot.id],
                "alternative": drawing.alternative,
                "x": drawing.x_label,
                "y": drawing.y_label,
            }
            for name, drawing in stage.drawings.items()
        },
        documents=_bokeh_json(documents),
        bokeh=_bokeh_program(),
        settings={
            "items": items,
            "plots": {name: drawing.plot.id for name, drawing in stage.drawings.items()},
            "tables": {
                name: {
                    "series": [asdict(series) for series in drawing.series],
                    "grid": None if drawing.grid is None else asdict(drawing.grid),
                }
                for name, drawing in stage.drawings.items()
            },
            "axes": {
                name: [drawing.x_label, drawing.y_label] for name, drawing in stage.drawings.items()
            },
            "paints": [asdict(paint) for paint in stage.paints],
            "roles": {mode: ROLES[mode] | stage.palettes[mode] for mode in MODES},
        },
    )


def _bokeh_json(documents: dict[Any, Any]) -> str:
    from bokeh.core.json_encoder import serialize_json

    return str(serialize_json(documents)).translate(_UNSAFE)


def json_for_html(value: Any) -> str:
    r"""JSON that may stand inside a script element.

    Examples
    --------
    >>> json_for_html("</script>")
    '"\\u003c/script\\u003e"'
    """
    return json.dumps(value, separators=(",", ":"), allow_nan=False).translate(_UNSAFE)


def _bokeh_program() -> str:
    """BokehJS without widgets, tables, WebGL and TeX, which this page does not use."""
    from bokeh.resources import Resources

    program: str = Resources(mode="inline", components=["bokeh"]).js_raw[0]
    # "</script" would end the element; inside JavaScript's strings "<\/script" is the same text.
    return program.replace("\r\n", "\n").replace("</script", r"<\/script")


def policy(*programs: str) -> str:
    """A content security policy under which these programs run and nothing is fetched."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in programs
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
