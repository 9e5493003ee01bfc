"""Results on disk: one JSON file for each kind of machine, and the same as a page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.machine import describe, versions
from benchmarks.table import Row, Section, as_markdown

FOLDER = Path(__file__).parent / "results"


def place(machine: dict[str, Any], folder: Path = FOLDER) -> Path:
    """The JSON file of a machine: named by its processor and cores, not by itself."""
    name = re.sub(r"\W+", "-", f"{machine['processor']} {machine['cores']} cores".lower())
    return folder / f"{name.strip('-')}.json"


def record(sections: Iterable[Section], folder: Path = FOLDER) -> Path:
    """Store sections; those of other benchmarks stay if versions are still the same."""
    machine, used = describe(), versions()
    path = place(machine, folder)
    kept: dict[str, Section] = {}
    if path.exists():
        stored = json.loads(path.read_text())
        if stored["machine"] == machine and stored["versions"] == used:
            kept = {section["benchmark"]: _section(section) for section in stored["sections"]}
    kept |= {section.benchmark: section for section in sections}
    folder.mkdir(exist_ok=True)
    content = {
        "machine": machine,
        "versions": used,
        "sections": [_as_json(section) for section in kept.values()],
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    path.with_suffix(".md").write_text(page(machine, used, list(kept.values())))
    return path


def page(machine: dict[str, Any], used: dict[str, str], sections: list[Section]) -> str:
    """The results for a reader."""
    facts = "; ".join(f"{name}: {value}" for name, value in machine.items())
    packages = ", ".join(f"{name} {value}" for name, value in used.items())
    about = "\n".join(
        f"- `python -m benchmarks {section.benchmark}`: {section.measured}, {section.rounds} rounds"
        + (
            f", {section.others:.2f} cores busy with other programs meanwhile"
            if section.others is not None
            else ""
        )
        for section in sections
    )
    return (
        f"# Measured\n\n{facts}\n\n{packages}\n\n"
        f"`make bench` measures all of it again.\n\n{about}\n\n"
        "A ratio is that of two medians; brackets hold the least and the largest of a single "
        f"round.\n\n{as_markdown(sections)}\n"
    )


def _as_json(section: Section) -> dict[str, Any]:
    return {
        "benchmark": section.benchmark,
        "measured": section.measured,
        "seconds": section.seconds,
        "rounds": section.rounds,
        "others": section.others,
        "rows": [row.as_json() for row in section.rows],
    }


def _section(stored: dict[str, Any]) -> Section:
    return Section(**(stored | {"rows": tuple(Row.from_json(row) for row in stored["rows"])}))
