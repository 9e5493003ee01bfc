"""Copies of a module as one stack, against one copy after another and against the engine."""

from __future__ import annotations

import re
import threading
import time
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from shrinkage import L1, L2, ElasticNet, GroupLasso, Network, Training, Trial, train
from shrinkage.data import bundled, prepare
from shrinkage.engine import noise
from shrinkage.engine.pool import predict
from shrinkage.engine.stacked import training as shared
from shrinkage.engine.stacked.parallel import side_by_side
from shrinkage.errors import SettingError
from shrinkage.network import layout
from shrinkage.study import Status
from shrinkage.torch.networks import made_by, network_of

POINTS = [
    (None, 0.0),
    (L1(), 0.003),
    (L2(), 0.01),
    (ElasticNet(), 0.01),
    (L2(decoupled=True), 0.05),
    (GroupLasso("units"), 0.003),
    (GroupLasso("inputs"), 0.003),
]


@pytest.fixture(scope="module")
def moons():
    return prepare(*bundled("moons", 120), name="moons", folds=2, repeats=1)


def perceptron(dropout=0.0):
    return nn.Sequential(
        nn.Linear(2, 12),
        nn.Tanh(),
        nn.Dropout(dropout),
        nn.Linear(12, 12),
        nn.Tanh(),
        nn.Dropout(dropout),
        nn.Linear(12, 1),
    )


def network(factory, data, outputs=1, **settings):
    return network_of(factory, made_by(factory), data.full.inputs, outputs, **settings)


def in_order_of(ours, own, vector):
    """A module's numbers in the order of this package's perceptron."""
    found = np.zeros(layout(ours).size, np.float32)
    for kind in ("kernel", "bias"):
        theirs = sorted((b for b in own.places.blocks if kind in b.kind), key=lambda b: b.layer)
        mine = layout(ours).kernels if kind == "kernel" else layout(ours).biases
        for block, place in zip(theirs, mine, strict=True):
            place.of(found)[...] = block.of(vector)
    return found


def by_question(fits):
    return {(f.trial.penalty, f.trial.lam, f.trial.fold, f.trial.seed): f for f in fits}


@pytest.mark.parametrize("dropout", [0.0, 0.2])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop", "sgd"])
def test_stack_one_by_one_and_engine_agree(moons, optimizer, dropout):
    own = network(lambda: perceptron(dropout), moons)
    alone = network(lambda: perceptron(dropout), moons, at_once=1)
    training = Training(
        moons.loss, optimizer=optimizer, learning_rate=0.004, epochs=50, nesterov=True
    )
    trials = [
        Trial(own, replace(training, learning_rate=0.004 - 0.0001 * i), penalty, lam, 0, seed=i)
        for i, (penalty, lam) in enumerate(POINTS)
    ]
    together = by_question(train(trials, moons))
    one_by_one = by_question(train([replace(t, network=alone) for t in trials], moons))
    ours = Network(2, (12, 12), activation="tanh")
    same = [replace(t, network=ours, training=replace(t.training, dropout=dropout)) for t in trials]
    starts = {t: in_order_of(ours, own, own.initialize(t.seed)) for t in same}
    engine = by_question(train(same, moons, starts=starts))
    assert own.reasons == {moons.loss: ""}
    for key, fit in together.items():
        for other, numbers in (
            (one_by_one[key], one_by_one[key].parameters),
            (engine[key], None),
        ):
            np.testing.assert_allclose(fit.train_loss, other.train_loss, atol=1e-4)
            np.testing.assert_allclose(fit.validation_loss, other.validation_loss, atol=1e-4)
            np.testing.assert_allclose(fit.outputs, other.outputs, atol=1e-4)
            assert fit.final_train_loss == pytest.approx(other.final_train_loss, abs=1e-4)
            assert fit.sparsity == pytest.approx(other.sparsity, abs=0.01)
            assert (fit.epochs == other.epochs).all()
            if numbers is not None:
                np.testing.assert_allclose(fit.parameters, numbers, atol=1e-4)
        mine = in_order_of(ours, own, fit.parameters)
        np.testing.assert_allclose(mine, engine[key].parameters, atol=1e-4)


def convolutional():
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 4, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3),
        nn.ReLU(),
        nn.Dropout2d(0.1),
        nn.Flatten(),
        nn.Linear(24, 10),
    )


def in_one_dimension():
    return nn.Sequential(
        nn.Unflatten(1, (1, 64)),
        nn.Conv1d(1, 4, 5, stride=2),
        nn.GELU(),
        nn.AdaptiveAvgPool1d(5),
        nn.Flatten(),
        nn.LayerNorm(20),
        nn.Linear(20, 10),
    )


@pytest.fixture(scope="module")
def digits():
    table, target = bundled("digits")
    return prepare(table.iloc[:300], target, name="digits", folds=2, repeats=1, image=(8, 8))


@pytest.mark.parametrize("factory", [convolutional, in_one_dimension])
def test_images_and_signals_agree_too(digits, factory):
    own = network(factory, digits, 10)
    alone = network(factory, digits, 10, at_once=1)
    training = Training(digits.loss, epochs=4, learning_rate=0.003)
    trials = [
        Trial(own, training, penalty, lam, 0, seed=3)
        for penalty, lam in [(None, 0.0), (L1(), 0.1), (GroupLasso(), 0.01), (L2(), 0.01)]
    ]
    together = by_question(train(trials, digits))
    one_by_one = by_question(train([replace(t, network=alone) for t in trials], digits))
    assert own.reasons == {digits.loss: ""}
    for key, fit in together.items():
        np.testing.assert_allclose(fit.parameters, one_by_one[key].parameters, atol=1e-4)
        np.testing.assert_allclose(fit.outputs, one_by_one[key].outputs, atol=1e-4)
    pruned = together[L1(), 0.1, 0, 3]
    assert pruned.sparsity > 0.1
    assert together[None, 0.0, 0, 3].sparsity == 0.0


def test_who_else_is_in_the_stack_changes_nothing(moons):
    own = network(lambda: perceptron(0.3), moons)
    training = Training(moons.loss, epochs=5)
    trials = [Trial(own, training, L1(), 0.001 * i, 0, seed=5) for i in range(6)]
    whole = by_question(train(trials, moons))
    few = by_question(train(trials[2:4], moons))
    for key, fit in few.items():
        np.testing.assert_array_equal(fit.parameters, whole[key].parameters)


def test_same_seed_same_bits_whatever_the_threads(moons, digits, monkeypatch):
    for data, factory, outputs in (
        (moons, lambda: perceptron(0.2), 1),
        (digits, convolutional, 10),
    ):
        own = network(factory, data, outputs)
        training = Training(data.loss, epochs=2)
        trials = [Trial(own, training, L1(), 0.001 * i, 0, seed=5) for i in range(12)]
        found = []
        for cores in (1, 2, 3):
            monkeypatch.setattr(shared, "available_threads", lambda cores=cores: cores)
            before = torch.get_num_threads()
            found.append(by_question(train(trials, data)))
            assert torch.get_num_threads() == before
        for key, fit in found[0].items():
            for other in found[1:]:
                np.testing.assert_array_equal(fit.parameters, other[key].parameters)
                np.testing.assert_array_equal(fit.outputs, other[key].outputs)


def test_giving_up_ends_all_stacks(moons):
    own = network(perceptron, moons)
    trials = [Trial(own, Training(moons.loss, epochs=100_000), L2(), 0.1, 0, i) for i in range(9)]
    asked = iter([False] * 3)
    assert not list(train(trials, moons, expired=lambda: next(asked, True)))
    quick = [Trial(own, Training(moons.loss, epochs=1), L2(), 0.1, 0, i) for i in range(2)]
    fits = train([*quick, *trials], moons)
    assert next(fits).trial in quick
    fits.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "stack"]


def test_what_has_ended_is_not_lost_when_the_time_is_up(moons):
    own = network(perceptron, moons)
    fit = next(train([Trial(own, Training(moons.loss, epochs=1), None, 0.0, 0, 0)], moons))
    ended = threading.Barrier(3)

    def work(over):
        yield from [fit] * 8
        ended.wait()

    fits = side_by_side([work, work], expired=lambda: ended.wait() >= 0)
    assert len(list(fits)) == 16


def test_an_error_in_a_stack_reaches_the_caller(moons, monkeypatch):
    own = network(perceptron, moons)
    trials = [Trial(own, Training(moons.loss, epochs=1), L2(), 0.1, 0, i) for i in range(8)]

    def fails(*_):
        raise MemoryError("no room")

    monkeypatch.setattr("shrinkage.engine.stacked.descent.Steps.step", fails)
    with pytest.raises(MemoryError, match="no room"):
        list(train(trials, moons))


class Noisy(nn.Module):
    """Draws from PyTorch's generator in a way that no rewriting knows."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(2, 6), nn.Linear(6, 1)

    def forward(self, rows):
        hidden = torch.tanh(self.first(rows))
        if self.training:
            hidden = hidden + 0.1 * torch.randn_like(hidden)
        return self.last(hidden)


def test_draws_of_a_modules_own_follow_from_its_seed(moons):
    own = network(Noisy, moons)
    trials = [Trial(own, Training(moons.loss, epochs=3), L2(), lam, 0, 3) for lam in (0.1, 0.1001)]
    first = by_question(train(trials, moons))
    assert "random" in own.reasons[moons.loss]
    torch.rand(5)
    again = by_question(train(trials[::-1], moons))
    for key, fit in first.items():
        np.testing.assert_array_equal(fit.parameters, again[key].parameters)


def test_copies_that_stop_or_diverge_leave_the_others_alone(moons):
    own = network(perceptron, moons)
    calm = Training(moons.loss, epochs=40, patience=3, schedule="constant", learning_rate=0.01)
    wild = replace(calm, learning_rate=3e38)
    trials = [
        Trial(own, calm, None, 0.0, 0, seed=0),
        Trial(own, wild, None, 0.0, 0, seed=1),
        Trial(own, calm, L2(), 0.1, 0, seed=2),
        Trial(own, calm, L2(), 0.001, 0, seed=3),
    ]
    fits = {fit.trial.seed: fit for fit in train(trials, moons)}
    assert fits[1].status is Status.DIVERGED
    assert np.isfinite(fits[1].parameters).all()
    assert np.isnan(fits[1].outputs).all()
    for seed in (0, 2, 3):
        alone = next(train([next(t for t in trials if t.seed == seed)], moons))
        np.testing.assert_allclose(fits[seed].parameters, alone.parameters, atol=1e-5)
        assert fits[seed].best_epoch == alone.best_epoch
        assert fits[seed].status is alone.status
        best = fits[seed].validation_loss[fits[seed].epochs == fits[seed].best_epoch]
        assert best[0] == fits[seed].validation_loss.min()
        again = predict(own, fits[seed].parameters, moons.part(0).inputs, moons.loss)
        np.testing.assert_allclose(again[moons.part(0).validation], fits[seed].outputs, atol=1e-6)


def test_a_relaxed_descent_keeps_zeros(moons):
    own = network(perceptron, moons)
    training = Training(moons.loss, epochs=20, relaxed_epochs=10, learning_rate=0.01)
    trials = [Trial(own, training, L1(), lam, None, seed=1) for lam in (0.01, 0.02)]
    plain = [replace(t, training=replace(training, relaxed_epochs=0)) for t in trials]
    pruned = {fit.trial.lam: fit for fit in train(plain, moons)}
    for fit in train(trials, moons):
        before = pruned[fit.trial.lam]
        zeros = before.penalized_weights == 0
        assert 0.1 < zeros.mean() < 1
        assert (fit.penalized_weights[zeros] == 0).all()
        assert fit.final_train_loss < before.final_train_loss
        assert fit.stopped_at == 30


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(2, 6), nn.Linear(6, 1)

    def forward(self, rows):
        hidden = torch.tanh(self.first(rows))
        if hidden.sum() > 0:
            hidden = hidden * 1.5
        return self.last(hidden)


def with_running_statistics():
    return nn.Sequential(nn.Linear(2, 6, bias=False), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 1))


@pytest.mark.parametrize(
    ("factory", "reason"),
    [
        (Branching, r"which way it goes depends on the data"),
        (with_running_statistics, r"layer '1' \(BatchNorm1d\) keeps running statistics"),
    ],
)
def test_what_cannot_be_stacked_is_named_and_trained_alone(moons, factory, reason):
    own = network(factory, moons)
    training = Training(moons.loss, epochs=8, batch_size=20)
    trials = [Trial(own, training, L2(), lam, 0, seed=4) for lam in (0.001, 0.1)]
    fits = list(train(trials, moons))
    assert re.search(reason, own.reasons[moons.loss])
    for fit in fits:
        torch.manual_seed(fit.trial.seed)
        module = factory()
        by_hand(module, fit.trial, moons)
        rows = moons.part(0).inputs
        with torch.no_grad():
            expected = module.eval()(torch.tensor(rows)).numpy()
        np.testing.assert_allclose(own.logits(fit.parameters, rows), expected, atol=1e-4)


def by_hand(module, trial, data):
    """The same training, written as anybody would."""
    part, how = data.part(trial.fold), trial.training
    hidden = [module.first.weight] if hasattr(module, "first") else [module[0].weight]
    rest = [p for p in module.parameters() if all(p is not h for h in hidden)]
    groups = [{"params": hidden, "weight_decay": trial.lam}, {"params": rest}]
    optimizer = torch.optim.Adam(groups, lr=how.learning_rate, eps=how.epsilon)
    steps = how.epochs * -(-len(part.train) // how.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    order = part.train.copy()
    module.train()
    for epoch in range(how.epochs):
        noise.shuffle(order, np.uint64(trial.seed), epoch)
        for first in range(0, len(order), how.batch_size):
            rows = order[first : first + how.batch_size]
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(
                module(torch.tensor(part.inputs[rows])), torch.tensor(part.targets[rows])
            )
            loss.backward()
            optimizer.step()
            schedule.step()


def test_averaged_statistics_are_part_of_the_fit(moons):
    own = network(with_running_statistics, moons)
    fit = next(train([Trial(own, Training(moons.loss, epochs=5), None, 0.0, 0, seed=0)], moons))
    state = [block for block in own.places.blocks if block.kind == "state"]
    assert [block.label for block in state] == ["1.running_mean", "1.running_var"]
    assert np.abs(state[0].of(fit.parameters)).max() > 0.01
    module = own.module_of(fit.parameters)
    assert not module.training
    inputs = moons.part(0).inputs
    with torch.no_grad():
        expected = torch.sigmoid(module(torch.tensor(inputs))).numpy()
    np.testing.assert_allclose(
        predict(own, fit.parameters, inputs, moons.loss), expected, atol=1e-6
    )


def test_jacobians_are_those_of_the_engine(moons):
    from shrinkage.verify.derivatives import logits_and_jacobians

    own = network(perceptron, moons)
    ours = Network(2, (12, 12), activation="tanh")
    fit = next(train([Trial(own, Training(moons.loss, epochs=3), None, 0.0, 0, seed=0)], moons))
    twin = replace(
        fit,
        trial=replace(fit.trial, network=ours),
        parameters=in_order_of(ours, own, fit.parameters),
    )
    rows = moons.part(0).inputs[:20]
    for found, expected in zip(
        logits_and_jacobians(fit, rows), logits_and_jacobians(twin, rows), strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=1e-9)
    differences = super(type(own), own).jacobians(fit.parameters, rows.astype(np.float64))
    np.testing.assert_allclose(differences, logits_and_jacobians(twin, rows)[1], atol=2e-3)


def test_the_generator_of_the_user_is_left_alone(moons):
    own = network(lambda: perceptron(0.2), moons)
    torch.manual_seed(11)
    expected = torch.rand(1)
    torch.manual_seed(11)
    trials = [Trial(own, Training(moons.loss, epochs=2), L2(), lam, 0, 0) for lam in (0.1, 0.2)]
    assert len(list(train(trials, moons))) == 2
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"dropout": 0.1}, "dropout is 0.1, but a module of your own must have it in itself"),
        ({"polish": 5}, "polish is 5, but"),
    ],
)
def test_settings_of_perceptrons_are_refused(moons, settings, sentence):
    own = network(perceptron, moons)
    with pytest.raises(SettingError, match=sentence):
        list(train([Trial(own, Training(moons.loss, **settings), None, 0.0, 0, 0)], moons))


def test_a_factory_must_make_one_architecture(moons):
    widths = iter([6, 6, 7])

    def factory():
        width = next(widths)
        return nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, 1))

    own = network(factory, moons)
    trials = [Trial(own, Training(moons.loss, epochs=1), L2(), lam, 0, 0) for lam in (0.1, 0.2)]
    with pytest.raises(SettingError, match=r"the factory makes different modules: '0\.weight' had"):
        list(train(trials, moons))


def test_copies_share_the_time_of_their_stack(moons):
    own = network(perceptron, moons)
    training = Training(moons.loss, epochs=30, patience=2, learning_rate=0.02)
    trials = [Trial(own, training, L2(), 0.003 * i, 0, seed=i) for i in range(4)]
    begin = time.perf_counter()
    fits = list(train(trials, moons))
    assert 0 < sum(fit.seconds for fit in fits) < time.perf_counter() - begin


def test_networks_are_not_mixed(moons):
    trials = [
        Trial(network(perceptron, moons), Training(moons.loss, epochs=1), None, 0.0, 0, 0)
        for _ in range(2)
    ]
    with pytest.raises(SettingError, match="train the networks one after the other"):
        list(train(trials, moons))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_stack_on_a_gpu_agrees_with_one_on_the_processor(moons):
    fits = []
    for device in ("cpu", "cuda"):
        own = network(perceptron, moons, device=device)
        training = Training(moons.loss, epochs=20)
        trials = [Trial(own, training, L1(), 0.001 * i, 0, seed=5) for i in range(4)]
        fits.append(by_question(train(trials, moons)))
    for key, fit in fits[0].items():
        np.testing.assert_allclose(fit.outputs, fits[1][key].outputs, atol=1e-3)


def test_a_compiled_stack_agrees(moons):
    pytest.importorskip("torch._inductor")
    own, compiled = network(perceptron, moons), network(perceptron, moons, compiled=True)
    training = Training(moons.loss, epochs=3)
    trials = [Trial(own, training, L1(), 0.001 * i, 0, seed=5) for i in range(3)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the compiler's own making
        found = by_question(train([replace(t, network=compiled) for t in trials], moons))
    for key, fit in by_question(train(trials, moons)).items():
        np.testing.assert_allclose(fit.parameters, found[key].parameters, atol=1e-4)
