"""What a path is asked, whatever framework the network is from."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from shrinkage.data import bundled, prepare
from shrinkage.errors import DataError, SettingError, ShrinkageError
from shrinkage.frameworks.arrays import own_rows
from shrinkage.frameworks.path import as_far_as_it_went, asked, search_of
from shrinkage.network import Network
from shrinkage.tune import default_training


def about(train, val=None, test=None, *, outputs=2, loss=None, folds=None, seeds=4, seed=0):
    return asked(
        train,
        val,
        test,
        lambda rows, where: own_rows(*rows, where),
        lambda _: outputs,
        loss=loss,
        called="Net",
        name="Net",
        folds=folds,
        seeds=seeds,
        seed=seed,
    )


@pytest.fixture(scope="module")
def table():
    return prepare(*bundled("moons", 60), folds=2, repeats=1)


ROWS = np.arange(24.0).reshape(12, 2), np.arange(12) % 2
CODES = np.arange(24).reshape(12, 2), np.arange(12) % 2


def test_folds_without_validation_rows_and_seeds_with_them():
    assert len(about(ROWS, folds=3).data.parts) == 3
    assert len(about(ROWS).data.parts) == 5
    with_rows = about(ROWS, ROWS).data
    assert len(with_rows.parts) == 4
    assert with_rows.independent


def test_codes_of_all_rows_count_and_numbers_of_those_to_train_on():
    high = CODES[0] + 100, CODES[1]
    assert about(CODES, test=high).inputs.max() == 123
    assert about(ROWS, test=(ROWS[0] + 100, ROWS[1])).inputs.max() == 23


def test_a_table_brings_folds_and_loss(table):
    assert about(table, outputs=1).data is table
    assert not about(table, outputs=1).logits_of_two
    assert about(table, outputs=2, loss="cross_entropy").logits_of_two


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"val": ROWS}, "has folds and test rows of its own; leave out val_data"),
        ({"outputs": 3}, "Net answers 3 numbers for a row, but the table asks for 1"),
        ({"outputs": 1, "loss": "cross_entropy"}, "the table asks for 'binary_cross_entropy'"),
        ({"loss": "mean_squared_error"}, "the loss is 'mean_squared_error', but the table"),
    ],
)
def test_what_does_not_fit_a_table(table, settings, sentence):
    with pytest.raises(SettingError, match=sentence):
        about(table, **settings)


def test_classes_are_those_of_the_training_rows():
    words = ROWS[0], np.where(ROWS[1] == 1, "yes", "no")
    assert about(words).data.classes == ("no", "yes")
    with pytest.raises(DataError, match="the targets hold maybe, but the classes are no, yes"):
        about(words, test=(ROWS[0][:2], np.array(["maybe", "no"])))


def test_rows_of_another_shape():
    with pytest.raises(DataError, match=r"a row of val_data has shape \(3,\), but one of train"):
        about(ROWS, (np.zeros((4, 3)), np.zeros(4)))


def test_rows_are_counted_with_all_of_their_classes():
    said = about(ROWS, folds=3, test=ROWS).data.description
    assert (said.rows, said.train_rows, said.test_rows) == (24, 12, 12)
    assert said.class_counts == (("0", 12), ("1", 12))
    assert not said.warnings
    with_held = about(ROWS, ROWS, ROWS).data.description
    assert with_held.rows == sum(count for _, count in with_held.class_counts) == 36
    assert "validated on its share of 12 further ones" in with_held.sentences[-1]


@pytest.mark.parametrize(
    ("targets", "outputs", "loss", "sentence"),
    [
        (np.zeros(12, int), 2, None, "all 12 training targets are the same class, 0"),
        (np.ones(12, int), 1, None, "the same class, 1"),
        (np.array(["a"] * 12), 2, None, "the same class, a"),
        (np.full(12, 2), 4, "cross_entropy", "the same class, 2"),
        (np.full(12, 3.5), 1, None, r"the same number, 3\.5"),
        (np.full((12, 2), [1.5, 2.5]), 2, None, r"the same number, \[1\.5 2\.5\]"),
    ],
)
def test_targets_that_do_not_differ_teach_nothing(targets, outputs, loss, sentence):
    with pytest.raises(DataError, match=sentence):
        about((ROWS[0], targets), outputs=outputs, loss=loss)


def test_words_are_no_numbers_to_predict():
    words = ROWS[0], np.array(["a", "b"] * 6)
    sentence = "the targets are of type <U1, but they are to be predicted as numbers"
    for given in ({"train": words}, {"train": (ROWS[0], ROWS[1] / 7), "test": words}):
        with pytest.raises(DataError, match=sentence):
            about(**given, outputs=1, loss="mean_squared_error")


def test_rows_of_one_class_may_be_held_back():
    ones = ROWS[0][:4], np.ones(4, int)
    assert about(ROWS, ones, ones, seeds=2).data.test.targets.mean() == 1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"folds": 2.5}, "folds is 2.5; it must be a whole number"),
        ({"folds": "3"}, "folds is '3'; it must be a whole number"),
        ({"folds": 1}, "folds is 1; detection needs at least 2"),
        ({"folds": 0}, "folds is 0; detection needs at least 2"),
        ({"seeds": None}, "seeds is None; it must be a whole number"),
        ({"seeds": 2.5}, "seeds is 2.5; it must be a whole number"),
        ({"seeds": True}, "seeds is True; it must be a whole number"),
        ({"seeds": 0}, "seeds is 0; at least 1 is needed"),
        (
            {"seeds": [5, 9]},
            r"seeds is \[5, 9\], but it says how many .* give seeds=2, and random_",
        ),
        ({"seeds": np.arange(3)}, r"seeds is \[0, 1, 2\], but .* give seeds=3, and random_state"),
        ({"seeds": np.array(3)}, r"seeds is array\(3\); it must be a whole number"),
        ({"seed": None}, "random_state is None; it must be a whole number"),
        ({"seed": -1}, r"random_state is -1; it must lie in \[0"),
        ({"folds": 7, "val": ROWS}, "folds is 7, but rows of val_data are validated on"),
    ],
)
def test_counts_that_are_none(settings, sentence):
    with pytest.raises(SettingError, match=sentence):
        about(ROWS, **settings)


def test_a_table_has_folds_of_its_own(table):
    with pytest.raises(SettingError, match="folds is 3, but the table has folds of its own"):
        about(table, outputs=1, folds=3)


def test_numbers_of_numpy_are_numbers():
    found = about(ROWS, folds=np.int64(3), seeds=np.uint8(2), seed=np.int32(1)).data
    assert found.fingerprint == about(ROWS, folds=3, seeds=2, seed=1).data.fingerprint


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"folds": 100}, "there are 6 folds instead of 100, since no class has more than 6 rows"),
        ({"val": (ROWS[0][:4], ROWS[1][:4])}, "there are 2 folds instead of 4, since no class has"),
    ],
)
def test_fewer_folds_than_asked_for_are_said(settings, sentence):
    with pytest.warns(UserWarning, match=sentence):
        about(ROWS, **settings)
    numbers = ROWS[0], ROWS[0][:, 0] / 7
    with pytest.warns(UserWarning, match="since there are no more than 12 rows to validate on"):
        about(numbers, folds=50, outputs=1)


@pytest.mark.parametrize(
    ("lambdas", "sentence"),
    [
        (0.1, r"lambdas is 0\.1; give a list of numbers"),
        ("0.1", r"lambdas is '0\.1'; give a list of numbers"),
        (np.array(0.1), "give a list of numbers"),
        ([[0.1, 0.2]], r"an entry of lambdas is \[0\.1, 0\.2\]; it must be a number"),
        (["a"], "an entry of lambdas is 'a'; it must be a number"),
        ([None], "an entry of lambdas is None"),
        ([-1.0], r"λ is -1\.0; it must be a finite number"),
        ([], "the list of λ is empty"),
    ],
)
def test_lambdas_that_are_none(table, lambdas, sentence):
    with pytest.raises(SettingError, match=sentence):
        searched(table, lambdas)


@pytest.mark.parametrize("lambdas", [(1, 0.5), np.array([1.0, 0.5]), iter([np.float32(1), 0.5])])
def test_lambdas_come_as_users_keep_them(table, lambdas):
    assert searched(table, lambdas).plan.lambdas == (1.0, 0.5)


def searched(table, lambdas=(0.1,), *, seed=0, **training):
    how = {"metric": None, "rule": "minimum", "seeds": 1, "seed": seed}
    network, settings = Network(2, (4,)), default_training(table, **training)
    return search_of(table, network, settings, "l2", lambdas, **how)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            ShrinkageError("nothing to choose from"),
            "of 2 fits failed, .* the first diverged at epo",
        ),
        (SettingError("the factory makes different modules"), "^the factory makes different"),
        (DataError("there is no fold 7"), "^there is no fold 7"),
    ],
)
def test_trainings_that_failed_explain_a_missing_choice_and_nothing_else(table, error, sentence):
    search = searched(table, epochs=2, optimizer="sgd", learning_rate=1e30)

    def fits():
        yield from islice(search, 2)
        raise error

    with pytest.raises(type(error), match=sentence):
        as_far_as_it_went(search, fits())


def test_without_a_failed_training_the_error_is_the_one_that_came(table):
    search = searched(table)
    with pytest.raises(ShrinkageError, match=r"^nothing$"):
        as_far_as_it_went(search, failing(ShrinkageError("nothing")))


def failing(error):
    raise error
    yield


def test_a_study_knows_its_seed_and_keeps_it(table):
    search = searched(table, seed=23, epochs=1)
    study = as_far_as_it_went(search, search)
    assert (study.seed, study.principal.seed, study.call) == (23, 23, "")
    assert len(study.fits) == search.expected
