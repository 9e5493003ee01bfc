"""An audit fits its terminal, and letters stand for what acts where there is little room."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from shrinkage.frameworks.audit import Action, Audit, Flag, Row
from shrinkage.frameworks.parameters import Parameter
from shrinkage.terminal.audit import audited

DECAY = Action("AdamW(weight_decay=0.01)", "decoupled", decay=1e-5)
LIMIT = Action("kernel_constraint=MaxNorm(max_value=3)", "limit")


def audit(number: int = 3, name: str = "layer") -> Audit:
    """Every parameter has the decay and a penalty of its own."""
    rows = tuple(
        Row(
            Parameter(f"{name}{n}/kernel", "hidden kernel", "", "Dense", (64, 128), trainable=True),
            (Action(f"kernel_regularizer=L2({n + 1})", "loss", l2=n + 1.0), DECAY),
        )
        for n in range(number)
    )
    code = (
        "regularize(model, L2(), lam=0.02)  # " + "so long that it is wider than any terminal " * 3
    )
    flag = Flag("a check", "warning", "It is so. " * 12, (f"{name}0/kernel",), "do it", code)
    return Audit("Keras", "net", "AdamW(lr=0.001)", rows, (flag,))


def printed(found: Audit, width: int, *, colour: bool = False) -> list[str]:
    file = StringIO()
    console = Console(file=file, width=width, force_terminal=colour, highlight=False)
    for part, whole in audited(found):
        console.print(part, soft_wrap=whole)
    return [line.rstrip() for line in file.getvalue().splitlines()]


@pytest.mark.parametrize("width", [40, 80, 110])
def test_it_fits_the_width(width: int) -> None:
    lines = printed(audit(), width)
    (code,) = [line for line in lines if "regularize(model" in line]
    assert len(code) > width  # code that is broken would be no code
    assert max(len(line) for line in lines if line != code) <= width


def test_letters_where_there_is_little_room() -> None:
    lines = [" ".join(line.split()) for line in printed(audit(), 80)]
    assert "layer0/kernel hidden kernel 64 × 128 a, b 1" in lines
    assert "layer1/kernel hidden kernel 64 × 128 c, b" in lines
    assert "b AdamW(weight_decay=0.01) no λ: lr · wd = 0.00001 a step" in lines
    assert "c kernel_regularizer=L2(2) λ₂ = 2" in lines


def test_all_in_one_table_where_there_is_room() -> None:
    lines = [" ".join(line.split()) for line in printed(audit(), 120)]
    assert "layer0/kernel hidden kernel 64 × 128 kernel_regularizer=L2(1) λ₂ = 1 1" in lines
    assert lines.count("AdamW(weight_decay=0.01) no λ: lr · wd = 0.00001 a step") == 3


def test_more_than_26_settings() -> None:
    lines = [" ".join(line.split()) for line in printed(audit(30), 80)]
    assert "aa kernel_regularizer=L2(26) λ₂ = 26" in lines
    assert "ae kernel_regularizer=L2(30) λ₂ = 30" in lines


def test_long_names_are_all_there() -> None:
    name = "block_with_a_very_long_name_" * 4
    lines = printed(audit(1, name), 80)
    first = lines.index(next(line for line in lines if line.startswith("parameter"))) + 1
    column = [line.split("  ")[0] for line in lines[first : lines.index("", first)]]
    assert "".join(column) == f"{name}0/kernel"


def test_nothing_acts() -> None:
    rows = tuple(
        Row(Parameter(name, "bias", "", "Dense", (3,), trainable=free))
        for name, free in (("a", True), ("b", False))
    )
    lines = [" ".join(line.split()) for line in printed(Audit("PyTorch", "Net", "", rows, ()), 80)]
    assert lines[3:] == ["a bias 3 nothing", "b bias 3 frozen", "", "Nothing is flagged."]


def test_severities_have_colours_beside_their_words() -> None:
    text = "\n".join(printed(audit(), 80, colour=True))
    assert "\x1b[1;33m1 warning: a check.\x1b[0m" in text
