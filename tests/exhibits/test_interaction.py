from __future__ import annotations

import numpy as np
import pytest

from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.exhibits.interaction import InteractionMap, interaction
from shrinkage.exhibits.interaction_record import Way, judge
from shrinkage.intervals import Interval
from shrinkage.penalties import L1, L2
from shrinkage.study import Fit, Status, Study, Trial

SMALL = InteractionMap(lambdas=(0.01, 0.1), dropouts=(0.2, 0.5))


def losses_of(penalty=0.0, dropout=0.0, shared=0.0, noise=0.01):
    """Each way's gain as a function of the trial; together they gain their sum − `shared`.

    λ = 0.01 and dropout 0.2 are the best; the others gain half as much.
    """

    def losses(trial):
        rng = np.random.default_rng(
            (trial.seed, int(1000 * trial.lam), int(10 * trial.training.dropout))
        )
        by_lam = {0.0: 0.0, 0.01: 1.0, 0.1: 0.5}[trial.lam]
        by_dropout = {0.0: 0.0, 0.2: 1.0, 0.5: 0.5}[trial.training.dropout]
        gain = by_lam * penalty + by_dropout * dropout - by_lam * by_dropout * shared
        return 0.1, 1.0 - gain + rng.normal(0, noise)

    return losses


def _equal(trial: Trial) -> Fit:
    nothing = np.empty(0, dtype=np.float32)
    ends = np.array([0.5])
    return Fit(
        trial, nothing, np.array([100]), ends, ends, 0.1, nothing[None], Status.COMPLETED, 100
    )


@pytest.fixture
def read(synthetic_basis, written_study):
    def make(exhibit=SMALL, losses=None, repeats=2, **gains):
        basis = synthetic_basis(repeats=repeats)
        return interaction(written_study(exhibit, basis, losses or losses_of(**gains)))

    return make


def test_every_cell_is_tried_on_every_fold_from_the_same_weights(synthetic_basis):
    trials = list(SMALL.trials(synthetic_basis()))
    assert len(set(trials)) == len(trials) == 5 * 3 * 3
    assert len({trial.seed for trial in trials}) == 5
    cells = {(trial.lam, trial.training.dropout) for trial in trials if trial.fold == 0}
    assert cells == {(lam, p) for lam in (0, 0.01, 0.1) for p in (0, 0.2, 0.5)}
    assert all((trial.penalty is None) == (trial.lam == 0) for trial in trials)


def test_the_grid_lies_around_the_choice_of_a_search(synthetic_basis):
    trials = list(InteractionMap().trials(synthetic_basis(choice=(L1(), 0.009))))
    assert {trial.penalty for trial in trials} == {None, L1()}
    lambdas = sorted({trial.lam for trial in trials})
    assert lambdas == [0.0, 0.000316, 0.001, 0.00316, 0.01, 0.0316, 0.1, 0.316]


def test_without_a_choice_a_first_look_finds_where_the_grid_lies(synthetic_basis, written_study):
    exhibit = InteractionMap(penalty=L2(), dropouts=(0.5,))
    basis = synthetic_basis(choice=(L1(), 1000.0))  # says nothing of another penalty
    look = list(exhibit.trials(basis))
    assert {trial.training.dropout for trial in look} == {0.0}
    assert {trial.fold for trial in look} == {0, 1, 2}
    study = written_study(exhibit, basis, lambda trial: (0.1, abs(np.log10(trial.lam) + 1)))
    grid = list(exhibit.further(basis, study))
    lambdas = sorted({trial.lam for trial in grid})
    assert lambdas == [0.0, 0.00316, 0.01, 0.0316, 0.1, 0.316, 1.0, 3.16]
    assert len(grid) == exhibit.later(basis) == 5 * 8 * 2
    # The first look's own λ are no rows of the map.
    whole = Study.of(basis.data, [*look, *grid], [*map(_equal, grid), *study.fits], {})
    assert interaction(whole).lambdas == tuple(lambdas)
    with pytest.raises(ShrinkageError, match="no fold has all its cells"):
        interaction(study)


def test_named_lambdas_need_no_first_look(synthetic_basis, written_study):
    basis = synthetic_basis()
    assert SMALL.later(basis) == 0
    study = written_study(SMALL, basis, losses_of())
    assert not list(SMALL.further(basis, study))


def test_gains_that_add_up_are_complementary(read):
    found = read(penalty=0.3, dropout=0.2)
    assert found.verdict == "complementary"
    assert not found.alone.gain.excludes(0.3)
    assert not found.dropout.gain.excludes(0.2)
    assert not found.both.gain.excludes(0.5)
    assert not found.extra.excludes(0.2)
    assert found.overlap is not None
    assert not found.overlap.excludes(0.0)
    assert (found.both.lam, found.both.dropout) == (0.01, 0.2)
    assert found.sentences[1].startswith("The two are complementary: together they lower the loss")


def test_the_same_gain_twice_is_redundant(read):
    # Both provide the same 0.2; dropout has 0.1 of its own that the penalty provides half of.
    found = read(penalty=0.2, dropout=0.3, shared=0.2)
    assert found.verdict == "redundant"
    assert found.better.name == "dropout alone"
    assert found.overlap is not None
    assert not found.overlap.excludes(1.0)
    assert "are redundant" in found.headline


def test_noise_leaves_it_unclear(read):
    found = read(penalty=0.3, dropout=0.25, shared=0.1, noise=0.1)
    assert found.alone.helps
    assert found.dropout.helps
    assert found.verdict == "unclear"
    assert "unclear" in found.headline
    assert "is unclear" in found.sentences[1]


def test_one_that_does_nothing_leaves_only_the_other(read):
    assert read(penalty=0.3).verdict == "only the penalty helps"
    found = read(dropout=0.3)
    assert found.verdict == "only dropout helps"
    assert found.headline == "Dropout helps, and L2 adds little to it"
    noisy = read(dropout=0.3, noise=0.1)
    assert noisy.headline == "Dropout helps, and L2 is not shown to add anything"
    assert found.overlap is None


def test_choosing_among_noise_is_no_gain(read):
    found = read(noise=0.1)
    assert found.verdict == "neither helps"
    # The cell that looks best is below the plain network; the honest gain knows better.
    assert found.both.loss < found.losses[0, 0]
    assert not found.both.gain.excludes(0.0)


def test_a_combination_that_hurts_is_called_worse(read):
    def losses(trial):
        rng = np.random.default_rng((trial.seed, int(1000 * trial.lam)))
        ways = bool(trial.lam), bool(trial.training.dropout)
        gain = {0: 0.0, 1: 0.3, 2: 0.1}[sum(ways)]
        return 0.1, 1.0 - gain + rng.normal(0, 0.01)

    found = read(losses=losses)
    assert found.verdict == "redundant"
    assert found.extra.high < 0
    assert "together they raise the loss of the better one alone" in found.sentences[1]
    assert "not beyond noise" not in found.sentences[1]


@pytest.mark.parametrize(
    ("alone", "dropout", "extra", "overlap", "verdict"),
    [
        ((0.1, 0.3), (0.1, 0.3), (-0.1, 0.1), (0.6, 1.4), "redundant"),
        ((0.1, 0.3), (0.1, 0.3), (-0.1, 0.2), (0.4, 1.4), "unclear"),
        ((0.1, 0.3), (0.1, 0.3), (0.01, 0.2), (-0.4, 0.8), "complementary"),
        ((-0.1, 0.3), (-0.1, 0.3), (0.01, 0.2), None, "complementary"),
        ((-0.1, 0.3), (-0.1, 0.3), (-0.01, 0.2), None, "neither helps"),
    ],
)
def test_verdicts_follow_the_intervals(alone, dropout, extra, overlap, verdict):
    def way(ends):
        return Way("", 0.1, 0.1, 0.5, Interval(0.2, *ends))

    shared = None if overlap is None else Interval(0.5, *overlap)
    assert judge(way(alone), way(dropout), Interval(0.05, *extra), shared) == verdict


def test_means_errors_and_ridge_are_those_of_the_losses(read):
    found = read(losses=lambda trial: (0.1, 1.0 + trial.lam * (trial.training.dropout - 0.3)))
    np.testing.assert_allclose(found.losses, [[1, 1, 1], [0.997, 0.999, 1.002], [0.97, 0.99, 1.02]])
    np.testing.assert_allclose(found.errors, 0, atol=1e-12)
    assert found.best == (2, 0)
    assert found.ridge == (2, 2, 0)
    assert found.table.rows[2] == ("0.1", "0.97*", "0.99", "1.02")


def test_folds_that_are_not_complete_do_not_count(read):
    def losses(trial):
        return None if trial.fold == 9 and trial.lam == 0.1 else losses_of(penalty=0.3)(trial)

    found = read(losses=losses)
    assert (found.folds, found.missing) == (9, 3)
    assert found.notes[0] == (
        "3 of the planned fits are missing; the map rests on 9 complete folds."
    )


def test_a_cell_that_diverged_once_is_out(read):
    def losses(trial):
        cell = trial.lam, trial.training.dropout
        failed = trial.fold == 3 and cell == (0.01, 0.2)
        return (np.nan, np.nan) if failed else losses_of(penalty=0.3, dropout=0.2)(trial)

    found = read(losses=losses)
    assert np.isnan(found.losses[1, 1])
    assert (found.both.lam, found.both.dropout) != (0.01, 0.2)
    assert found.table.rows[1][2] == "diverged"
    assert found.failures.diverged == 1
    assert any(note.startswith("1 fit diverged") for note in found.notes)


def test_one_fold_alone_claims_nothing(read):
    def losses(trial):
        return losses_of(penalty=0.3, dropout=0.2)(trial) if trial.fold == 0 else None

    found = read(losses=losses)
    assert found.verdict == "unclear"
    assert not found.both.gain.bounded
    assert any("One fold alone" in note for note in found.notes)


def test_without_a_complete_fold_there_is_nothing_to_say(read):
    with pytest.raises(ShrinkageError, match="no fold has all its cells"):
        read(losses=lambda trial: (0.1, 0.5) if trial.lam == 0 else None)


def test_a_plain_network_that_diverges_is_no_measure(read):
    with pytest.raises(ShrinkageError, match="diverged without a penalty"):
        read(losses=lambda trial: (0.1, 0.5 if trial.lam else np.nan))


def test_what_lies_at_the_end_of_the_grid_is_not_called_complementary(read):
    # L2 alone still improves at the largest λ, by far: more of it may do what dropout adds.
    def losses(trial):
        rng = np.random.default_rng((trial.seed, int(1000 * trial.lam)))
        gain = {0.0: 0.0, 0.01: 0.2, 0.1: 0.5}[trial.lam] + 0.4 * trial.training.dropout
        return 0.1, 1.0 - gain + rng.normal(0, 0.01)

    found = read(losses=losses)
    assert found.extra.low > 0
    assert found.verdict == "unclear"
    assert found.sentences[1].endswith("but more of L2 alone than was tried may change that.")


def test_a_best_at_the_edge_is_said(read):
    found = read(losses=lambda trial: (0.1, 1.0 - trial.lam - trial.training.dropout))
    text = " ".join(found.notes)
    assert "The best λ (L2 alone and both) is the largest that was tried, 0.1" in text
    assert "The best dropout (dropout alone and both) is the largest that was tried, 0.5" in text


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dropouts": (0.5, 1.0)}, r"dropout is 1; it must lie in \[0, 1\)"),
        ({"dropouts": (-0.1,)}, "dropout is -0.1"),
        ({"dropouts": (0.0,)}, "no dropout above 0"),
        ({"dropouts": (float("nan"),)}, "dropout is nan"),
        ({"lambdas": (0.0,)}, "no λ above 0"),
        ({"lambdas": ()}, "no λ above 0"),
        ({"lambdas": (float("inf"),)}, "λ is inf"),
    ],
)
def test_what_cannot_be_tried_is_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        InteractionMap(**settings)


def test_a_linear_model_has_nothing_to_drop(synthetic_basis):
    with pytest.raises(SettingError, match="hidden units"):
        list(SMALL.trials(synthetic_basis(hidden=())))


def test_plain_values_hold_the_grid(read):
    plain = read(penalty=0.3, dropout=0.2).as_dict()
    assert plain["verdict"] == "complementary"
    assert np.shape(plain["validation_loss"]) == (3, 3)
    assert plain["ways"]["both"]["gain"]["low"] > 0
