"""The λ path of a module of one's own: many copies trained as one program."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from shrinkage.engine.stacked import ModuleNetwork
from shrinkage.errors import SettingError
from shrinkage.estimators.progress import watched
from shrinkage.frameworks.calls import call_of
from shrinkage.frameworks.path import as_far_as_it_went, asked, require_kept, search_of
from shrinkage.frameworks.selectors import HIDDEN_KERNELS
from shrinkage.penalties import Penalty
from shrinkage.study import Fit, Study
from shrinkage.torch.given import loss_name, read
from shrinkage.torch.networks import answered, device_of, made_by, network_of, tensor_of
from shrinkage.tune import default_training
from shrinkage.tune.planning import require_kind

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
    folds: int | None = None,
    loss: str | nn.Module | Callable[..., Any] | None = None,
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
    folds : int, optional
        Of the cross-validation, without `val_data`; 5 by default.
    loss : str, loss module or function, optional
        ``"cross_entropy"``, ``"binary_cross_entropy"`` or ``"mean_squared_error"``, or PyTorch's
        module or function of it; by default what the targets ask for.
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
    ShrinkageError
        When too many trainings failed to choose between them.

    Warns
    -----
    UserWarning
        When the module cannot run as a stack, with the layer and the reason; when the rows do not
        allow as many folds; when the factory makes the same first weights each time; and after
        Ctrl-C, with what is finished by then, which is returned.

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
    call = call_of(path, locals())
    module = made_by(model_factory)
    home = device_of(device)
    if at_once is not None:
        require_kind("at_once", at_once, int)
        if at_once < 1:
            raise SettingError(f"at_once is {at_once}; a stack needs at least 1 copy")
    smoothing = getattr(loss, "label_smoothing", 0.0)
    if smoothing:
        training = {"label_smoothing": smoothing, **training}
    about = asked(
        train_data,
        val_data,
        test_data,
        read,
        lambda inputs: answered(module, tensor_of(inputs)),
        loss=loss_name(loss),
        called=type(module).__name__,
        name=type(module).__name__,
        folds=folds,
        seeds=seeds,
        seed=random_state,
    )
    data = about.data
    network = network_of(
        model_factory,
        module,
        about.inputs,
        data.n_outputs,
        on=on,
        output=output,
        logits_of_two=about.logits_of_two,
        device=home,
        at_once=at_once,
        compiled=compiled,
    )
    how = default_training(data, **{"learning_rate": _RATE, **training})
    search = search_of(
        data,
        network,
        how,
        penalties,
        lambdas,
        metric=metric,
        rule=rule,
        seeds=seeds,
        seed=random_state,
    )
    study = as_far_as_it_went(search, watched(search, verbose, network.listen))
    reason = network.reasons.get(how.loss)
    if reason:
        warnings.warn(f"{network.name} was trained one copy after another: {reason}.", stacklevel=2)
    return replace(study, call=call, versions=study.versions | {"torch": torch.__version__})


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
    if not isinstance(fit, Fit):
        raise SettingError(
            f"expected a fit, got {type(fit).__name__}; take one of the study's refits"
        )
    network = fit.trial.network
    if not isinstance(network, ModuleNetwork):
        raise SettingError(f"the fit is about {network}, not about a module of your own")
    require_kept(fit)
    return network.module_of(fit.parameters)
