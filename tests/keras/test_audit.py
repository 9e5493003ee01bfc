"""What an audit of a Keras model says, beside what Keras does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import constraints, layers, optimizers, regularizers

from shrinkage.errors import SettingError
from shrinkage.frameworks import audit_checks as checks
from shrinkage.frameworks.audit import Audit, Flag
from shrinkage.keras import Proximal, audit, decay_only, regularize
from shrinkage.keras.values import numpy_of
from shrinkage.penalties import L1, L2, ElasticNet, GroupLasso

# Keras' own conversion of PyTorch's tensors to NumPy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

AFTER = "regularizer set after building"
FACTOR = "Keras' l2 without the ½"
IDLE = "an exclusion that excludes nothing"


def small(**options: Any) -> Any:
    """Two dense layers, to be trained without decay; options are of the first."""
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, name="a", **options), layers.Dense(2, name="z")]
    )
    model.compile(optimizers.SGD(0.1), "mse")
    return model


def named(found: Audit) -> list[str]:
    return [flag.check for flag in found.flags]


def flag(found: Audit, check: str) -> Flag:
    (one,) = [each for each in found.flags if each.check == check]
    return one


def penalty_of(model: Any) -> float:
    return float(sum(float(numpy_of(loss)) for loss in model.losses))


def shrunk(model: Any, optimizer: Any) -> dict[str, float]:
    """What share a step without any gradient of a loss takes off each variable, by its path."""
    variables = model.trainable_variables
    for variable in variables:
        variable.assign(keras.ops.ones(variable.shape))
    optimizer.apply([keras.ops.zeros(v.shape) for v in variables], variables)
    own = f"{model.name}/"
    return {v.path.removeprefix(own): 1.0 - float(numpy_of(v).mean()) for v in variables}


# ------------------------------------------------------------------------------- regularizers


@pytest.mark.parametrize(
    ("regularizer", "said", "words"),
    [
        ("l2", "L2(0.01)", "λ₂ = 0.02"),
        (regularizers.L2(0.3), "L2(0.3)", "λ₂ = 0.6"),
        (regularizers.L1(0.2), "L1(0.2)", "λ₁ = 0.2"),
        (regularizers.L1L2(0.1, 0.3), "L1L2(l1=0.1, l2=0.3)", "λ₁ = 0.1, λ₂ = 0.6"),
    ],
)
def test_regularizers_in_the_one_convention(regularizer: Any, said: str, words: str) -> None:
    model = small(kernel_regularizer=regularizer)
    (action,) = audit(model).rows[0].actions
    assert (action.setting, action.words) == (f"kernel_regularizer={said}", words)
    w = numpy_of(model.get_layer("a").kernel).astype(float)
    ours = action.l1 * np.abs(w).sum() + action.l2 / 2 * np.square(w).sum()
    assert penalty_of(model) == pytest.approx(ours, rel=1e-5)


@pytest.mark.parametrize("penalty", [L1(), L2(), ElasticNet(0.25), GroupLasso()])
def test_penalties_of_this_package(penalty: Any) -> None:
    model = small()
    regularize(model, penalty, lam=0.4)
    (action,) = audit(model).rows[0].actions
    shares = (penalty.l1_share, penalty.l2_share, penalty.group_share)
    assert (action.l1, action.l2, action.group) == pytest.approx([0.4 * share for share in shares])
    flags = [checks.NO_ZEROS] if penalty.l1_share or penalty.group_share else []
    assert named(audit(model)) == flags


class Mine(regularizers.Regularizer):
    """Of the user's own making."""

    def __init__(self, cost: Callable[[Any], Any]) -> None:
        self.cost = cost

    def __call__(self, x: Any) -> Any:
        return self.cost(x)

    def get_config(self) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize(
    ("cost", "l1", "l2"),
    [
        (lambda x: 0.3 * keras.ops.sum(keras.ops.abs(x)), 0.3, 0.0),
        (lambda x: 0.3 * keras.ops.sum(keras.ops.square(x)), 0.0, 0.6),
        (lambda x: 0.1 * keras.ops.sum(keras.ops.abs(x) + x * x), 0.1, 0.2),
        (lambda x: 1e-6 * keras.ops.sum(keras.ops.square(x)), 0.0, 2e-6),
    ],
)
def test_a_regularizer_of_ones_own_is_measured(cost: Any, l1: float, l2: float) -> None:
    (action,) = audit(small(kernel_regularizer=Mine(cost))).rows[0].actions
    assert action.how == "loss"
    assert (action.l1, action.l2) == (pytest.approx(l1, rel=1e-4), pytest.approx(l2, rel=1e-4))


@pytest.mark.parametrize(
    "regularizer",
    [
        regularizers.OrthogonalRegularizer(0.1),
        Mine(lambda x: keras.ops.sum(x**4)),
        Mine(lambda x: -keras.ops.sum(x * x)),
        Mine(lambda x: keras.ops.sum(x * x) + 1.0),
        Mine(lambda x: x.no_such_attribute),
    ],
)
def test_what_is_neither_l1_nor_l2_has_no_number(regularizer: Any) -> None:
    (action,) = audit(small(kernel_regularizer=regularizer)).rows[0].actions
    assert (action.how, action.words) == ("unknown", "not known")


def test_twice_the_number_is_told() -> None:
    found = audit(small(kernel_regularizer=regularizers.L2(0.01)))
    (only,) = found.flags
    assert (only.check, only.severity) == (FACTOR, "note")
    assert "l2 = 0.01 is λ₂ = 0.02" in only.sentence
    assert only.code == "keras.regularizers.L2(0.005)  # for λ₂ = 0.01"
    assert not found.flagged


def test_what_should_be_free() -> None:
    model = keras.Sequential(
        [
            keras.Input((4,), dtype="int32"),
            layers.Embedding(5, 3, embeddings_regularizer="l2", name="e"),
            layers.Flatten(),
            layers.Dense(3, kernel_regularizer="l2", bias_regularizer="l1", name="a"),
            layers.BatchNormalization(gamma_regularizer="l2", name="n"),
            layers.PReLU(alpha_regularizer="l2", name="p"),
            layers.Dense(2, kernel_regularizer="l2", name="z"),
        ]
    )
    found = audit(model)
    where = {one.check: one.where for one in found.flags}
    assert where[checks.BIASES] == ("a/bias",)
    assert where[checks.NORMALIZATION] == ("n/gamma",)
    assert where[checks.OUTPUT] == ("z/kernel",)
    assert where[checks.EMBEDDINGS] == ("e/embeddings",)
    assert where[checks.SLOPES] == ("p/alpha",)
    namespace: dict[str, Any] = {"model": model}
    exec(flag(found, checks.BIASES).code, namespace)
    assert not audit(model).flagged


def test_l1_leaves_no_zeros_in_keras_and_proximal_leaves_many() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 4)).astype("float32")

    def zeros(proximal: bool) -> int:
        keras.utils.set_random_seed(0)
        model = small(**({} if proximal else {"kernel_regularizer": regularizers.L1(0.1)}))
        bare = optimizers.Adam(0.05)
        model.compile(Proximal(bare, model, L1(), lam=0.1) if proximal else bare, "mse")
        assert named(audit(model)) == ([] if proximal else [checks.NO_ZEROS])
        model.fit(rows, rows[:, :2], epochs=30, batch_size=8, verbose=0)
        return int((numpy_of(model.get_layer("a").kernel) == 0).sum())

    assert zeros(proximal=False) == 0
    assert zeros(proximal=True) >= 4


def test_a_regularizer_set_after_building_does_nothing() -> None:
    model = small()
    model.get_layer("a").kernel_regularizer = regularizers.L2(1.0)
    assert penalty_of(model) == 0.0
    found = audit(model)
    assert found.rows[0].actions == ()
    assert (flag(found, AFTER).severity, flag(found, AFTER).where) == ("error", ("a/kernel",))
    exec(flag(found, AFTER).code, {"model": model})
    assert penalty_of(model) > 0
    assert AFTER not in named(audit(model))


def test_another_strength_set_after_building_does_nothing() -> None:
    model = small(kernel_regularizer=regularizers.L2(0.1))
    before = penalty_of(model)
    model.get_layer("a").kernel_regularizer = regularizers.L2(5.0)
    assert penalty_of(model) == before
    assert flag(audit(model), AFTER).where == ("a/kernel",)
    assert audit(model).rows[0].actions[0].words == "λ₂ = 0.2"


def test_regularizers_that_act_are_not_said_to_be_set_too_late() -> None:
    options = {"kernel_regularizer": "l2", "bias_regularizer": regularizers.L1(0.1)}
    model = keras.Sequential(
        [
            keras.Input((6, 2)),
            layers.SeparableConv1D(3, 2, depthwise_regularizer="l2", pointwise_regularizer="l1"),
            layers.LSTM(3, recurrent_regularizer="l2", return_sequences=True, **options),
            layers.Bidirectional(layers.GRU(2, **options)),
            layers.Dense(3, **options),
            layers.Dense(1),
        ]
    )
    assert AFTER not in named(audit(model))
    assert len(model.losses) == sum(len(row.actions) for row in audit(model).rows)
    restored = keras.models.clone_model(model)
    assert AFTER not in named(audit(restored))


def test_depthwise_kernels_have_a_name_of_their_own() -> None:
    model = keras.Sequential(
        [keras.Input((8, 8, 2)), layers.DepthwiseConv2D(3, depthwise_regularizer="l2", name="d")]
    )
    assert audit(model).rows[0].actions[0].setting == "depthwise_regularizer=L2(0.01)"
    assert AFTER not in named(audit(model))


def test_a_penalty_on_a_frozen_layer_is_not_summed() -> None:
    model = small(kernel_regularizer="l2")
    model.get_layer("a").trainable = False
    assert penalty_of(model) == 0.0
    found = audit(model)
    assert found.rows[0].actions == ()
    assert flag(found, "a penalty on what is frozen").where == ("a/kernel",)


def test_a_penalty_on_outputs_is_none_on_weights() -> None:
    found = audit(small(activity_regularizer="l2"))
    assert found.rows[0].actions[0].words == "no λ: on outputs"
    assert named(found) == [checks.BARE, "a penalty on outputs"]


def test_a_layer_that_is_used_twice_is_penalized_once() -> None:
    inputs = keras.Input((4,))
    twice = layers.Dense(4, kernel_regularizer="l2", name="twice")
    model = keras.Model(inputs, layers.Dense(1)(twice(twice(inputs))))
    assert len(model.losses) == 1
    assert [len(row.actions) for row in audit(model).rows] == [1, 0, 0, 0]


# -------------------------------------------------------------------------------- constraints


def test_a_limit_is_no_penalty() -> None:
    model = small(kernel_constraint=constraints.MaxNorm(3.0))
    (action,) = audit(model).rows[0].actions
    assert (action.setting, action.how) == ("kernel_constraint=MaxNorm(max_value=3)", "limit")
    assert named(audit(model)) == [checks.LIMITS]


def test_the_usual_axis_of_a_limit_is_wrong_for_a_convolution() -> None:
    axis = "a limit along one axis of a convolution"

    def model(limit: Any) -> Any:
        first = layers.Conv2D(4, 3, kernel_constraint=limit, name="c")
        return keras.Sequential([keras.Input((8, 8, 2)), first, layers.Conv2D(1, 1)])

    wrong, right = constraints.MaxNorm(1.0), constraints.MaxNorm(1.0, axis=[0, 1, 2])
    kernel = keras.ops.ones((3, 3, 2, 4))
    norms = [
        np.sqrt(np.square(numpy_of(limit(kernel))).sum((0, 1, 2))).max() for limit in (wrong, right)
    ]
    assert norms == pytest.approx([np.sqrt(6.0), 1.0], rel=1e-3)  # of a whole filter
    found = audit(model(wrong))
    assert flag(found, axis).where == ("c/kernel",)
    assert flag(found, axis).code.endswith("MaxNorm(…, axis=[0, 1, 2])")
    assert axis not in named(audit(model(right)))


def test_a_constraint_set_after_building_does_nothing() -> None:
    model = small()
    model.get_layer("a").kernel_constraint = constraints.NonNeg()
    model.compile(optimizers.SGD(0.1), "mse")
    model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
    assert numpy_of(model.get_layer("a").kernel).min() < 0
    assert flag(audit(model), "constraint set after building").where == ("a/kernel",)


# ---------------------------------------------------------------------------------- optimizers


@pytest.mark.parametrize(
    "name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adamax", "Nadam", "Lion", "Adadelta"]
)
def test_decay_of_every_optimizer_is_decoupled(name: str) -> None:
    model = small()
    optimizer = getattr(optimizers, name)(0.1, weight_decay=0.2)
    found = audit(model, optimizer)
    assert {action.how for row in found.rows for action in row.actions} == {"decoupled"}
    said = {row.parameter.name: row.actions[0].decay for row in found.rows}
    assert shrunk(model, optimizer) == pytest.approx(said, abs=1e-6)


def test_the_optimizer_is_that_of_compile() -> None:
    model = small()
    model.compile(optimizers.AdamW(0.001, weight_decay=0.01), "mse")
    found = audit(model)
    assert found.optimizer == "AdamW(lr=0.001, weight_decay=0.01)"
    assert found.rows[0].actions[0].words == "no λ: lr · wd = 0.00001 a step"
    assert named(found) == [checks.BIASES, checks.OUTPUT]


def test_of_a_model_that_is_not_compiled_decay_is_not_known() -> None:
    model = keras.Sequential([keras.Input((4,)), *small().layers])
    found = audit(model)
    assert [(one.check, one.severity) for one in found.flags] == [(checks.UNSEEN, "note")]
    assert named(audit(model, optimizers.SGD(0.1))) == [checks.BARE]


def test_exclusions_are_seen() -> None:
    model = small()
    optimizer = optimizers.AdamW(0.1, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_list=[model.get_layer("z").kernel], var_names=["bias"])
    found = audit(model, optimizer)
    assert named(found) == []
    said = {row.parameter.name for row in found.rows if row.actions}
    assert said == {name for name, share in shrunk(model, optimizer).items() if share > 1e-4}
    assert said == {"a/kernel"}


def test_an_exclusion_by_the_name_of_a_layer_excludes_nothing() -> None:
    model = small()
    optimizer = optimizers.AdamW(0.1, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["z"])
    found = audit(model, optimizer)
    assert flag(found, IDLE).severity == "error"
    assert "looks for it in a weight's own name (bias, kernel)" in flag(found, IDLE).sentence
    assert shrunk(model, optimizer)["z/kernel"] == pytest.approx(0.01, abs=1e-6)


def test_the_code_of_the_remedy_runs_and_leaves_nothing_to_flag() -> None:
    model = small()
    found = audit(model, optimizers.AdamW(0.1, weight_decay=0.1))
    optimizer = optimizers.AdamW(0.1, weight_decay=0.1)
    exec(flag(found, checks.BIASES).code, {"model": model, "optimizer": optimizer})
    assert named(audit(model, optimizer)) == []


def test_an_audit_leaves_the_optimizer_open_for_exclusions() -> None:
    model = small()
    optimizer = optimizers.AdamW(0.1, weight_decay=0.1)
    audit(model, optimizer)
    assert not optimizer.built
    decay_only(optimizer, model)
    assert [row.parameter.name for row in audit(model, optimizer).rows if row.actions] == [
        "a/kernel"
    ]


def test_loss_scaling_and_schedules() -> None:
    model = small()
    falling = optimizers.schedules.ExponentialDecay(0.2, 1, 0.5)
    inner = optimizers.AdamW(falling, weight_decay=0.1)
    found = audit(model, optimizers.LossScaleOptimizer(inner))
    assert found.optimizer == "LossScaleOptimizer of AdamW(lr=0.2, weight_decay=0.1)"
    assert found.rows[0].actions[0].decay == pytest.approx(0.02)
    shrunk(model, inner)
    assert audit(model, inner).rows[0].actions[0].decay == pytest.approx(0.01)


def test_an_optimizer_for_each_of_several_parts() -> None:
    model = small()
    parts = optimizers.OptimizerMap(optimizers.SGD(0.1))
    parts[".*a/.*"] = optimizers.AdamW(0.01, weight_decay=0.5)
    optimizer = optimizers.MultiOptimizer(parts)
    found = audit(model, optimizer)
    said = {row.parameter.name: row.actions[0].decay for row in found.rows if row.actions}
    assert said == pytest.approx({"a/kernel": 0.005, "a/bias": 0.005})
    both = "AdamW(lr=0.01, weight_decay=0.5) and SGD(lr=0.1)"
    assert found.optimizer == f"MultiOptimizer of {both}"
    rest = {"z/kernel": 0.0, "z/bias": 0.0}
    assert shrunk(model, optimizer) == pytest.approx(said | rest, abs=1e-6)


def test_muon_has_another_decay_for_what_is_no_matrix() -> None:
    model = small()
    optimizer = optimizers.Muon(0.1, adam_weight_decay=0.2, weight_decay=0.4)
    optimizer.build(model.trainable_variables)
    found = audit(model, optimizer)
    decays = {row.parameter.name: row.actions[0].decay for row in found.rows}
    assert decays["a/bias"] == pytest.approx(0.02)
    assert decays["a/kernel"] == pytest.approx(0.04)


def test_a_regularizer_and_decay_on_the_same_weights() -> None:
    model = small(kernel_regularizer="l2")
    optimizer = decay_only(optimizers.AdamW(0.1, weight_decay=0.1), model)
    assert flag(audit(model, optimizer), checks.TWICE).where == ("a/kernel",)


def test_proximal() -> None:
    model = small()
    found = audit(model, Proximal(optimizers.Adam(0.1), model, ElasticNet(0.25), lam=0.4))
    (action,) = found.rows[0].actions
    assert (action.how, action.l1, action.l2) == (
        "proximal",
        pytest.approx(0.1),
        pytest.approx(0.3),
    )
    assert named(found) == []
    assert found.optimizer == "Proximal of Adam(lr=0.1)"


def test_l2_of_proximal_decays_apart_under_adamw() -> None:
    model = small()
    optimizer = Proximal(optimizers.AdamW(0.1, weight_decay=0.0), model, L2(), lam=0.3)
    (action,) = audit(model, optimizer).rows[0].actions
    assert (action.how, action.decay) == ("decoupled", pytest.approx(0.03))
    assert shrunk(model, optimizer)["a/kernel"] == pytest.approx(0.03, abs=1e-6)


# ------------------------------------------------------------------------ the order of layers


def drop(model_of: Callable[[Any], Any]) -> list[tuple[str, str]]:
    inputs = keras.Input((4,))
    found = audit(keras.Model(inputs, layers.Dense(1)(model_of(inputs))))
    return [one.severity for one in found.flags if one.check == checks.DROPOUT]


def nested(x: Any) -> Any:
    inner = keras.Sequential([layers.Dense(3), layers.Dropout(0.5)], name="inner")
    return layers.BatchNormalization()(layers.Dense(3)(inner(x)))


def within(x: Any) -> Any:
    inputs = keras.Input((4,))
    inner = keras.Model(inputs, layers.BatchNormalization()(layers.Dense(4)(inputs)))
    return inner(layers.Dropout(0.5)(x))


def branches(x: Any) -> Any:
    dropped = layers.Dropout(0.5)(layers.Dense(3)(x))
    normed = layers.BatchNormalization()(layers.Dense(3)(x))
    return layers.Add()([dropped, normed])


def joined(x: Any) -> Any:
    dropped = layers.Dropout(0.5)(layers.Dense(3)(x))
    return layers.BatchNormalization()(layers.Add()([layers.Dense(3)(x), dropped]))


@pytest.mark.parametrize(
    ("model_of", "found"),
    [
        (lambda x: layers.BatchNormalization()(layers.Dropout(0.5)(x)), ["warning"]),
        (lambda x: layers.BatchNormalization()(layers.GaussianDropout(0.5)(x)), ["warning"]),
        (lambda x: layers.Dropout(0.5)(layers.BatchNormalization()(x)), []),
        (lambda x: layers.BatchNormalization()(layers.Dropout(0.0)(x)), []),
        (lambda x: layers.BatchNormalization()(layers.Dropout(0.5, noise_shape=(None, 1))(x)), []),
        (lambda x: layers.LayerNormalization()(layers.Dropout(0.5)(x)), []),
        (lambda x: layers.BatchNormalization(trainable=False)(layers.Dropout(0.5)(x)), []),
        (nested, ["warning"]),
        (within, ["warning"]),
        (branches, []),  # one does not feed the other
        (joined, ["warning"]),
    ],
)
def test_dropout_before_batch_norm(model_of: Callable[[Any], Any], found: list[str]) -> None:
    assert drop(model_of) == found


class Own(keras.Model):
    """Defines the answer first and runs it last."""

    def __init__(self, *, last: bool = True) -> None:
        super().__init__()
        self.answer = layers.Dense(1, name="answer")
        self.drop = layers.Dropout(0.5)
        self.norm = layers.BatchNormalization()
        self.hidden = layers.Dense(3, name="hidden")
        self.last = last

    def call(self, rows: Any) -> Any:
        rows = self.hidden(rows)
        rows = self.drop(self.norm(rows)) if self.last else self.norm(self.drop(rows))
        return self.answer(rows)


def test_the_order_within_a_subclass_is_a_guess() -> None:
    model = Own()
    model(np.ones((2, 4)))
    assert flag(audit(model), checks.DROPOUT).severity == "note"


@pytest.mark.parametrize("last", [True, False])
def test_an_example_tells_the_order_within_a_subclass(last: bool) -> None:
    model = Own(last=last)
    found = audit(model, example=np.ones((2, 4)))
    kinds = {row.parameter.name: row.parameter.kind for row in found.rows}
    assert (kinds["answer/kernel"], kinds["hidden/kernel"]) == ("output kernel", "hidden kernel")
    seen = [one.severity for one in found.flags if one.check == checks.DROPOUT]
    assert seen == ([] if last else ["warning"])


def test_dropout_widens_what_batch_norm_averages() -> None:
    keras.utils.set_random_seed(0)
    rows = np.random.default_rng(0).normal(size=(4000, 3)).astype("float32")
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dropout(0.5), layers.BatchNormalization(momentum=0.0)]
    )
    model(rows, training=True)
    averaged = numpy_of(model.layers[-1].moving_variance)
    assert averaged.mean() > 1.8 * rows.var(0).mean()  # what it will see in prediction


# ------------------------------------------------------------------------------- and the rest


def test_nothing_changes() -> None:
    model = small(kernel_regularizer="l2", kernel_constraint="max_norm")
    model.compile(optimizers.AdamW(0.1), "mse")
    before = [numpy_of(weight) for weight in model.weights]
    config = model.to_json()
    audit(model)
    assert all(np.array_equal(one, numpy_of(weight)) for one, weight in zip(before, model.weights))
    assert model.to_json() == config
    assert model.optimizer.iterations == 0


def test_the_output_layer_may_be_named() -> None:
    found = audit(small(kernel_regularizer="l2"), output="a")
    assert flag(found, checks.OUTPUT).where == ("a/kernel",)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: audit(3), "expected a Keras model, got int"),
        (lambda: audit(Own()), "is not built"),
        (lambda: audit(small(), "adam"), "expected an optimizer of Keras, got str"),
        (lambda: audit(small(), output="b"), "no layer 'b' with a kernel to be the output"),
    ],
)
def test_bad_input(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        make()
