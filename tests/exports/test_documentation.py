"""The page about exports runs."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "exports.md"


def test_blocks_run(tmp_path, monkeypatch):
    """Python blocks run in their order, as one program."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 7
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "exports"}
    for number, block in enumerate(blocks, start=1):
        exec(compile(block, f"{PAGE.name}, block {number}", "exec"), namespace)
    assert {path.name for path in tmp_path.iterdir()} == {
        "wine.onnx",
        "wine.pt",
        "wine.shrinkage",
    }
