"""Every exhibit on small settings: it reads, its words agree with its numbers, its code runs."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from shrinkage.detect import diagnose
from shrinkage.engine.pool import train
from shrinkage.errors import ShrinkageError
from shrinkage.intervals import Interval
from shrinkage.lesson.catalogue import EXHIBITS
from shrinkage.lesson.exhibited import Exhibited, Setting
from shrinkage.lesson.kinds_claims import KINDS
from shrinkage.lesson.lambdas import STRENGTHS, whole_job
from shrinkage.lesson.measured import across, finished, ratio_across, share_of
from shrinkage.lesson.pictures import Boundaries, Chart, Matrices, Weights
from shrinkage.lesson.runner import Lesson, Taught
from shrinkage.lesson.trials import keras_l2
from shrinkage.lesson.verdicts import side_by_side, verdict_at
from shrinkage.study import Status, Study

OURS = ("neurons", "l2", "kinds", "lambdas", "checklist")
SETTING = Setting(seeds=3, epochs=40)


@pytest.fixture(scope="module")
def taught() -> Taught:
    lesson = Lesson([one for one in EXHIBITS if one.name in OURS], SETTING)
    list(lesson)
    return lesson.taught


@pytest.fixture(scope="module")
def exhibits(taught: Taught) -> dict[str, Exhibited]:
    return {one.name: one for one in taught.exhibited}


def test_all_are_read_in_the_lessons_order(taught: Taught) -> None:
    assert tuple(one.name for one in taught.exhibited) == OURS
    assert taught.unread == ()


@pytest.mark.parametrize("name", OURS)
def test_it_says_what_a_page_needs(exhibits: dict[str, Exhibited], name: str) -> None:
    one = exhibits[name]
    assert one.claims
    assert one.pictures
    assert not one.title.endswith(".")
    sentences = [*one.text, *(claim.text for claim in one.claims)]
    sentences += [claim.measured for claim in one.claims]
    sentences += [picture.caption for picture in one.pictures]
    for sentence in sentences:
        assert sentence.endswith((".", "!", "?")), sentence
        assert "nan" not in sentence.split(), sentence
    for _, table in one.tables:
        assert {len(row) for row in table.rows} == {len(table.columns)}


@pytest.mark.parametrize("name", ["neurons", "l2", "kinds"])
def test_a_verdict_is_that_of_the_interval(exhibits: dict[str, Exhibited], name: str) -> None:
    for claim in exhibits[name].claims:
        assert claim.interval is not None
        found = re.match(r"(at least|at most|above|below) (-?[\d.]+)", claim.asked)
        assert found is not None
        words, limit = found.groups()
        low, high, limit = claim.interval.low, claim.interval.high, float(limit)
        near = 0.05  # the limit is rounded where it is shown
        inside = {
            "at least": low >= limit - near,
            "at most": high <= limit + near,
            "above": low > limit,
            "below": high < limit,
        }[words]
        assert (claim.verdict == "holds") == inside, claim


@pytest.mark.parametrize("name", OURS)
def test_the_code_runs_as_it_is_shown(
    exhibits: dict[str, Exhibited],
    name: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code = exhibits[name].code
    assert f"epochs={SETTING.epochs}" in code
    exec(compile(code, name, "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    assert printed
    if name == "l2":
        ratio = exhibits[name].claims[0].interval
        assert ratio is not None
        assert f"{ratio.estimate:.2f} times less" in printed
    if name == "checklist":
        ticks = [claim.verdict == "holds" for claim in exhibits[name].claims]
        assert [line[0] == "✓" for line in printed.splitlines()] == ticks
    if name == "lambdas":
        gaps = [row[3] for row in exhibits[name].tables[0][1].rows]
        assert re.findall(r"gap (.*) nats", printed) == gaps


def test_pictures_are_those_of_the_lesson(exhibits: dict[str, Exhibited]) -> None:
    def panels(name: str, kind: type) -> list[int]:
        return [len(one.panels) for one in exhibits[name].pictures if isinstance(one, kind)]

    assert panels("neurons", Boundaries) == [5]
    assert panels("l2", Boundaries) == [2]
    assert panels("lambdas", Boundaries) == [4]
    assert panels("kinds", Matrices) == [5, 5]
    (weights,) = (one for one in exhibits["l2"].pictures if isinstance(one, Weights))
    assert [one.name for one in weights.comparisons] == ["layer 1 kernel", "layer 2 kernel"]
    for one in exhibits.values():
        for chart in (picture for picture in one.pictures if isinstance(picture, Chart)):
            for line in chart.lines:
                assert line.low is not None
                assert line.high is not None
                assert (line.low <= line.y).all()
                assert (line.y <= line.high).all()


def test_l2_shrinks_and_l1_makes_zeros_even_when_trained_for_short(
    exhibits: dict[str, Exhibited],
) -> None:
    spread = exhibits["l2"].claims[0].interval
    assert spread is not None
    assert spread.estimate > 1
    rows = {row[0]: row for row in exhibits["kinds"].tables[0][1].rows}
    assert len(rows) == 1 + sum(len(kind.lambdas) for kind in KINDS)
    assert rows["no penalty"][1] == rows["L2 at λ = 0.02"][1] == "0.000 [0.000, 0.000]"
    assert float(rows["L1 at λ = 0.01"][1].split()[0]) > 50


def test_the_checklist_has_nine_points(exhibits: dict[str, Exhibited]) -> None:
    assert len(exhibits["checklist"].claims) == 9
    text = exhibits["checklist"].text[0]
    ticked = sum(claim.verdict == "holds" for claim in exhibits["checklist"].claims)
    assert f"{ticked} of 9 are ticked" in text


def test_each_lambda_takes_the_place_of_no_penalty() -> None:
    jobs = [whole_job(seed, Setting(seeds=3, epochs=60)) for seed in range(3)]
    studies = [Study.of(job.data, job.trials, train(job.trials, job.data), {}) for job in jobs]
    together = side_by_side(studies)
    found = [verdict_at(together, keras_l2(strength)) for strength in STRENGTHS]
    assert found[0] == diagnose(together)
    for place, one in enumerate(found):
        losses = [study.fits[place].final_train_loss for study in studies]
        assert one.train_loss == pytest.approx(np.mean(losses))
        assert one.folds == 3
        gaps = [
            fit.final_validation_loss - fit.final_train_loss
            for fit in (study.fits[place] for study in studies)
        ]
        assert one.gap == across(gaps)
    assert found[-1].verdict == "underfits"
    assert found[-1].penalty_gain is None


def test_seeds_that_diverged_are_left_out_and_said() -> None:
    jobs = [whole_job(seed, Setting(seeds=3, epochs=2)) for seed in range(3)]
    studies = [Study.of(job.data, job.trials, train(job.trials, job.data), {}) for job in jobs]
    lost = replace(studies[1].fits[0], status=Status.DIVERGED)
    broken = replace(studies[1], fits=(lost, *studies[1].fits[1:]))
    good, notes = finished([studies[0], broken, studies[2]])
    assert [study.data.name for study in good] == ["moons", "moons"]
    assert notes == ("1 seed is left out, because a training diverged.",)
    with pytest.raises(ShrinkageError, match="only 1 of 2 seeds"):
        finished([studies[0], broken])


def test_ratios_are_averaged_as_such() -> None:
    values = np.array([2.0, 8.0])
    there, back = ratio_across(values, np.ones(2)), ratio_across(np.ones(2), values)
    assert there.estimate == pytest.approx(4)
    assert back.low == pytest.approx(1 / there.high)
    assert there.low > 0


def test_shares_have_the_exact_interval() -> None:
    for hits in (0, 3, 10):
        found = share_of(hits, 10)
        exact = binomtest(hits, 10).proportion_ci(0.95, method="exact")
        np.testing.assert_allclose([found.low, found.high], [100 * exact.low, 100 * exact.high])
    assert isinstance(share_of(1, 2), Interval)
