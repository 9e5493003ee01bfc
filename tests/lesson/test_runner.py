"""The runner, with small exhibits of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.intervals import Interval
from shrinkage.lesson.catalogue import EXHIBITS, chosen
from shrinkage.lesson.exhibited import Exhibited, Job, Setting, judged
from shrinkage.lesson.runner import Lesson
from shrinkage.lesson.toys import toy
from shrinkage.lesson.trials import lesson_trial, seeds_of
from shrinkage.penalties import L1
from shrinkage.study import Study

SETTING = Setting(seeds=2, epochs=3)


@dataclass(frozen=True)
class Small:
    """Trains two networks for each seed, and keeps what it is given to read."""

    name: str = "small"
    lambdas: tuple[float, ...] = (0.0, 0.01)
    weights: bool = True
    fails: bool = False
    given: list[Study] = field(default_factory=list, compare=False)

    title = "What small networks do"

    def jobs(self, setting: Setting) -> Sequence[Job]:
        found = []
        for seed in seeds_of(setting):
            data = toy(seed=seed, rows=20, validation=10, test=10)
            trials = tuple(
                lesson_trial(data, seed, L1() if lam else None, lam, epochs=3, hidden=(4,))
                for lam in self.lambdas
            )
            found.append(Job(f"{seed}", data, trials, self.weights))
        return found

    def read(self, _: Setting, studies: Sequence[Study]) -> Exhibited:
        if self.fails:
            raise ShrinkageError("too few networks")
        self.given.extend(studies)
        spread = float(np.mean([fit.spread for study in studies for fit in study.fits]))
        claim = judged("A.", "B.", Interval(spread, spread, spread), above=0)
        return Exhibited(self.name, "Part", self.title, (), (claim,), (), "")


def test_studies_come_in_the_order_of_jobs_and_trials() -> None:
    small = Small()
    lesson = Lesson([small], SETTING)
    list(lesson)
    assert [study.trials for study in small.given] == [job.trials for job in small.jobs(SETTING)]
    for study in small.given:
        assert tuple(fit.trial for fit in study.fits) == study.trials
        assert study.missing == ()


def test_equal_trials_on_equal_data_are_trained_once() -> None:
    one, other = Small(), Small("other", (0.01, 0.02))
    lesson = Lesson([one, other], SETTING)
    assert lesson.expected == len(list(lesson)) == lesson.done == 6  # of 8, 2 of them shared
    shared = [study.fits[1] for study in one.given], [study.fits[0] for study in other.given]
    for first, second in zip(*shared, strict=True):
        np.testing.assert_array_equal(first.parameters, second.parameters)


def test_numbers_do_not_depend_on_threads() -> None:
    found = []
    for threads in (1, 3):
        small = Small()
        list(Lesson([small], SETTING, threads=threads))
        found.append([fit for study in small.given for fit in study.fits])
    for one, other in zip(*found, strict=True):
        assert one.trial == other.trial
        np.testing.assert_array_equal(one.parameters, other.parameters)
        np.testing.assert_array_equal(one.validation_loss, other.validation_loss)


def test_weights_that_nobody_looks_at_are_let_go() -> None:
    small, light = Small(), Small("light", (0.02,), weights=False)
    lesson = Lesson([small, light], SETTING)
    list(lesson)
    assert all(fit.parameters.size for study in small.given for fit in study.fits)
    assert not any(fit.parameters.size for study in light.given for fit in study.fits)
    assert not any(fit.parameters.size for fit in lesson._fits.values())


def test_finished_exhibits_are_kept_when_it_stops_and_it_can_go_on() -> None:
    one, other = Small(), Small("other", (0.02, 0.03))
    lesson = Lesson([one, other], SETTING, threads=1)
    running = iter(lesson)
    while not lesson.exhibited:
        next(running)
    running.close()
    taught = lesson.taught
    assert [exhibit.name for exhibit in taught.exhibited] == ["small"]
    assert [missing.reason for missing in taught.unread] == [
        "the lesson was interrupted before it was finished"
    ]
    assert taught.done < taught.expected
    done = lesson.done
    assert len(list(lesson)) == lesson.expected - done
    assert [exhibit.name for exhibit in lesson.taught.exhibited] == ["small", "other"]


def test_an_exhibit_that_cannot_be_read_does_not_stop_the_others() -> None:
    lesson = Lesson([Small("first", fails=True), Small("second")], SETTING)
    list(lesson)
    taught = lesson.taught
    assert [one.reason for one in taught.unread] == ["too few networks"]
    assert [one.name for one in taught.exhibited] == ["second"]
    assert lesson.complete


def test_an_exhibit_without_trainings_is_read() -> None:
    @dataclass(frozen=True)
    class Nothing(Small):
        def jobs(self, _: Setting) -> Sequence[Job]:
            return ()

        def read(self, *_: object) -> Exhibited:
            return Exhibited(self.name, "", "", (), (), (), "")

    lesson = Lesson([Nothing()], SETTING)
    assert (list(lesson), lesson.expected, lesson.sample) == ([], 0, None)
    assert [one.name for one in lesson.exhibited] == ["small"]


def test_exhibits_are_chosen_by_name_in_the_lessons_order() -> None:
    assert [one.name for one in chosen(["lambdas", "neurons"])] == ["neurons", "lambdas"]
    assert chosen() == EXHIBITS
    assert len({one.name for one in EXHIBITS}) == len(EXHIBITS)
    with pytest.raises(SettingError, match="did you mean 'neurons'"):
        chosen(["neuron"])


def test_settings_of_other_seeds_share_none() -> None:
    firsts = [set(seeds_of(Setting(seeds=10, seed=seed))) for seed in range(3)]
    assert seeds_of(Setting(seeds=3)) == range(3)
    assert not firsts[0] & firsts[1]
    assert not firsts[1] & firsts[2]
