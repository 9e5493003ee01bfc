"""What is computed in another way in a stack is the same: dropout's draws, convolutions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from shrinkage.engine import noise
from shrinkage.engine.stacked.rewriting import Rewriting, kept_by, step_keys


def test_draws_of_a_dropout_are_those_of_the_engine():
    seed, step, layer, share = 987_654_321, 17, 2, 0.3
    key = noise.mix(np.uint64(seed) ^ np.uint64(0x5EED_0001), step)
    values = np.ones(5_000, np.float32)
    noise.drop(values, values[:0], share, noise.mix(key, layer))
    with Rewriting(step_keys(torch.tensor([seed]), step)[0]):
        rows = torch.ones(50, 100)
        first, second = nn.functional.dropout(rows, share), nn.functional.dropout(rows, share)
    assert not torch.equal(first, second)
    np.testing.assert_array_equal(second.numpy().ravel() != 0, values != 0)
    np.testing.assert_allclose(second.numpy().ravel(), values, rtol=1e-6)


def test_dropped_channels_are_dropped_whole():
    kept = kept_by(torch.tensor(5), torch.Size([4000]), 0.25)
    assert kept.float().mean().item() == pytest.approx(0.75, abs=0.03)
    with Rewriting(torch.tensor(5)):
        maps = nn.functional.dropout2d(torch.ones(20, 30, 3, 3), 0.5)
    whole = maps.flatten(2)
    assert ((whole == 0).all(dim=2) | (whole == 2).all(dim=2)).all()
    assert 0.4 < (whole[..., 0] == 0).float().mean() < 0.6


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv2d(3, 5, 3, padding=1), (2, 3, 8, 7)),
        (nn.Conv2d(3, 4, (3, 2), stride=(2, 1), dilation=(1, 2), bias=False), (2, 3, 9, 8)),
        (nn.Conv2d(2, 3, 3, padding="same", dilation=2), (1, 2, 6, 6)),
        (nn.Conv2d(2, 3, 2, padding=2, padding_mode="reflect"), (1, 2, 6, 6)),
        (nn.Conv1d(3, 6, 5, stride=3, padding=2), (4, 3, 17)),
        (nn.Conv1d(4, 4, 3, groups=2), (2, 4, 9)),
    ],
)
def test_convolution_as_a_product_is_the_convolution(layer, shape):
    rows = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    layer = layer.double()
    with Rewriting(torch.tensor(0), convolutions=True) as mode:
        found = layer(rows)
    torch.testing.assert_close(found, layer(rows))
    assert mode.used == (layer.groups == 1)
