"""What a path is asked, whatever framework the network is from."""

from __future__ import annotations

import numpy as np
import pytest

from shrinkage.data import bundled, prepare
from shrinkage.errors import DataError, SettingError
from shrinkage.frameworks.arrays import own_rows
from shrinkage.frameworks.path import asked


def about(train, val=None, test=None, *, outputs=2, loss=None):
    return asked(
        train,
        val,
        test,
        lambda rows, where: own_rows(*rows, where),
        lambda _: outputs,
        loss=loss,
        called="Net",
        name="Net",
        folds=3,
        seeds=4,
        seed=0,
    )


@pytest.fixture(scope="module")
def table():
    return prepare(*bundled("moons", 60), folds=2, repeats=1)


ROWS = np.arange(24.0).reshape(12, 2), np.arange(12) % 2
CODES = np.arange(24).reshape(12, 2), np.arange(12) % 2


def test_folds_without_validation_rows_and_seeds_with_them():
    assert len(about(ROWS).data.parts) == 3
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
