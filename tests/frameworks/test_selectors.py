"""Which parameters a selector names, and what is said when it names none."""

import pytest

from shrinkage.errors import SettingError
from shrinkage.frameworks.parameters import KINDS, Parameter
from shrinkage.frameworks.selectors import HIDDEN_KERNELS, chosen


def network(*frozen: str) -> tuple[Parameter, ...]:
    facts = [
        ("words.weight", "embedding", "words", ("head.weight",)),
        ("features.0.weight", "hidden kernel", "features.0", ()),
        ("features.0.bias", "bias", "features.0", ()),
        ("features.1.weight", "normalization", "features.1", ()),
        ("features.2.weight", "hidden kernel", "features.2", ()),
        ("last.weight", "output kernel", "last", ()),
        ("scale", "other", "", ()),
    ]
    return tuple(
        Parameter(
            name,
            kind,  # type: ignore[arg-type]
            layer,
            "Layer",
            (2, 2),
            name not in frozen,
            shared,
            tuple(other.rpartition(".")[0] for other in shared),
        )
        for name, kind, layer, shared in facts
    )


def names(selector: object, *frozen: str) -> list[str]:
    return [p.name for p in chosen(selector, network(*frozen))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (HIDDEN_KERNELS, ["features.0.weight", "features.2.weight"]),
        ("hidden kernel", ["features.0.weight", "features.2.weight"]),
        ("biases", ["features.0.bias"]),
        ("embeddings", ["words.weight"]),
        ("features.0.weight", ["features.0.weight"]),
        ("features.0", ["features.0.weight"]),
        ("features.1", ["features.1.weight"]),
        ("features.0.*", ["features.0.weight", "features.0.bias"]),
        ("features.*.weight", ["features.0.weight", "features.1.weight", "features.2.weight"]),
        ("features.[12].weight", ["features.1.weight", "features.2.weight"]),
        ("head.weight", ["words.weight"]),
        ("head", ["words.weight"]),
        ("h*", ["words.weight"]),
        ("scale", ["scale"]),
        (("last", "words"), ["words.weight", "last.weight"]),
        (["*.weight", "features.0.bias"], [p.name for p in network() if p.name != "scale"]),
    ],
    ids=str,
)
def test_kinds_names_layers_and_patterns(selector: object, expected: list[str]) -> None:
    assert names(selector) == expected


def test_every_kind_can_be_named_in_the_plural() -> None:
    for kind in KINDS:
        plural = "biases" if kind == "bias" else f"{kind}s"
        assert chosen(plural, network()) == chosen(kind, network())


def test_what_is_frozen_is_left_out() -> None:
    assert names(HIDDEN_KERNELS, "features.0.weight") == ["features.2.weight"]


@pytest.mark.parametrize(
    ("selector", "told"),
    [
        ("features.0.wieght", r"no parameter is called .*did you mean 'features.0.weight'\?"),
        ("hiden kernels", r"did you mean 'hidden kernels'\?"),
        ("encoder.*", "no parameter is called 'encoder"),
        ([], "selector is empty"),
        (["biases", "nothing.here"], "'nothing.here'"),
        ("haed", r"did you mean 'head'\?"),
        (3, "the selector is 3; name a kind such as 'hidden kernels'"),
        (None, "the selector is None"),
        (("biases", 3), r"the selector is \('biases', 3\)"),
    ],
    ids=str,
)
def test_nothing_is_a_sentence(selector: object, told: str) -> None:
    with pytest.raises(SettingError, match=told):
        names(selector)


def test_a_kind_that_the_network_lacks() -> None:
    alone = (Parameter("w", "other", "", "Own", (2,), trainable=True),)
    with pytest.raises(SettingError, match=r"has no hidden kernel \(it has: other\)"):
        chosen(HIDDEN_KERNELS, alone)


def test_a_kind_that_the_network_lacks_is_answered_with_names_that_there_are() -> None:
    bias = Parameter("bias", "bias", "", "Linear", (1,), trainable=True)
    scale = Parameter("scale", "other", "", "Linear", (3,), trainable=True)
    kernel = Parameter("weight", "output kernel", "", "Linear", (1, 3), trainable=True)
    for known in ((bias, scale, kernel), (kernel, bias)):
        with pytest.raises(SettingError, match=r"that are meant, such as 'weight'$"):
            chosen(HIDDEN_KERNELS, known)
    with pytest.raises(SettingError, match=r"such as 'bias'$"):
        chosen(HIDDEN_KERNELS, (bias,))


def test_only_frozen_ones_are_named() -> None:
    with pytest.raises(SettingError, match=r"all that 'last' names is frozen \(last.weight\)"):
        names("last", "last.weight")
