from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from shrinkage.engine.pool import train
from shrinkage.errors import ShrinkageError
from shrinkage.exhibits.interaction import interaction
from shrinkage.lesson.exhibited import Exhibited, Setting
from shrinkage.lesson.pictures import Heat
from shrinkage.lesson.together import DROPOUTS, LAMBDAS, PROBLEMS, Together
from shrinkage.study import Fit, Study

SETTING = Setting(seeds=2, epochs=20)


@pytest.fixture(scope="module")
def studies() -> Sequence[Study]:
    return [
        Study.of(job.data, job.trials, train(job.trials, job.data), {})
        for job in Together().jobs(SETTING)
    ]


@pytest.fixture(scope="module")
def one(studies: Sequence[Study]) -> Exhibited:
    return Together().read(SETTING, studies)


def test_each_data_set_has_a_whole_grid_on_parts_of_its_own(studies: Sequence[Study]) -> None:
    cells = (1 + len(LAMBDAS)) * len(DROPOUTS)
    for study, problem in zip(studies, PROBLEMS, strict=True):
        assert study.data.name == problem.name
        assert len(study.trials) == cells * len(study.data.parts)
        assert study.data.independent == (problem.noise is not None)
    moons, circles, table = (study.data for study in studies)
    assert len(moons.parts) == len(circles.parts) == SETTING.seeds
    assert all(part.train.size == 100 for part in (*moons.parts, *circles.parts))
    assert len(table.parts) == 5


def test_it_shows_the_records_of_the_interaction_map(
    one: Exhibited, studies: Sequence[Study], suits_a_page: Callable[..., None]
) -> None:
    suits_a_page(one)
    records = [interaction(study) for study in studies]
    (_, gains), *tables = one.tables
    assert len(gains.rows) == 3 * len(records)
    assert gains.rows[5][-1] == records[1].both.gain.with_unit("nats")
    beneficial = [claim for claim in one.claims if "together" in claim.text]
    for record, claim, picture, (_, table) in zip(
        records, beneficial, one.pictures, tables, strict=True
    ):
        assert claim.interval == record.extra
        assert (claim.verdict == "holds") == (record.extra.low > 0)
        assert record.headline in claim.measured
        assert isinstance(picture, Heat)
        assert picture.record.as_dict() == record.as_dict()
        assert table == record.table


def test_a_data_set_without_its_fits_is_said_and_the_others_are_shown(
    studies: Sequence[Study],
) -> None:
    moons, *others = studies
    one = Together().read(SETTING, [replace(moons, fits=moons.fits[:3]), *others])
    about = {claim.text.split(",")[0] for claim in one.claims}
    assert about == {"On circles", "On breast_cancer"}
    assert any(note.startswith("moons says nothing: no fold has all") for note in one.notes)
    with pytest.raises(ShrinkageError, match="moons says nothing: no fold has all"):
        Together().read(SETTING, [replace(study, fits=()) for study in studies])


def test_work_that_both_do_is_claimed_where_each_helps(
    one: Exhibited, studies: Sequence[Study]
) -> None:
    """Losses written down: dropout gains 0.2, L2 gains 0.3, both together 0.32."""
    moons, *others = studies
    rng = np.random.default_rng(0)

    def written(fit: Fit) -> Fit:
        gain = max(0.2 * bool(fit.trial.training.dropout), 0.3 * bool(fit.trial.lam))
        gain += 0.02 * bool(fit.trial.training.dropout and fit.trial.lam)
        loss = np.array([0.8 - gain + 0.0005 * rng.normal()])
        return replace(fit, validation_loss=loss, epochs=fit.epochs[-1:])

    wider = replace(moons, fits=tuple(map(written, moons.fits)))
    claims = Together().read(SETTING, [wider, *others]).claims
    (same,) = (claim for claim in claims if "same work" in claim.text and "moons" in claim.text)
    assert same.interval is not None
    assert same.interval.estimate == pytest.approx(90, abs=3)
    assert same.measured.startswith("Of the gain of dropout alone, 0.2")


def test_the_code_prints_the_headline_of_moons(
    one: Exhibited, printed: Callable[[str], str]
) -> None:
    headline = printed(one.code).strip()
    assert one.claims[0].measured.startswith(f"{headline}. ")
