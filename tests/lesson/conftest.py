"""One exhibit, trained and read on small settings, and what is asked of every one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shrinkage.figures.screen import Stage
from shrinkage.lesson.exhibited import Exhibited, LessonExhibit, Setting
from shrinkage.lesson.runner import Lesson
from shrinkage.report.lesson_pictures import group_of


def exhibited(exhibit: LessonExhibit, setting: Setting) -> Exhibited:
    """Train and read it."""
    lesson = Lesson([exhibit], setting)
    list(lesson)
    assert lesson.unread == []
    (found,) = lesson.exhibited
    return found


def suits_a_page(one: Exhibited) -> None:
    """Whole sentences without a number that is none, rows as wide as their heads, figures."""
    assert one.claims
    assert not one.title.endswith(".")
    sentences = [*one.text, *one.notes]
    sentences += [words for claim in one.claims for words in (claim.text, claim.measured)]
    sentences += [picture.caption for picture in one.pictures]
    for sentence in sentences:
        assert sentence.endswith((".", "!", "?")), sentence
        assert ".." not in sentence, sentence
        assert "nan" not in sentence.split(), sentence
    for _, table in one.tables:
        assert {len(row) for row in table.rows} == {len(table.columns)}
    stage = Stage()
    for place, picture in enumerate(one.pictures):
        group = group_of(picture, stage, f"{one.name}-{place}")
        assert group.caption
        assert group.pictures


def printed_by(code: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a program as it is shown."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(code, "shown", "exec"), names)
    return capsys.readouterr().out


@pytest.fixture(name="exhibited", scope="session")
def exhibited_fixture() -> Callable[[LessonExhibit, Setting], Exhibited]:
    return exhibited


@pytest.fixture(name="suits_a_page", scope="session")
def suits_a_page_fixture() -> Callable[[Exhibited], None]:
    return suits_a_page


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    return lambda code: printed_by(code, capsys)
