from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shrinkage.detect import diagnose
from shrinkage.errors import ShrinkageError
from shrinkage.penalties import L1, L2
from shrinkage.study import Study

NONE = (None, 0.0)


def around(level, noise=0.01, folds=5, seed=0):
    return level + noise * np.random.default_rng(seed).normal(size=folds)


def test_a_large_gap_that_a_penalty_closes(make_study):
    study = make_study(
        {
            NONE: (0.25, around(0.41)),
            (L2(), 0.01): (0.28, around(0.31, seed=1)),
            (L1(), 0.1): (0.6, around(0.6, seed=2)),
        }
    )
    found = diagnose(study)
    assert found.verdict == "overfits"
    assert found.gap.estimate == pytest.approx(np.mean(around(0.41)) - 0.25)
    assert found.gap.low > 0.1
    assert found.penalty_gain.estimate == pytest.approx(0.1, abs=0.02)
    assert found.penalty_gain.low > 0
    assert found.best == found.best_penalized == "L2, λ = 0.01"
    assert found.null_loss == pytest.approx(np.log(2))
    assert found.relative_gap == pytest.approx(found.gap.estimate / np.log(2))
    assert found.explained == pytest.approx(1 - 0.25 / np.log(2))
    assert found.sentence.startswith(
        "The network overfits: log loss 0.410 on validation rows vs 0.250 on training rows, gap "
        "0.160 nats [0.15"
    )
    assert found.prescription.startswith("Add L2, λ = 0.01: ")


def test_a_gap_that_nothing_closes_is_said_to_be_one(make_study):
    study = make_study(
        {NONE: (0.05, around(0.4)), (L2(), 0.01): (0.1, around(0.4, seed=3))},
    )
    found = diagnose(study)
    assert found.verdict == "overfits"
    assert "nothing that was tried validates better beyond noise" in found.sentence
    assert found.prescription.startswith("No penalty that was tried helps beyond noise")


def test_no_penalty_is_needed(make_study):
    study = make_study(
        {NONE: (0.095, around(0.1)), (L2(), 0.01): (0.11, around(0.115, seed=1))},
    )
    found = diagnose(study)
    assert found.verdict == "balanced"
    assert found.best == "no penalty"
    assert found.best_penalized == "L2, λ = 0.01"
    assert found.prescription.startswith("No penalty is needed: no λ validates better")


def test_an_unclear_gap_is_not_called_small(make_study):
    study = make_study({NONE: (0.2, [0.1, 0.6, 0.15, 0.5, 0.1]), (L2(), 1.0): (0.4, [0.5] * 5)})
    found = diagnose(study)
    assert found.verdict == "balanced"
    assert found.gap_is_unclear
    assert found.sentence.startswith("The network is not shown to overfit beyond noise")
    assert found.prescription.startswith("No penalty is shown to be needed")


def test_a_small_gap_with_a_wide_interval_is_unclear(make_study):
    # Estimate 0.02 (3% of the constant's loss), but up to 0.3 is possible.
    study = make_study({NONE: (0.2, [0.05, 0.4, 0.1, 0.4, 0.15]), (L2(), 1.0): (0.4, [0.5] * 5)})
    found = diagnose(study)
    assert found.relative_gap < 0.05
    assert found.gap_is_unclear
    assert found.sentence.startswith("The network is not shown to overfit beyond noise")
    assert found.prescription.startswith("No penalty is shown to be needed")


def test_a_gap_beyond_noise_that_may_be_small_is_not_called_noise(make_study):
    found = diagnose(make_study({NONE: (0.2, 0.2 + around(0.03, 0.01))}))
    assert found.gap.low > 0
    assert found.verdict == "balanced"
    assert found.sentence.startswith("The network is not shown to overfit by an amount that counts")


def test_a_gap_beyond_noise_is_one_whatever_the_interval_above(make_study):
    found = diagnose(make_study({NONE: (0.2, 0.2 + around(0.3, 0.1))}))
    assert found.verdict == "overfits"
    assert not found.gap_is_unclear


@pytest.mark.parametrize("validation", [1.4, 5.0])
def test_a_training_that_blew_up_needs_another_learning_rate(make_study, validation):
    study = make_study({NONE: (1.4, around(validation)), (L2(), 0.1): (1.3, around(1.3, seed=1))})
    found = diagnose(study)
    assert found.verdict == "underfits"
    assert "a constant prediction has 0.693, which training does not reach" in found.sentence
    assert found.prescription.startswith(
        "The loss is worse than a constant prediction's: lower the learning rate, or train longer; "
    )
    assert "as it is, L2, λ = 0.1 helps" in found.prescription
    assert "wider" not in found.prescription


@pytest.mark.parametrize(
    ("train", "validation", "verdict"),
    [
        (0.6, around(0.71), "overfits"),  # the gap is beyond noise
        (0.688, around(0.7, 0.001), "overfits"),  # and here too, though small
        (0.6, around(0.71, 0.2), "balanced"),  # unclear
        (0.69, around(0.7, 0.02), "balanced"),
    ],
)
def test_worse_than_a_constant_on_validation_rows_only_is_no_underfitting(
    make_study, train, validation, verdict
):
    study = make_study({NONE: (train, validation), (L2(), 0.1): (0.693, validation + 0.01)})
    found = diagnose(study)
    assert found.not_generalizing
    assert found.verdict == verdict
    assert "wider" not in found.prescription
    assert "less than on validation rows" in found.sentence
    if verdict == "balanced":
        assert found.prescription.startswith("Give inputs that tell more about the target, or more")


def test_a_linear_model_is_not_advised_to_be_wider(make_study):
    study = make_study({NONE: (0.6, around(0.605)), (L2(), 0.01): (0.62, around(0.63, seed=1))})
    fits = [
        replace(fit, trial=replace(fit.trial, network=replace(fit.trial.network, hidden=())))
        for fit in study.fits
    ]
    found = diagnose(Study(study.data, tuple(fit.trial for fit in fits), tuple(fits), {}))
    assert found.hidden_layers == 0
    assert found.prescription.startswith("Train longer, add a hidden layer, or give inputs")


def test_no_penalty_tried_is_not_no_penalty_needed(make_study):
    found = diagnose(make_study({NONE: (0.1, around(0.1, 0.001))}))
    assert found.verdict == "balanced"
    assert found.prescription.startswith("No penalty was tried, so none can be recommended")


def test_a_penalty_that_changes_nothing_but_rounding_does_not_help(make_study):
    losses = around(0.4)
    study = make_study({NONE: (0.39, losses), (L2(), 1e-8): (0.39, losses - 1e-8)})
    found = diagnose(study)
    assert (found.penalty_gain.low, found.penalty_gain.high) == (0.0, 0.0)
    assert found.best == "no penalty"
    assert not found.penalty_helps


def test_a_penalty_seen_on_one_fold_only_is_said_to_be(make_study):
    study = make_study({NONE: (0.1, around(0.4)), (L2(), 0.1): (0.1, [0.2])})
    found = diagnose(study)
    assert "(the best guess is L2, λ = 0.1, seen on one fold alone)" in found.prescription
    assert "other folds" not in found.prescription


def test_balanced_classes_are_named(make_data, make_fit):
    data = make_data()
    fits = [
        make_fit(data, None, 0.0, fold, 0.1, 0.4 + 0.01 * fold, class_weight="balanced")
        for fold in range(5)
    ]
    found = diagnose(Study(data, tuple(fit.trial for fit in fits), tuple(fits), {}))
    assert found.loss_name == "class-weighted log loss"
    assert "class-weighted log loss 0.42" in found.sentence


def test_a_penalty_that_helps_without_a_gap(make_study):
    study = make_study(
        {NONE: (0.41, around(0.415, 0.001)), (L2(), 0.01): (0.4, around(0.4, 0.001, seed=1))},
    )
    found = diagnose(study)
    assert found.verdict == "overfits"
    assert found.sentence.startswith("The network overfits a little")
    assert found.prescription.startswith("Add L2")


def test_a_poor_training_loss_underfits(make_study):
    study = make_study(
        {NONE: (0.6, around(0.605)), (L2(), 0.01): (0.62, around(0.63, seed=1))},
    )
    found = diagnose(study)
    assert found.verdict == "underfits"
    assert "a constant prediction has 0.693, so training explains only 13% of it" in found.sentence
    assert found.prescription.startswith("Train longer or wider")


def test_underfitting_does_not_rule_overfitting_out(make_study):
    found = diagnose(make_study({NONE: (0.6, around(0.64, 0.1)), (L2(), 0.1): (0.6, [0.7] * 5)}))
    assert found.verdict == "underfits"
    assert "; it is not shown to overfit beyond noise" in found.sentence
    assert found.prescription.startswith("Train longer, or")


def test_a_training_that_ended_too_soon_underfits(make_study):
    curves = [[0.69, 0.6, 0.5, v] for v in around(0.4)]
    found = diagnose(make_study({NONE: (0.395, curves)}))
    assert found.verdict == "underfits"
    assert found.fall.estimate == pytest.approx(0.1, abs=0.02)
    assert found.prescription.startswith("Train longer, or")
    assert "no penalty was tried, so none can be recommended" in found.prescription


def test_a_penalty_that_helps_beats_a_poor_training_loss(make_study):
    study = make_study({NONE: (0.6, around(0.66)), (L2(), 0.1): (0.61, around(0.62, seed=1))})
    assert diagnose(study).verdict == "overfits"


def test_stopping_early_may_be_all_that_helps(make_study):
    curves = [[0.6, 0.3, 0.35, v] for v in around(0.5)]
    study = make_study({NONE: (0.05, curves), (L2(), 0.001): (0.06, around(0.51, seed=1))})
    found = diagnose(study)
    assert found.verdict == "overfits"
    assert (found.early_epoch, found.epochs) == (50, 100)
    assert found.early_gain.estimate == pytest.approx(0.2, abs=0.02)
    assert found.prescription.startswith("Stop at epoch 50 of 100")


def test_when_both_help_the_larger_gain_is_told(make_study):
    curves = [[0.6, 0.2, 0.35, v] for v in around(0.5)]
    study = make_study({NONE: (0.05, curves), (L2(), 0.01): (0.2, around(0.4, seed=1))})
    found = diagnose(study)
    assert found.prescription.startswith("Add L2")
    assert "stopping at epoch 50 of 100 instead gains more" in found.prescription


def test_the_last_epoch_may_be_the_best(make_study):
    curves = [[0.6, 0.3, 0.21, v] for v in around(0.2, 0.001)]
    found = diagnose(make_study({NONE: (0.19, curves)}))
    assert found.early_epoch == 100
    assert (found.early_gain.low, found.early_gain.high) == (0.0, 0.0)
    assert not found.stopping_helps


def test_losses_at_the_last_epoch_only_say_nothing_about_stopping(make_study):
    found = diagnose(make_study({NONE: (0.1, around(0.4))}))
    assert found.early_gain is None
    assert found.early_epoch is None
    assert found.fall is None
    assert found.penalty_gain is None
    assert found.prescription == (
        "No penalty was tried, so none can be recommended; try a path of penalties."
    )


def test_one_fold_gives_a_verdict_without_an_interval(make_study):
    study = make_study({NONE: (0.1, [0.5]), (L2(), 0.1): (0.2, [0.3])})
    found = diagnose(study)
    assert found.verdict == "overfits"
    assert not found.gap.bounded
    assert not found.penalty_helps
    assert found.sentence.startswith("The network seems to overfit: ")
    assert "gap 0.400 nats (1 fold, so without an interval)" in found.sentence
    assert "8 unfinished fits are left out" in found.sentence
    assert found.prescription == (
        "One fold alone cannot tell noise from effect; let the run finish, or use more folds "
        "(--folds); on it the best guess, L2, λ = 0.1, lowers the validation log loss by "
        "0.200 nats."
    )


@pytest.mark.parametrize("level", [0.09, 0.105, 0.5, 0.9])
@pytest.mark.parametrize("train", [0.1, 0.6, 0.8])
@pytest.mark.parametrize("penalty", [None, L2()])
def test_one_fold_claims_nothing_about_noise_or_other_folds(make_study, level, train, penalty):
    points = {NONE: (train, [[0.69, 0.4, level]])}
    if penalty:
        points[penalty, 0.1] = (train, [level - 0.05])
    found = diagnose(make_study(points))
    told = found.sentence + found.prescription
    assert "one fold alone cannot tell noise from effect" in told.lower()
    assert "(--folds)" in told
    for words in ("other folds", "beyond noise", "unbounded", "nan"):
        assert words not in told


def test_diverged_fits_are_left_out_and_counted(make_study):
    study = make_study(
        {NONE: (0.1, [0.5, 0.5, 0.5, 1e9, 0.5]), (L2(), 0.1): (0.1, [0.3, np.inf, 0.3, 0.3, 0.3])},
        diverged={(None, 0.0, 3), (L2(), 0.1, 1)},
    )
    found = diagnose(study)
    assert found.validation_loss == pytest.approx(0.5)
    assert (found.folds, found.diverged, found.missing) == (4, 2, 0)
    assert "(2 diverged fits are left out)" in found.sentence


def test_a_fit_that_ends_without_a_finite_loss_is_left_out(make_study):
    curve = [0.6, 0.5, 0.4]
    study = make_study({NONE: (0.1, [[*curve, v] for v in (0.5, 0.51, np.nan, 0.5, 0.49)])})
    found = diagnose(study)
    assert found.validation_loss == pytest.approx(0.5)
    assert found.train_loss == pytest.approx(0.1)
    assert (found.folds, found.diverged) == (4, 1)
    assert "nan" not in found.sentence + found.prescription


def test_a_wholly_diverged_penalty_is_no_candidate(make_study):
    study = make_study(
        {NONE: (0.1, around(0.4)), (L1(), 9.0): (0.1, [0.1] * 5), (L2(), 0.1): (0.1, around(0.3))},
        diverged={(L1(), 9.0, fold) for fold in range(5)},
    )
    assert diagnose(study).best == "L2, λ = 0.1"


def test_an_interrupted_study_is_judged_on_what_it_has(make_study):
    study = make_study({NONE: (0.1, [0.5, 0.52, 0.49]), (L2(), 0.1): (0.1, [0.3, 0.31])})
    found = diagnose(study)
    assert (found.folds, found.missing) == (3, 5)
    assert found.penalty_gain.estimate == pytest.approx(np.mean([0.2, 0.21]))


@pytest.mark.parametrize(
    ("points", "diverged", "sentence"),
    [
        ({NONE: (0.1, [0.5] * 5)}, {(None, 0.0, f) for f in range(5)}, "all 5 fits without a pen"),
        ({NONE: (0.1, []), (L2(), 0.1): (0.1, [0.5] * 5)}, (), "the run ended before any fit"),
        ({(L2(), 0.1): (0.1, [0.5] * 5)}, (), "the study has no fits without a penalty"),
    ],
)
def test_without_unpenalized_fits_there_is_no_verdict(make_study, points, diverged, sentence):
    with pytest.raises(ShrinkageError, match=sentence):
        diagnose(make_study(points, diverged=diverged))


def test_regression_speaks_of_squared_errors(make_study, make_data):
    study = make_study({NONE: (0.1, around(0.9))}, make_data("regression"))
    found = diagnose(study)
    assert found.verdict == "overfits"
    assert (found.loss_name, found.unit) == ("mean squared error", "target variances")
    assert "target variances [" in found.sentence


def test_the_order_of_fits_does_not_matter(make_study):
    study = make_study({NONE: (0.25, around(0.41)), (L2(), 0.01): (0.28, around(0.31, seed=1))})
    shuffled = Study(study.data, study.trials, study.fits[::-1], {})
    assert diagnose(shuffled) == diagnose(study)


def test_refits_have_no_say(make_study):
    study = make_study({NONE: (0.25, around(0.41))})
    refit = replace(study.fits[0], trial=replace(study.trials[0], fold=None))
    assert diagnose(Study(study.data, study.trials, (*study.fits, refit), {})) == diagnose(study)
