"""A compacted module answers what the large one answers, and loses what it can."""

from __future__ import annotations

import copy
import pickle
import random
import threading
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import prune

from shrinkage.compact import compact as compact_perceptron
from shrinkage.engine.proximal import group_prox, soft_threshold_
from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.network import Network, layout
from shrinkage.torch import compact
from shrinkage.torch.compact_check import answers_of


@pytest.fixture(autouse=True)
def seeded():
    """And in one thread: the networks are too small for more."""
    threads = torch.get_num_threads()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def zero(*weights):
    """Write zeros into slices of parameters."""
    with torch.no_grad():
        for weight in weights:
            weight.zero_()


def assert_same(model, found, rows):
    """By our own hand, beside the comparison that compact itself makes."""
    model.eval()
    found.module.eval()
    with torch.no_grad():
        large, small = model(rows), found.module(rows)
    assert large.shape == small.shape
    assert float((large - small).abs().max()) <= 1e-5 * float(large.abs().max())


def sizes(found):
    return {layer.name: (layer.after, layer.before) for layer in found.layers}


def perceptron(activation=nn.ReLU, sizes=(6, 20, 15, 10, 3)):
    layers = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers[:-1])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["relu", "tanh"])
def test_a_perceptron_is_left_what_the_package_leaves_of_its_own(kind, seed):
    model = perceptron({"relu": nn.ReLU, "tanh": nn.Tanh}[kind])
    rng = np.random.default_rng(seed)
    linear = [layer for layer in model if isinstance(layer, nn.Linear)]
    kernels = [layer.weight for layer in linear]
    zero(kernels[0][:, :2])
    for incoming, outgoing in pairwise(kernels):
        zero(incoming[: rng.integers(1, 6)], outgoing[:, -int(rng.integers(1, 5)) :])
    network = Network(6, (20, 15, 10), 3, kind)
    flat = np.zeros(layout(network).size, dtype=np.float32)
    for block, layer in zip(layout(network).kernels, linear, strict=True):
        block.of(flat)[:] = layer.weight.detach().numpy().T
    for block, layer in zip(layout(network).biases, linear, strict=True):
        block.of(flat)[:] = layer.bias.detach().numpy()
    own = compact_perceptron(network, flat)
    found = compact(model)
    assert found.columns == tuple(own.inputs.tolist())
    assert [layer.after for layer in found.layers[:-1]] == list(own.network.hidden)
    assert (found.before, found.after) == (own.before, own.after)
    assert_same(model, found, torch.randn(50, 6))


def test_the_original_stays_as_it_is():
    model = perceptron()
    zero(model[0].weight[:9], model[2].weight[:, 12:])
    before = copy.deepcopy(model.state_dict())
    model.train()
    found = compact(model)
    assert found.after < found.before
    assert model.training
    assert found.module.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    assert type(found.module) is nn.Sequential


def test_where_nothing_is_dead_nothing_changes():
    model = perceptron()
    found = compact(model)
    assert found.difference == 0
    assert found.after == found.before
    assert "Nothing can be removed of 648 parameters" in str(found)
    for name, value in found.module.state_dict().items():
        assert torch.equal(value, model.state_dict()[name])


def test_a_layer_keeps_one_unit():
    model = perceptron()
    zero(*(layer.weight for layer in model if isinstance(layer, nn.Linear)))
    found = compact(model)
    assert [layer.after for layer in found.layers] == [1, 1, 1, 3]
    assert len(found.columns) == 1
    assert_same(model, found, torch.randn(5, 6))


def test_layers_without_bias_get_one_where_a_constant_is_folded():
    model = nn.Sequential(nn.Linear(4, 5), nn.Sigmoid(), nn.Linear(5, 2, bias=False))
    zero(model[0].weight[:3])
    found = compact(model)
    assert found.module[2].bias is not None
    assert found.after == 4 * 2 + 2 + 2 * 2 + 2
    assert_same(model, found, torch.randn(5, 4))


class TestInputs:
    def model(self):
        model = perceptron()
        zero(model[0].weight[:, 0], model[0].weight[:, 3])
        return model

    def test_all_columns_are_taken_and_those_needed_are_told(self):
        model, rows = self.model(), torch.randn(9, 6)
        found = compact(model)
        assert found.columns == (1, 2, 4, 5)
        assert found.all_columns == 6
        assert "4 of 6 inputs" in str(found)
        assert_same(model, found, rows)

    def test_or_only_those_needed(self):
        model, rows = self.model(), torch.randn(9, 6)
        found = compact(model, keep_inputs=False)
        small = found.module(rows[:, found.columns])
        torch.testing.assert_close(small, model(rows))
        assert found.module[0].in_features == 4

    def test_pixels_of_flattened_images(self):
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 2))
        zero(model[1].weight[:, :24])
        rows = torch.randn(5, 1, 8, 8)
        found = compact(model, rows)
        assert len(found.columns) == 40
        assert_same(model, found, rows)

    def test_channels_of_images(self):
        model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3))
        zero(model[0].weight[:, 1])
        rows = torch.randn(5, 3, 9, 9)
        found = compact(model, rows)
        assert found.columns == (0, 2)
        assert_same(model, found, rows)

    def test_features_of_a_sequence(self):
        model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 2))
        zero(model[0].weight[:, 2], model[0].weight[5:])
        rows = torch.randn(4, 7, 5)
        found = compact(model, rows)
        assert found.columns == (0, 1, 3, 4)
        assert sizes(found)["0"] == (5, 8)
        assert_same(model, found, rows)

    def test_compacted_again_nothing_is_left_to_do(self):
        once = compact(self.model())
        assert compact(once.module).after == once.after


class Convolutional(nn.Module):
    """As many write it: the number of columns stands in ``view``."""

    def __init__(self, padding=0):
        super().__init__()
        self.one = nn.Conv2d(1, 6, 3, padding=padding, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.two = nn.Conv2d(6, 8, 3)
        self.drop = nn.Dropout()
        self.wide = nn.Linear(8 * 4, 20)
        self.out = nn.Linear(20, 3)
        with torch.no_grad():
            self.norm.weight.uniform_(0.5, 2)
            self.norm.bias.uniform_(0.5, 1)
            self.norm.running_mean.normal_()
            self.norm.running_var.uniform_(0.5, 2)

    def forward(self, rows):
        hidden = F.max_pool2d(F.relu(self.norm(self.one(rows))), 2)
        hidden = F.adaptive_avg_pool2d(torch.relu(self.two(hidden)), 2)
        hidden = hidden.view(hidden.size(0), 8 * 4)
        return self.out(self.drop(F.relu(self.wide(hidden))))


def test_a_convolutional_network_with_batch_norm():
    model, rows = Convolutional(), torch.randn(5, 1, 12, 12)
    zero(model.one.weight[:2], model.two.weight[3:6], model.wide.weight[:, -4:])
    zero(model.wide.weight[4:7])
    # One that is constant after batch norm alone: its scale is zero.
    zero(model.norm.weight[5])
    model.norm.running_mean.add_(1)
    found = compact(model, rows)
    assert sizes(found) == {"one": (3, 6), "two": (4, 8), "wide": (17, 20), "out": (3, 3)}
    assert found.module.norm.num_features == 3
    assert found.module.wide.in_features == 16
    assert set(found.module.state_dict()) == set(model.state_dict())
    assert_same(model, found, rows)
    assert_same(model, found, torch.randn(2, 1, 12, 12))
    again = pickle.loads(pickle.dumps(found.module))
    torch.testing.assert_close(again.eval()(rows), model.eval()(rows))


def test_rows_are_found_by_trying_and_said_to_be_drawn():
    model = Convolutional()
    zero(model.one.weight[:2])
    found = compact(model)
    assert found.drawn
    assert found.rows == 64
    assert "on 64 drawn rows" in str(found)


def test_the_border_of_zeros_keeps_constant_channels_and_says_so():
    model = nn.Sequential(nn.Conv2d(1, 6, 3), nn.Sigmoid(), nn.Conv2d(6, 2, 3, padding=1))
    zero(model[0].weight[:2])
    rows = torch.randn(3, 1, 8, 8)
    found = compact(model, rows)
    assert sizes(found)["0"] == (6, 6)
    (note,) = found.notes
    assert note == (
        "2 channels are constant and stay: the border of zeros that the layer '2' (Conv2d) adds "
        "differs from that constant"
    )
    assert note[:10] in str(found)
    # What is zero at the border too can go.
    model[1] = nn.ReLU()
    with torch.no_grad():
        model[0].bias[:2] = -1
    found = compact(model, rows)
    assert sizes(found)["0"] == (4, 6)
    assert_same(model, found, rows)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_other_borders_continue_a_constant(mode):
    conv = nn.Conv2d(6, 2, 3, padding=1, padding_mode=mode)
    model = nn.Sequential(nn.Conv2d(1, 6, 3), nn.Sigmoid(), conv)
    zero(model[0].weight[:2])
    rows = torch.randn(3, 1, 8, 8)
    found = compact(model, rows)
    assert sizes(found)["0"] == (4, 6)
    assert_same(model, found, rows)


@pytest.mark.parametrize(
    ("pool", "left"),
    [
        (nn.AvgPool2d(3, padding=1), 6),  # zeros are averaged in
        (nn.AvgPool2d(3, padding=1, count_include_pad=False), 4),
        (nn.MaxPool2d(3, padding=1), 4),
        (nn.AdaptiveAvgPool2d(2), 4),
        (nn.Upsample(scale_factor=2), 4),
        (nn.ZeroPad2d(1), 6),
        (nn.ReflectionPad2d(1), 4),
    ],
)
def test_pooling_and_padding(pool, left):
    model = nn.Sequential(nn.Conv2d(1, 6, 3), nn.Sigmoid(), pool, nn.Conv2d(6, 2, 2))
    zero(model[0].weight[:2])
    rows = torch.randn(3, 1, 8, 8)
    found = compact(model, rows)
    assert sizes(found)["0"] == (left, 6)
    assert_same(model, found, rows)


@pytest.mark.parametrize("dimensions", [1, 3])
def test_other_dimensions(dimensions):
    conv = {1: nn.Conv1d, 3: nn.Conv3d}[dimensions]
    norm = {1: nn.BatchNorm1d, 3: nn.BatchNorm3d}[dimensions]
    model = nn.Sequential(
        conv(2, 6, 3), norm(6), nn.PReLU(6), conv(6, 4, 2), nn.ELU(), nn.Flatten(), nn.LazyLinear(2)
    )
    rows = torch.randn(3, 2, *(6,) * dimensions)
    model(rows)
    zero(model[0].weight[1:4], model[3].weight[0])
    found = compact(model, rows)
    assert sizes(found)["0"] == (3, 6)
    assert sizes(found)["3"] == (3, 4)
    assert_same(model, found, rows)


def test_transposed_convolutions():
    model = nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.ReLU(), nn.ConvTranspose2d(6, 5, 3, stride=2), nn.ReLU(),
        nn.Conv2d(5, 1, 1),
    )  # fmt: skip
    zero(model[0].weight[:2], model[0].bias[:2], model[2].weight[:, 3:], model[2].weight[5])
    rows = torch.randn(3, 1, 8, 8)
    found = compact(model, rows)
    assert sizes(found) == {"0": (3, 6), "2": (3, 5), "4": (1, 1)}
    assert_same(model, found, rows)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(4, 8)
        self.narrow, self.wide = nn.Linear(8, 6), nn.Linear(6, 8)
        self.head = nn.Linear(8, 2)

    def forward(self, rows):
        hidden = torch.relu(self.stem(rows))
        hidden = hidden + self.wide(torch.relu(self.narrow(hidden)))
        return self.head(torch.relu(hidden))


def test_channels_that_meet_leave_together_or_not_at_all():
    model, rows = Residual(), torch.randn(7, 4)
    zero(model.stem.weight[:3], model.wide.weight[2:5])
    found = compact(model, rows)
    # Unit 2 alone is constant on both ways.
    assert sizes(found) == {"stem": (7, 8), "narrow": (6, 6), "wide": (7, 8), "head": (2, 2)}
    assert_same(model, found, rows)
    zero(model.narrow.weight[4:], model.head.weight[:, 7], model.narrow.weight[:, 7])
    found = compact(model, rows)
    assert sizes(found) == {"stem": (6, 8), "narrow": (4, 6), "wide": (6, 8), "head": (2, 2)}
    assert_same(model, found, rows)


def test_what_is_written_over_in_place_is_not_taken_for_its_old_value():
    class Sneaky(Residual):
        def forward(self, rows):
            hidden = self.stem(rows)
            hidden.add_(self.wide(torch.relu(self.narrow(rows @ rows.T @ rows.new_ones(7, 8)))))
            F.relu(hidden, inplace=True)
            return self.head(hidden)

    model, rows = Sneaky(), torch.randn(7, 4)
    zero(model.stem.weight[:3])
    found = compact(model, rows)
    assert sizes(found)["stem"] == (8, 8)
    assert_same(model, found, rows)


def test_depthwise_convolutions_leave_with_their_channel():
    model = nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Conv2d(6, 12, 3, groups=6), nn.ReLU(), nn.Conv2d(12, 2, 1)
    )
    zero(model[0].weight[1], model[2].weight[6:8], model[2].weight[11])
    rows = torch.randn(3, 1, 8, 8)
    found = compact(model, rows)
    assert sizes(found) == {"0": (4, 6), "2": (8, 12), "4": (2, 2)}
    assert found.module[2].groups == 4
    assert_same(model, found, rows)


def test_other_groups_keep_all_channels_and_say_so():
    model = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Conv2d(6, 4, 3, groups=2), nn.ReLU())
    zero(model[0].weight[1])
    found = compact(model, torch.randn(3, 1, 8, 8))
    assert found.after == found.before
    assert found.notes == (
        "1 channel is constant and stays: the layer '2' (Conv2d) needs all channels it takes",
    )


def test_so_do_layers_that_look_at_all_channels_at_once():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.LayerNorm(8), nn.Linear(8, 2))
    zero(model[0].weight[1:3], model[0].weight[:, 0])
    rows = torch.randn(3, 4)
    found = compact(model)
    assert sizes(found)["0"] == (8, 8)
    assert "2 channels are constant and stay: the layer '2' (LayerNorm)" in str(found)
    assert found.columns == (1, 2, 3)
    assert_same(model, found, rows)


def test_the_hidden_layer_of_a_transformer():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.patches, self.place = nn.Conv2d(1, 8, 4, 4), nn.Parameter(torch.randn(1, 4, 8))
            self.norm = nn.LayerNorm(8)
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
            self.wide, self.narrow, self.out = nn.Linear(8, 20), nn.Linear(20, 8), nn.Linear(8, 3)

        def forward(self, rows):
            tokens = self.patches(rows).flatten(2).transpose(1, 2) + self.place
            normed = self.norm(tokens)
            tokens = tokens + self.attention(normed, normed, normed)[0]
            tokens = tokens + self.narrow(F.gelu(self.wide(self.norm(tokens))))
            return self.out(tokens[:, 0])

    model, rows = Block(), torch.randn(3, 1, 8, 8)
    zero(model.wide.weight[:9], model.narrow.weight[:, 15:])
    found = compact(model, rows)
    assert sizes(found)["wide"] == (6, 20)
    assert_same(model, found, rows)


def test_numbers_that_are_learned_beside_layers():
    class Tempered(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.out = nn.Linear(3, 8), nn.Linear(8, 2)
            self.cold, self.shift = nn.Parameter(torch.tensor([0.5])), nn.Parameter(torch.ones(1))
            self.scales = nn.Parameter(torch.rand(8))
            self.scaled = False

        def forward(self, rows):
            hidden = torch.relu(self.one(rows)) / self.cold + 2 * self.shift
            return self.out(hidden * self.scales if self.scaled else hidden)

    model, rows = Tempered(), torch.randn(4, 3)
    zero(model.one.weight[:2])
    found = compact(model, rows)
    assert sizes(found)["one"] == (6, 8)
    assert_same(model, found, rows)
    model.scaled = True  # a number for each channel is not cut
    assert "the step 'mul' needs all channels" in compact(model, rows).notes[0]


def test_tied_layers_and_layers_that_run_twice_stay():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.again = nn.Linear(4, 6), nn.Linear(6, 6)
            self.out = nn.Linear(6, 6)
            self.out.weight = self.again.weight

        def forward(self, rows):
            return self.out(torch.relu(self.first(rows)))

    model, rows = Twice(), torch.randn(3, 4)
    zero(model.first.weight[:2])
    found = compact(model)
    assert sizes(found) == {"first": (6, 6)}
    assert_same(model, found, rows)


def test_layers_whose_numbers_are_used_elsewhere_stay():
    class Mirrored(nn.Module):
        """Decodes with the encoder's own weights."""

        def __init__(self):
            super().__init__()
            self.one = nn.Linear(4, 6)

        def forward(self, rows):
            return torch.relu(self.one(rows)) @ self.one.weight

    mirrored, hooked, rows = Mirrored(), perceptron(sizes=(4, 6, 2)), torch.randn(3, 4)
    hooked[0].register_forward_hook(lambda *passed: passed[-1] + torch.arange(6))
    zero(mirrored.one.weight[:, 0], hooked[0].weight[:2])
    for model in (mirrored, hooked):
        found = compact(model, rows)
        assert found.after == found.before
        assert_same(model, found, rows)


def test_what_is_largest_over_channels_needs_all_of_them():
    class Largest(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.out = nn.Conv1d(2, 6, 3), nn.Linear(4, 2)

        def forward(self, rows):
            return self.out(self.one(rows).amax(1))

    model, rows = Largest(), torch.randn(5, 2, 6)
    zero(model.one.weight[:2])
    found = compact(model, rows)
    assert sizes(found)["one"] == (6, 6)
    assert_same(model, found, rows)


def test_concatenated_channels_keep_their_places():
    class Dense(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Conv1d(2, 5, 1), nn.Conv1d(5, 4, 1)
            self.out = nn.Linear(9 * 6, 2)

        def forward(self, rows):
            one = torch.tanh(self.one(rows))
            both = torch.cat([torch.tanh(self.two(one)), one], dim=1)
            return self.out(both.flatten(1))

    model, rows = Dense(), torch.randn(3, 2, 6)
    zero(model.one.weight[:2], model.two.weight[3])
    found = compact(model, rows)
    assert sizes(found)["one"] == (3, 5)
    assert sizes(found)["two"] == (3, 4)
    assert_same(model, found, rows)


def test_squeeze_and_excitation():
    class Excited(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.gate, self.out = nn.Conv2d(1, 6, 3), nn.Linear(6, 6), nn.Linear(6, 2)

        def forward(self, rows):
            hidden = F.silu(self.conv(rows))
            gate = torch.sigmoid(self.gate(hidden.mean(dim=(2, 3))))
            return self.out((hidden * gate[:, :, None, None]).amax((2, 3)))

    model, rows = Excited(), torch.randn(3, 1, 8, 8)
    zero(model.conv.weight[:2], model.conv.bias[:2])
    found = compact(model, rows)
    assert sizes(found) == {"conv": (4, 6), "gate": (4, 6), "out": (2, 2)}
    assert_same(model, found, rows)


def test_pruned_and_parametrized_layers_become_plain():
    model, rows = perceptron(), torch.randn(5, 6)
    prune.ln_structured(model[0], "weight", amount=0.5, n=2, dim=0)
    nn.utils.parametrizations.weight_norm(model[2])
    found = compact(model, rows)
    assert sizes(found)["0"] == (10, 20)
    assert "0.weight" in found.module.state_dict()
    assert_same(model, found, rows)
    assert prune.is_pruned(model)
    assert nn.utils.parametrize.is_parametrized(model[2])


def test_several_inputs_and_outputs():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.left, self.right, self.out = nn.Linear(3, 6), nn.Linear(2, 6), nn.Linear(6, 1)

        def forward(self, left, right, scale=None):
            hidden = torch.relu(self.left(left)) - torch.relu(self.right(right))
            if scale is not None:
                hidden = hidden * scale
            return {"answer": self.out(hidden), "twice": (2 * self.out(hidden),)}

    class Once(Both):
        def forward(self, left, right):
            hidden = torch.relu(self.left(left)) - torch.relu(self.right(right))
            return {"answer": self.out(hidden)}

    for kind, left in ((Both, 6), (Once, 4)):
        model = kind()
        zero(model.left.weight[:2], model.right.weight[:2], model.left.weight[:, 0])
        rows = (torch.randn(4, 3), torch.randn(4, 2))
        found = compact(model, rows)
        assert sizes(found)["left"] == (left, 6)
        assert found.all_columns == 0
        small, large = found.module.eval()(*rows), model.eval()(*rows)
        torch.testing.assert_close(small["answer"], large["answer"])


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions(dtype):
    model = perceptron().to(dtype)
    zero(model[0].weight[:9])
    found = compact(model)
    assert found.module[0].weight.dtype == dtype
    assert sizes(found)["0"] == (11, 20)


def test_half_precision_is_compared_in_single():
    model, rows = perceptron().to(torch.bfloat16), torch.randn(5, 6, dtype=torch.bfloat16)
    (answers,) = answers_of(model, (rows,))
    assert torch.equal(answers, copy.deepcopy(model).float()(rows.float()))


def test_arguments_that_are_left_out_and_decisions_by_shapes():
    one = torch.ones(1)

    class Checked(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.out = nn.Linear(3, 6), nn.Linear(6, 2)

        def forward(self, rows, mask=None, scale=one):
            assert rows.shape[1] == 3
            first, *_ = rows.shape
            if rows.dim() == 3:
                rows = rows.mean(dim=2)
            hidden = torch.relu(self.one(rows))
            if mask is not None:
                hidden = hidden * mask
            return self.out(hidden.view(first, 6)) * scale

    model, rows = Checked(), torch.randn(4, 3)
    zero(model.one.weight[:2])
    found = compact(model, rows)
    assert sizes(found)["one"] == (4, 6)
    assert_same(model, found, rows)


def test_the_module_inside_what_only_runs_it():
    model = perceptron()
    zero(model[0].weight[:9])
    found = compact(nn.DataParallel(model))
    assert type(found.module) is nn.Sequential
    assert sizes(found)["0"] == (11, 20)


def test_frozen_parameters_stay_frozen():
    model = perceptron()
    zero(model[0].weight[:9])
    model[0].requires_grad_(False)
    found = compact(model)
    assert [p.requires_grad for p in found.module[0].parameters()] == [False, False]
    assert all(p.requires_grad for p in found.module[2].parameters())


def test_a_smaller_module_trains_on():
    model = Convolutional()
    zero(model.one.weight[:2], model.two.weight[3:6])
    small = compact(model).module.train()
    optimizer = torch.optim.Adam(small.parameters())
    rows, labels = torch.randn(8, 1, 12, 12), torch.arange(8) % 3
    before = copy.deepcopy(small.state_dict())
    F.cross_entropy(small(rows), labels).backward()
    optimizer.step()
    moved = [name for name, value in small.state_dict().items() if not value.equal(before[name])]
    assert {"one.weight", "norm.weight", "wide.bias"} <= set(moved)


class Meeting(nn.Module):
    """Two ways that meet."""

    def __init__(self, how, one, other):
        super().__init__()
        self.how, self.one, self.other = how, one, other

    def forward(self, rows):
        one, other = self.one(rows), self.other(rows)
        if self.how == "cat":
            return torch.cat([one, other], dim=1)
        return one + other if self.how == "add" else one * torch.sigmoid(other)


def drawn_layers(draw, inputs, outputs):
    size = draw.choice([1, 3])
    mode = draw.choice(["zeros", "reflect"])
    layers = [
        nn.Conv2d(inputs, outputs, size, padding=size // 2, padding_mode=mode, bias=size == 3)
    ]
    if draw.random() < 0.6:
        layers.append(nn.BatchNorm2d(outputs, affine=draw.random() < 0.8))
    layers.append(draw.choice([nn.ReLU(inplace=True), nn.Tanh(), nn.Sigmoid(), nn.PReLU(outputs)]))
    if draw.random() < 0.3:
        layers.append(nn.Conv2d(outputs, outputs, 3, padding=1, groups=outputs))
    if draw.random() < 0.2:
        layers.append(draw.choice([nn.AvgPool2d(3, 1, 1), nn.MaxPool2d(3, 1, 1)]))
    return nn.Sequential(*layers)


def drawn_network(seed):
    """Convolutions in a row, side by side and around, with zeros of every kind."""
    draw = random.Random(seed)
    torch.manual_seed(seed)
    layers, width = [], 2
    for _ in range(draw.randint(1, 4)):
        outputs, how = draw.randint(2, 7), draw.choice(["row", "cat", "add", "gate", "around"])
        one = drawn_layers(draw, width, outputs)
        if how == "row":
            layers.append(one)
        elif how == "around":
            back = nn.Sequential(one, drawn_layers(draw, outputs, width))
            layers.append(Meeting("add", back, nn.Identity()))
            outputs = width
        else:
            layers.append(Meeting(how, one, drawn_layers(draw, width, outputs)))
            outputs *= 1 + (how == "cat")
        width = outputs
    layers += [nn.Flatten(), nn.Linear(width * 36, 5), nn.ReLU(), nn.Linear(5, 2)]
    model = nn.Sequential(*layers)
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.normal_()
                layer.running_var.uniform_(0.5, 2)
                if layer.affine:
                    layer.weight[torch.rand(len(layer.weight)) < 0.2] = 0
                    layer.bias.normal_()
            if isinstance(layer, nn.Conv2d | nn.Linear):
                weight = layer.weight
                weight[torch.rand(len(weight)) < 0.3] = 0
                weight[:, torch.rand(weight.shape[1]) < 0.2] = 0
                weight[torch.rand_like(weight) < 0.3] = 0
                if layer.bias is not None:
                    layer.bias[torch.rand(len(layer.bias)) < 0.3] = 0
    return model


@pytest.mark.parametrize("seed", range(25))
def test_any_network_answers_the_same_and_is_as_small_as_it_gets(seed):
    model = drawn_network(seed)
    found = compact(model, torch.randn(3, 2, 6, 6))
    assert found.after < found.before
    assert_same(model, found, 2 * torch.randn(10, 2, 6, 6))
    assert compact(found.module, torch.randn(3, 2, 6, 6)).after == found.after


def trained(model, after_step, steps=200):
    """On a rule of two of the inputs, by gradient descent."""
    rows = torch.randn(200, 6)
    labels = (rows[:, 0] * rows[:, 1] > 0).long()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(rows), labels).backward()
        optimizer.step()
        after_step()
    return rows


def test_after_training_with_l1():
    model = perceptron(sizes=(6, 20, 15, 2))
    kernels = [model[0].weight, model[2].weight]
    rows = trained(model, lambda: [soft_threshold_(kernel, 0.1 * 0.01) for kernel in kernels])
    found = compact(model, rows)
    assert found.after < 0.8 * found.before
    assert_same(model, found, rows)


def test_after_training_with_group_lasso():
    model = perceptron(sizes=(6, 20, 15, 2))
    kernel = model[0].weight
    step = torch.full_like(kernel, 0.1)

    def proximal():
        with torch.no_grad():
            kernel.copy_(group_prox(kernel, step, 0.01, "units"))

    rows = trained(model, proximal)
    found = compact(model, rows)
    left, before = sizes(found)["0"]
    assert left == int((kernel != 0).any(dim=1).sum()) < before
    assert_same(model, found, rows)


class TestRefused:
    def test_a_forward_that_decides_by_values(self):
        class Deciding(nn.Module):
            def __init__(self):
                super().__init__()
                self.out = nn.Linear(3, 2)

            def forward(self, rows):
                return self.out(rows) if rows.sum() > 0 else rows

        with pytest.raises(SettingError, match=r"Deciding cannot be .* symbolically traced"):
            compact(Deciding())

    def test_a_forward_that_depends_on_the_number_of_channels(self):
        class Counting(nn.Module):
            def __init__(self):
                super().__init__()
                self.one, self.out = nn.Linear(3, 6), nn.Linear(6, 2)

            def forward(self, rows):
                hidden = torch.relu(self.one(rows))
                return self.out(hidden / hidden.shape[1])

        model = Counting()
        zero(model.one.weight[:2])
        with pytest.raises(ShrinkageError, match=r"Counting's outputs would differ .* channels"):
            compact(model)

    @pytest.mark.parametrize(
        ("model", "message"),
        [
            (nn.ReLU(), "ReLU has no parameters"),
            (nn.LazyLinear(3), "lazy layer"),
            ("model", "expected a torch.nn.Module, got str"),
            (nn.Embedding(3, 4), "give it an example"),
            (nn.Linear(3, 4, device="meta"), r"'weight' has no numbers yet \(it is on the meta"),
        ],
    )
    def test_what_is_no_such_module(self, model, message):
        with pytest.raises(SettingError, match=message):
            compact(model)

    def test_a_script(self):
        class Scripted(torch.jit.ScriptModule):
            def __init__(self):
                super().__init__()
                self.out = nn.Linear(3, 2)

        with pytest.raises(SettingError, match="compact the module that it was made of"):
            compact(Scripted())

    def test_examples_that_tell_nothing(self):
        for rows in (torch.full((2, 6), torch.nan), torch.zeros(0, 6)):
            with pytest.raises(SettingError, match="answers no finite number"):
                compact(perceptron(), rows)

    def test_examples_that_do_not_fit(self):
        with pytest.raises(SettingError, match=r"example of shape \(2, 5\)"):
            compact(perceptron(), torch.randn(2, 5))
        with pytest.raises(SettingError, match="a tensor or a tuple of tensors"):
            compact(perceptron(), [[1.0, 2.0]])

    def test_a_module_that_cannot_be_copied(self):
        model = perceptron()
        model.lock = threading.Lock()
        with pytest.raises(SettingError, match="Sequential cannot be copied: cannot pickle"):
            compact(model)


@pytest.mark.parametrize("where", ["0.weight", "1.running_var"])
def test_numbers_that_are_none_are_told_from_rows_that_are_none(where):
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
    with torch.no_grad():
        module.state_dict()[where].fill_(torch.nan)
    sentence = f"since '{where}' holds NaN or infinite numbers; take the module as it was before"
    with pytest.raises(SettingError, match=sentence):
        compact(module, torch.zeros(2, 3))
