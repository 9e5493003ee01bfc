"""Every exhibit of the lesson, in its order."""

from __future__ import annotations

from collections.abc import Sequence

from shrinkage.errors import require_known
from shrinkage.lesson.checklist import Checklist
from shrinkage.lesson.exhibited import LessonExhibit
from shrinkage.lesson.kinds import Kinds
from shrinkage.lesson.l2 import WithL2
from shrinkage.lesson.lambdas import Lambdas
from shrinkage.lesson.neurons import Neurons

EXHIBITS: tuple[LessonExhibit, ...] = (Neurons(), WithL2(), Kinds(), Lambdas(), Checklist())


def chosen(names: Sequence[str] = ()) -> tuple[LessonExhibit, ...]:
    """The exhibits of these names, in the lesson's order whatever theirs; all without a name.

    Raises
    ------
    SettingError
        On a name that no exhibit has.
    """
    known = [exhibit.name for exhibit in EXHIBITS]
    for name in names:
        require_known("exhibit", name, known)
    return tuple(one for one in EXHIBITS if not names or one.name in names)
