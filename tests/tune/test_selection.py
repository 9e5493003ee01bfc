"""The rules, on losses written down, and their edge cases."""

from dataclasses import replace

import numpy as np
import pytest

from shrinkage.errors import ShrinkageError
from shrinkage.penalties import L2
from shrinkage.study import Study
from shrinkage.tune import Search, candidates, select


def with_losses(study, losses):
    """The study with the validation losses of its points replaced, fold by fold.

    None is a trial without a fit, NaN one that diverged.
    """
    fits = tuple(
        replace(
            fit,
            validation_loss=np.array([losses[fit.trial.lam][fit.trial.fold]], dtype=float),
            epochs=np.array([1]),
            train_loss=np.array([0.1]),
        )
        for fit in study.fold_fits
        if fit.trial.lam in losses
    )
    done = [fit for fit in fits if losses[fit.trial.lam][fit.trial.fold] is not None]
    return Study.of(study.data, [fit.trial for fit in fits], done, {})


@pytest.fixture(scope="module")
def grid(data, short_plan):
    search = Search(data, short_plan(data, lambdas=(0.01, 0.1, 1.0), penalties=(L2(),)))
    list(search)
    return search.study


def test_the_two_rules(grid):
    study = with_losses(
        grid, {0.0: [3, 3, 3], 0.01: [1.0, 1.2, 1.4], 0.1: [1.1, 1.3, 1.5], 1.0: [2, 2, 2]}
    )
    assert select(study, "minimum").point.lam == 0.01
    # 0.1 lies 0.1 above the minimum, whose standard error is 0.2/√3 = 0.115.
    assert select(study, "one_standard_error").point.lam == 0.1
    assert "against 3.00 nats without a penalty" in select(study).sentence


def test_no_penalty_is_a_candidate(grid):
    study = with_losses(grid, {0.0: [1, 1, 1], 0.01: [2, 2, 2], 1.0: [3, 3, 3]})
    choice = select(study)
    assert choice.point.penalty is None
    assert choice.runner_up == L2()
    assert choice.sentence.startswith("No penalty")


def test_a_metric_of_which_more_is_better(grid):
    best = select(grid, metric="accuracy").point
    assert best.mean_score == max(point.mean_score for point in candidates(grid, "accuracy"))


def test_nothing_finished(grid):
    with pytest.raises(ShrinkageError, match="nothing to choose from"):
        select(Study(grid.data, grid.trials, ()))


NAN = float("nan")


def on(study, metric=None):
    """λ → folds of the candidates."""
    return {point.lam: point.folds.tolist() for point in candidates(study, metric)}


def test_point_and_baseline_rest_on_the_same_folds_after_an_interruption(grid):
    study = with_losses(grid, {0.0: [2, 4, 9], 0.01: [1, 3, None], 0.1: [1.5, 3.5, None]})
    choice = select(study)
    assert on(study) == {0.0: [0, 1], 0.01: [0, 1], 0.1: [0, 1]}
    assert choice.baseline.folds.tolist() == choice.point.folds.tolist() == [0, 1]
    assert "2.00 ± 1.00 nats against 3.00 nats without a penalty" in choice.sentence
    assert "(mean ± standard error over 2 folds; the best)" in choice.sentence


def test_without_a_common_fold_the_one_that_most_points_have(grid):
    study = with_losses(grid, {0.0: [2, None, None], 0.01: [1, 9, None], 0.1: [None, 1, None]})
    assert on(study) == {0.0: [0], 0.01: [0]}


def test_a_fold_on_which_no_penalty_diverged_is_left_out_for_all(grid):
    study = with_losses(grid, {0.0: [2, NAN, 4], 0.01: [1, 50, 3], 0.1: [5, 1, 5]})
    choice = select(study)
    assert on(study) == {0.0: [0, 2], 0.01: [0, 2], 0.1: [0, 2]}
    assert choice.point.lam == 0.01
    assert "against 3.00 nats" in choice.sentence


def test_a_penalty_that_diverged_on_a_fold_has_no_say(grid):
    study = with_losses(grid, {0.0: [2, 2, 4], 0.01: [0.1, NAN, 0.1], 0.1: [1, 1, 1]})
    assert on(study) == {0.0: [0, 1, 2], 0.1: [0, 1, 2]}


def test_with_no_penalty_diverged_everywhere_nothing_is_said_to_beat_it(grid):
    study = with_losses(grid, {0.0: [NAN, NAN, NAN], 0.01: [1, 2, 3], 0.1: [2, 3, 4]})
    choice = select(study)
    assert (choice.point.lam, choice.baseline) == (0.01, None)
    assert "against" not in choice.sentence
    assert "the best with a penalty; no fit without a penalty finished on these" in choice.sentence


def test_a_refinement_that_was_given_up_leaves_the_path_its_folds(grid):
    planned = with_losses(grid, {0.0: [3, 3, 3], 0.01: [1, 2, 3], 1.0: [2, 2, 2]})
    later = with_losses(grid, {0.1: [0.1, None, None]})
    study = Study.of(grid.data, [*planned.trials, *later.trials], [*planned.fits, *later.fits], {})
    assert on(study) == {0.0: [0, 1, 2], 0.01: [0, 1, 2], 1.0: [0, 1, 2]}


def test_the_strongest_is_said_to_be_within_one_standard_error(grid):
    study = with_losses(grid, {0.0: [3, 3, 3], 0.01: [1.0, 1.2, 1.4], 0.1: [1.1, 1.3, 1.5]})
    said = select(study, "one_standard_error").sentence
    assert "the strongest within one standard error of the best)" in said


def test_the_metric_chosen_leads_for_both_then_the_loss(grid):
    choice = select(grid, metric="accuracy")
    penalized = next(point for point in candidates(grid, "accuracy") if point.penalty)
    choice = replace(choice, point=penalized)
    numbers = choice.numbers
    assert numbers.startswith(f"accuracy {penalized.mean_score:.3f} ± {penalized.se_score:.3f}")
    accuracy, loss = numbers.split(", ")
    assert f"against {choice.baseline.mean_score:.3f} without a penalty" in accuracy
    assert loss.startswith("log loss ")
    assert loss.endswith("nats without a penalty")


def test_small_numbers_keep_their_digits(grid):
    study = with_losses(grid, {0.0: [2e-3] * 3, 0.01: [1.23e-3, 1.24e-3, 1.25e-3]})
    assert "0.00124 ± 0.00001 nats against 0.00200 nats" in select(study).sentence


def test_no_penalty_alone_is_not_called_the_best(grid):
    said = select(with_losses(grid, {0.0: [1, 1, 1]})).sentence
    assert said.endswith("(mean ± standard error over 3 folds; no penalty was tried).")


def test_one_fold_has_no_standard_error(grid):
    study = with_losses(grid, {0.0: [3, None, None], 0.01: [1, None, None]})
    sentence = select(study).sentence
    assert "±" not in sentence
    assert "(1 fold, so without a standard error; the best on that fold)" in sentence
