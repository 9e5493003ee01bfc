"""``shrinkage lambda``: what a number of one setting is in another."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from shrinkage.cli.words import words
from shrinkage.conventions import (
    SETTINGS,
    Conversion,
    Setting,
    convert,
    find,
    missing,
    obstacle,
)
from shrinkage.conventions.wording import OURS, assigned, shown, to_ours
from shrinkage.errors import SettingError
from shrinkage.terminal.screen import Screen
from shrinkage.terminal.sections import labelled

_EXAMPLE = Fraction(1, 100)
_USUAL: dict[str, Any] = {
    "rows": 800,
    "batch_size": 32,
    "learning_rate": Fraction(1, 1000),
    "l1_ratio": Fraction(1, 2),
    "momentum": Fraction(9, 10),
}
"""What the list of all settings assumes where nothing is said."""
_WIDEST = 110
_PARTS = (("λ₁", "lambda1"), ("λ₂", "lambda2"))
_WATCH = (
    "Settings of a regression are for one target, the others for classes, unless --targets says "
    "more. What each acts on, and what to watch: the same command with --to."
)


def carry_out(raw: Mapping[str, Any]) -> int:
    """Convert and print.

    Parameters
    ----------
    raw : mapping
        Values by their names in :data:`shrinkage.cli.declared.CONVERSION`.

    Returns
    -------
    int
        0.

    Raises
    ------
    SettingError
        Where there is no conversion, or the command cannot be understood.
    """
    if raw["json"] and raw["quiet"]:
        raise SettingError("--json and --quiet exclude each other; choose one")
    numbers = None if raw["value"] is None else _numbers(raw["value"])
    around = _around(raw)
    if raw["list"] or not (raw["source"] or raw["target"] or numbers):
        return _all(numbers or (_EXAMPLE,), _USUAL | around, raw)
    if raw["source"] is None:
        raise SettingError(
            "which setting is the number of? add --from, such as --from keras.l2, or "
            "--from shrinkage.l2 for λ₂ itself"
        )
    if numbers is None:
        raise SettingError(
            "which number? write it first, such as: shrinkage lambda 0.01 --from "
            f"{find(raw['source']).name}"
        )
    source = find(raw["source"])
    if raw["target"] is None:
        return _everywhere(numbers, source, around, raw)
    conversion = _convert(numbers, source, find(raw["target"]), around)
    if raw["quiet"]:
        _print(Text(",".join(repr(value) for value in conversion.values.values())))
    elif raw["json"]:
        Screen(json=True).json(_document(conversion))
    else:
        _print(*_answer(conversion))
    return 0


def _numbers(text: str) -> tuple[float | Fraction, ...]:
    """The value; a decimal is taken as it is written, not as the nearest binary number."""
    found = []
    for word in words(text):
        try:
            found.append(_decimal(float(word)))
        except ValueError:
            raise SettingError(
                f"'{word}' is not a number; write one such as 0.01, or two separated by a comma"
            ) from None
    if not found:
        raise SettingError("the value is empty; write a number such as 0.01")
    return tuple(found)


def _decimal(number: float) -> float | Fraction:
    try:
        return Fraction(repr(number))
    except ValueError:  # infinite or not a number, which the rooms refuse with a sentence
        return number


def _around(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of :func:`convert` that were given."""
    names = ("rows", "batch_size", "learning_rate", "to_learning_rate", "momentum", "l1_ratio")
    given = {name: raw[name] for name in (*names, "targets") if raw[name] is not None}
    return {
        name: _decimal(value) if isinstance(value, float) else value
        for name, value in given.items()
    }


def _convert(
    numbers: tuple[float | Fraction, ...],
    source: Setting,
    target: Setting,
    around: Mapping[str, Any],
) -> Conversion:
    reason = obstacle(source, target)
    if reason is not None:
        raise SettingError(reason)
    lacking = missing(source, target, len(numbers), around)
    if lacking is not None:
        raise SettingError(f"{lacking[1]}; add {_option(lacking[0])}")
    return convert(numbers, source.name, target.name, **around)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _answer(conversion: Conversion) -> list[RenderableType]:
    """The number, how it comes about, and what to watch."""
    code, (to_ours, from_ours) = conversion.code, conversion.formulas
    source, target = conversion.source, conversion.target
    how: list[str] = to_ours
    if conversion.rates is None:
        parts = [(source.l1, conversion.strength.l1), (source.l2, conversion.strength.l2)]
        numbers = [shown(part) for able, part in parts if able is not None]
        lines = [f"{formula} = {number}" for formula, number in zip(to_ours, numbers)]
        how = [line for line, number in zip(lines, numbers) if number != "0"] or lines
        how.append(f"in {OURS}")
    rows = [
        ("From", [f"{source.framework}: {code[0]}"], ""),
        ("λ", how, ""),
        ("To", [f"{target.framework}: {code[1]}", ", ".join(from_ours)], ""),
        ("Same", [conversion.sameness], ""),
        ("Watch", conversion.notes, "yellow"),
    ]
    return [Text(assigned(target, conversion.exact), style="bold"), Text(""), labelled(rows)]


def _document(conversion: Conversion) -> dict[str, Any]:
    """What `--json` prints."""
    sides = (conversion.source, conversion.given), (conversion.target, conversion.exact)
    each = [
        {
            "setting": setting.name,
            "framework": setting.framework,
            "values": dict(zip(setting.arguments, map(float, values))),
            "code": code,
            "formulas": formulas,
        }
        for (setting, values), code, formulas in zip(sides, conversion.code, conversion.formulas)
    ]
    coupled = conversion.rates is None
    return {
        "from": each[0],
        "to": each[1],
        "lambda1": float(conversion.strength.l1) if coupled else None,
        "lambda2": float(conversion.strength.l2) if coupled else None,
        "same": conversion.sameness,
        "watch": list(conversion.notes),
    }


def _everywhere(
    numbers: tuple[float | Fraction, ...],
    source: Setting,
    around: Mapping[str, Any],
    raw: Mapping[str, Any],
) -> int:
    """One number in every setting that has one for it."""
    given = _convert(numbers, source, source, around).given  # what is wrong with it, says this
    found: list[tuple[Setting, Conversion | None, str]] = []
    for target in SETTINGS:
        if target.name == source.name or obstacle(source, target) is not None:
            continue
        lacking = missing(source, target, len(numbers), around)
        if lacking is not None:
            found.append((target, None, f"add {_option(lacking[0])}"))
            continue
        try:
            found.append((target, convert(numbers, source.name, target.name, **around), ""))
        except SettingError:  # of a part that the target cannot express
            continue
    if raw["json"]:
        Screen(json=True).json({"conversions": [_document(each) for _, each, _ in found if each]})
        return 0
    if raw["quiet"]:
        raise SettingError("--quiet prints one number; add --to, or leave it")
    table = _table("setting", "numbers", "formula")
    for target, conversion, lack in found:
        if conversion is None:
            table.add_row(Text(target.name), Text(lack, style="dim"), Text(""))
        else:
            said = assigned(target, conversion.exact).replace(", ", "\n")
            table.add_row(Text(target.name), Text(said), Text("\n".join(conversion.formulas[1])))
    title = Text(f"{source.name}: {assigned(source, given)} is", style="bold")
    _print(title, Text(""), table, Text(""), Text(_WATCH))
    return 0


def _all(
    numbers: tuple[float | Fraction, ...], around: Mapping[str, Any], raw: Mapping[str, Any]
) -> int:
    """Every setting, with its λ for one number."""
    if raw["quiet"]:
        raise SettingError("--quiet prints one number; add --from and --to, or leave it")
    if len(numbers) > 1:
        raise SettingError("the list shows what one number is in every setting; write one")
    lines = [_line(setting, numbers, around) for setting in SETTINGS]
    if raw["json"]:
        assumed = {name: float(around[name]) for name in _USUAL}
        Screen(json=True).json({"settings": lines, "assumed": assumed})
        return 0
    table = _table("setting", f"λ for {', '.join(map(shown, numbers))}", "formula")
    for line in lines:
        parts = [f"{symbol} {shown(line[name])}" for symbol, name in _PARTS if line[name]]
        lam = Text("\n".join(parts)) if parts else Text("none", style="dim")
        table.add_row(Text(line["setting"]), lam, Text("\n".join(line["formulas"])))
    said = (
        f"With {around['rows']:,} rows, batches of {around['batch_size']:,}, l1_ratio "
        f"{shown(around['l1_ratio'])} and momentum {shown(around['momentum'])}. Decoupled decay "
        "has no λ."
    )
    _print(Text(f"λ in {OURS}", style="bold"), Text(""), table, Text(""), Text(said))
    return 0


def _line(
    setting: Setting, numbers: tuple[float | Fraction, ...], around: Mapping[str, Any]
) -> dict[str, Any]:
    """One setting as a line of the table of all."""
    if len(setting.arguments) == 2 and not setting.mixes:
        numbers = (numbers[0], numbers[0])
    if setting.loss != "any":  # which decides on the targets
        around = {name: value for name, value in around.items() if name != "targets"}
    found = convert(numbers, setting.name, setting.name, **around)
    coupled = not setting.decoupled
    return {
        "setting": setting.name,
        "framework": setting.framework,
        "arguments": list(setting.arguments),
        "lambda1": float(found.strength.l1) if coupled else None,
        "lambda2": float(found.strength.l2) if coupled else None,
        "formulas": to_ours(setting, found.around),
        "code": setting.code,
    }


def _table(*titles: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="bold")
    for place, title in enumerate(titles):
        table.add_column(title, no_wrap=place == 0, overflow="fold")
    return table


def _print(*parts: RenderableType) -> None:
    """On stdout, without the spaces that rich fills lines with."""
    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    console.width = min(console.width, _WIDEST)
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))
