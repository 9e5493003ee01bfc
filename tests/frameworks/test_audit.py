"""The record of an audit and its views, without any framework."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shrinkage.frameworks import audit_checks as checks
from shrinkage.frameworks.audit import Action, Audit, Flag, Row, of_penalty, ordered
from shrinkage.frameworks.audit_text import numbered
from shrinkage.frameworks.parameters import Kind, Parameter
from shrinkage.penalties import L1, L2, ElasticNet, GroupLasso

L2_IN_LOSS = Action("kernel_regularizer=L2(0.01)", "loss", l2=0.02)
L1_IN_LOSS = Action("kernel_regularizer=L1(0.01)", "loss", l1=0.01)
DECAY = Action("AdamW(weight_decay=0.01)", "decoupled", decay=1e-5)
COUPLED = Action("SGD(weight_decay=0.1)", "gradient", l2=0.1)
PROXIMAL = Action("Proximal(L1(), λ=0.01)", "proximal", l1=0.01)
LIMIT = Action("kernel_constraint=MaxNorm(max_value=3)", "limit")


def row(name: str, kind: Kind, *actions: Action, layer_type: str = "Dense", **facts: Any) -> Row:
    given = {"shape": (3, 2), "trainable": True} | facts
    return Row(Parameter(name, kind, name.partition("/")[0], layer_type, **given), actions)


def found(*rows: Row) -> list[str]:
    return [flag.check for flag in checks.check(rows, {})]


GOOD = row("a/kernel", "hidden kernel", L2_IN_LOSS)
FREE = (row("a/bias", "bias"), row("z/kernel", "output kernel"), row("z/bias", "bias"))


@pytest.mark.parametrize("action", [L2_IN_LOSS, DECAY, COUPLED, PROXIMAL])
def test_a_penalty_on_hidden_kernels_alone_is_not_flagged(action: Action) -> None:
    assert found(row("a/kernel", "hidden kernel", action), *FREE) == []


@pytest.mark.parametrize("action", [L2_IN_LOSS, DECAY, COUPLED, PROXIMAL])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("bias", checks.BIASES),
        ("normalization", checks.NORMALIZATION),
        ("output kernel", checks.OUTPUT),
        ("embedding", checks.EMBEDDINGS),
    ],
)
def test_what_should_be_free(action: Action, kind: Kind, name: str) -> None:
    flags = checks.check((GOOD, row("b/it", kind, action)), {name: "code"})
    (flag,) = flags
    assert (flag.check, flag.severity, flag.where, flag.code) == (
        name,
        "warning",
        ("b/it",),
        "code",
    )
    assert action.setting in flag.sentence
    assert "b/it" in flag.sentence
    assert flag.remedy


def test_slopes_of_prelu_are_not_to_decay() -> None:
    slopes = row("p/alpha", "other", DECAY, layer_type="PReLU")
    assert found(GOOD, slopes) == [checks.SLOPES]
    assert found(GOOD, row("p/alpha", "other", DECAY, layer_type="Own")) == []


def test_l1_in_the_loss_leaves_no_zeros_and_a_proximal_step_does() -> None:
    assert found(row("a/kernel", "hidden kernel", L1_IN_LOSS)) == [checks.NO_ZEROS]
    group = Action("PenaltyTerm", "loss", group=0.1)
    (flag,) = checks.check([row("a/kernel", "hidden kernel", group)], {})
    assert "a group lasso" in flag.sentence
    assert found(row("a/kernel", "hidden kernel", PROXIMAL)) == []


def test_two_penalties_on_one_weight() -> None:
    assert found(row("a/kernel", "hidden kernel", L2_IN_LOSS, DECAY)) == [checks.TWICE]
    assert found(row("a/kernel", "hidden kernel", COUPLED, COUPLED)) == [checks.TWICE]
    elastic = (Action("l1", "proximal", l1=0.1), COUPLED)  # one of each is an elastic net
    assert found(row("a/kernel", "hidden kernel", *elastic)) == []


def test_kernels_with_nothing() -> None:
    bare = row("b/kernel", "hidden kernel")
    assert found(bare) == [checks.BARE]
    (flag,) = checks.check([GOOD, bare], {})
    assert flag.where == ("b/kernel",)
    assert flag.sentence.startswith("Some hidden kernels are not")
    assert checks.check([bare], {})[0].sentence.startswith("No hidden kernel is")
    assert found(GOOD, row("b/kernel", "hidden kernel", trainable=False)) == []
    outputs = Action("activity_regularizer=L2", "outputs")
    assert found(row("a/kernel", "hidden kernel", outputs)) == [checks.BARE]


def test_a_limit_is_told_from_a_penalty() -> None:
    (flag,) = checks.check([row("a/kernel", "hidden kernel", LIMIT)], {})
    assert (flag.check, flag.severity) == (checks.LIMITS, "note")


def test_an_order_that_may_be_another_is_a_note_only() -> None:
    (sure,) = checks.dropout_first([("d", "n")], sure=True, code="")
    (likely,) = checks.dropout_first([("d", "n")], sure=False, code="")
    assert (sure.severity, likely.severity) == ("warning", "note")
    assert "order in which layers are defined" in likely.sentence
    assert list(checks.dropout_first([], sure=True, code="")) == []


def test_one_setting_takes_a_verb_in_the_singular() -> None:
    one = checks.check([GOOD, row("b", "bias", DECAY)], {})[0].sentence
    two = checks.check([GOOD, row("b", "bias", DECAY), row("c", "bias", COUPLED)], {})[0].sentence
    assert one.startswith("AdamW(weight_decay=0.01) shrinks biases: b. ")
    assert two.startswith("AdamW(weight_decay=0.01) and SGD(weight_decay=0.1) shrink biases: b and")


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (L2_IN_LOSS, "λ₂ = 0.02"),
        (Action("", "loss", l1=0.1, l2=0.2), "λ₁ = 0.1, λ₂ = 0.2"),
        (Action("", "proximal", group=0.3), "group λ = 0.3"),
        (DECAY, "no λ: lr · wd = 0.00001 a step"),
        (LIMIT, "no λ: a limit"),
        (Action("", "outputs"), "no λ: on outputs"),
        (Action("", "unknown"), "not known"),
        (Action("", "proximal"), "λ = 0 now"),
    ],
)
def test_strength_in_words(action: Action, words: str) -> None:
    assert action.words == words


@pytest.mark.parametrize(
    ("penalty", "parts"),
    [
        (L1(), (0.4, 0.0, 0.0)),
        (L2(), (0.0, 0.4, 0.0)),
        (ElasticNet(0.25), (0.1, 0.3, 0.0)),
        (GroupLasso(), (0.0, 0.0, 0.4)),
    ],
)
def test_a_penalty_of_this_package_as_an_action(penalty: Any, parts: tuple[float, ...]) -> None:
    action = of_penalty("", "loss", penalty, 0.4)
    assert (action.l1, action.l2, action.group) == pytest.approx(parts)


ROWS = (
    row("net/a<b>/kernel", "hidden kernel", L2_IN_LOSS, LIMIT, shared=("net/z/kernel",)),
    row("net/a/bias", "bias", DECAY, shape=(3,)),
    row("net/scale", "other", shape=()),
    row("net/frozen", "hidden kernel", trainable=False),
)
BOTH = ("net/a/bias", "net/scale")
FLAGS = ordered(
    (
        Flag("small", "note", "A note."),
        Flag("same", "warning", "Twice.", ("net/a/bias",), "do it", "code()\nmore()"),
        Flag(
            "first", "error", "An <error>.", ("net/a/bias", "net/scale"), "do it", "code()\nmore()"
        ),
    )
)
AUDIT = Audit("Keras", "net", "AdamW(lr=0.001)", ROWS, FLAGS)
NOTHING = Audit("PyTorch", "Net", "", ROWS[3:])


def test_the_most_severe_comes_first() -> None:
    assert [flag.severity for flag in AUDIT.flags] == ["error", "warning", "note"]
    assert AUDIT.flagged
    assert not NOTHING.flagged
    assert not Audit("", "", "", (), FLAGS[2:]).flagged  # a note alone is nothing to fail for
    assert [AUDIT.flags_of(each.parameter) for each in ROWS] == [(), (1, 2), (1,), ()]


def test_title_counts() -> None:
    assert AUDIT.title == "Keras net: 4 parameters of 16 numbers, 12 of them in hidden kernels"
    assert NOTHING.title.startswith("PyTorch Net: 1 parameter of 6 numbers")


def test_as_text() -> None:
    lines = str(AUDIT).splitlines()
    assert lines[:3] == [AUDIT.title, "Optimizer: AdamW(lr=0.001)", ""]
    assert re.split(r"  +", lines[4]) == [
        "net/a<b>/kernel = net/z/kernel",
        "hidden kernel",
        "3 × 2",
        "kernel_regularizer=L2(0.01)",
        "λ₂ = 0.02",
    ]
    assert lines[5].split("  ")[-1] == "no λ: a limit"
    assert re.split(r"  +", lines[6])[-1] == "1, 2"
    assert re.split(r"  +", lines[7]) == ["net/scale", "other", "1", "nothing", "1"]
    assert "frozen" in lines[8]
    assert "1 error: first. An <error>." in lines
    assert lines.count("    code()") == 1  # the same code is not said twice
    assert "  Remedy: do it, with the code of 1." in lines
    assert all(line == line.rstrip() for line in lines)
    assert str(NOTHING).endswith("Nothing is flagged.")


def test_flags_without_a_remedy_say_none() -> None:
    assert [(shown.remedy, shown.code) for shown in numbered(AUDIT)] == [
        ("Remedy: do it.", "code()\nmore()"),
        ("Remedy: do it, with the code of 1.", ""),
        ("", ""),
    ]


def test_as_a_data_frame() -> None:
    frame = AUDIT.to_frame()
    assert list(frame["parameter"]) == [each.parameter.name for each in ROWS]
    first, second = frame.iloc[0], frame.iloc[1]
    assert first["setting"] == f"{L2_IN_LOSS.setting}; {LIMIT.setting}"
    assert (first["lambda2"], first["decay_per_step"]) == (0.02, 0.0)
    assert (second["decay_per_step"], second["flags"]) == (1e-5, "first; same")
    assert frame["numbers"].sum() == 16
    assert frame["lambda1"].dtype == float


def test_as_json() -> None:
    document = json.loads(json.dumps(AUDIT.to_dict()))
    assert document["parameters"][0]["shape"] == [3, 2]
    assert document["parameters"][0]["actions"][0]["words"] == "λ₂ = 0.02"
    assert document["parameters"][1]["flags"] == [1, 2]
    assert document["flags"][0]["code"] == "code()\nmore()"


def test_html_is_escaped_and_asks_for_nothing() -> None:
    page = AUDIT._repr_html_()
    assert "net/a&lt;b&gt;/kernel" in page
    assert "An &lt;error&gt;." in page
    assert "http" not in page
    assert page.count("<tr") == 1 + 5
    assert 'rowspan="2"' in page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_html_in_a_browser(page: Any, tmp_path: Path, scheme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    colours = {"light": "#fff; color: #111", "dark": "#111; color: #ddd"}[scheme]
    file = tmp_path / "audit.html"
    file.write_text(
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>audit</title></head>"
        f"<body style='background: {colours}'><main><h1>Audit</h1>{AUDIT._repr_html_()}</main>",
        encoding="utf-8",
    )
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # The text is the page's own colour, in the table and in the code.
    body = page.evaluate("getComputedStyle(document.body).color")
    assert page.locator("td").first.evaluate("e => getComputedStyle(e).color") == body
    assert page.locator("pre").first.evaluate("e => getComputedStyle(e).color") == body
    assert page.locator("th[scope=row]").count() == len(ROWS)
    assert Axe().run(page).response["violations"] == []
