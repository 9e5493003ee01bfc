"""A monitor measures what Keras mixes, stops on it, and says what one split can say."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from shrinkage.detect.diagnosis import FALLING, Diagnosis
from shrinkage.detect.judge import _verdict
from shrinkage.detect.wording import sentence
from shrinkage.errors import DataError, SettingError, ShrinkageError
from shrinkage.intervals import Interval
from shrinkage.keras import OverfittingMonitor, judge, regularize, report
from shrinkage.keras.gaps import early_gain_of, gap_of, is_falling, trend_of
from shrinkage.keras.moments import recent_of
from shrinkage.keras.reading import finished
from shrinkage.keras.rows import loss_of, losses_of, rows_of
from shrinkage.keras.values import numpy_of
from shrinkage.penalties import L1, L2
from shrinkage.scores import Failures

# Keras' own conversion of variables to NumPy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def log_loss(model, rows, labels):
    """By NumPy, from the model's probabilities."""
    p = numpy_of(model(rows)).astype(np.float64)
    return float(-np.mean(labels * np.log(p) + (1 - labels) * np.log(1 - p)))


def fitted(model, train, monitor, validation=None, **settings):
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
    return model.fit(
        *train,
        validation_data=validation,
        verbose=0,
        callbacks=[monitor],
        **{"epochs": 3} | settings,
    )


def test_losses_are_free_of_the_penalty_and_measured_on_rows(network, moons):
    train, validation = moons
    model = regularize(network(), L2(), lam=0.5)
    monitor = OverfittingMonitor(train, validation, verbose=False)
    history = fitted(model, train, monitor, validation).history
    last = monitor.frame().iloc[-1]
    assert last["train_loss"] == pytest.approx(log_loss(model, *train), abs=1e-5)
    assert last["validation_loss"] == pytest.approx(log_loss(model, *validation), abs=1e-5)
    assert last["gap"] == pytest.approx(last["validation_loss"] - last["train_loss"])
    assert last["lam"] == 0.5
    weights = np.concatenate([numpy_of(layer.kernel).ravel() for layer in model.layers[:2]])
    assert last["norm"] == pytest.approx(np.linalg.norm(weights), rel=1e-5)
    assert last["spread"] == pytest.approx(weights.std(), rel=1e-5)
    assert history["val_data_loss"][-1] == last["validation_loss"]
    assert history["val_loss"][-1] > last["validation_loss"] + 0.1


def test_without_rows_the_logs_less_the_penalty(network, moons):
    train, validation = moons
    model = regularize(network(), L1(), lam=0.05)
    monitor = OverfittingMonitor(verbose=False)
    fitted(model, train, monitor, validation, epochs=40)
    last = monitor.frame().iloc[-1]
    assert last["validation_loss"] == pytest.approx(log_loss(model, *validation), abs=1e-4)
    # The mean over an epoch is not what it ends with; with the penalty it would be 0.1 more.
    assert last["train_loss"] == pytest.approx(log_loss(model, *train), abs=0.02)
    assert sum(L1().value(numpy_of(layer.kernel), 0.05) for layer in model.layers[:2]) > 0.1
    assert "one split, without an interval" in monitor.reading.sentence


def test_an_overfitting_network_is_told_with_an_interval(network):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(120, 2)).astype(np.float32)
    labels = rng.integers(0, 2, size=(120, 1)).astype(np.float32)  # nothing to be learnt
    train, validation = (rows[:40], labels[:40]), (rows[40:], labels[40:])
    monitor = OverfittingMonitor(train, validation, every=5, verbose=False)
    fitted(network(units=64), train, monitor, epochs=121)
    reading = monitor.reading
    assert reading.verdict == "overfits"
    assert reading.gap.low > 0
    assert reading.stopping_helps
    assert reading.best_epoch < 121
    assert reading.sentence.startswith("The network overfits: log loss ")
    share = labels[:40].mean()
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert reading.null_loss == pytest.approx(entropy, rel=1e-6)
    assert f"a constant prediction has {entropy:.3f}" in reading.sentence
    assert f"Stop at about epoch {reading.best_epoch}" in reading.advice
    assert monitor.frame().index.tolist() == [*range(5, 121, 5), 121]


def test_an_underfitting_network_is_told(network, moons):
    train, validation = moons
    monitor = OverfittingMonitor(train, validation, verbose=False)
    model = network()
    model.compile(keras.optimizers.SGD(1e-4), "binary_crossentropy")
    model.fit(*train, epochs=2, verbose=0, callbacks=[monitor])
    assert monitor.reading.verdict == "underfits"
    assert "underfits: " in monitor.reading.sentence


def read(train, held, gap, *, early, fell, null=1.0):
    """A reading and a diagnosis of the same numbers."""
    facts = {"train_loss": train, "validation_loss": held, "null_loss": null, "gap": gap}
    reading = finished(
        **facts,
        loss_name="log loss",
        unit="nats",
        trend=None,
        recent=0,
        epoch=9,
        best_epoch=5,
        early_gain=early,
        falling=fell.low > 0 and fell.estimate >= FALLING * null,
        rows=(50, 50),
    )
    bare = dict.fromkeys(Diagnosis.__dataclass_fields__)
    diagnosis = Diagnosis(
        **bare
        | {
            "loss_name": "log loss",
            "unit": "nats",
            "folds": 5,
            "failures": Failures(),
            "missing": 0,
        }
        | facts
        | {"early_gain": early, "fall": fell}
    )
    return reading, replace(diagnosis, verdict=_verdict(diagnosis))


def test_a_reading_has_the_verdict_and_the_reason_of_a_diagnosis():
    """Over losses of all kinds, with intervals from narrow to wide."""
    rng = np.random.default_rng(5)
    said = set()
    for _ in range(400):
        train, held = rng.uniform(0.0, 1.2, size=2)
        if rng.random() < 0.5:
            held = train + rng.normal(0.0, 0.05)
        around = [held - train, rng.normal(-0.05, 0.1), rng.normal(0.02, 0.05)]
        gap, early, fell = (
            Interval(x, x - width, x + width)
            for x, width in zip(around, rng.exponential(0.05, 3), strict=True)
        )
        reading, diagnosis = read(train, held, gap, early=early, fell=fell)
        assert reading.verdict == diagnosis.verdict
        reason = sentence(diagnosis).rpartition("5 folds)")[2]
        if "nothing that was tried" not in reason and "no earlier epoch" not in reason:
            assert reading.sentence.endswith(reason)
        said.add(reason)
    for part in ("explains only", "still improving", "less than on", "does not reach"):
        assert any(part in reason for reason in said), part


def test_what_a_network_explains_that_underfits_is_told():
    reading, _ = read(
        0.353,
        0.252,
        Interval(-0.1, -0.2, 0.02),
        early=None,
        fell=Interval(0.05, 0.03, 0.07),
        null=0.693,
    )
    assert reading.sentence.endswith(
        "a constant prediction has 0.693, so training explains only 49% of it and validation was "
        "still improving."
    )


def test_a_training_that_diverges_is_told(network, moons):
    train, validation = moons
    model = network(head=None)
    monitor = OverfittingMonitor(train, validation, patience=2, verbose=False)
    model.compile(keras.optimizers.SGD(1e12), "mse")
    model.fit(*train, epochs=6, verbose=0, callbacks=[monitor])
    assert monitor.reading.verdict == "underfits"
    assert monitor.summary().startswith("The training diverged: the mean squared error is not")
    assert "nan" not in monitor.to_html()


def test_it_stops_on_the_loss_of_the_data_and_goes_back(network, moons):
    train, validation = moons

    class Scripted(OverfittingMonitor):
        """Validation losses as in a book."""

        def _measure(self, epoch, logs):
            super()._measure(epoch, logs)
            value = [0.9, 0.5, 0.7, 0.6, 0.8, 0.9][epoch - 1]
            self.moments[-1] = type(self.moments[-1])(
                **vars(self.moments[-1]) | {"validation_loss": value}
            )
            kernels.append(numpy_of(self.model.layers[0].kernel))

    kernels = []
    model = network()
    monitor = Scripted(train, validation, patience=3, verbose=False)
    fitted(model, train, monitor, epochs=6)
    assert monitor.stopped_epoch == 5
    assert len(kernels) == 5
    np.testing.assert_array_equal(numpy_of(model.layers[0].kernel), kernels[1])
    assert "Stopped after epoch 5; the weights of epoch 2 were restored." in monitor.summary()


def test_what_is_printed_and_shown(network, moons, capsys):
    train, validation = moons
    monitor = OverfittingMonitor(train, validation, verbose=True)
    fitted(network(), train, monitor)
    printed = capsys.readouterr().out
    assert "\repoch 3/3 · train 0." in printed
    assert printed.rstrip().endswith(monitor.summary())
    html = monitor.to_html()
    assert html.count("<polyline") == 2
    assert "All epochs that were measured" in html
    assert html.count('<tr><th scope="row">') == 3


def test_weights_of_rows_count(network, moons):
    rows, labels = moons[0]
    weights = np.where(labels[:, 0] == 1, 3.0, 0.5)
    model = network()
    model.compile("sgd", "binary_crossentropy")
    both = judge(model, (rows, labels, weights), (rows, labels))
    found = losses_of(model, rows_of((rows, labels)), loss_of(model))
    assert both.train_loss == pytest.approx(np.average(found, weights=weights))
    assert both.validation_loss == pytest.approx(found.mean())


@pytest.mark.parametrize(
    ("loss", "targets", "outputs"),
    [
        ("mse", (20, 2), 2),
        (keras.losses.Huber(), (20,), 1),
        ("sparse_categorical_crossentropy", "classes", 3),
        (keras.losses.CategoricalCrossentropy(), "columns", 3),
        (lambda y, p: keras.ops.mean(keras.ops.abs(y - p), axis=-1), (20, 1), 1),
    ],
    ids=["mse", "huber", "sparse", "categorical", "own"],
)
def test_losses_by_row_have_keras_mean(loss, targets, outputs):
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(20, 4)).astype(np.float32)
    classes = rng.integers(0, 3, size=20)
    given = {"classes": classes, "columns": np.eye(3, dtype=np.float32)[classes]}
    y = given[targets] if isinstance(targets, str) else rng.normal(size=targets)
    head = "softmax" if outputs == 3 else None
    model = keras.Sequential([keras.Input((4,)), layers.Dense(outputs, activation=head)])
    model.compile("sgd", loss)
    found = losses_of(model, rows_of((rows, y)), loss_of(model))
    assert found.shape == (20,)
    assert found.mean() == pytest.approx(model.evaluate(rows, y, verbose=0), rel=1e-5)


@pytest.mark.parametrize("named", [False, True])
def test_several_outputs_are_weighed(named):
    rows = np.random.default_rng(3).normal(size=(20, 4)).astype(np.float32)
    given = keras.Input((4,))
    model = keras.Model(
        given, [layers.Dense(1, name="one")(given), layers.Dense(2, name="two")(given)]
    )
    losses, weights, targets = ["mse", "mae"], [2.0, 0.5], [rows[:, :1], rows[:, 1:3]]
    if named:  # the second first
        losses, weights, targets = (
            {"two": both[1], "one": both[0]} for both in (losses, weights, targets)
        )
    model.compile("sgd", losses, loss_weights=weights)
    found = losses_of(model, rows_of((rows, targets)), loss_of(model))
    expected = model.evaluate(rows, targets, verbose=0, return_dict=True)["loss"]
    assert found.mean() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("weights", [None, np.array([1.0, 2.0, 0.5, 1.0, 3.0, 0.5])])
def test_the_constant_answer_is_the_best_one(weights):
    """Against the mean loss of every row's answer by the weighted shares, or by the mean."""
    classes = np.array([0, 1, 2, 2, 1, 0])
    w = np.ones(6) if weights is None else weights
    shares = np.array([w[classes == one].sum() for one in range(3)]) / w.sum()
    entropy = np.average(-np.log(shares[classes]), weights=w)
    numbers = np.array([[1.0, 0.0], [2.0, 0.5], [-1.0, 4.0], [0.0, 0.0], [3.0, 1.0], [5.0, 2.0]])
    centre = (w[:, None] * numbers).sum(axis=0) / w.sum()
    variance = np.average(np.square(numbers - centre).mean(axis=1), weights=w)
    model = keras.Sequential([keras.Input((1,)), layers.Dense(3, activation="softmax")])
    for loss, targets, expected in (
        ("sparse_categorical_crossentropy", classes, entropy),
        ("categorical_crossentropy", np.eye(3)[classes], entropy),
        ("mse", numbers, variance),
        ("mae", numbers, None),
    ):
        model.compile("sgd", loss)
        given = (targets, targets) if weights is None else (targets, targets, weights)
        found = loss_of(model).null(rows_of(given))
        assert found == (None if expected is None else pytest.approx(expected)), loss


def test_at_most_so_many_rows(network, moons):
    train, validation = moons
    monitor = OverfittingMonitor(train, validation, most_rows=30, verbose=False)
    fitted(network(), train, monitor)
    assert monitor.reading.rows == (30, 30)


# -------------------------------------------------------------------------------- what it rests on


def test_a_trend_of_noise_is_none_and_one_of_a_line_is_found():
    rng = np.random.default_rng(0)
    epochs = list(range(1, 41))
    missed = 0
    for _ in range(200):
        found = trend_of(epochs, list(rng.normal(size=40)))
        missed += found.excludes(0.0)
    assert missed / 200 < 0.1
    line = trend_of(epochs, [0.1 * e + 0.01 * rng.normal() for e in epochs])
    assert line.low < 0.1 < line.high
    assert line.excludes(0.0)
    assert trend_of(epochs[:4], [1.0, 2.0, 3.0, 4.0]) is None


def test_a_trend_is_about_the_last_quarter_and_at_least_eight():
    assert [len(recent_of(range(n))) for n in (1, 7, 9, 32, 100)] == [1, 7, 8, 8, 25]
    assert recent_of(range(100))[-1] == 99


def test_a_loss_falls_where_it_does_so_late_and_beyond_the_noise_of_rows():
    rng = np.random.default_rng(4)
    epochs = list(range(1, 41))
    early = [max(1.0 - 0.1 * epoch, 0.5) for epoch in epochs]
    late = [2.0 - 0.02 * epoch for epoch in epochs]
    assert is_falling(epochs, late, [], 1.0)
    assert not is_falling(epochs, early, [], 1.0)
    assert not is_falling(epochs, late, [], 1000.0)  # by too little to count
    quiet, loud = (rng.normal(0.0, noise, size=(40, 50)) for noise in (0.1, 10.0))
    assert is_falling(epochs, late, [loss + rows for loss, rows in zip(late, quiet)], 1.0)
    assert not is_falling(epochs, late, [loss + rows for loss, rows in zip(late, loud)], 1.0)


def test_the_best_of_many_equal_epochs_gains_nothing():
    """Chosen and measured on the same rows it would."""
    rng = np.random.default_rng(1)
    losses = list(rng.normal(1.0, 0.3, size=(200, 80)))
    assert min(row.mean() for row in losses) < losses[-1].mean() - 0.05
    gain = early_gain_of(losses)
    assert gain.low < 0


def test_the_gap_has_the_interval_of_two_samples():
    rng = np.random.default_rng(2)
    train, validation = rng.normal(0.0, 1.0, size=400), rng.normal(0.5, 2.0, size=100)
    found = gap_of(train, validation, (None, None))
    error = np.sqrt(train.var() / 400 + validation.var() / 100)
    assert found.estimate == pytest.approx(validation.mean() - train.mean())
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * error, rel=0.1)
    a, b = rng.uniform(0.5, 2.0, size=400), rng.uniform(0.5, 2.0, size=100)
    weighed = gap_of(train, validation, (a, b)).estimate
    assert weighed == pytest.approx(
        np.average(validation, weights=b) - np.average(train, weights=a)
    )


X = np.ones((3, 1))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: OverfittingMonitor(every=0), SettingError, "every is 0"),
        (lambda: OverfittingMonitor(patience=0), SettingError, "patience is 0"),
        (lambda: OverfittingMonitor(every="3"), SettingError, "every is '3'; it must be a whole"),
        (lambda: OverfittingMonitor(every=None), SettingError, "every is None"),
        (lambda: OverfittingMonitor(most_rows=2.5), SettingError, r"most_rows is 2\.5"),
        (lambda: OverfittingMonitor(patience="3"), SettingError, "patience is '3'"),
        (lambda: OverfittingMonitor(least="0"), SettingError, "least is '0'"),
        (lambda: report(OverfittingMonitor()), SettingError, "got OverfittingMonitor"),
        (lambda: report(None), SettingError, "got NoneType"),
        (lambda: judge(3, (X, X), (X, X)), SettingError, "expected a Keras model, got int"),
        (lambda: judge(keras.Model(), (X, X), (X, X), loss="bxe"), SettingError, "loss is 'bxe'"),
        (lambda: OverfittingMonitor(np.ones(3)), DataError, "train is ndarray"),
        (lambda: OverfittingMonitor((np.ones(3), np.ones(4))), DataError, "lengths .3, 4."),
        (lambda: OverfittingMonitor((np.ones(0), np.ones(0))), DataError, "is empty"),
        (lambda: OverfittingMonitor().line(), ShrinkageError, "nothing was measured"),
        (lambda: OverfittingMonitor().summary(), ShrinkageError, "no verdict yet"),
    ],
)
def test_what_cannot_be_meant_is_said(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_without_validation_rows_it_says_so(network, moons):
    with pytest.raises(SettingError, match="there are no validation rows"):
        fitted(network(), moons[0], OverfittingMonitor(verbose=False))


def test_a_loss_that_is_one_number_is_refused(network, moons):
    train, _ = moons
    model = network()
    model.compile("sgd", lambda y, p: keras.ops.mean(keras.ops.square(y - p)))
    with pytest.raises(SettingError, match="one number for each row"):
        judge(model, train, train)


def test_a_model_with_a_loss_of_its_own_needs_to_be_told(moons):
    class Own(keras.Sequential):
        def compute_loss(self, *args, **kwargs):
            return super().compute_loss(*args, **kwargs)

    model = Own([keras.Input((2,)), layers.Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    with pytest.raises(SettingError, match="computes its loss itself"):
        judge(model, *moons)
    assert judge(model, *moons, loss="binary_crossentropy").rows == (64, 64)
