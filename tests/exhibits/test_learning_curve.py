from __future__ import annotations

from dataclasses import replace
from math import ceil

import numpy as np
import pytest

from shrinkage.errors import DataError, SettingError, ShrinkageError
from shrinkage.exhibits.learning_curve import GrowingData, learning_curve
from shrinkage.exhibits.learning_curve_record import judge
from shrinkage.exhibits.learning_curve_wording import about
from shrinkage.intervals import Interval, corrected_interval
from shrinkage.penalties import L1, L2

CURVES = GrowingData(lambdas=(0.01, 0.1))
TOTAL = 640  # of 800 rows, 5 folds


def laws(plain, penalized, noise=0.0, worse=0.5, gap=0.1):
    """Losses (train, validation) that follow (a, b, c) without a penalty and at λ = 0.01."""

    def losses(trial):
        rows = trial.rows or TOTAL
        rng = np.random.default_rng((trial.seed, rows, int(1000 * trial.lam)))
        a, b, c = penalized if trial.lam else plain
        extra = worse if trial.lam == 0.1 else 0.0
        value = a + b * rows**-c + extra
        value *= 1 + noise * rng.normal()
        return value - gap, value

    return losses


@pytest.fixture
def read(synthetic_basis, written_study):
    def make(losses, exhibit=CURVES, **settings):
        basis = synthetic_basis(**({"rows": 800, "repeats": 2} | settings))
        return learning_curve(written_study(exhibit, basis, losses))

    return make


def test_parts_take_as_many_steps_as_all_rows(synthetic_basis):
    basis = synthetic_basis(rows=800)
    trials = [trial for trial in CURVES.trials(basis) if trial.fold == 0 and trial.lam == 0]
    assert [trial.rows for trial in trials] == [None, 480, 320, 160, 80]
    assert trials[0].training == basis.training
    steps = [t.training.epochs * ceil((t.rows or TOTAL) / t.training.batch_size) for t in trials]
    np.testing.assert_allclose(steps, 100 * 20, rtol=0.01)


def test_epochs_on_a_very_small_part_are_capped(synthetic_basis):
    exhibit = GrowingData(sizes=(0.04, 0.5), lambdas=(0.1,))
    trials = list(exhibit.trials(synthetic_basis(rows=800)))
    assert max(trial.training.epochs for trial in trials) == 1_000


def test_patience_grows_with_the_epochs(synthetic_basis):
    basis = synthetic_basis(rows=800)
    basis = replace(basis, training=replace(basis.training, patience=20))
    trials = [trial for trial in CURVES.trials(basis) if trial.rows == 160]
    assert {(trial.training.epochs, trial.training.patience) for trial in trials} == {(400, 80)}


def test_trials_of_a_fold_are_paired_and_around_the_choice(synthetic_basis):
    basis = synthetic_basis(rows=800, choice=(L1(), 0.011))
    trials = list(GrowingData().trials(basis))
    assert {trial.penalty for trial in trials} == {None, L1()}
    assert sorted({trial.lam for trial in trials}) == [
        0.0,
        0.001,
        0.00316,
        0.01,
        0.0316,
        0.1,
        0.316,
        1.0,
    ]
    assert len({trial.seed for trial in trials}) == 5


def test_without_a_choice_a_first_look_finds_where_the_lambdas_lie(synthetic_basis, written_study):
    exhibit, basis = GrowingData(), synthetic_basis(rows=800)
    look = list(exhibit.trials(basis))
    assert {trial.rows for trial in look} == {None}
    study = written_study(exhibit, basis, lambda trial: (0.1, abs(np.log10(trial.lam) + 1)))
    curves = list(exhibit.further(basis, study))
    lambdas = sorted({trial.lam for trial in curves})
    assert lambdas == [0.0, 0.01, 0.0316, 0.1, 0.316, 1.0, 3.16, 10.0]
    assert len(curves) == exhibit.later(basis) == 5 * 8 * 5
    with pytest.raises(ShrinkageError, match="no fold has all its training sizes"):
        learning_curve(study)
    assert not list(CURVES.further(basis, study))


def test_the_known_number_of_rows_is_found(read):
    # Without: 0.2 + 5 n^−½. With: 0.2 + 32/n, so 0.25 on all rows: without it (5/0.05)² = 10,000.
    found = read(laws((0.2, 5.0, 0.5), (0.2, 32.0, 1.0)))
    np.testing.assert_allclose(found.plain.law.exponent, 0.5, rtol=2e-3)
    assert found.needed is not None
    np.testing.assert_allclose(found.needed.estimate, 10_000, rtol=2e-2)
    fall = 5 * (640**-0.5 - 1280**-0.5)
    np.testing.assert_allclose(found.doubling.estimate, fall, rtol=1e-3)
    np.testing.assert_allclose(found.gain.estimate, 5 * 640**-0.5 - 0.05)
    assert "more than 10 times the rows" in found.sentences[1]


def test_rows_within_reach_are_named_with_their_range(read):
    # With the penalty 80/640 = 0.125 on all rows: without it (5/0.125)² = 1,600.
    found = read(laws((0.0, 5.0, 0.5), (0.0, 80.0, 1.0), noise=0.01))
    assert found.needed is not None
    assert found.needed.low < 1_600 < found.needed.high
    assert found.needed.low > 800
    assert "to do as well as L2" in found.sentences[1]


def test_a_penalty_that_gains_more_than_twice_the_rows(read):
    found = read(laws((0.2, 2.0, 0.5), (0.2, 0.0, 1.0), noise=0.01))
    assert found.verdict == "a penalty"
    assert found.difference.high < 0
    assert found.headline.startswith("A penalty helps more than more data")


def test_more_data_that_gains_more_than_a_penalty(read):
    found = read(laws((0.0, 20.0, 0.5), (0.02, 20.0, 0.5), noise=0.01))
    assert found.verdict == "more data"
    assert found.headline.startswith("More data would help more than a penalty: twice the rows")
    assert found.sentences[1].endswith("its own gain is not beyond noise.")


@pytest.mark.parametrize(
    ("needed", "said"),
    [
        ((1_000.0, 700.0, 9_000.0), "anything from 1.1 to more than 10 times the rows"),
        ((2_000.0, 1_300.0, 9_000.0), "about 2,000 training rows [1,300, more than 6,400], 3.1"),
        ((9_000.0, 1_280.0, np.inf), "more than 10 times the rows (at least 2.0 times)"),
        ((np.inf, 9_000.0, np.inf), "more than 10 times the rows (at least 10.0 times)"),
    ],
)
def test_rows_are_named_as_far_as_they_are_known(read, needed, said):
    found = read(laws((0.0, 5.0, 0.5), (0.0, 80.0, 1.0), noise=0.01))
    assert said in replace(found, needed=Interval(*needed)).sentences[1]


def test_close_to_each_other_is_unclear(read):
    fall = 20 * (640**-0.5 - 1280**-0.5)
    found = read(laws((0.0, 20.0, 0.5), (20 * 640**-0.5 - fall, 0.0, 1.0), noise=0.05))
    assert found.verdict == "unclear"
    assert not found.difference.excludes(0.0)


def test_a_flat_curve_tells_nothing(read):
    found = read(laws((0.5, 0.0, 1.0), (0.49, 0.0, 1.0), noise=0.02))
    assert found.verdict == "unclear"
    assert found.needed is None
    assert "does not fall beyond noise" in found.sentences[0]
    assert "cannot be told" in found.sentences[1]


def test_a_penalty_that_does_what_no_row_did_helps_more(read):
    found = read(laws((2.0, 0.0, 1.0), (0.5, 0.0, 1.0), noise=0.05))
    assert not found.plain.follows_its_law
    assert found.verdict == "a penalty"
    assert found.headline.startswith("A penalty helps more than more data did: 8 times the rows")
    assert "does not fall beyond noise" in found.sentences[0]
    differences = found.plain.by_fold[0] - found.plain.by_fold[-1]
    gains = found.plain.by_fold[-1] - found.penalized.by_fold[-1]
    assert found.surplus == corrected_interval(differences - gains, 640, 160)


def test_what_is_left_with_the_penalty_is_told_where_its_curve_is_one(read):
    falling = read(laws((0.2, 20.0, 0.5), (0.2, 2.0, 0.5), noise=0.01)).sentences[2]
    assert falling.startswith(
        "With L2, twice the rows would still lower the validation log loss by 0.0"
    )
    flat = read(laws((0.2, 20.0, 0.5), (0.2, 0.0, 0.5), noise=0.01)).sentences[2]
    assert flat == "What twice the rows would bring with L2 cannot be told."


def test_a_curve_that_is_no_power_law_is_not_extrapolated(read):
    bumps = {80: 1.0, 160: 0.4, 320: 0.9, 480: 0.3, TOTAL: 0.5}

    def losses(trial):
        value = bumps[trial.rows or TOTAL] - (0.2 if trial.lam == 0.01 else 0.0)
        return value - 0.1, value

    found = read(losses)
    assert found.verdict == "unclear"
    assert found.needed is None
    assert "not along a power law" in found.sentences[0]


def test_gains_and_gaps_have_the_intervals_of_the_folds(read):
    losses = laws((0.1, 5.0, 0.5), (0.1, 4.0, 0.5), noise=0.05)
    found = read(losses)
    differences = found.plain.by_fold[-1] - found.penalized.by_fold[-1]
    assert found.gain == corrected_interval(differences, 640, 160)
    np.testing.assert_allclose([gap.estimate for gap in found.plain.gap], 0.1)
    assert found.best == (0.01,) * 5


def test_the_band_holds_the_curve_and_widens_beyond_it(read):
    found = read(laws((0.1, 5.0, 0.5), (0.1, 4.0, 0.5), noise=0.05))
    law, low, high = found.bands[0]
    assert np.all((low <= law) & (law <= high))
    truth = 0.1 + 5 * found.band_rows**-0.5
    assert np.mean((low <= truth) & (truth <= high)) > 0.9
    assert found.band_rows[-1] >= 2 * TOTAL - 1


@pytest.mark.slow
def test_the_interval_of_the_doubling_holds_the_truth(synthetic_basis, written_study):
    # Independent noise and corrected (wider) intervals: at least as often as they say.
    hits, fall = 0, 5 * (640**-0.5 - 1280**-0.5)
    basis = synthetic_basis(rows=800)
    for repetition in range(20):

        def losses(trial, repetition=repetition):
            rows = trial.rows or TOTAL
            rng = np.random.default_rng((repetition, trial.seed, rows))
            value = 0.1 + 5 * rows**-0.5 + rng.normal(0, 0.01)
            return value, value

        found = learning_curve(written_study(GrowingData(lambdas=(0.1,)), basis, losses))
        hits += not found.doubling.excludes(fall)
    assert hits >= 18


def test_incomplete_folds_do_not_count(read):
    def losses(trial):
        return (
            None
            if trial.fold == 9 and trial.rows is None and trial.lam
            else laws((0.1, 5.0, 0.5), (0.1, 4.0, 0.5), noise=0.01)(trial)
        )

    found = read(losses)
    assert (found.folds, found.missing) == (9, 2)
    assert found.notes[0].startswith("2 of the planned fits are missing; the curves rest on 9")


def test_a_lambda_that_diverged_at_a_size_is_not_chosen_there(read):
    def losses(trial):
        failed = trial.lam == 0.01 and trial.rows == 80 and trial.fold == 2
        pair = laws((0.1, 5.0, 0.5), (0.1, 4.0, 0.5), worse=0.05)(trial)
        return (np.nan, np.nan) if failed else pair

    found = read(losses)
    assert found.best == (0.1, 0.01, 0.01, 0.01, 0.01)
    assert any("1 fit diverged" in note for note in found.notes)


def test_too_few_folds_raise(read):
    whole = laws((0.1, 5.0, 0.5), (0.1, 4.0, 0.5))
    with pytest.raises(ShrinkageError, match="no fold has all its training sizes"):
        read(lambda trial: whole(trial) if trial.rows == 80 else None)
    with pytest.raises(ShrinkageError, match="too few of them"):
        read(lambda trial: whole(trial) if trial.fold == 0 else None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sizes": (0.0, 0.5)}, r"size is 0; .* must lie in \(0, 1\]"),
        ({"sizes": (0.5, 1.5)}, "size is 1.5"),
        ({"sizes": (float("nan"), 0.5)}, "size is nan"),
        ({"sizes": (0.5, 1.0)}, "at least 2 different sizes below 1"),
        ({"sizes": ()}, "at least 2 different sizes below 1"),
        ({"lambdas": (-1.0,)}, "λ is -1"),
        ({"lambdas": (0.0,)}, "no λ above 0"),
    ],
)
def test_what_cannot_be_tried_is_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        GrowingData(**settings)


def test_sizes_that_leave_too_few_rows_are_refused_or_left_out(synthetic_basis):
    basis = synthetic_basis(rows=100)
    rows = {trial.rows for trial in GrowingData(lambdas=(0.1,)).trials(basis)}
    assert rows == {20, 40, 60, None}
    with pytest.raises(SettingError, match="leaves 8 of 80 training rows"):
        list(GrowingData(sizes=(0.1, 0.5)).trials(basis))
    with pytest.raises(DataError, match="too few for a learning curve"):
        list(GrowingData().trials(synthetic_basis(rows=40)))


@pytest.mark.parametrize(
    ("gain", "doubling", "difference", "follows", "verdict"),
    [
        ((0.1, 0.3), (0.3, 0.5), (0.1, 0.3), True, "more data"),
        ((0.1, 0.3), (0.3, 0.5), (0.1, 0.3), False, "unclear"),
        ((0.1, 0.3), (0.3, 0.5), (-0.3, -0.1), False, "a penalty"),
        ((-0.3, -0.1), (0.0, 0.2), (0.1, 0.5), True, "unclear"),
        ((0.1, 0.3), (0.0, 0.1), (-0.3, -0.05), True, "a penalty"),
        ((0.1, 0.3), (0.1, 0.3), (-0.1, 0.1), True, "unclear"),
    ],
)
def test_verdicts_follow_the_intervals(gain, doubling, difference, follows, verdict):
    intervals = [Interval(sum(ends) / 2, *ends) for ends in (gain, doubling, difference)]
    assert judge(*intervals, follows=follows) == verdict


def test_plain_values_hold_the_curves(read):
    plain = read(laws((0.1, 5.0, 0.5), (0.1, 4.0, 0.5), noise=0.01)).as_dict()
    assert len(plain["without"]["validation_loss"]) == len(plain["rows"]) == 5
    assert plain["without"]["power_law"]["floor"] >= 0
    assert plain["penalty"] == L2().name
    assert about(12_345.0) == "12,000"
