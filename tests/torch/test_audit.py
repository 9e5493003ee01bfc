"""What an audit of a PyTorch module says, beside what PyTorch does."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn

from shrinkage.errors import SettingError
from shrinkage.frameworks import audit_checks as checks
from shrinkage.frameworks.audit import Audit, Flag
from shrinkage.penalties import L1, L2, ElasticNet
from shrinkage.torch import Penalized, Proximal, audit, parameter_groups

COUPLED = "coupled decay of an adaptive optimizer"
NOTHING = "a penalty that reaches nothing"
OPTIMIZERS = sorted(
    name
    for name, kind in vars(torch.optim).items()
    if inspect.isclass(kind) and "weight_decay" in inspect.signature(kind).parameters
)


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def small() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(4, 6), nn.BatchNorm1d(6), nn.PReLU(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2)
    )


def named(found: Audit) -> list[str]:
    return [flag.check for flag in found.flags]


def flag(found: Audit, check: str) -> Flag:
    (one,) = [each for each in found.flags if each.check == check]
    return one


def changed(model: nn.Module, step: Callable[[], Any]) -> set[str]:
    """Names of the parameters that a step without any gradient of a loss changes."""
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for p in model.parameters():
        p.grad = torch.zeros_like(p) if p.requires_grad else None
    step()
    return {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}


# ------------------------------------------------------------------------------ the optimizers


def steps(kind: Any, decay: float, gradient: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """A matrix after two steps with given gradients, in double precision."""
    torch.manual_seed(1)
    p = nn.Parameter(torch.randn(4, 3, dtype=torch.float64))
    optimizer = kind([p], lr=0.1, weight_decay=decay)
    for _ in range(2):
        p.grad = gradient(p.detach())
        optimizer.step()
    return p.detach()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_how_each_optimizer_decays(name: str) -> None:
    """Coupled decay is the gradient of ½ wd Σw²; decoupled decay is not."""
    kind, decay = getattr(torch.optim, name), 0.3
    model = nn.Sequential(nn.Linear(4, 3, bias=False), nn.Linear(3, 2, bias=False))
    row = audit(model, kind(model.parameters(), lr=0.1, weight_decay=decay)).rows[0]
    (action,) = row.actions
    slope = torch.randn(4, 3, dtype=torch.float64)
    with_decay = steps(kind, decay, lambda p: slope + p.sin())
    as_gradient = steps(kind, 0.0, lambda p: slope + p.sin() + decay * p)
    assert torch.allclose(with_decay, as_gradient) == (action.how == "gradient")
    if action.how == "gradient":
        assert (action.l2, action.decay) == (decay, 0.0)
        assert action.words == "λ₂ = 0.3"
    else:
        assert action.how == "decoupled"
        assert (action.l2, action.decay) == (0.0, pytest.approx(0.1 * decay))


@pytest.mark.parametrize("name", ["AdamW", "Muon", "Adafactor"])
def test_decoupled_decay_takes_lr_times_wd_off_each_weight(name: str) -> None:
    model = nn.Sequential(nn.Linear(4, 3, bias=False), nn.Linear(3, 2, bias=False))
    optimizer = getattr(torch.optim, name)(model.parameters(), lr=0.1, weight_decay=0.3)
    action = audit(model, optimizer).rows[0].actions[0]
    before = model[0].weight.detach().clone()
    assert changed(model, optimizer.step) == {"0.weight", "1.weight"}
    assert torch.allclose(model[0].weight, before * (1 - action.decay))


@pytest.mark.parametrize("name", ["Adam", "NAdam", "RAdam"])
def test_adams_switch_for_decoupled_decay_is_seen(name: str) -> None:
    model, kind = small(), getattr(torch.optim, name)
    options = {"weight_decay": 0.1, "decoupled_weight_decay": True}
    found = audit(model, kind(model.parameters(), lr=0.01, **options))
    assert {action.how for row in found.rows for action in row.actions} == {"decoupled"}
    assert COUPLED not in named(found)


def test_an_optimizer_of_ones_own_is_not_guessed_at() -> None:
    class Own(torch.optim.Optimizer):
        def __init__(self, parameters: Any) -> None:
            super().__init__(parameters, {"lr": 0.1, "weight_decay": 0.2})

    model = small()
    row = audit(model, Own(model.parameters())).rows[0]
    assert (row.actions[0].how, row.actions[0].words) == ("unknown", "not known")


# ----------------------------------------------------------- what decays, and what should not


def test_what_is_said_to_decay_is_what_decays() -> None:
    model = small()
    model[3].weight.requires_grad_(False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1)
    found = audit(model, optimizer)
    said = {row.parameter.name for row in found.rows if row.actions}
    with torch.no_grad():
        for p in model.parameters():
            p.add_(1.0)  # biases start at 0, where nothing shrinks
    assert said == changed(model, optimizer.step)
    assert "3.weight" not in said
    assert named(found)[:4] == [checks.BIASES, checks.NORMALIZATION, checks.OUTPUT, checks.SLOPES]


def test_groups_that_leave_the_rest_free() -> None:
    model = small()
    optimizer = torch.optim.AdamW(parameter_groups(model, 0.1), lr=0.1)
    found = audit(model, optimizer)
    assert named(found) == []
    with torch.no_grad():
        for p in model.parameters():
            p.add_(1.0)
    assert changed(model, optimizer.step) == {"0.weight", "3.weight"}
    assert [row.parameter.name for row in found.rows if row.actions] == ["0.weight", "3.weight"]
    assert found.rows[0].actions[0].setting == "AdamW(weight_decay=0.1) of group 0"


def test_the_code_of_the_remedy_runs_and_leaves_nothing_to_flag() -> None:
    model = small()
    found = audit(model, torch.optim.AdamW(model.parameters(), lr=0.002, weight_decay=0.05))
    namespace: dict[str, Any] = {"model": model, "torch": torch}
    exec(flag(found, checks.BIASES).code, namespace)
    again = audit(model, namespace["optimizer"])
    assert named(again) == []
    assert again.rows[0].actions[0].decay == pytest.approx(0.002 * 0.05)


def test_decay_shrinks_rows_of_an_embedding_that_no_example_looks_up() -> None:
    model = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 3), nn.Linear(3, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.5)
    assert flag(audit(model, optimizer), checks.EMBEDDINGS).where == ("0.weight",)
    before = model[0].weight.detach().clone()
    model(torch.tensor([0, 1])).sum().backward()
    optimizer.step()
    assert torch.allclose(model[0].weight[2:], before[2:] * (1 - 0.1 * 0.5))


def test_coupled_decay_of_adam_hardly_shrinks_what_has_large_gradients() -> None:
    def shrunk(kind: Any, size: float) -> float:
        p, q = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
        with_decay, without = (
            kind([p], lr=0.01, weight_decay=0.1),
            kind([q], lr=0.01, weight_decay=0),
        )
        for place in range(20):
            p.grad = q.grad = torch.full((1,), size * (-1.0) ** place)
            with_decay.step()
            without.step()
        return float(q.detach() - p.detach())

    assert shrunk(torch.optim.Adam, 100.0) < 0.02 * shrunk(torch.optim.Adam, 1.0)
    assert shrunk(torch.optim.AdamW, 100.0) == pytest.approx(
        shrunk(torch.optim.AdamW, 1.0), rel=0.01
    )
    model = small()
    found = audit(model, torch.optim.Adam(parameter_groups(model, 0.1)))
    assert named(found) == [COUPLED]
    assert flag(found, COUPLED).where == ("0.weight", "3.weight")
    assert named(audit(model, torch.optim.SGD(parameter_groups(model, 0.1)))) == []


def test_the_learning_rate_is_that_of_now() -> None:
    model = small()
    optimizer = torch.optim.AdamW(parameter_groups(model, 0.1), lr=0.1)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    optimizer.step()
    schedule.step()
    assert audit(model, optimizer).rows[0].actions[0].decay == pytest.approx(0.05 * 0.1)


def test_default_decay_of_adamw_is_seen() -> None:
    model = small()
    found = audit(model, torch.optim.AdamW(model.parameters()))
    assert found.optimizer == "AdamW(lr=0.001, weight_decay=0.01)"
    assert found.rows[0].actions[0].words == "no λ: lr · wd = 0.00001 a step"


def test_no_decay_at_all() -> None:
    model = small()
    (only,) = audit(model, torch.optim.Adam(model.parameters())).flags
    assert (only.check, only.where) == (checks.BARE, ("0.weight", "3.weight"))


def test_without_an_optimizer_decay_is_said_to_be_unknown() -> None:
    found = audit(small())
    assert [(one.check, one.severity) for one in found.flags] == [(checks.UNSEEN, "note")]
    assert not found.flagged


def test_several_optimizers() -> None:
    model = small()
    kernels, rest = (group["params"] for group in parameter_groups(model, 0.1))
    both = (torch.optim.Muon(kernels, weight_decay=0.2), torch.optim.Adam(rest))
    found = audit(model, both)
    assert named(found) == []
    assert found.optimizer.startswith("Muon(lr=0.001, weight_decay=0.2) and Adam(")


def test_a_wrapper_of_an_optimizer() -> None:
    class Wrapper:
        def __init__(self, optimizer: Any) -> None:
            self.optimizer = optimizer

    model = small()
    inner = torch.optim.SGD(parameter_groups(model, 0.1))
    assert audit(model, Wrapper(inner)) == audit(model, inner)


# ----------------------------------------------------------------- penalties of this package


def test_penalized_and_proximal_in_the_one_convention() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    penalized = Penalized(model, ElasticNet(0.25), lam=0.4)
    found = audit(model, optimizer, penalized=penalized)
    action = found.rows[0].actions[0]
    assert (action.how, action.l1, action.l2) == ("loss", pytest.approx(0.1), pytest.approx(0.3))
    assert named(found) == [checks.NO_ZEROS]
    code = flag(found, checks.NO_ZEROS).code
    namespace: dict[str, Any] = {"optimizer": optimizer, "penalized": penalized}
    exec(code, namespace)
    again = audit(model, namespace["optimizer"])
    assert named(again) == []
    assert again.rows[0].actions[0].how == "proximal"
    assert again.optimizer == "Proximal of SGD(lr=0.1, weight_decay=0)"


def test_l1_in_the_loss_leaves_no_zeros_and_proximal_leaves_many() -> None:
    rows = torch.randn(40, 4)
    target = rows[:, :1] * 2

    def zeros(proximal: bool) -> int:
        torch.manual_seed(3)
        model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
        penalized = Penalized(model, L1(), lam=0.02)
        bare = torch.optim.Adam(model.parameters(), lr=0.02)
        optimizer = Proximal(bare, penalized) if proximal else bare
        flags = audit(model, optimizer, penalized=None if proximal else penalized).flags
        assert [one.check for one in flags] == ([] if proximal else [checks.NO_ZEROS])
        for _ in range(200):
            optimizer.zero_grad()
            loss = (model(rows) - target).square().mean()
            (loss if proximal else penalized(loss)).backward()
            optimizer.step()
        return int((model[0].weight == 0).sum())

    assert zeros(proximal=False) == 0
    assert zeros(proximal=True) > 8


def test_l2_of_proximal_decays_apart_under_adamw() -> None:
    model = small()
    inner = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0)
    proximal = Proximal(inner, model, L2(), lam=0.3)
    (action,) = audit(model, proximal).rows[0].actions
    assert (action.how, action.decay) == ("decoupled", pytest.approx(0.03))
    before = model[0].weight.detach().clone()
    assert changed(model, proximal.step) == {"0.weight", "3.weight"}
    assert torch.allclose(model[0].weight, before * (1 - action.decay))


def test_an_elastic_net_under_adamw_acts_in_two_ways() -> None:
    model = small()
    inner = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0)
    found = audit(model, Proximal(inner, model, ElasticNet(0.5), lam=0.4))
    first, second = found.rows[0].actions
    assert (first.how, first.decay) == ("decoupled", pytest.approx(0.1 * 0.2))
    assert (second.how, second.l1, second.l2) == ("proximal", pytest.approx(0.2), 0.0)
    assert named(found) == []


def test_a_scheduled_lambda_is_that_of_now() -> None:
    model = small()
    penalized = Penalized(model, L2(), lam=0.4, schedule="linear", steps=10)
    assert audit(model, penalized=penalized).rows[0].actions[0].words == "λ = 0 now"
    for _ in range(5):
        penalized.step()
    assert audit(model, penalized=penalized).rows[0].actions[0].l2 == pytest.approx(0.2)


def test_weight_decay_and_a_penalty_on_the_same_weights() -> None:
    model = small()
    optimizer = torch.optim.SGD(parameter_groups(model, 0.1))
    found = audit(model, optimizer, penalized=Penalized(model, L2(), lam=0.1))
    assert flag(found, checks.TWICE).where == ("0.weight", "3.weight")


# ------------------------------------------------------------------------ what reaches nothing


def test_a_group_of_frozen_parameters_decays_nothing() -> None:
    model = small()
    model[0].requires_grad_(False)
    frozen = {"params": list(model[0].parameters()), "weight_decay": 0.5}
    rest = {"params": [p for p in model.parameters() if p.requires_grad]}
    optimizer = torch.optim.SGD([frozen, rest], lr=0.1)
    found = audit(model, optimizer)
    assert flag(found, NOTHING).severity == "error"
    assert "group 0 of SGD" in flag(found, NOTHING).sentence
    assert flag(found, NOTHING).where == ("0.weight", "0.bias")
    assert not {"0.weight", "0.bias"} & changed(model, optimizer.step)
    assert found.rows[0].actions == ()


def test_an_empty_group_decays_nothing() -> None:
    model = small()
    groups = [{"params": list(model.parameters())}, {"params": [], "weight_decay": 0.1}]
    assert "holds no parameter" in flag(audit(model, torch.optim.SGD(groups)), NOTHING).sentence


def test_parameters_of_another_network() -> None:
    model, copy = small(), small()
    found = audit(model, torch.optim.SGD(copy.parameters(), weight_decay=0.1))
    assert found.flags[0].check == "parameters of another network"
    assert "parameters in no optimizer" not in named(found)  # would say the same once more
    assert all(row.actions == () for row in found.rows)
    assert checks.BARE in named(found)


def test_parameters_in_no_optimizer_do_not_move() -> None:
    model = small()
    kept = [p for name, p in model.named_parameters() if not name.startswith("3.")]
    optimizer = torch.optim.SGD(kept, lr=0.1, weight_decay=0.1)
    found = audit(model, optimizer)
    assert flag(found, "parameters in no optimizer").where == ("3.weight", "3.bias")
    assert not {"3.weight", "3.bias"} & changed(model, optimizer.step)


def test_a_penalty_of_another_network() -> None:
    model, other = small(), small()
    found = audit(model, penalized=Penalized(other, L2(), lam=0.1))
    assert "not parameters of this module" in flag(found, NOTHING).sentence


# -------------------------------------------------------------------------------- tied weights


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(7, 4)
        self.hidden = nn.Linear(4, 4, bias=False)
        self.answer = nn.Linear(4, 7, bias=False)
        self.answer.weight = self.words.weight

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.answer(self.hidden(self.words(tokens)))  # type: ignore[no-any-return]


def test_tied_weights_are_one_row() -> None:
    model = Tied()
    found = audit(model, torch.optim.SGD(model.parameters(), weight_decay=0.1))
    assert [row.parameter.name for row in found.rows] == ["words.weight", "hidden.weight"]
    assert "words.weight = answer.weight" in str(found)
    assert all(len(row.actions) == 1 for row in found.rows)


def test_tied_weights_that_an_optimizer_holds_twice_are_decayed_twice() -> None:
    model = Tied()
    twice = [*model.words.parameters(), *model.answer.parameters(), *model.hidden.parameters()]
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optimizer = torch.optim.SGD(twice, lr=0.1, weight_decay=0.5)
    found = audit(model, optimizer)
    assert flag(found, checks.TWICE).where == ("words.weight",)
    before = model.words.weight.detach().clone()
    changed(model, optimizer.step)
    assert torch.allclose(model.words.weight, before * (1 - 0.1 * 0.5) ** 2)


# -------------------------------------------------------------------- the order of the layers


def test_dropout_widens_what_batch_norm_averages() -> None:
    rows = torch.randn(4000, 3)
    layers = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(3, momentum=None))
    layers(rows)
    averaged = layers[1].running_var
    assert averaged is not None
    assert averaged.mean() > 1.8 * rows.var(0).mean()  # what it will see in prediction


def sequential(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 4), *layers, nn.Linear(4, 1))


@pytest.mark.parametrize(
    ("model", "pairs"),
    [
        (sequential(nn.Dropout(0.5), nn.BatchNorm1d(4)), 1),
        (sequential(nn.Dropout(0.5), nn.Linear(4, 4), nn.ReLU(), nn.BatchNorm1d(4)), 1),
        (sequential(nn.BatchNorm1d(4), nn.Dropout(0.5)), 0),
        (sequential(nn.Dropout(0.0), nn.BatchNorm1d(4)), 0),
        (sequential(nn.Dropout(0.5), nn.LayerNorm(4)), 0),
        (sequential(nn.Dropout(0.5), nn.BatchNorm1d(4, track_running_stats=False)), 0),
        (sequential(nn.Sequential(nn.AlphaDropout(0.5)), nn.Sequential(nn.BatchNorm1d(4))), 1),
    ],
)
def test_dropout_before_batch_norm(model: nn.Module, pairs: int) -> None:
    found = [one for one in audit(model).flags if one.check == checks.DROPOUT]
    assert len(found) == pairs
    assert all(one.severity == "warning" for one in found)


class Order(nn.Module):
    """Defines dropout first and runs it last."""

    def __init__(self, *, last: bool) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.5)
        self.norm = nn.BatchNorm1d(4)
        self.answer = nn.Linear(4, 1)
        self.last = last

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        inner = self.drop(self.norm(rows)) if self.last else self.norm(self.drop(rows))
        return self.answer(inner)  # type: ignore[no-any-return]


@pytest.mark.parametrize("last", [True, False])
def test_an_example_tells_the_order_of_running(last: bool) -> None:
    model = Order(last=last)
    (guessed,) = [one for one in audit(model).flags if one.check == checks.DROPOUT]
    assert guessed.severity == "note"
    seen = [
        one for one in audit(model, example=torch.randn(3, 4)).flags if one.check == checks.DROPOUT
    ]
    assert [one.severity for one in seen] == ([] if last else ["warning"])


def test_nothing_changes() -> None:
    model = sequential(nn.Dropout(0.5), nn.BatchNorm1d(4))
    model[1].eval()
    optimizer = torch.optim.AdamW(model.parameters())
    state = {name: value.clone() for name, value in model.state_dict().items()}
    modes, random = [part.training for part in model.modules()], torch.get_rng_state()
    audit(model, optimizer, example=torch.randn(3, 4, generator=torch.Generator().manual_seed(0)))
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert [part.training for part in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), random)
    assert not any(part._forward_hooks for part in model.modules())
    assert optimizer.state_dict()["state"] == {}


# ------------------------------------------------------------------------------ and the rest


def test_a_limit_of_norms() -> None:
    model = nn.Sequential(nn.Embedding(5, 3, max_norm=1.0), nn.Linear(3, 3), nn.Linear(3, 1))
    with torch.no_grad():
        model[0].weight.fill_(10.0)
    found = audit(model)
    assert found.rows[0].actions[0].setting == "Embedding(max_norm=1)"
    assert flag(found, checks.LIMITS).where == ("0.weight",)
    model(torch.tensor([0]))
    assert model[0].weight[0].norm() <= 1.0001  # when looked up


def test_wrapped_modules() -> None:
    model = small()
    optimizer = torch.optim.AdamW(model.parameters())
    assert audit(nn.DataParallel(model), optimizer) == audit(model, optimizer)


def test_the_output_layer_may_be_named() -> None:
    model = small()
    kinds = {row.parameter.name: row.parameter.kind for row in audit(model, output="3").rows}
    assert kinds["3.weight"] == "output kernel"
    assert kinds["5.weight"] == "hidden kernel"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: audit(3), "expected a torch.nn.Module, got int"),  # type: ignore[arg-type]
        (lambda: audit(nn.ReLU()), "has no parameters"),
        (lambda: audit(small(), "adam"), "expected an optimizer of torch.optim, got str"),
        (lambda: audit(small(), output="6"), "no layer '6' to be the output"),
        (lambda: audit(nn.Sequential(nn.LazyLinear(3))), "has no shape yet"),
    ],
)
def test_bad_input(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        make()


def test_a_network_in_which_nothing_is_trained() -> None:
    module = small().requires_grad_(False)
    for found in (audit(module), audit(module, torch.optim.SGD(module.parameters(), lr=0.1))):
        told = flag(found, checks.FROZEN)
        assert told.severity == "warning"
        assert told.sentence.startswith("All 9 parameters are frozen, so neither a step nor")
        assert len(told.where) == 9
    exec(told.code, {"model": module})
    assert checks.FROZEN not in named(audit(module))
    module.requires_grad_(False)[0].weight.requires_grad_(True)
    assert checks.FROZEN not in named(audit(module))
