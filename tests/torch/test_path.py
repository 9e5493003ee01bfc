"""A path of a module of one's own, from rows to the report."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from shrinkage import L1, L2, GroupLasso, diagnose, select
from shrinkage.data import bundled, prepare
from shrinkage.errors import DataError, SettingError, ShrinkageError
from shrinkage.network import OwnNetwork
from shrinkage.torch import module_of, path, report
from shrinkage.tune import Search
from shrinkage.verify import verify


@pytest.fixture(scope="module")
def digits():
    inputs, labels = load_digits(return_X_y=True)
    images = (inputs / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    return (images[:200], labels[:200]), (images[200:300], labels[200:300])


def convolutional():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64, 32),
        nn.ReLU(),
        nn.Linear(32, 10),
    )


@pytest.fixture(scope="module")
def study(digits):
    train, test = digits
    return path(
        convolutional,
        train,
        penalties=["l1", L2()],
        lambdas=[0.003, 0.03],
        seeds=2,
        folds=3,
        test_data=test,
        epochs=25,
        learning_rate=0.005,
        verbose=0,
    )


def test_study_goes_through_all_that_follows(study, digits, tmp_path):
    found = diagnose(study)
    assert found.verdict == "balanced"
    assert found.folds == 3
    chosen = select(study, "minimum")
    proof = verify(study, chosen, study.data.test)
    assert proof.rows == 100
    assert proof.seeds == 2
    names = [measure.name for measure in proof.simplicity.measures]
    assert "jacobian_norm" in names
    assert "weight_norm" in names
    assert "path_norm" not in names  # layers need not follow each other
    assert [w.name for w in proof.weights] == ["all hidden kernels", "0.weight", "4.weight"]
    _, (new, truth) = digits
    free = [module_of(fit) for fit in study.refits if fit.trial.lam == 0.0]
    with torch.no_grad():
        shares = [np.mean(m(torch.tensor(new)).argmax(1).numpy() == truth) for m in free]
    accuracy = next(effect for effect in proof.effects if effect.metric == "accuracy")
    assert accuracy.before.estimate == pytest.approx(np.mean(shares))
    written = report(study, tmp_path / "own.html")
    text = written.read_text(encoding="utf-8")
    assert "Sequential (2,450 parameters)" in text
    assert "from shrinkage.torch import path" in text
    assert "convolutional," in text
    assert "penalties=[&#39;l1&#39;, L2(decoupled=False)]" in text
    assert "folds=3" in text
    assert "<dt>seed</dt><dd>0</dd>" in text
    assert f"<dt>torch</dt><dd>{torch.__version__}</dd>" in text


def test_trained_modules_come_back(study, digits):
    _, (new, truth) = digits
    fit = next(f for f in study.refits if f.trial.lam == 0.0)
    module = module_of(fit)
    assert isinstance(module, nn.Sequential)
    with torch.no_grad():
        answers = module(torch.tensor(new)).argmax(dim=1).numpy()
    assert np.mean(answers == truth) > 0.7
    pruned = [f for f in study.refits if isinstance(f.trial.penalty, L1)]
    for fit in pruned:
        weights = module_of(fit)[4].weight
        assert (weights == 0).float().mean() > 0.05
    assert not (module_of(study.refits[0])[6].weight == 0).any()
    with pytest.raises(SettingError, match=r"are not kept; take one of study\.refits"):
        module_of(study.fold_fits[0])
    with pytest.raises(SettingError, match="expected a fit, got NoneType"):
        module_of(None)


def test_path_is_found_by_itself():
    table, target = bundled("moons", 80)
    data = prepare(table, target, folds=2, repeats=1)

    def factory():
        return nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))

    study = path(factory, data, penalties="l2", seeds=1, epochs=20, learning_rate=0.02, verbose=0)
    lams = sorted({trial.lam for trial in study.trials})
    assert lams[0] == 0.0
    assert len(lams) > 6
    assert study.data is data
    assert not study.missing
    assert select(study, "one_standard_error").point.lam >= select(study, "minimum").point.lam


def test_same_seed_same_bits(digits):
    train, _ = digits
    settings = {
        "penalties": GroupLasso(),
        "lambdas": [0.01],
        "seeds": 1,
        "folds": 2,
        "epochs": 2,
        "verbose": 0,
    }
    first, second = (path(convolutional, train, **settings) for _ in range(2))
    other = path(convolutional, train, random_state=1, **settings)
    assert first.data.fingerprint == second.data.fingerprint
    for a, b in zip(first.refits, second.refits, strict=True):
        np.testing.assert_array_equal(a.parameters, b.parameters)
    assert not np.array_equal(first.refits[0].parameters, other.refits[0].parameters)


def test_validation_rows_of_ones_own_are_shared_out(digits):
    train, held = digits
    study = path(
        convolutional, train, held, "l2", [0.01], seeds=3, epochs=2, test_data=held, verbose=0
    )
    parts = study.data.parts
    assert len(parts) == 3
    rows = np.concatenate([part.validation for part in parts])
    assert sorted(rows) == list(range(200, 300))
    assert all(part.train.size == 200 for part in parts)
    assert all(part.inputs is parts[0].inputs for part in parts)
    assert study.data.independent
    assert diagnose(study).gap.bounded


@pytest.mark.parametrize("kind", ["dataset", "loader", "tensors", "lists"])
def test_rows_come_as_users_keep_them(digits, kind):
    (images, labels), _ = digits
    tensors = torch.tensor(images[:40]), torch.tensor(labels[:40])
    given = {
        "dataset": TensorDataset(*tensors),
        "loader": DataLoader(TensorDataset(*tensors), batch_size=7, shuffle=True),
        "tensors": tensors,
        "lists": (images[:40].tolist(), labels[:40].tolist()),
    }[kind]
    if kind == "lists":
        given = (np.asarray(given[0], dtype=np.float32), given[1])
    study = path(
        convolutional, given, penalties="l2", lambdas=[0.1], seeds=1, folds=2, epochs=1, verbose=0
    )
    expected = images[:40].reshape(40, -1)
    np.testing.assert_array_equal(study.data.full.inputs, expected)
    assert study.data.task == "multiclass"
    assert study.data.classes == tuple(map(str, range(10)))


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 8)
        self.hidden, self.out = nn.Linear(8, 8), nn.Linear(8, 2)

    def forward(self, tokens):
        return self.out(torch.relu(self.hidden(self.embedding(tokens).mean(dim=1))))


def test_tokens_stay_whole_numbers(tmp_path):
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, 20, size=(80, 6))
    labels = (tokens < 7).sum(axis=1) > 2
    study = path(
        Tokens,
        (tokens, labels),
        penalties="l2",
        lambdas=[0.01],
        seeds=1,
        folds=2,
        epochs=30,
        learning_rate=0.02,
        test_data=(tokens, labels),
        verbose=0,
    )
    network = study.trials[0].network
    assert isinstance(network, OwnNetwork)
    penalized = [b.label for b in network.places.blocks if b.stop <= network.places.penalized.stop]
    assert penalized == ["hidden.weight"]
    assert study.data.task == "binary"
    accuracy = next(
        e for e in verify(study, select(study, "minimum"), study.data.test).effects
        if e.metric == "accuracy"
    )  # fmt: skip
    assert accuracy.before.estimate > 0.8
    assert report(study, tmp_path / "tokens.html").exists()


def test_a_regression_has_the_units_of_its_target():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(60, 3)).astype(np.float32)
    targets = 50 * inputs[:, 0] + 7

    def factory():
        return nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1))

    study = path(
        factory, (inputs, targets), penalties="l2", lambdas=[0.1], seeds=1, folds=2,
        epochs=3, loss=nn.MSELoss(), verbose=0,
    )  # fmt: skip
    found = diagnose(study)
    assert found.unit == "squared target units"
    assert found.null_loss == pytest.approx(targets.var(), rel=1e-3)


def test_without_test_rows_nothing_is_verified(digits, tmp_path):
    train, _ = digits
    study = path(
        convolutional, train, penalties="l2", lambdas=[0.01], seeds=1, folds=2, epochs=1, verbose=0
    )
    with pytest.raises(ShrinkageError, match="there are no test rows"):
        verify(study, select(study, "minimum"), study.data.test)
    assert "no test rows" in report(study, tmp_path / "r.html").read_text(encoding="utf-8")


def test_what_cannot_be_stacked_is_said():
    def factory():
        return nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))

    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 2)).astype(np.float32), np.arange(40) % 2
    with pytest.warns(UserWarning, match=r"one copy after another: layer '1' \(BatchN"):
        path(factory, rows, penalties="l2", lambdas=[0.1], seeds=1, folds=2, epochs=1, verbose=0)


def test_progress_is_shown(digits, capsys):
    train, _ = digits
    path(convolutional, train, penalties="l2", lambdas=[0.1], seeds=1, folds=2, epochs=1)
    shown = capsys.readouterr().err
    assert re.search(r"6 fits in \d+:\d\d", shown), shown


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.out = nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, 10)
        self.second.weight = self.first.weight

    def forward(self, rows):
        hidden = torch.relu(self.second(torch.relu(self.first(rows.flatten(1)))))
        return self.out(hidden)


@pytest.mark.parametrize("make", [Tied, lambda: Tied().double()])
def test_tied_weights_are_one_and_precision_is_single(digits, make):
    train, _ = digits
    study = path(make, train, penalties="l1", lambdas=[0.05], seeds=1, folds=2, epochs=3, verbose=0)
    places = study.trials[0].network.places
    assert places.count == 64 * 64 + 64 + 64 + 650
    assert places.penalized.stop == 64 * 64
    module = module_of(study.refits[-1])
    assert module.first.weight is module.second.weight
    assert study.refits[-1].sparsity > 0


def test_smoothing_of_the_loss_is_that_of_the_training(digits):
    train, _ = digits
    settings = {"penalties": "l2", "lambdas": [0.1], "seeds": 1, "folds": 2, "epochs": 2}
    smoothed = path(
        convolutional, train, loss=nn.CrossEntropyLoss(label_smoothing=0.3), verbose=0, **settings
    )
    assert smoothed.trials[0].training.label_smoothing == 0.3
    plain = path(convolutional, train, verbose=0, **settings)
    assert not np.array_equal(smoothed.refits[0].parameters, plain.refits[0].parameters)


def test_labels_and_targets_of_other_rows_have_to_fit(digits):
    (images, labels), _ = digits
    words = np.where(labels < 5, "small", "large")

    def factory():
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 2))

    settings = {"penalties": "l2", "lambdas": [0.1], "seeds": 1, "epochs": 1, "verbose": 0}
    with pytest.raises(DataError, match="the targets hold huge, but the classes are large, small"):
        path(factory, (images, words), test_data=(images[:3], ["huge"] * 3), **settings)
    with pytest.raises(DataError, match=r"the targets of val_data have shape \(3, 2\)"):
        path(factory, (images, labels % 2), (images[:3], np.zeros((3, 2))), **settings)


def test_an_interruption_keeps_what_is_finished(digits, monkeypatch):
    train, _ = digits
    whole = Search.__iter__

    def interrupted(self):
        for number, fit in enumerate(whole(self)):
            yield fit
            if number == 4:
                raise KeyboardInterrupt

    monkeypatch.setattr(Search, "__iter__", interrupted)
    settings = {"penalties": "l2", "lambdas": [0.1], "seeds": 1, "folds": 3, "epochs": 2}
    with pytest.warns(UserWarning, match="interrupted: the study holds the 5 fits"):
        study = path(convolutional, train, verbose=0, **settings)
    assert len(study.fits) == 5
    assert len(study.missing) == 1
    assert diagnose(study).folds >= 2

    def at_once(self):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(Search, "__iter__", at_once)
    with pytest.raises(KeyboardInterrupt):
        path(convolutional, train, verbose=0, **settings)


def test_a_failure_of_all_trainings_has_its_reason():
    def factory():
        return nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))

    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 2)).astype(np.float32), np.arange(40) % 2
    settings = {"penalties": "l2", "lambdas": [0.1], "seeds": 1, "folds": 2, "verbose": 0}
    sentence = (
        r"4 of 4 fits failed, too many .*; the first diverged at epoch \d+: .* lower the lear"
    )
    with pytest.raises(ShrinkageError, match=sentence):
        path(factory, rows, optimizer="sgd", learning_rate=1e12, epochs=5, **settings)


def test_the_report_has_the_call_that_makes_it_again(tmp_path):
    def run(random_state):
        return path(
            narrow, rows, penalties="l2", lambdas=[0.1], seeds=1, folds=2, epochs=2, verbose=0,
            random_state=random_state,
        )  # fmt: skip

    def narrow():
        return nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))

    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 2)).astype(np.float32), np.arange(40) % 2
    study = run(17)
    assert study.seed == 17
    text = report(study, tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<dt>seed</dt><dd>17</dd>" in text
    assert "random_state=17" in text
    names = {"narrow": narrow, "train_data": rows}
    exec(
        study.call.replace("path(", "again = path(", 1).replace("epochs", "verbose=0, epochs"),
        names,
    )
    for one, other in zip(study.fits, names["again"].fits, strict=True):
        assert one.final_train_loss == other.final_train_loss


@pytest.mark.parametrize("nothing", [None, 3, "study"])
def test_a_report_is_about_a_study(nothing, tmp_path):
    with pytest.raises(SettingError, match=r"expected the study of a path, got (NoneType|int|str)"):
        report(nothing, tmp_path / "r.html")


def test_a_report_goes_to_a_file(study):
    with pytest.raises(SettingError, match="path is 3; give the name of a file"):
        report(study, 3)


def probabilities():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.Softmax(dim=1))


def two_answers():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(64, 10)

        def forward(self, rows):
            return self.layer(rows.flatten(1)), rows

    return Two()


def frozen():
    module = convolutional()
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    return module


@pytest.mark.parametrize(
    ("factory", "settings", "sentence"),
    [
        (convolutional(), {}, "a path trains many fresh copies, but it was given one Sequential"),
        (lambda: 3, {}, r"the factory makes a int, not a torch\.nn\.Module"),
        (3, {}, "the factory is a int"),
        (lambda: nn.Sequential(nn.ReLU()), {}, "has no parameters"),
        (frozen, {}, "is frozen"),
        (probabilities, {}, "ends with a Softmax, so it answers probabilities"),
        (two_answers, {}, "answers a tuple; a path needs one tensor"),
        (lambda: nn.Linear(3, 10), {}, r"Linear fails on rows of shape \(4, 1, 8, 8\)"),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 1)), {}, "has one output, but the tar"),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 7)), {}, "7 outputs, but the targets"),
        (convolutional, {"on": "encoder.*"}, r"no parameter is called 'encoder\.\*'"),
        (convolutional, {"on": "0.weigth"}, r"did you mean '0\.weight'"),
        (convolutional, {"output": "head"}, "there is no layer 'head'"),
        (convolutional, {"loss": nn.L1Loss()}, "the loss L1Loss is not one that a path knows"),
        (convolutional, {"loss": "cross entropy"}, "did you mean 'cross_entropy'"),
        (
            convolutional,
            {"loss": nn.CrossEntropyLoss(reduction="none")},
            "reduction='none', so it gives a vector",
        ),
        (
            convolutional,
            {"loss": nn.CrossEntropyLoss(ignore_index=3)},
            "the loss leaves out a class",
        ),
        (
            convolutional,
            {"loss": "binary_cross_entropy"},
            "is about one output, but Seq",
        ),
        (convolutional, {"penalties": "l3"}, "unknown penalty 'l3'"),
        (convolutional, {"penalties": []}, "there is no penalty to try"),
        (convolutional, {"penalties": 0.1}, "0.1 is not a penalty"),
        (convolutional, {"penalties": [L1]}, r"L1'> is not a penalty; give L1\(\)"),
        (convolutional, {"lambdas": [-1.0]}, "λ is -1.0; it must be a finite number"),
        (convolutional, {"folds": 1}, "folds is 1"),
        (convolutional, {"device": "abc"}, "the device 'abc' cannot be used here"),
        (convolutional, {"lr": 0.1}, "unknown training setting 'lr'; did you mean 'learning_rate'"),
        (convolutional, {"epohcs": 2}, "unknown training setting 'epohcs'; did you mean 'epochs'"),
        (convolutional, {"epochs": "3"}, "epochs is '3'; it must be a whole number"),
        (convolutional, {"batch_size": 2.5}, r"batch_size is 2\.5; it must be a whole number"),
        (convolutional, {"learning_rate": "a"}, "learning_rate is 'a'; it must be a number"),
        (convolutional, {"optimizer": 3}, "optimizer is 3; it must be a name"),
        (convolutional, {"metric": 3}, "metric is 3; it must be a name"),
        (convolutional, {"rule": 3}, "rule is 3; it must be a name"),
        (convolutional, {"lambdas": 0.1}, r"lambdas is 0\.1; give a list of numbers"),
        (convolutional, {"seeds": [5, 9]}, "give seeds=2, and random_state for other draws"),
        (convolutional, {"seeds": 2.5}, r"seeds is 2\.5; it must be a whole number"),
        (convolutional, {"at_once": 0}, "at_once is 0; a stack needs at least 1 copy"),
        (convolutional, {"at_once": "a"}, "at_once is 'a'; it must be a whole number"),
        (convolutional, {"on": 3}, "the selector is 3"),
        (convolutional, {"output": 3}, "output is 3; give the name of a layer"),
        (convolutional, {"dropout": 0.5}, "a module of your own must have it in itself"),
        (convolutional, {"metric": "r2"}, "metric 'r2' does not fit a classification"),
    ],
)
def test_bad_input_is_one_sentence(digits, factory, settings, sentence):
    train, _ = digits
    given = {"penalties": "l2", "lambdas": [0.1], "seeds": 1, "folds": 2, "epochs": 1} | settings
    with pytest.raises(SettingError, match=sentence) as caught:
        path(factory, train, verbose=0, **given)
    assert "\n" not in str(caught.value)


class Ragged(Dataset):
    """Rows that grow."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return self.rows

    def __getitem__(self, row):
        return torch.zeros(row + 1), 0


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ((np.zeros((5, 1, 8, 8)), np.zeros(4)), "has 5 rows of inputs and 4 of targets"),
        ((np.full((5, 64), np.nan), np.zeros(5)), "the inputs of train_data are not finite in 5"),
        ((np.zeros((5, 64), complex), np.zeros(5)), "are complex numbers"),
        ((np.array([["a"] * 3] * 5), np.zeros(5)), "a network takes numbers"),
        ((np.zeros((1, 64)), np.zeros(1)), "has 1 row"),
        (np.zeros((5, 64)), "train_data is a ndarray; give"),
        ((torch.zeros(5, 64, device="meta"), np.zeros(5)), "on the meta device"),
        (Ragged(3), r"differ in shape: row 1 has \(2,\), row 0 has \(1,\)"),
        (Ragged(0), "train_data has no rows"),
        (([[1.0], [1.0, 2.0]], [0, 1]), "the inputs of train_data are no array, since rows differ"),
        (
            (np.eye(4), [0, None, 1, None]),
            "the targets of train_data are of kind NoneType and int; give",
        ),
        (
            (np.eye(4), np.array([0, "a", 1, "b"], object)),
            "are of kind int and str",
        ),
        ((np.eye(4, 64), np.zeros(4, int)), "all 4 training targets are the same class, 0"),
    ],
)
def test_rows_that_cannot_be_used(rows, sentence):
    with pytest.raises(DataError, match=sentence):
        path(lambda: nn.Linear(64, 1), rows, penalties="l2", verbose=0)
