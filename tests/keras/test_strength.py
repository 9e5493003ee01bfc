"""λ changes while a model trains, and nothing is compiled anew."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from shrinkage.errors import SettingError
from shrinkage.keras import LambdaSchedule, Proximal, lambdas_of, regularize, set_lambda
from shrinkage.keras.terms import PenaltyTerm
from shrinkage.keras.values import numpy_of
from shrinkage.penalties import L1, L2

# Keras' own conversion of variables to NumPy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


class Still(keras.callbacks.Callback):
    """What Keras shows as the loss of an epoch in which weights stand still."""

    def __init__(self):
        super().__init__()
        self.losses = []

    def on_epoch_end(self, epoch, logs=None):  # noqa: ARG002  # Keras' signature
        self.losses.append(logs["loss"])


def penalized(network, lam=1.0):
    model = regularize(network(), L2(), lam=lam)
    model.compile(keras.optimizers.SGD(0.0), "binary_crossentropy")
    unit = sum(L2().value(numpy_of(layer.kernel), 1.0) for layer in model.layers[:2])
    return model, unit


def test_a_change_acts_from_the_next_epoch_on(network, moons, monkeypatch):
    """Also where steps are compiled: `call` counts how often Python looks at the penalty."""
    train, _ = moons
    model, unit = penalized(network)
    looked = []
    original = PenaltyTerm.__call__
    monkeypatch.setattr(
        PenaltyTerm, "__call__", lambda self, x: looked.append(self) or original(self, x)
    )
    first = model.fit(*train, batch_size=80, verbose=0).history["loss"][0]
    before = len(looked)
    set_lambda(model, 3.0)
    second = model.fit(*train, batch_size=80, verbose=0).history["loss"][0]
    assert second - first == pytest.approx(2.0 * unit, rel=1e-3)
    if keras.backend.backend() == "jax":
        assert len(looked) == before


def test_it_rises_by_epoch(network, moons):
    train, _ = moons
    model, unit = penalized(network)
    still = Still()
    history = model.fit(
        *train, epochs=5, verbose=0, callbacks=[LambdaSchedule.rising(epochs=4), still]
    ).history
    assert history["lam"] == pytest.approx([0.0, 0.25, 0.5, 0.75, 1.0])
    steps = np.diff(still.losses)
    assert steps == pytest.approx([0.25 * unit] * 4, rel=1e-3)


def test_it_follows_a_function_of_the_batch(network, moons):
    train, _ = moons
    model, unit = penalized(network)
    still = Still()
    schedule = LambdaSchedule(lambda batch: [0.0, 1.0, 2.0, 3.0][batch], every="batch")
    model.fit(
        *train, batch_size=32, epochs=2, verbose=0, shuffle=False, callbacks=[schedule, still]
    )
    # Means over an epoch of two equal batches: λ of (0 + 1)/2, then of (2 + 3)/2.
    assert still.losses[1] - still.losses[0] == pytest.approx(2.0 * unit, rel=1e-3)


def test_it_acts_on_a_proximal_step(network, moons):
    train, _ = moons
    model = network()
    model.compile(
        Proximal(keras.optimizers.Adam(0.01), model, L1(), lam={"one": 0.05, "two": 0.1}),
        "binary_crossentropy",
    )
    schedule = LambdaSchedule(lambda epoch: float(epoch >= 3), relative=True)

    class Zeros(keras.callbacks.Callback):
        found = ()

        def on_epoch_end(self, epoch, logs=None):  # noqa: ARG002  # Keras' signature
            kernels = [numpy_of(layer.kernel) for layer in self.model.layers[:2]]
            self.found = (*self.found, sum(int(np.sum(kernel == 0.0)) for kernel in kernels))

    zeros = Zeros()
    model.fit(*train, epochs=6, verbose=0, callbacks=[schedule, zeros])
    assert zeros.found[:3] == (0, 0, 0)
    assert zeros.found[-1] > 0
    assert [round(float(lam), 3) for lam in lambdas_of(model).values()] == [0.05, 0.1]


def test_some_of_them_by_name(network):
    model, _ = penalized(network)
    set_lambda(model, 0.25, on="two")
    assert [float(lam) for lam in lambdas_of(model).values()] == [1.0, 0.25]
    set_lambda(model, {"one": 0.5, "two": 2.0})
    assert [float(lam) for lam in lambdas_of(model).values()] == [0.5, 2.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda model: set_lambda(model, -1.0), "lam is -1"),
        (lambda model: set_lambda(model, 1.0, on="answer"), "no parameter is called 'answer'"),
        (lambda model: set_lambda(model, [1.0]), "has 1 values"),
        (lambda _: LambdaSchedule("x"), "schedule is 'x'; it must be a function of the epoch"),
        (lambda _: LambdaSchedule(0.1), r"schedule is 0\.1"),
        (lambda _: LambdaSchedule.rising("3"), "epochs is '3'; it must be a whole number"),
        (lambda _: LambdaSchedule(float, every="step"), "every is 'step'"),
        (lambda _: LambdaSchedule.rising(0), "epochs is 0"),
    ],
)
def test_what_cannot_be_meant_is_said(network, change, message):
    model, _ = penalized(network)
    with pytest.raises(SettingError, match=message):
        change(model)


@pytest.mark.parametrize("given", ["much", -0.1, None])
def test_what_a_schedule_gives_must_be_a_lambda(network, moons, given):
    model, _ = penalized(network)
    for relative in (False, True):
        schedule = LambdaSchedule(lambda _: given, relative=relative)
        with pytest.raises(SettingError, match=f"lam is '?{given}"):
            model.fit(*moons[0], verbose=0, callbacks=[schedule])


def test_a_model_without_penalties_has_no_lambda(network):
    with pytest.raises(SettingError, match=r"no parameter of 'sequential.*' has a λ"):
        set_lambda(network(), 1.0)
