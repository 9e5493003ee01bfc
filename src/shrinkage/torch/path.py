"""The λ path of a module of one's own: many copies trained as one program."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader, Dataset

from shrinkage.data import Data
from shrinkage.engine.stacked import ModuleNetwork
from shrinkage.errors import DataError, SettingError
from shrinkage.frameworks.arrays import OwnRows, answer_of, own_data, own_rows
from shrinkage.frameworks.proof import as_far_as_it_went, penalties_of
from shrinkage.frameworks.selectors import HIDDEN_KERNELS
from shrinkage.penalties import Penalty
from shrinkage.scores import default_metric
from shrinkage.study import Fit, Study
from shrinkage.torch.networks import answered, made_by, network_of
from shrinkage.training import Loss
from shrinkage.tune import Search, default_training, plan

_LOSSES: dict[type[nn.Module], Loss] = {
    nn.CrossEntropyLoss: "cross_entropy",
    nn.BCEWithLogitsLoss: "binary_cross_entropy",
    nn.MSELoss: "mean_squared_error",
}
_RATE = 1e-3
"""Adam's usual learning rate, which modules are mostly made for."""


def path(
    model_factory: Callable[[], nn.Module],
    train_data: Any,
    val_data: Any = None,
    penalties: Penalty | str | Sequence[Penalty | str] = ("l1", "l2"),
    lambdas: Sequence[float] | None = None,
    seeds: int = 3,
    *,
    test_data: Any = None,
    folds: int = 5,
    loss: str | nn.Module | None = None,
    on: str | Sequence[str] = HIDDEN_KERNELS,
    output: str | None = None,
    metric: str | None = None,
    rule: str = "minimum",
    device: str | None = None,
    at_once: int | None = None,
    compiled: bool = False,
    random_state: int = 0,
    verbose: int = 1,
    **training: Any,
) -> Study:
    """Train a module without a penalty and along λ, all copies side by side.

    Parameters
    ----------
    model_factory : callable
        Makes a fresh module; called once for each copy, after ``torch.manual_seed`` with its seed.
        It answers logits or numbers, one line for each row.
    train_data : (X, y), Dataset, DataLoader or Data
        Rows to train on, used as they are. `X` of any shape (rows, …), `y` labels or numbers.
        A DataLoader's dataset is read once, in its order.
    val_data : (X, y), Dataset or DataLoader, optional
        Rows to validate on. Then each seed is validated on a share of them of its own, and
        intervals are about seeds and validation rows, for these training rows. By default
        stratified folds of `train_data`.
    penalties : Penalty, str or sequence of them, default ("l1", "l2")
        Each gets a path of its own.
    lambdas : sequence of float, optional
        λ in this package's convention: loss + λ₁ Σ|w| + (λ₂/2) Σ w². By default its range is
        looked for and refined.
    seeds : int, default 3
        Refits on every training row, without and with the penalty that is chosen; with `val_data`
        so many copies of each λ as well, at least 2.
    test_data : (X, y), Dataset or DataLoader, optional
        Rows that only verification looks at; without them nothing can be verified.
    folds : int, default 5
        Of the cross-validation, without `val_data`.
    loss : str or loss module, optional
        ``"cross_entropy"``, ``"binary_cross_entropy"`` or ``"mean_squared_error"``, or PyTorch's
        module of it; by default what the targets ask for.
    on : str or sequence of str, default "hidden kernels"
        What is penalized: kinds of parameters, names, or patterns such as ``"features.*"``.
    output : str, optional
        Name of the output layer, if it is not the last that is run.
    metric, rule : str, optional
        What is best, and which rule chooses; see :class:`shrinkage.tune.Plan`.
    device : str, optional
        Where to train; by default where the factory puts the module.
    at_once : int, optional
        Most copies in one stack; 1 trains one after another.
    compiled : bool, default False
        Whether steps go through ``torch.compile``, which takes half a minute at first.
    random_state : int, default 0
        Of folds, first weights and orders of rows.
    verbose : int, default 1
        Progress on stderr; 0 for none.
    **training
        Fields of :class:`shrinkage.Training`: ``epochs``, ``batch_size``, ``learning_rate``
        (0.001 by default), ``optimizer``, ``patience`` and others.

    Returns
    -------
    Study
        For :func:`shrinkage.diagnose`, :func:`shrinkage.select`, ``verify``, displays and
        :func:`report`.

    Raises
    ------
    SettingError, DataError
        In one sentence, before anything is trained.

    Warns
    -----
    UserWarning
        When the module cannot run as a stack, with the layer and the reason; and after Ctrl-C, with
        what is finished by then, which is returned.

    Notes
    -----
    A stack of at least 8 copies is parted over the cores, each part in one thread; a copy's numbers
    depend on its own seed, λ and rows alone, to the last bit. Fewer copies, or one after another,
    run with PyTorch's own threads, whose number may decide the last bits of large layers.

    Examples
    --------
    >>> import numpy as np
    >>> from shrinkage import diagnose
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 2)).astype("float32")
    >>> y = (X[:, 0] * X[:, 1] > 0).astype("int64")
    >>> def factory():
    ...     return nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> study = path(factory, (X, y), penalties="l2", lambdas=[0.1], folds=2, seeds=1,
    ...              epochs=3, verbose=0)
    >>> len(study.fits), diagnose(study).verdict
    (6, 'underfits')
    """
    module = made_by(model_factory)
    given = _loss_name(loss)
    smoothing = getattr(loss, "label_smoothing", 0.0)
    if smoothing:
        training = {"label_smoothing": smoothing, **training}
    if isinstance(train_data, Data):
        data, shape_of_all = _prepared(train_data, val_data, test_data)
        outputs = answered(module, _sample(shape_of_all, module))
        _require_outputs(data, outputs, module)
        if given not in (None, data.loss):
            raise SettingError(
                f"the loss is '{given}', but the table asks for '{data.loss}'; leave it out"
            )
        two = data.task == "binary" and outputs == 2
    else:
        train = _read(train_data, "train_data")
        held = None if val_data is None else _read(val_data, "val_data")
        test = None if test_data is None else _read(test_data, "test_data")
        shape_of_all = _seen(train, held, test)
        outputs = answered(module, _sample(train.inputs, module))
        answer = answer_of(train.targets, outputs, given, type(module).__name__)
        two = answer.logits_of_two
        data = own_data(
            train,
            held,
            test,
            answer,
            folds=folds if val_data is None else max(seeds, 2),
            seed=random_state,
            name=type(module).__name__,
        )
    network = network_of(
        model_factory,
        module,
        shape_of_all,
        data.n_outputs,
        on=on,
        output=output,
        logits_of_two=two,
        device=device,
        at_once=at_once,
        compiled=compiled,
    )
    how = default_training(data, **{"learning_rate": _RATE, **training})
    planned = plan(
        data,
        network=network,
        training=how,
        penalties=penalties_of(penalties),
        lambdas=None if lambdas is None else tuple(float(lam) for lam in lambdas),
        metric=metric or default_metric(data.task),
        rule=rule,
        refits=seeds,
        seed=random_state,
    )
    search = Search(data, planned)
    study = as_far_as_it_went(search, _followed(search, network, verbose))
    reason = network.reasons.get(how.loss)
    if reason:
        warnings.warn(f"{network.name} was trained one copy after another: {reason}.", stacklevel=2)
    return replace(study, versions=study.versions | {"torch": torch.__version__})


def module_of(fit: Fit) -> nn.Module:
    """The trained module of a fit, of the user's own class, in evaluation mode.

    Parameters
    ----------
    fit : Fit
        Of a study of :func:`path`; a refit has its parameters kept.

    Returns
    -------
    torch.nn.Module
        As the factory makes it.

    Raises
    ------
    SettingError
        When the fit is not about a module, or its parameters were let go.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.eye(8, 2, dtype="float32"), np.arange(8) % 2
    >>> def factory():
    ...     return nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> study = path(factory, (X, y), penalties="l2", lambdas=[0.1], folds=2, seeds=1, epochs=1,
    ...              verbose=0)
    >>> type(module_of(study.refits[0])).__name__
    'Sequential'
    """
    network = fit.trial.network
    if not isinstance(network, ModuleNetwork):
        raise SettingError(f"the fit is about {network}, not about a module of your own")
    if not fit.parameters.size:
        raise SettingError("the parameters of fits on folds are not kept; take one of study.refits")
    return network.module_of(fit.parameters)


def _followed(search: Search, network: ModuleNetwork, verbose: int) -> Any:
    """The fits of a search, with progress while stacks are under way."""
    if not verbose:
        yield from search
        return
    from shrinkage.terminal.progress import Pace
    from shrinkage.terminal.screen import Screen

    pace, done = Pace(), 0

    def told(under_way: int) -> None:
        # A stack's copies end together; until then they count for what they have done.
        pace.update(done + under_way, search.expected, search.stage)

    network.listen(told)
    try:
        with Screen().training(pace):
            for done, fit in enumerate(search, start=1):  # `told` looks at it
                pace.update(done, search.expected, search.stage)
                yield fit
    finally:
        network.listen(None)


def _loss_name(loss: str | nn.Module | None) -> str | None:
    if loss is None or isinstance(loss, str):
        return loss
    found = _LOSSES.get(type(loss))
    if found is None:
        kind = type(loss).__name__ if isinstance(loss, nn.Module) else repr(loss)
        raise SettingError(
            f"the loss {kind} is not one that a path knows; give 'cross_entropy', "
            "'binary_cross_entropy' or 'mean_squared_error'"
        )
    reduction = getattr(loss, "reduction", "mean")
    if reduction != "mean":
        gives = "a vector" if reduction == "none" else "a sum over rows"
        raise SettingError(
            f"the loss is made with reduction='{reduction}', so it gives {gives}, and λ would not "
            "be the strength against the mean loss; make it with reduction='mean'"
        )
    if getattr(loss, "ignore_index", -100) >= 0:
        raise SettingError(
            "the loss leaves out a class (ignore_index); leave its rows out of the data instead"
        )
    if getattr(loss, "weight", None) is not None or getattr(loss, "pos_weight", None) is not None:
        raise SettingError(
            "the loss has weights of classes; leave them out and give class_weight='balanced'"
        )
    return found


def _read(data: Any, where: str) -> OwnRows:
    """Rows from whatever PyTorch's users keep them in."""
    if isinstance(data, DataLoader):
        data = data.dataset
    if isinstance(data, Dataset):
        data = _collected(data, where)
    if not (isinstance(data, (tuple, list)) and len(data) == 2):
        raise DataError(
            f"{where} is a {type(data).__name__}; give (X, y), a Dataset or a DataLoader"
        )
    return own_rows(_array(data[0]), _array(data[1]), where)


def _collected(dataset: Dataset[Any], where: str) -> tuple[Any, Any]:
    """All rows of a dataset, in its order."""
    tensors = getattr(dataset, "tensors", None)
    if tensors is not None and len(tensors) == 2:
        return tensors[0], tensors[1]
    if not hasattr(dataset, "__len__"):
        raise DataError(f"{where} is an iterable dataset without a length; give its rows as (X, y)")
    rows = [dataset[i] for i in range(len(dataset))]
    if not rows:
        raise DataError(f"{where} has no rows")
    if not (isinstance(rows[0], (tuple, list)) and len(rows[0]) == 2):
        raise DataError(f"a row of {where} is not a pair (inputs, target); give (X, y)")
    return (
        _stacked([_array(inputs) for inputs, _ in rows], "inputs", where),
        _stacked([_array(target) for _, target in rows], "targets", where),
    )


def _stacked(parts: list[NDArray[Any]], what: str, where: str) -> NDArray[Any]:
    for row, part in enumerate(parts):
        if part.shape != parts[0].shape:
            raise DataError(
                f"the {what} of {where} differ in shape: row {row} has {part.shape}, row 0 has "
                f"{parts[0].shape}; bring them to one"
            )
    return np.stack(parts)


def _seen(train: OwnRows, *others: OwnRows | None) -> NDArray[Any]:
    """All inputs where they are codes, whose range matters; else those to train on."""
    if np.issubdtype(train.inputs.dtype, np.floating):
        return train.inputs
    given = [rows.inputs for rows in (train, *others) if rows is not None]
    return np.concatenate(given) if len({part.shape[1:] for part in given}) == 1 else train.inputs


def _array(part: Any) -> NDArray[Any]:
    """A tensor on any device, or anything else that NumPy understands."""
    if isinstance(part, torch.Tensor) and part.is_meta:
        raise DataError("the rows are on the meta device, which holds no numbers; give real ones")
    if isinstance(part, torch.Tensor):
        if part.dtype == torch.bfloat16:
            part = part.float()
        return part.detach().cpu().numpy()  # type: ignore[no-any-return]  # NumPy's, by PyTorch
    return np.asarray(part)


def _sample(rows: NDArray[Any], module: nn.Module) -> torch.Tensor:
    """A few rows where the module is."""
    home = next(module.parameters(), torch.empty(0)).device
    few = rows[:4]
    real = np.issubdtype(few.dtype, np.floating) or few.dtype == bool
    return torch.as_tensor(few.astype(np.float32 if real else np.int64)).to(home)


def _prepared(data: Data, val_data: Any, test_data: Any) -> tuple[Data, NDArray[Any]]:
    """A table that this package has prepared; it has its own folds and test rows."""
    if val_data is not None or test_data is not None:
        raise SettingError(
            "train_data is a prepared table, which has folds and test rows of its own; leave out "
            "val_data and test_data"
        )
    return data, data.full.inputs


def _require_outputs(data: Data, outputs: int, module: nn.Module) -> None:
    fitting = {data.n_outputs, 2} if data.task == "binary" else {data.n_outputs}
    if outputs not in fitting:
        raise SettingError(
            f"{type(module).__name__} answers {outputs} numbers for a row, but the table asks for "
            f"{data.n_outputs}; change its last layer"
        )
