"""What each parameter of a module is: one small module for each rule."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune

from shrinkage.errors import SettingError
from shrinkage.torch.modules import parameters_of, unwrapped


def kinds(module: nn.Module, **options: Any) -> dict[str, str]:
    return {p.name: p.kind for p in parameters_of(module, **options)}


def mlp(*before_output: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 8), *before_output, nn.Linear(8, 2))


def test_a_perceptron_has_hidden_kernels_and_an_output_kernel() -> None:
    assert kinds(mlp(nn.ReLU())) == {
        "0.weight": "hidden kernel",
        "0.bias": "bias",
        "2.weight": "output kernel",
        "2.bias": "bias",
    }


def test_what_is_told_of_a_parameter() -> None:
    module = mlp()
    module[0].bias.requires_grad_(False)
    weight, bias, *_ = parameters_of(module)
    assert (weight.layer, weight.layer_type, weight.shape) == ("0", "Linear", (8, 3))
    assert weight.trainable
    assert not bias.trainable
    assert weight.size == 24


@pytest.mark.parametrize(
    "layer",
    [
        nn.BatchNorm1d(8),
        nn.LayerNorm(8),
        nn.GroupNorm(2, 8),
        nn.RMSNorm(8),
        nn.InstanceNorm1d(8, affine=True),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_normalizations_are_no_kernels(layer: nn.Module) -> None:
    found = kinds(mlp(layer))
    assert {kind for name, kind in found.items() if name.startswith("1.")} == {"normalization"}


def test_a_normalization_of_ones_own_is_known_by_its_name() -> None:
    class ScaleNorm(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(8))

    assert kinds(mlp(ScaleNorm()))["1.weight"] == "normalization"


@pytest.mark.parametrize(
    ("layer", "kernels", "biases"),
    [
        (nn.Conv1d(3, 8, 3), 1, 1),
        (nn.Conv2d(3, 8, 3, bias=False), 1, 0),
        (nn.ConvTranspose2d(3, 8, 3), 1, 1),
        (nn.Bilinear(3, 3, 8), 1, 1),
        (nn.LSTM(3, 8, num_layers=2, proj_size=4), 6, 4),
        (nn.GRU(3, 8, bidirectional=True), 4, 4),
        (nn.GRUCell(3, 8), 2, 2),
        (nn.RNNCell(3, 8, bias=False), 2, 0),
        (nn.MultiheadAttention(8, 2), 2, 2),
        (nn.MultiheadAttention(8, 2, kdim=4, vdim=4, add_bias_kv=True), 4, 4),
    ],
    ids=lambda layer: type(layer).__name__ if isinstance(layer, nn.Module) else str(layer),
)
def test_layers_with_kernels(layer: nn.Module, kernels: int, biases: int) -> None:
    found = list(kinds(nn.ModuleDict({"a": layer, "z": nn.Linear(8, 2)})).values())
    assert found.count("hidden kernel") == kernels
    assert found.count("bias") == biases + 1
    assert found.count("output kernel") == 1
    assert len(found) == kernels + biases + 2


def test_embeddings_slopes_and_position_codes_are_something_else() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(10, 4)
            self.bags = nn.EmbeddingBag(10, 4)
            self.places = nn.Parameter(torch.zeros(5, 4))
            self.slope = nn.PReLU()
            self.first = nn.Linear(4, 4)
            self.last = nn.Linear(4, 1)

    found = kinds(Own())
    assert found["words.weight"] == found["bags.weight"] == "embedding"
    assert found["places"] == found["slope.weight"] == "other"
    assert found["first.weight"] == "hidden kernel"


def test_a_layer_of_ones_own_has_kernels_where_they_are_called_so() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name in ("weight", "W", "w1", "weight_q", "kernel"):
                setattr(self, name, nn.Parameter(torch.zeros(3, 3)))
            self.weight_scale = nn.Parameter(torch.zeros(3))
            self.width = nn.Parameter(torch.zeros(3, 3))

    found = kinds(nn.Sequential(Own(), nn.Linear(3, 1)))
    assert {name for name, kind in found.items() if kind == "hidden kernel"} == {
        f"0.{name}" for name in ("weight", "W", "w1", "weight_q", "kernel")
    }
    assert found["0.weight_scale"] == found["0.width"] == "other"


def test_tied_weights_are_one_parameter() -> None:
    module = nn.Sequential(nn.Embedding(7, 4), nn.Linear(4, 4), nn.Linear(4, 7, bias=False))
    module[2].weight = module[0].weight
    found = {p.name: p for p in parameters_of(module)}
    assert found["0.weight"].shared == ("2.weight",)
    assert found["0.weight"].also_in == ("2",)
    assert found["1.weight"].also_in == ()
    assert found["0.weight"].kind == "embedding"
    assert "2.weight" not in found


def test_a_layer_that_is_used_twice_is_one() -> None:
    layer = nn.Linear(4, 4)
    found = parameters_of(nn.Sequential(layer, nn.ReLU(), layer, nn.Linear(4, 1)))
    assert [p.name for p in found] == ["0.weight", "0.bias", "3.weight", "3.bias"]
    assert found[0].shared == ("2.weight",)


def test_a_computed_weight_is_also_in_the_layer_that_shares_it() -> None:
    normed = parametrizations.weight_norm(nn.Linear(4, 4))
    (first, *_) = parameters_of(nn.ModuleDict({"a": normed, "b": normed, "c": nn.Linear(4, 1)}))
    assert (first.layer, first.also_in) == ("a", ("b",))


def test_a_weight_that_is_computed_is_no_kernel() -> None:
    normed = parametrizations.weight_norm(nn.Linear(3, 8))
    spectral = parametrizations.spectral_norm(nn.Linear(8, 8))
    found = {p.name: p for p in parameters_of(nn.Sequential(normed, spectral, nn.Linear(8, 1)))}
    assert found["0.parametrizations.weight.original0"].kind == "normalization"
    assert found["0.parametrizations.weight.original1"].kind == "other"
    assert found["1.parametrizations.weight.original"].kind == "other"
    one = found["0.parametrizations.weight.original1"]
    assert (one.layer, one.layer_type) == ("0", "Linear")


def test_the_older_weight_norm_and_pruning() -> None:
    with pytest.warns(FutureWarning, match="weight_norm"):
        normed = nn.utils.weight_norm(nn.Linear(3, 8))
    pruned = prune.random_unstructured(nn.Linear(8, 8), "weight", 0.5)
    found = kinds(nn.Sequential(normed, pruned, nn.Linear(8, 1)))
    assert found["0.weight_g"] == "normalization"
    assert found["0.weight_v"] == "other"
    assert found["1.weight_orig"] == "hidden kernel"


def test_a_bias_that_is_computed_is_a_bias() -> None:
    class Positive(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.exp()

    module = mlp()
    parametrize.register_parametrization(module[0], "bias", Positive())
    assert kinds(module)["0.parametrizations.bias.original"] == "bias"


def test_the_output_layer_is_the_one_that_is_run_last() -> None:
    class Reversed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(8, 1)
            self.body = nn.Linear(3, 8)
            self.drop = nn.Dropout(0.5)

        def forward(self, x: torch.Tensor) -> Any:
            return self.head(self.drop(self.body(x)))

    module = Reversed().train()
    assert kinds(module)["body.weight"] == "output kernel"  # the last that is registered
    assert kinds(module, example=torch.ones(2, 3))["head.weight"] == "output kernel"
    assert kinds(module, output="head")["body.weight"] == "hidden kernel"
    assert all(part.training for part in module.modules())


def test_names_do_not_depend_on_what_runs_the_module() -> None:
    module = mlp(nn.ReLU())
    wrapped = [torch.compile(module, backend="eager"), nn.DataParallel(module)]
    for other in (*wrapped, nn.DataParallel(wrapped[0])):
        assert unwrapped(other) is module
        assert parameters_of(other) == parameters_of(module)


@pytest.mark.parametrize(
    ("module", "told"),
    [
        (nn.ReLU(), "ReLU has no parameters"),
        (nn.Sequential(nn.LazyLinear(3)), "no shape yet"),
        (nn.Linear(2, 2, dtype=torch.complex64), "complex64 numbers"),
        (
            nn.ParameterList([nn.Parameter(torch.arange(3), requires_grad=False)]),
            "int64 numbers",
        ),
    ],
    ids=["nothing", "lazy", "complex", "integers"],
)
def test_what_cannot_be_penalized_is_a_sentence(module: nn.Module, told: str) -> None:
    with pytest.raises(SettingError, match=told):
        parameters_of(module)


def test_what_is_no_module_is_a_sentence() -> None:
    with pytest.raises(SettingError, match=r"expected a torch\.nn\.Module, got int"):
        parameters_of(3)  # type: ignore[arg-type]  # on purpose


def test_an_output_layer_that_is_not_there() -> None:
    with pytest.raises(SettingError, match="output is 3; give the name of a layer"):
        parameters_of(nn.Linear(2, 2), output=3)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(SettingError, match="did you mean 'body'"):
        parameters_of(nn.ModuleDict({"body": nn.Linear(2, 2)}), output="bodi")
