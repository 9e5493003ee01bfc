"""The committee: each pick is the best one, by an independent loss."""

import numpy as np
import pytest
from sklearn.metrics import log_loss, mean_squared_error

from shrinkage.data import bundled, prepare
from shrinkage.tune import default_training
from shrinkage.tune.joint.ensemble import choose_members


def problem(name, **settings):
    table, target = bundled(name)
    data = prepare(table.iloc[::3], target, name=name, folds=3, repeats=1)
    rng = np.random.default_rng(0)
    truth = [part.targets[part.validation] for part in data.parts]
    outputs = []
    for noise in (1.5, 1.6, 1.8):
        recipe = []
        for rows in truth:
            if data.task == "regression":
                answers = rows + noise * rng.standard_normal(rows.shape)
            else:
                classes = rows[:, 0].astype(int)
                raw = noise * rng.standard_normal((rows.shape[0], len(data.classes)))
                raw += 1.5 * np.eye(len(data.classes))[classes]
                answers = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
                answers = answers[:, 1:] if data.task == "binary" else answers
            recipe.append(answers.astype(np.float32))
        outputs.append(recipe)
    return data, default_training(data, **settings), outputs


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "diabetes"])
def test_every_pick_lowers_the_loss_of_the_average_most(name):
    data, training, outputs = problem(name)
    chosen = choose_members(outputs, 4, data, training)

    def loss(members):
        found = []
        for fold, part in enumerate(data.parts):
            mean = np.mean([outputs[m][fold] for m in members], axis=0, dtype=float)
            rows = part.targets[part.validation]
            if data.task == "regression":
                found.append(mean_squared_error(rows, mean))
            else:
                mean = mean if mean.shape[1] > 1 else np.column_stack([1 - mean, mean])
                classes = np.arange(len(data.classes))
                mean = mean / mean.sum(axis=1, keepdims=True)
                found.append(log_loss(rows[:, 0], mean, labels=classes))
        return np.mean(found)

    for size in range(1, 5):
        before, pick = chosen[: size - 1], chosen[size - 1]
        others = [loss([*before, other]) for other in range(3)]
        assert others[pick] == pytest.approx(min(others), rel=1e-6)
    assert len(set(chosen)) > 1, "noises that differ average out"


def test_classes_weigh_as_in_training():
    data, plain, outputs = problem("breast_cancer")
    # One recipe bets on the frequent class, the other on the rare one.
    likely = 0.9 if float(np.mean(data.full.targets)) > 0.5 else 0.1
    bets = [[np.full_like(fold, p) for fold in outputs[0]] for p in (1 - likely, likely)]
    balanced = default_training(data, class_weight="balanced")
    assert choose_members(bets, 1, data, plain) == [1]
    assert sorted(choose_members(bets, 2, data, balanced)) == [0, 1]
