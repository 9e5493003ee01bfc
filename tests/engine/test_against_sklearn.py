"""Networks beside scikit-learn's, trained from the same weights over the same batches."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits

from shrinkage.conventions import SKLEARN_ALPHA
from shrinkage.data.numeric import Arrays, from_arrays
from shrinkage.engine.pool import run_trial
from shrinkage.network import Network, initialize, layout
from shrinkage.penalties import L2
from shrinkage.study import Trial
from shrinkage.training import Training

# alpha is divided by the rows of a batch, so a short last one would be penalized more there: none.
ROWS, BATCH, EPOCHS = 96, 24, 15
ALPHA = 0.6
HIDDEN = (13, 7)


def problem(task, targets):
    rng = np.random.default_rng(3)
    inputs = rng.standard_normal((ROWS, 5)).astype(np.float32).astype(np.float64)
    signal = np.tanh(inputs[:, :1] * [1.0, 0.5]) + 0.3 * rng.standard_normal((ROWS, 2))
    answer = {
        "binary": (signal[:, :1] > 0).astype(np.float64),
        "multiclass": np.digitize(signal[:, :1], [-0.4, 0.4]).astype(np.float64),
        "regression": signal[:, : max(targets, 1)].astype(np.float32).astype(np.float64),
    }[task]
    return Arrays(inputs, answer, np.ones(ROWS))


def theirs(made, network, start, settings):
    """Loss curve and flat parameters of scikit-learn's network from the same start."""
    kind = MLPRegressor if "mean" in settings["loss"] else MLPClassifier
    model = kind(
        hidden_layer_sizes=HIDDEN,
        activation=network.activation,
        solver=settings["optimizer"],
        alpha=ALPHA,
        batch_size=BATCH,
        learning_rate_init=settings["theirs"],
        max_iter=EPOCHS,
        shuffle=False,
        n_iter_no_change=10 * EPOCHS,
        momentum=0.9,
        nesterovs_momentum=settings["nesterov"],
        warm_start=True,
    )
    target = made.targets if made.targets.shape[1] > 1 else made.targets[:, 0]
    # Brings its arrays into being; `fit` then goes on from what they hold, with a new optimizer.
    model.partial_fit(
        made.inputs,
        target,
        **({"classes": np.unique(target)} if "cross" in settings["loss"] else {}),
    )
    places = layout(network)
    for held, block in zip((*model.coefs_, *model.intercepts_), places.blocks):
        held[...] = block.of(start)
    with threadpool_limits(1), pytest.warns(ConvergenceWarning):
        model.fit(made.inputs, target)
    flat = np.concatenate([array.ravel() for array in (*model.coefs_, *model.intercepts_)])
    return np.array(model.loss_curve_[1:]), flat


@pytest.mark.parametrize(
    ("task", "outputs"), [("binary", 1), ("multiclass", 3), ("regression", 1), ("regression", 2)]
)
@pytest.mark.parametrize(
    ("optimizer", "nesterov"), [("adam", False), ("sgd", False), ("sgd", True)]
)
def test_loss_curves_are_those_of_scikit_learn_at_the_converted_alpha(
    task, outputs, optimizer, nesterov
):
    targets = outputs if task == "regression" else 0
    made = problem(task, targets)
    classes = {"binary": (0, 1), "multiclass": (0, 1, 2)}.get(task)
    data = from_arrays(made, classes=classes, standardize=False, merge=False)
    network = Network(5, HIDDEN, outputs, "tanh", penalize_output=True)
    start = initialize(network, 4)
    # Their squared error, and so its gradient, is targets/2 times ours: only SGD feels that.
    share = targets / 2 if targets else 1.0
    rate = 0.003 if optimizer == "adam" else 0.01
    training = Training(
        data.loss,
        optimizer,
        learning_rate=rate if optimizer == "adam" else rate * share,
        schedule="constant",
        epochs=EPOCHS,
        batch_size=BATCH,
        shuffle=False,
        momentum=0.9,
        nesterov=nesterov,
        epsilon=1e-8,
    )
    lam = SKLEARN_ALPHA.lam(ALPHA, rows=BATCH, targets=targets)
    trial = Trial(network, training, L2(), lam, None, 0)
    # With a constant rate a shorter training is the beginning of a longer one.
    fits = [
        run_trial(
            replace(trial, training=replace(training, epochs=k)), data.part(None), start=start
        )
        for k in range(1, EPOCHS + 1)
    ]
    weights = [start[layout(network).penalized], *(fit.penalized_weights for fit in fits)]
    penalties = np.array([L2().value(kernels, lam) for kernels in weights])
    # They add the penalty that each batch sees. Over the steps of an epoch, the first of which
    # sees the weights at its beginning, it falls almost in a line.
    steps = ROWS // BATCH
    seen = penalties[:-1] + (penalties[1:] - penalties[:-1]) * (steps - 1) / (2 * steps)
    # The ½ of their squared error is in both terms; the mean over targets only in the first.
    loss_share, penalty_share = (0.5, share) if targets else (1.0, 1.0)
    curve = loss_share * fits[-1].train_loss + penalty_share * seen

    settings = {"loss": data.loss, "optimizer": optimizer, "nesterov": nesterov, "theirs": rate}
    expected, flat = theirs(made, network, start, settings)
    assert expected.size == EPOCHS
    assert expected[-1] < 0.9 * expected[0]
    assert seen[-1] * penalty_share > 0.02 * expected[-1], "the penalty hardly counts"
    np.testing.assert_allclose(curve, expected, rtol=1e-3)
    np.testing.assert_allclose(
        fits[-1].parameters, flat, rtol=0, atol=1e-3 * np.abs(flat - start).max()
    )
    other = run_trial(replace(trial, lam=1.1 * lam), data.part(None), start=start)
    assert np.abs(other.parameters - flat).max() > 3e-3 * np.abs(flat - start).max()
