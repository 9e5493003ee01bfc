from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shrinkage.errors import ShrinkageError
from shrinkage.penalties import L1, L2
from shrinkage.study import Status, Study
from shrinkage.tune import select
from shrinkage.verify import verify

GRID = [(L2(), 0.001), (L2(), 0.01), (L2(), 0.1)]


def chosen(study, penalty, lam):
    """A selection of that point."""
    selection = select(study)
    point = next(p for p in selection.points if (p.penalty, p.lam) == (penalty, lam))
    return replace(selection, point=point)


def test_everything_is_about_the_selected_point(make_data, make_study):
    data = make_data()
    study = make_study(data, [*GRID, (L1(), 0.1)])
    found = verify(study, chosen(study, L2(), 0.01), data.test)
    assert (found.before, found.after) == ("no penalty", "L2, λ = 0.01")
    assert (found.rows, found.seeds) == (len(data.test.targets), 2)
    assert found.effects[0].metric == "log_loss"
    labels = ["no penalty", "L2, λ = 0.001", "L2, λ = 0.01", "L2, λ = 0.1"]
    assert [surface.label for surface in found.boundary.surfaces] == labels
    assert [summary.label for summary in found.weights_path] == labels
    ratio = found.weights[0].after.std / found.weights[0].before.std
    assert ratio == pytest.approx(1 / 1.1, rel=1e-4)
    assert len(found.checklist) == 9
    assert found.simplicity.seeds == 2
    norm = found.simplicity.measure("weight_norm")
    assert norm.after.estimate / norm.before.estimate == pytest.approx(1 / 1.1, rel=1e-4)
    assert found.notes == ()
    assert found.sentence.startswith(
        "On the 24 untouched test rows, L2, λ = 0.01 (mean of 2 seeds)"
    )
    assert found.weights_sentence.startswith("The hidden weights' spread goes from ")


def test_it_is_a_pure_function_of_the_study(make_data, make_study):
    data = make_data()
    study = make_study(data, GRID)
    first, again = (verify(study, chosen(study, L2(), 0.1), data.test) for _ in range(2))
    assert first.effects == again.effects
    assert first.checklist == again.checklist
    np.testing.assert_array_equal(
        first.boundary.surfaces[2].values, again.boundary.surfaces[2].values
    )


def test_no_penalty_selected_compares_nothing_and_says_so(make_data, make_study):
    data = make_data()
    study = make_study(data, GRID)
    found = verify(study, chosen(study, None, 0.0), data.test)
    assert found.before == found.after == "no penalty"
    assert all(effect.difference.estimate == 0 for effect in found.effects)
    assert "without a penalty has log loss" in found.sentence
    assert found.weights_sentence.startswith("Without a penalty the hidden weights range from")
    assert len(found.boundary.surfaces) == 4  # the path is drawn all the same


def few(test, rows):
    """The first rows of a test set."""
    return replace(
        test, inputs=test.inputs[:rows], targets=test.targets[:rows], weights=test.weights[:rows]
    )


def test_too_few_test_rows_claim_nothing(make_data, make_study):
    data = make_data()
    study = make_study(data, GRID)
    found = verify(study, chosen(study, L2(), 0.1), few(data.test, 3))
    assert found.resamples == 0
    assert {effect.outcome for effect in found.effects} == {"too few test rows to tell"}
    assert not any(effect.difference.bounded for effect in found.effects)
    assert found.sentence.startswith(
        "On the 3 untouched test rows, L2, λ = 0.1 takes log loss from "
    )
    assert found.sentence.endswith(" (mean of 2 seeds): too few test rows (3) to tell.")
    unpenalized = verify(study, chosen(study, None, 0.0), few(data.test, 3))
    assert unpenalized.sentence.endswith(": too few test rows (3) to tell.")
    assert "unbounded" not in found.sentence + unpenalized.sentence


@pytest.mark.parametrize("point", [(None, 0.0), (L2(), 0.1)], ids=["none", "L2"])
def test_a_linear_model_has_no_hidden_weights(make_data, make_study, point):
    data = make_data()
    study = make_study(data, GRID, hidden=())
    found = verify(study, chosen(study, *point), data.test)
    assert "weights" in found.weights_sentence
    assert "hidden" not in found.weights_sentence


def test_only_seeds_of_both_sides_are_compared(make_data, make_study):
    data = make_data()
    study = make_study(data, GRID, seeds=(0, 1, 2))
    kept = [
        fit
        for fit in study.fits
        if (fit.trial.lam, fit.trial.fold, fit.trial.seed) not in {(0.0, None, 0), (0.1, None, 2)}
    ]
    partial = Study.of(data, study.trials, kept, {})
    found = verify(partial, chosen(partial, L2(), 0.1), data.test)
    assert found.seeds == 1
    assert "2 refits on every training row did not finish" in found.notes[0]


def test_a_missing_refit_on_the_path_is_noted(make_data, make_study):
    data = make_data()
    study = make_study(data, GRID, seeds=(0,), without={(L2(), 0.001, None)})
    found = verify(study, chosen(study, L2(), 0.01), data.test)
    assert [surface.lam for surface in found.boundary.surfaces] == [0.0, 0.01, 0.1]
    assert found.notes[0].startswith("1 refit on every training row did not finish")


@pytest.mark.parametrize("point", [(None, 0.0), (L2(), 0.01)], ids=["before", "after"])
def test_a_side_without_refits_cannot_be_verified(make_data, make_study, point):
    data = make_data()
    study = make_study(data, GRID, without={(*point, None)})
    with pytest.raises(ShrinkageError, match="did not finish, so the effect on the test set"):
        verify(study, chosen(study, L2(), 0.01), data.test)


def test_a_diverged_refit_is_told_apart(make_data, make_study):
    data = make_data()
    study = make_study(data, GRID)
    selection = chosen(study, L2(), 0.01)
    broken = [
        replace(fit, status=Status.DIVERGED)
        if (fit.trial.lam, fit.trial.fold) == (0.01, None)
        else fit
        for fit in study.fits
    ]
    with pytest.raises(ShrinkageError, match=r"\(L2, λ = 0.01\) diverged.*lower the learning rate"):
        verify(Study.of(data, study.trials, broken, {}), selection, data.test)


def test_an_empty_test_set_is_refused(make_data, make_study):
    data = make_data()
    study = make_study(data, GRID)
    empty = replace(
        data.test,
        inputs=data.test.inputs[:0],
        targets=data.test.targets[:0],
        weights=data.test.weights[:0],
    )
    with pytest.raises(ShrinkageError, match="there are no test rows"):
        verify(study, chosen(study, L2(), 0.01), empty)


def test_many_inputs_and_regression_go_through(make_data, make_study):
    data = make_data("regression", inputs=4)
    study = make_study(data, GRID)
    found = verify(study, chosen(study, L2(), 0.1), data.test)
    assert [effect.metric for effect in found.effects] == ["mean_squared_error", "rmse", "r2"]
    assert found.boundary.plane.kind == "principal components"
