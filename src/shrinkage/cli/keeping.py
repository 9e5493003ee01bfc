"""What ``--study FILE`` adds to a run: fits that are there already, and those that come."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shrinkage.cli.options import Options
from shrinkage.cli.plans import Spent, told_basis, told_plan
from shrinkage.data import BUNDLED, Data
from shrinkage.data.description import counted
from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.study import Fit, Trial
from shrinkage.terminal.plain import say
from shrinkage.tune.search import versions

if TYPE_CHECKING:
    from shrinkage.archive import StudyFile
    from shrinkage.cli.flow import Work
    from shrinkage.exhibits import Basis
    from shrinkage.terminal.screen import Screen
    from shrinkage.tune import Plan

_BY_SIZE = ("epochs", "batch_size")
"""Fields of a training that the table's size decides; a study keeps those that it began with."""


@dataclass
class Keeping:
    """A run's study file, or none, in which case nothing happens.

    Parameters
    ----------
    options : Options
        The command.
    file : StudyFile or None
        Open for writing.
    """

    options: Options
    file: StudyFile | None
    known: Mapping[Trial, Fit] = field(default_factory=dict)
    """Fits that were there already and hold."""
    under_way: Work | None = None
    """What is being trained."""

    def basis(self, basis: Basis) -> Basis:
        """The basis with what the study began with, where the user does not say otherwise."""
        plan = self._first_plan()
        if plan is None:
            return basis
        from shrinkage.archive.records import untold

        then = untold(plan["training"])
        chosen = self.options.training
        old = {name: getattr(then, name) for name in _BY_SIZE if name not in chosen}
        return replace(basis, training=replace(basis.training, **old))

    def look(self, basis: Basis) -> None:
        """Take up the fits that hold for these data and settings too.

        Raises
        ------
        SettingError
            When data or settings are not those of the study, with what differs.
        """
        if self.file is None or not self.file.begun:
            return
        from shrinkage.archive import differences
        from shrinkage.archive.kept_data import changed

        first = self._first_plan()
        found = changed(self.file.connection, basis.data)
        if first is not None:
            found += differences(first, told_basis(basis))
        if found:
            raise SettingError(
                f"{self.file.path} is a study of other data or settings: {'; '.join(found)}; name "
                "another --study, or leave these as they were (λ, penalties, folds and repeats may "
                "be added)"
            )
        self.known = self.file.done(basis.data)

    def same_joint(self, plan: Plan) -> bool:
        """Whether the last run was a joint search with just this plan, budget and committee."""
        if self.file is None or not self.file.begun:
            return False
        last = self.file.plans()[-1]
        now = told_plan(plan, self.options.joint)
        return all(last.get(name) == value for name, value in now.items())

    def spent(self) -> Spent:
        """What earlier runs of a joint search say of themselves."""
        if self.file is None:
            return Spent()
        return Spent.read(self.file.connection)

    def begin(self, data: Data, plan: Mapping[str, Any], threads: int) -> None:
        """What is to be tried goes into the file, as JSON of :mod:`shrinkage.cli.plans`."""
        if self.file is None:
            return
        from shrinkage.archive import Run

        self.file.begin(
            data,
            Run(
                command=self.options.command,
                plan=plan,
                versions=versions(),
                environment={
                    "python": platform.python_version(),
                    "platform": f"{platform.system()} {platform.release()}, {platform.machine()}",
                    "cores": os.cpu_count() or 1,
                    "threads": threads,
                },
                source=_source(self.options),
            ),
        )

    def recorded(self, work: Any, *, beside: bool = False) -> Work:
        """Trainings, written down while they run; `beside` a study, or as its own."""
        if self.file is None:
            found: Work = work
            return found
        from shrinkage.archive import Recorded
        from shrinkage.exhibits import Series

        self.under_way = work
        weights = isinstance(work, Series) and work.exhibit.needs_weights
        return Recorded(work, self.file, weights=weights, beside=beside)

    def tell(self, screen: Screen, before: int) -> None:
        """Say what need not be trained again."""
        if self.file is not None and before:
            fits = counted(before, "fit")
            screen.note(
                f"{fits} in {self.file.path} already: what is missing of the plan is trained"
            )

    def finish(self, work: Any, *, complete: bool, seconds: Mapping[str, float]) -> None:
        """The training has ended, and all of it is in the file."""
        if self.file is None:
            return
        self.under_way = None
        from shrinkage.tune.joint import JointSearch

        joint = isinstance(work, JointSearch)
        self.file.finish(
            complete=complete,
            stage=None if complete else work.stage,
            seconds=seconds,
            study=work.study if joint else None,
            facts=Spent(work.seconds, work.seats).told if joint else {},
        )

    def give_up(self) -> None:
        """What was being trained has failed: that much is said of the run, if it can be."""
        if self.file is not None and self.under_way is not None:
            with suppress(ShrinkageError):
                self.file.finish(complete=False, stage=self.under_way.stage)

    def found(self, document: Callable[[], Mapping[str, Any]]) -> None:
        """What the findings are; made only where there is a file for them."""
        if self.file is not None:
            from shrinkage.terminal.screen import finite

            self.file.found(finite(document()))

    def _first_plan(self) -> dict[str, Any] | None:
        if self.file is None or not self.file.begun:
            return None
        # Of a damaged file that was recovered it may be lost.
        return self.file.plans()[0] or None


@contextmanager
def keeping(options: Options) -> Iterator[Keeping]:
    """The study file of a command for as long as it runs; nothing where it names none."""
    if options.study is None:
        yield Keeping(options, None)
        return
    from shrinkage.archive import StudyFile

    try:
        with StudyFile(options.study) as file:
            kept = Keeping(options, file)
            try:
                yield kept
            except ShrinkageError:
                kept.give_up()
                raise
    except KeyboardInterrupt:
        if Path(options.study).exists():  # one without anything in it is not left behind
            say(f"what is finished is kept in {options.study}", "shrinkage: ")
        raise


def _source(options: Options) -> dict[str, Any]:
    """How to read the data again, from anywhere on this machine."""
    augmentation = options.training.get("augmentation")
    source = options.source
    return {
        "open": {
            "source": source if source in BUNDLED else str(Path(source).absolute()),
            "target": None if options.target is None else list(options.target),
            "samples": options.samples,
            "noise": options.noise,
            "seed": options.seed,
        },
        "prepare": {
            "task": options.task,
            "folds": options.folds,
            "repeats": options.repeats,
            "seed": options.seed,
            "image": None if augmentation is None else list(augmentation.shape),
        },
    }
