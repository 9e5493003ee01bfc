"""Random sequences of running, killing, extending and merging, against what must be in the file."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shrinkage import L1, L2, Trial
from shrinkage.archive import StudyFile
from shrinkage.archive.merging import merge
from shrinkage.archive.summary import summary
from shrinkage.tune import Plan

LAMBDAS = (0.001, 0.01, 0.1)
FITS = st.integers(0, 12)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("run"), FITS),
        # A transaction is begun a tenth of a second after its first fit.
        st.tuples(st.just("kill"), st.tuples(FITS, st.sampled_from((0.0, 0.1, 0.2)))),
        st.tuples(st.just("merge"), FITS),
        st.tuples(st.just("extend"), st.sampled_from(("λ", "penalty", "repeats"))),
    ),
    min_size=1,
    max_size=7,
)


@dataclass
class Model:
    """What is asked of a study, and the trials whose fits its file must hold."""

    keeper: Any
    others: Any
    data_of: Any
    killer: Any
    plan: Plan
    repeats: int = 1
    must: set[Trial] = field(default_factory=set)

    @property
    def data(self):
        return self.data_of(repeats=self.repeats)

    def run(self, most: int | None) -> list[Trial]:
        new = self.keeper.run(self.data, self.plan, most=most)
        assert not self.must & set(new)  # nothing is trained twice
        self.must |= set(new)
        return new

    def kill(self, how: tuple[int, float]) -> None:
        """A process that goes on is killed: what it had written is there, and may be all of it."""
        most, delay = how
        told, _ = self.killer.kill(
            self.keeper.path, self.plan, self.repeats, most, pause=0.01, delay=delay
        )
        names = {name for name, _ in told}
        assert not names & {self.killer.name_of(trial) for trial in self.must}
        there = self.there()
        assert self.must <= there
        self.must = there

    def extend(self, how: str) -> None:
        if how == "repeats":
            self.repeats = min(self.repeats + 1, 3)
        elif how == "penalty":
            self.plan = replace(self.plan, penalties=(L1(), L2()))
        else:
            self.plan = replace(self.plan, lambdas=LAMBDAS[: len(self.plan.lambdas) + 1])

    def merge(self, most: int) -> None:
        """With a study that another machine has begun."""
        if not self.keeper.path.exists():
            return
        other = self.others(self.keeper.path.with_name("other.study"))
        theirs = other.run(self.data, replace(self.plan, penalties=(L2(),)), most=most)
        both = self.keeper.path.with_name("both.study")
        found = merge(self.keeper.path, other.path, both)
        self.must |= set(theirs)
        assert (found.fits, found.differing) == (len(self.must), 0)
        both.replace(self.keeper.path)
        other.path.unlink()

    def there(self) -> set[Trial]:
        """Trials with a fit in the file."""
        if not self.keeper.path.exists():
            return set()
        with StudyFile(self.keeper.path) as file:
            return set(file.done(self.data_of(repeats=3)))


@pytest.mark.slow
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_the_file_holds_what_was_trained(
    tmp_path, keeper_of, moons, plan, killer, uninterrupted, same, steps
):
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        keeper = keeper_of(Path(folder) / "a.study")
        model = Model(keeper, keeper_of, moons, killer, replace(plan, lambdas=LAMBDAS[:1]))
        for step, how in steps:
            getattr(model, step)(how)
            assert model.there() == model.must
        before = set(model.must)
        new = model.run(None)
        whole = uninterrupted(model.data, model.plan)
        assert set(new) == set(whole.trials) - before
        same(keeper.study, whole)
        assert summary(keeper.path).besides == len(model.must - set(whole.trials))
        assert [path.name for path in Path(folder).iterdir()] == ["a.study"]
