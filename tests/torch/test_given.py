"""Losses as PyTorch's users have them."""

from __future__ import annotations

import pytest
import torch.nn.functional as F
from torch import nn

from shrinkage.errors import SettingError
from shrinkage.torch.given import loss_name


def my_loss(answers, targets):
    return answers - targets


@pytest.mark.parametrize(
    ("loss", "name"),
    [
        (None, None),
        ("cross_entropy", "cross_entropy"),
        (nn.CrossEntropyLoss(), "cross_entropy"),
        (F.cross_entropy, "cross_entropy"),
        (nn.BCEWithLogitsLoss(), "binary_cross_entropy"),
        (F.binary_cross_entropy_with_logits, "binary_cross_entropy"),
        (nn.MSELoss(), "mean_squared_error"),
        (F.mse_loss, "mean_squared_error"),
    ],
    ids=["none", "name", "ce", "ce of F", "bce", "bce of F", "mse", "mse of F"],
)
def test_the_same_loss_by_any_of_its_names(loss, name):
    assert loss_name(loss) == name


@pytest.mark.parametrize(
    ("loss", "sentence"),
    [
        (lambda answers, targets: answers - targets, "a loss that is a function of your own is"),
        (my_loss, "the function my_loss is not one that a path knows; give 'cross_entropy'"),
        (F.binary_cross_entropy, "the function binary_cross_entropy is not one"),
        (nn.L1Loss(), "the loss L1Loss is not one"),
        (nn.CrossEntropyLoss, "the loss is the class CrossEntropyLoss and not made of it"),
        (3, "the loss 3 is not one"),
        ([1.0], r"the loss \[1\.0\] is not one"),
    ],
    ids=["lambda", "function", "of probabilities", "module", "class", "number", "list"],
)
def test_another_loss_is_called_by_its_name(loss, sentence):
    with pytest.raises(SettingError, match=sentence) as caught:
        loss_name(loss)
    assert "0x" not in str(caught.value)
