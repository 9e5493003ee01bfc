"""Every exhibit of the lesson, in its order."""

from __future__ import annotations

from collections.abc import Sequence

from shrinkage.errors import require_known
from shrinkage.lesson.checklist import Checklist
from shrinkage.lesson.exercises import Exercises
from shrinkage.lesson.exhibited import LessonExhibit
from shrinkage.lesson.kinds import Kinds
from shrinkage.lesson.l2 import WithL2
from shrinkage.lesson.lambdas import Lambdas
from shrinkage.lesson.neurons import Neurons
from shrinkage.lesson.small_weights import SmallWeights
from shrinkage.lesson.starting import Starting
from shrinkage.lesson.together import Together
from shrinkage.lesson.update_rule import UpdateRule

EXHIBITS: tuple[LessonExhibit, ...] = (
    Neurons(),
    UpdateRule(),
    WithL2(),
    Kinds(),
    Lambdas(),
    Checklist(),
    Starting(),
    SmallWeights(),
    Together(),
    Exercises(),
)


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
