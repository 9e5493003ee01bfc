"""What regularizes each parameter of a PyTorch module now, and what is wrong with that."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from shrinkage.errors import SettingError
from shrinkage.frameworks import audit_checks as checks
from shrinkage.frameworks.audit import Action, Audit, Flag, Row, ordered, short
from shrinkage.torch.audit_layers import dropout_before_batch_norm, limits_of
from shrinkage.torch.audit_optimizer import (
    Group,
    after_the_step,
    described,
    groups_of,
    in_the_loss,
    within,
)
from shrinkage.torch.modules import parameters_of, unwrapped

_DROPOUT_CODE = "nn.Sequential(nn.Linear(…), nn.BatchNorm1d(…), nn.ReLU(), nn.Dropout(0.5), …)"


def audit(
    model: nn.Module,
    optimizer: Any = None,
    *,
    output: str | None = None,
    example: Any = None,
    penalized: Any = None,
) -> Audit:
    """Show what regularizes each parameter of a module now, and flag what is wrong with that.

    Nothing is trained and nothing is changed.

    Parameters
    ----------
    model : torch.nn.Module
        Of any make, compiled or parallel too.
    optimizer : torch.optim.Optimizer, or a sequence of them, optional
        Whose weight decay acts on it. Without one, decay is not known.
    output : str, optional
        Name of the output layer. By default the last linear or convolutional layer that is run on
        the `example`, or without one the last that is registered.
    example : tensor or tuple of tensors, optional
        Inputs to run the module on, once, which tells the order of layers.
    penalized : Penalized, or a sequence of them, optional
        What is added to the loss.

    Returns
    -------
    Audit
        Prints as a table; ``to_frame()`` gives a data frame.

    Raises
    ------
    SettingError
        When the module has no parameters, or none that a penalty could act on; when `optimizer` is
        none; when there is no layer called `output`.

    Examples
    --------
    >>> import torch
    >>> from shrinkage.torch import audit
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    >>> found = audit(model, torch.optim.AdamW(model.parameters(), lr=0.001))
    >>> found.to_frame()[["parameter", "kind", "decay_per_step"]]
      parameter           kind  decay_per_step
    0  0.weight  hidden kernel         0.00001
    1    0.bias           bias         0.00001
    2  2.weight  output kernel         0.00001
    3    2.bias           bias         0.00001
    >>> [flag.check for flag in found.flags]
    ['decay on biases', 'output layer penalized']
    """
    if not isinstance(model, nn.Module):
        raise SettingError(f"expected a torch.nn.Module, got {type(model).__name__}")
    module = unwrapped(model)
    parameters = parameters_of(module, output=output, example=example)
    tensors = dict(module.named_parameters())
    names = {id(tensor): name for name, tensor in tensors.items()}
    optimizers = [within(one) for one in _listed(optimizer)]
    groups = [group for one, _ in optimizers for group in groups_of(one)]
    in_loss = [list(in_the_loss(one)) for one in _listed(penalized)]
    proximal = [list(after_the_step(one)) for _, one in optimizers if one is not None]
    decays = [(t, group.action) for group in groups for t in group.tensors if group.action]
    acting: dict[str, list[Action]] = {name: [] for name in tensors}
    for tensor, action in itertools.chain(*in_loss, decays, *proximal, limits_of(module)):
        if id(tensor) in names and tensor.requires_grad:
            acting[names[id(tensor)]].append(action)
    rows = tuple(Row(each, tuple(acting[each.name])) for each in parameters)
    flags = [
        *checks.check(rows, _codes(groups)),
        *_adaptive(groups, names),
        *_reach(groups, tensors, names),
        *_elsewhere([*in_loss, *proximal], names),
        *_order(module, example),
    ]
    if not optimizers:
        flags = checks.without_optimizer(flags, "pass the optimizer too", "audit(model, optimizer)")
    said = " and ".join(described(one, wrapper) for one, wrapper in optimizers)
    return Audit("PyTorch", type(module).__name__, said, rows, ordered(flags))


def _listed(optimizer: Any) -> Sequence[Any]:
    if optimizer is None:
        return ()
    return optimizer if isinstance(optimizer, list | tuple) else (optimizer,)


def _codes(groups: Sequence[Group]) -> dict[str, str]:
    """The remedies in PyTorch, with the numbers that are there."""
    group = next((group for group in groups if group.action is not None), None)
    kind, rate, decay = ("AdamW", 0.001, 0.01)
    if group is not None:
        kind, rate, decay = group.kind, group.learning_rate, group.weight_decay
    split = (
        "from shrinkage.torch import parameter_groups\n"
        f"groups = parameter_groups(model, weight_decay={short(decay)})\n"
        f"optimizer = torch.optim.{kind}(groups, lr={short(rate)})"
    )
    shrunk = (checks.BIASES, checks.NORMALIZATION, checks.OUTPUT, checks.EMBEDDINGS, checks.SLOPES)
    return dict.fromkeys((*shrunk, checks.BARE), split) | {
        checks.FROZEN: "model.requires_grad_(True)",
        checks.NO_ZEROS: (
            "from shrinkage.torch import Proximal\n"
            "optimizer = Proximal(optimizer, penalized)  # and the loss without the penalty"
        ),
    }


def _adaptive(groups: Sequence[Group], names: Mapping[int, str]) -> Iterator[Flag]:
    """Adam's weight_decay, which is often meant as AdamW's."""
    found = [group for group in groups if group.adaptive and group.action is not None]
    where = [names[id(t)] for g in found for t in g.tensors if id(t) in names and t.requires_grad]
    if not where:
        return
    kind, rate, decay = found[0].kind, found[0].learning_rate, found[0].weight_decay
    yield Flag(
        "coupled decay of an adaptive optimizer",
        "warning",
        f"{kind} adds weight_decay · w to the gradient and divides both by the gradient's size, so "
        "weights with large gradients hardly shrink: that is L2, not the decay of AdamW, and the "
        "same number is another strength there.",
        tuple(dict.fromkeys(where)),
        f"for decay as in AdamW, take AdamW; for λ₂ = {short(decay)} itself, leave it",
        f"optimizer = torch.optim.AdamW(groups, lr={short(rate)}, weight_decay={short(decay)})",
    )


def _reach(
    groups: Sequence[Group], tensors: Mapping[str, torch.Tensor], names: Mapping[int, str]
) -> Iterator[Flag]:
    """Decay that reaches nothing, and parameters that no optimizer or no module has."""
    if not groups:
        return
    held = {id(tensor) for group in groups for tensor in group.tensors}
    strangers = [group for group in groups if any(id(t) not in names for t in group.tensors)]
    for group in groups:
        moved = any(t.requires_grad for t in group.tensors)
        if group.action is None or group in strangers or moved:
            continue
        what = "holds no parameter" if not group.tensors else "holds frozen parameters alone"
        yield Flag(
            "a penalty that reaches nothing",
            "error",
            f"The weight_decay of {group.name} acts on nothing: it {what}.",
            tuple(names[id(tensor)] for tensor in group.tensors),
            "give the group the parameters that are meant, or drop it",
            f'optimizer.param_groups[{group.number}]["params"]  # what it holds',
        )
    for group in strangers:
        count = sum(id(tensor) not in names for tensor in group.tensors)
        yield Flag(
            "parameters of another network",
            "error",
            f"{group.name} holds {count} of {len(group.tensors)} tensors that are not parameters "
            "of this module, so their decay and their steps do not reach it: the module was copied "
            "or made anew after the optimizer.",
            (),
            "make the optimizer after the module is complete",
            f"optimizer = torch.optim.{group.kind}(model.parameters(), "
            f"lr={short(group.learning_rate)})",
        )
    missing = tuple(n for n, t in tensors.items() if t.requires_grad and id(t) not in held)
    if missing and len(strangers) < len(groups):
        yield Flag(
            "parameters in no optimizer",
            "warning",
            f"No optimizer holds {checks.listed(missing)}, so neither steps nor decay reach them.",
            missing,
            "add them, or freeze them to say that you mean it",
            'optimizer.add_param_group({"params": […], "weight_decay": 0.0})',
        )


def _elsewhere(
    penalties: Iterable[Sequence[tuple[torch.Tensor, Action]]], names: Mapping[int, str]
) -> Iterator[Flag]:
    """Penalties on tensors that are not, or no longer, the module's."""
    for penalty in penalties:
        lost = [action for tensor, action in penalty if id(tensor) not in names]
        if lost:
            yield Flag(
                "a penalty that reaches nothing",
                "error",
                f"{lost[0].setting} acts on {len(lost)} of {len(penalty)} tensors that are not "
                "parameters of this module: it was made for another one, or for a copy.",
                (),
                "make it for this module",
                "penalized = Penalized(model, L1(), lam=0.001)",
            )


def _order(module: nn.Module, example: Any) -> Iterator[Flag]:
    sure, likely = dropout_before_batch_norm(module, example)
    yield from checks.dropout_first(sure, sure=True, code=_DROPOUT_CODE)
    yield from checks.dropout_first(likely, sure=False, code=_DROPOUT_CODE)
