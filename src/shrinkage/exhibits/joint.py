"""The joint search as an exhibit: its record with a headline and a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from shrinkage.exhibits.exhibit import Table
from shrinkage.intervals import decimals
from shrinkage.scores import NAMES, unit
from shrinkage.tune.joint import Joint, Tried

_SHOWN = 30
"""Recipes in the table, the best first."""


@dataclass(frozen=True, eq=False)
class JointRecord:
    """A :class:`shrinkage.exhibits.Record` of a joint search.

    Parameters
    ----------
    joint : Joint
        What was found.
    """

    joint: Joint

    name: ClassVar[str] = "joint-search"

    @property
    def headline(self) -> str:
        """The point, in one short sentence."""
        found = self.joint
        gain = found.gain
        if found.best is None:
            return "No recipe was trained on every fold"
        if gain is None or gain.low <= 0:
            return "It is unclear whether any recipe helps"
        amount = gain.with_unit(unit(found.metric, found.data))
        return f"The best recipe gains {amount} in {NAMES[found.metric]}"

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings."""
        return self.joint.sentences

    @property
    def notes(self) -> tuple[str, ...]:
        """What is missing."""
        found = self.joint
        flattery = (
            "Which recipes were tried on every fold, and what the sampler tried next, was decided "
            "by validation rows: the gain above may still look a little better than it is. The "
            "untouched test rows decide."
        )
        notes = [flattery]
        if found.best is not None and not found.ablations:
            notes.append(
                "The budget had no room for an ablation, so which ingredient helps is not told; "
                "give a larger --budget."
            )
        if found.ablations:
            notes.append(
                "The recipe was chosen on the same validation rows that the ablation measures "
                "(with other seeds): a recipe chosen so looks somewhat better there than it is, "
                "and so does what belongs to it."
            )
        return tuple(notes)

    @property
    def table(self) -> Table:
        """The base and the recipes, most folds and best score first."""
        found = self.joint
        suffix = f" ({unit(found.metric, found.data)})" if unit(found.metric, found.data) else ""
        ranked = sorted(found.tried, key=lambda one: (-one.folds, -found.sign * one.mean))
        shown = [one for one in ranked if one.folds][:_SHOWN]
        base = Tried(-1, found.base, found.base_scores, complete=True)
        values = [base.mean, *(one.mean for one in shown)]
        places = decimals(*values)
        rows = [
            (name, f"{one.mean:.{places}f}", str(one.folds), words)
            for name, one, words in [
                ("none", base, "without regularization"),
                *((str(one.number + 1), one, one.candidate.label(found.base)) for one in shown),
            ]
        ]
        columns = ("recipe", f"{NAMES[found.metric]}{suffix}", "folds", "ingredients")
        chosen = next(
            (
                place
                for place, one in enumerate(shown, start=1)
                if found.best is not None and one.number == found.best.number
            ),
            None,
        )
        return Table(columns, tuple(rows), chosen)

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and strings."""
        return self.joint.as_dict()
