"""The λ path of a Keras model of one's own, one training after another."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from shrinkage.errors import SettingError
from shrinkage.estimators.progress import watched
from shrinkage.frameworks.calls import call_of
from shrinkage.frameworks.path import as_far_as_it_went, asked, require_kept, search_of
from shrinkage.frameworks.selectors import HIDDEN_KERNELS
from shrinkage.keras.factories import answered, made_by, regularized
from shrinkage.keras.given import read
from shrinkage.keras.networks import KerasNetwork, network_of
from shrinkage.penalties import Penalty
from shrinkage.study import Fit, Study
from shrinkage.tune import default_training

_LOSSES = {
    "binary_crossentropy": "binary_cross_entropy",
    "categorical_crossentropy": "cross_entropy",
    "sparse_categorical_crossentropy": "cross_entropy",
    "mean_squared_error": "mean_squared_error",
    "mse": "mean_squared_error",
}
_OPTIMIZERS = {"AdamW": "adamw", "Adam": "adam", "RMSprop": "rmsprop", "SGD": "sgd"}
_RATE = 1e-3
"""Adam's learning rate where neither the model nor the person says one."""


def path(
    model_factory: Callable[[], Any],
    train_data: Any,
    val_data: Any = None,
    penalties: Penalty | str | Sequence[Penalty | str] = ("l1", "l2"),
    lambdas: Sequence[float] | None = None,
    seeds: int = 3,
    *,
    test_data: Any = None,
    folds: int | None = None,
    loss: str | None = None,
    on: str | Sequence[str] = HIDDEN_KERNELS,
    output: str | Sequence[str] | None = None,
    metric: str | None = None,
    rule: str = "minimum",
    random_state: int = 0,
    verbose: int = 1,
    **training: Any,
) -> Study:
    """Train a Keras model without a penalty and along λ, on any backend.

    Models are trained one after another with ``fit``; those that differ in λ, seed and rows alone
    share what was compiled. Penalties act by a proximal step, so L1 makes exact zeros; where the
    chosen one leaves some, what survives is trained once more without it. Keras' own random state
    is as before afterwards.

    Parameters
    ----------
    model_factory : callable
        Makes a fresh, built model; called once for each training, after
        ``keras.utils.set_random_seed`` with its seed. A sigmoid or softmax of its last layer is
        left out while it trains, because losses take logits. If it is compiled, its loss, optimizer
        and learning rate are used unless something else is said. Regularizers of its weights are
        left out: the path's own penalty takes their place.
    train_data : (X, y) or Data
        Rows to train on, used as they are. `X` of any shape (rows, …), `y` labels, numbers, or one
        column for each class.
    val_data : (X, y), optional
        Rows to validate on. Then each seed is validated on a share of them of its own, and
        intervals are about seeds and validation rows, for these training rows. By default
        stratified folds of `train_data`.
    penalties : Penalty, str or sequence of them, default ("l1", "l2")
        Each gets a path of its own.
    lambdas : sequence of float, optional
        λ in this package's convention: loss + λ₁ Σ|w| + (λ₂/2) Σ w². By default its range is looked
        for and refined.
    seeds : int, default 3
        Refits on every training row, without and with the penalty that is chosen; with `val_data`
        so many trainings of each λ as well, at least 2.
    test_data : (X, y), optional
        Rows that only verification looks at; without them nothing can be verified.
    folds : int, optional
        Of the cross-validation, without `val_data`; 5 by default.
    loss : str, optional
        ``"cross_entropy"``, ``"binary_cross_entropy"``, ``"mean_squared_error"`` or Keras' name of
        it; by default that of the compiled model, or what the targets ask for.
    on : str or sequence of str, default "hidden kernels"
        What is penalized: kinds of parameters, names, or patterns of names.
    output : str or sequence of str, optional
        Name of the output layer, where the model does not tell.
    metric, rule : str, optional
        What is best, and which rule chooses; see :class:`shrinkage.tune.Plan`.
    random_state : int, default 0
        Of folds, first weights and orders of rows.
    verbose : int, default 1
        Progress on stderr; 0 for none.
    **training
        Fields of :class:`shrinkage.Training`: ``epochs``, ``batch_size``, ``learning_rate``,
        ``optimizer``, ``patience`` and others.

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
        When regularizers of the model are left out, or its first weights are the same whatever the
        seed; and after Ctrl-C, with what is finished by then, which is returned.

    Examples
    --------
    >>> import numpy as np
    >>> from shrinkage import diagnose
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 2)).astype("float32")
    >>> y = (X[:, 0] * X[:, 1] > 0).astype("int64")
    >>> def build_model():
    ...     return keras.Sequential(
    ...         [keras.Input((2,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1, "sigmoid")]
    ...     )
    >>> study = path(build_model, (X, y), penalties="l2", lambdas=[0.1], folds=2, seeds=1,
    ...              epochs=2, verbose=0)
    >>> len(study.fits), diagnose(study).verdict
    (6, 'underfits')
    """
    call = call_of(path, locals())
    model = made_by(model_factory)
    given = _loss_name(loss, model)
    about = asked(
        train_data,
        val_data,
        test_data,
        lambda rows, where: read(rows, where, given),
        lambda inputs: answered(model, _typed(inputs))[0],
        loss=given,
        called=f"the model '{model.name}'",
        name=model.name,
        folds=folds,
        seeds=seeds,
        seed=random_state,
    )
    left_out = regularized(model)
    if left_out:
        warnings.warn(
            f"regularizers of {', '.join(left_out)} are left out; the path's penalties take their "
            "place",
            stacklevel=2,
        )
    network = network_of(
        model_factory,
        model,
        about.inputs,
        about.data.n_outputs,
        head=answered(model, _typed(about.inputs[:4]))[1],
        logits_of_two=about.logits_of_two,
        on=on,
        output=output,
    )
    search = search_of(
        about.data,
        network,
        default_training(about.data, **(_compiled(model) | training)),
        penalties,
        lambdas,
        metric=metric,
        rule=rule,
        seeds=seeds,
        seed=random_state,
    )
    study = as_far_as_it_went(search, watched(search, verbose))
    network.workers.clear()
    backend = import_module(keras.backend.backend())
    made_with = {"keras": keras.__version__, backend.__name__: backend.__version__}
    return replace(study, call=call, versions=study.versions | made_with)


def model_of(fit: Fit) -> Any:
    """The trained model of a fit, of the user's own make.

    Parameters
    ----------
    fit : Fit
        Of a study of :func:`path`; a refit has its parameters kept.

    Returns
    -------
    keras.Model
        As the factory makes it, with a sigmoid or softmax at its end if it has one there.

    Raises
    ------
    SettingError
        When the fit is not about a Keras model, or its parameters were let go.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.eye(8, 2, dtype="float32"), np.arange(8) % 2
    >>> def build_model():
    ...     return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, "sigmoid")])
    >>> study = path(build_model, (X, y), penalties="l2", lambdas=[0.1], folds=2, seeds=1,
    ...              on="output kernels", epochs=1, verbose=0)
    >>> model_of(study.refits[0]).output_shape
    (None, 1)
    """
    network = fit.trial.network
    if not isinstance(network, KerasNetwork):
        raise SettingError(f"the fit is about {network}, not about a Keras model of your own")
    require_kept(fit)
    return network.model_of(fit.parameters)


def _loss_name(loss: str | None, model: Any) -> str | None:
    """The loss in this package's words; None leaves it to the targets."""
    if loss is not None:
        return _LOSSES.get(loss, loss)
    compiled = getattr(model, "loss", None)
    if compiled is None:
        return None
    name = getattr(compiled, "name", None) or getattr(compiled, "__name__", None) or compiled
    if name not in _LOSSES:
        raise SettingError(
            f"the model '{model.name}' is compiled with the loss {name}, which a path does not "
            "know; give loss='cross_entropy', 'binary_cross_entropy' or 'mean_squared_error'"
        )
    return _LOSSES[name]


def _compiled(model: Any) -> dict[str, Any]:
    """Optimizer and learning rate that a model was compiled with, as far as a path has them."""
    optimizer: Any = getattr(model, "optimizer", None)
    kind = next(
        (name for name in _OPTIMIZERS if isinstance(optimizer, getattr(keras.optimizers, name))),
        None,
    )
    if kind is None:
        return {"learning_rate": _RATE}
    rate = optimizer._learning_rate
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        rate = rate(0)
    found: dict[str, Any] = {"optimizer": _OPTIMIZERS[kind], "learning_rate": float(rate)}
    if kind == "SGD":
        found |= {"momentum": float(optimizer.momentum), "nesterov": bool(optimizer.nesterov)}
    return found


def _typed(rows: NDArray[Any]) -> NDArray[Any]:
    return rows.astype(np.int32 if np.issubdtype(rows.dtype, np.integer) else np.float32)
