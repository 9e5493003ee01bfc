from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any, cast

from rich.console import Console, Group

from shrinkage.terminal.sections import findings

SIMPLE = "Simpler by 2 of 9 measures, beyond the spread of 3 seeds: path norm 10.8 → 1.2."


def printed(sentences: tuple[tuple[str, str], ...], *notes: str) -> str:
    found = SimpleNamespace(
        diagnosis=SimpleNamespace(heading="overfits"), sentences=sentences, notes=notes
    )
    out = io.StringIO()
    Console(file=out, width=200).print(Group(*findings(cast(Any, found))))
    return out.getvalue()


def test_findings_are_numbered_and_the_first_has_its_verdict() -> None:
    lines = printed((("Diagnosis", "The gap is 0.2."), ("Simplicity", SIMPLE))).splitlines()
    assert lines[0] == "1 Diagnosis: overfits"
    assert lines[1].strip() == "The gap is 0.2."
    assert "2 Simplicity" in lines
    assert lines[lines.index("2 Simplicity") + 1].strip() == SIMPLE


def test_notes_follow() -> None:
    text = printed((("Diagnosis", "The gap is 0.2."),), "One refit is missing.")
    assert "Note" in text
    assert text.index("One refit is missing.") > text.index("The gap is 0.2.")
