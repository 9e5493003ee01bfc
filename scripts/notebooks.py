"""The notebooks of docs/lesson, made from the Python sources beside them and run.

``python scripts/notebooks.py`` makes all of them anew, with the outputs of a run on the lesson's
full settings; names choose some, as in ``python scripts/notebooks.py 05-results``. With ``--prose``
nothing is run where the code is still the same: outputs stay. Nothing in a notebook depends on the
machine or the time, so that one made anew differs where results do.
"""

from __future__ import annotations

import argparse
import os
import sys
from base64 import b64decode, b64encode
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "lesson"
SMALL = "SHRINKAGE_LESSON_SMALL"
"""The environment variable that, as 1, makes every notebook's runs tiny."""
LARGEST = 150_000
"""Bytes of a notebook with its outputs."""
_PATIENCE = 900
"""Seconds that one cell may take."""


def sources() -> list[Path]:
    """The sources, in the lesson's order."""
    return sorted(FOLDER.glob("*.py"))


def notebook_of(source: Path) -> NotebookNode:
    """A source as a notebook without outputs; the same every time."""
    import jupytext

    notebook: NotebookNode = jupytext.read(source)
    for place, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{place}"
    notebook.metadata.pop("jupytext", None)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def run(notebook: NotebookNode, *, small: bool) -> NotebookNode:
    """Run all cells in a fresh kernel, in place.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        When a cell raises.
    """
    from nbclient import NotebookClient

    before = os.environ.get(SMALL)
    os.environ[SMALL] = "1" if small else "0"
    try:
        client = NotebookClient(
            notebook,
            timeout=_PATIENCE,
            kernel_name="python3",
            record_timing=False,
            resources={"metadata": {"path": str(FOLDER)}},
        )
        client.execute()
    finally:
        if before is None:
            del os.environ[SMALL]
        else:
            os.environ[SMALL] = before
    # What the kernel says of itself: Python's version, which is no result.
    notebook.metadata.pop("language_info", None)
    return notebook


def keep_outputs(notebook: NotebookNode, source: Path) -> bool:
    """Take the outputs of the stored notebook, in place; False where the code is another."""
    import nbformat

    path = source.with_suffix(".ipynb")
    if not path.exists():
        return False
    stored = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # no annotations
    before, now = (
        [cell for cell in one.cells if cell.cell_type == "code"] for one in (stored, notebook)
    )
    if [cell.source for cell in before] != [cell.source for cell in now]:
        return False
    for old, new in zip(before, now, strict=True):
        new.outputs, new.execution_count = old.outputs, old.execution_count
    return True


def shrink_pictures(notebook: NotebookNode) -> NotebookNode:
    """Pictures with 256 colours, in place: a third of the bytes, and the same to the eye."""
    from PIL import Image

    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                picture = Image.open(BytesIO(b64decode(output.data["image/png"])))
                packed = BytesIO()
                few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
                few.save(packed, "PNG", optimize=True)
                output.data["image/png"] = b64encode(packed.getvalue()).decode() + "\n"
    return notebook


def written(notebook: NotebookNode) -> str:
    """A notebook as text."""
    import nbformat

    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]  # no annotations
    return text if text.endswith("\n") else text + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Make and run notebooks; 1 when one grows too large."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which ones; all by default")
    parser.add_argument(
        "--prose", action="store_true", help="run nothing where only the text changed"
    )
    chosen = parser.parse_args(arguments)
    known = {source.stem: source for source in sources()}
    for name in chosen.names:
        if name not in known:
            parser.error(f"unknown notebook {name!r}; there are {', '.join(known)}")
    large = []
    for name in chosen.names or known:
        notebook = notebook_of(known[name])
        if not (chosen.prose and keep_outputs(notebook, known[name])):
            shrink_pictures(run(notebook, small=False))
        text = written(notebook)
        known[name].with_suffix(".ipynb").write_text(text, encoding="utf-8")
        print(f"{name}: {len(text.encode()) // 1000} kB", flush=True)
        if len(text.encode()) > LARGEST:
            large.append(name)
    if large:
        print(f"larger than {LARGEST // 1000} kB: {', '.join(large)}", file=sys.stderr)
    return 1 if large else 0


if __name__ == "__main__":
    sys.exit(main())
