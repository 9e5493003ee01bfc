"""Text from strangers, on one line and harmless."""

from __future__ import annotations

import pytest

from shrinkage.terminal.plain import plain, say


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("λ = 0.1, naïve, 日本", "λ = 0.1, naïve, 日本"),
        ("one\r\ntwo\tthree", "one  two three"),
        ("\x1b[31mred\x07\x9b2J", "\ufffd[31mred\ufffd\ufffd2J"),
        ("user\u202egpj.exe", "user\ufffdgpj.exe"),
        ("bad name \udcff", "bad name \ufffd"),
    ],
)
def test_plain(text: str, shown: str) -> None:
    assert plain(text) == shown
    plain(text).encode("utf-8")


def test_say_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    say("first\nsecond")
    assert capsys.readouterr() == ("", "shrinkage: error: first second\n")
