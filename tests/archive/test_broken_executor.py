"""An executor whose processes died: what came before is kept, and another one goes on from it."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor, Executor, Future

import pytest

from shrinkage.archive import Recorded, StudyFile
from shrinkage.errors import ShrinkageError
from shrinkage.tune import Search


class Breaking(Executor):
    """Computes in this process, until it is as broken as one whose process was killed."""

    def __init__(self, whole: int) -> None:
        self.whole = whole

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        if self.whole:
            self.whole -= 1
            future.set_result(fn(*args, **kwargs))
        else:
            future.set_exception(BrokenExecutor("a process was terminated abruptly"))
        return future


def test_what_came_before_is_kept_and_the_same_plan_goes_on(
    keeper, data, plan, run_of, uninterrupted, same
):
    came = []

    def run():
        with StudyFile(keeper.path) as file:
            search = Search(data, plan, threads=1, executor=Breaking(5))
            file.begin(data, run_of(plan))
            came.extend(fit.trial for fit in Recorded(search, file))

    with pytest.raises(ShrinkageError, match="a process of the executor died, mostly for want of"):
        run()
    assert came
    assert {fit.trial for fit in keeper.study.fits} == set(came)
    more = keeper.run(data, plan)
    assert not set(more) & set(came)
    same(keeper.study, uninterrupted(data, plan))
