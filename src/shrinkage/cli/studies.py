"""Commands on a study file: show, compare, export, merge and recover."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from shrinkage.cli.words import choice
from shrinkage.data.description import counted
from shrinkage.errors import SettingError
from shrinkage.terminal.screen import Screen


def show(raw: Mapping[str, Any], _: str) -> int:
    """Say what is in a study file."""
    from shrinkage.archive.summary import summary

    found = summary(raw["file"])
    if raw["json"]:
        _screen(raw).json(_plain(found))
    else:
        _screen(raw).study(found)
    return 0


def compare(raw: Mapping[str, Any], _: str) -> int:
    """Lay two study files side by side."""
    from shrinkage.archive.comparing import compare as compared

    found = compared(raw["first"], raw["second"])
    if raw["json"]:
        _screen(raw).json(
            _plain(found) | {"first": _plain(found.first), "second": _plain(found.second)}
        )
    else:
        _screen(raw).comparison(found)
    return 0


def export(raw: Mapping[str, Any], _: str) -> int:
    """Write a study file's tables for other programs."""
    from shrinkage.archive.exporting import FORMATS
    from shrinkage.archive.exporting import export as exported

    to = choice("format", raw["to"], FORMATS)
    screen = _screen(raw)
    with screen.working(f"writing {to}"):
        folder = exported(raw["file"], to, raw["output"])
    screen.written("Folder", folder)
    return 0


def merge(raw: Mapping[str, Any], command: str) -> int:
    """Write two study files as one."""
    from shrinkage.archive.merging import merge as merged

    screen = _screen(raw)
    with screen.working("merging"):
        found = merged(raw["first"], raw["second"], raw["output"], command)
    said = f"{counted(found.fits, 'fit')}, {found.shared:,} of them in both"
    if found.differing:
        said += (
            f"; {found.differing:,} of these differ between the two, and those of the first are "
            "kept: shrinkage compare says more"
        )
    screen.note(f"{said}.")
    screen.written("Study", Path(raw["output"]).absolute())
    return 0


def recover(raw: Mapping[str, Any], _: str) -> int:
    """Save what is left of a damaged study file."""
    from shrinkage.archive.salvage import recover as recovered

    source = Path(raw["file"])
    output = raw["output"] or str(source.with_stem(f"{source.stem}-recovered"))
    screen = _screen(raw)
    with screen.working("reading what is left"):
        found = recovered(source, output)
    lost = f"{found.damaged:,} lost"
    if not found.exact:  # of those that were in what is gone, nothing is known
        lost = f"at least {lost}" if found.damaged else "an unknown number lost"
    screen.note(f"{counted(found.fits, 'fit')} recovered, {lost}.")
    if not found.data:
        screen.note("The data are lost: run the study's command again, with --study, to go on.")
    if not found.plan:
        screen.note(
            "What was to be tried is lost: a report of a λ path rests on its fits alone; or run "
            "the study's command again, with --study, to train what is missing."
        )
    screen.written("Study", Path(output).absolute())
    return 0


def _screen(raw: Mapping[str, Any]) -> Screen:
    as_json, quiet = bool(raw.get("json")), bool(raw.get("quiet"))
    if as_json and quiet:
        raise SettingError("--json and --quiet exclude each other; choose one")
    return Screen(json=as_json, quiet=quiet)


def _plain(found: Any) -> dict[str, Any]:
    said = asdict(found)
    return said | ({"path": str(said["path"])} if "path" in said else {})
