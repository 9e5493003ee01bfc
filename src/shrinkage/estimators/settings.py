"""The parameters that all estimators share, and what they mean to the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from math import ceil
from numbers import Integral
from typing import Any, TypeVar

import numpy as np
from sklearn.base import BaseEstimator

from shrinkage.data import Data
from shrinkage.errors import SettingError
from shrinkage.network import Network
from shrinkage.penalties import ElasticNet, Penalty, parse_penalty
from shrinkage.training import Training
from shrinkage.tune import default_training

POLISH = 5_000
"""Iterations that a polish may take where it is only asked for."""
_STEPS, _FEWEST_STEPS, _MOST_EPOCHS = 2_000, 200, 50
"""Length of a training: shorter than the command line's, which is to show overfitting where there
is any. Fewer and smaller steps predict as well or better at the best λ, and cost less."""
_RATE = 0.002
_ACTIVATIONS = {"logistic": "sigmoid"}
_NAMES = {
    "epochs is": "max_iter is",
    "batch size is": "batch_size is",
    "learning rate is": "learning_rate_init is",
    "stopping_share is": "validation_fraction is",
    "patience is": "n_iter_no_change is",
    "beta1 is": "beta_1 is",
    "beta2 is": "beta_2 is",
    "unknown optimizer": "unknown solver",
    "unknown schedule": "unknown learning_rate",
}
"""How errors of the engine begin, and what the parameter is called here."""
_ELASTIC_NETS = ("elasticnet", "elastic_net", "elastic-net", "elastic net")

_T = TypeVar("_T")


@dataclass(repr=False, eq=False, kw_only=True)
class Settings(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no annotations
    """Network and training, in scikit-learn's words where it has one."""

    l1_ratio: float = 0.5
    hidden_layer_sizes: int | Sequence[int] = (128, 128)
    activation: str = "relu"
    initialization: str | None = "glorot"
    solver: str = "adam"
    learning_rate: str = "cosine"
    learning_rate_init: float | None = None
    max_iter: int | None = None
    batch_size: int | str = "auto"
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    shuffle: bool = True
    early_stopping: bool = False
    n_iter_no_change: int = 10
    validation_fraction: float = 0.1
    dropout: float = 0.0
    input_dropout: float = 0.0
    input_noise: float = 0.0
    mixup: float = 0.0
    max_norm: float | None = None
    averaging: float = 0.0
    lam_schedule: str = "constant"
    lam_ramp: float = 0.5
    penalize_output: bool = False
    standardize: bool = True
    polish: bool | int = False
    random_state: int | np.random.RandomState | None = None
    n_jobs: int | None = None
    verbose: int = 0


def network_of(settings: Settings, data: Data) -> Network:
    """The network that the parameters describe, for these inputs and targets."""
    sizes: Any = settings.hidden_layer_sizes
    if isinstance(sizes, Integral):
        sizes = (sizes,)
    if isinstance(sizes, str) or not isinstance(sizes, Iterable):
        raise SettingError(
            f"hidden_layer_sizes is {sizes!r}; give the units of each hidden layer, as in (128, "
            "128), or () for a linear model"
        )
    return Network(
        inputs=data.full.n_inputs,
        hidden=tuple(integer("hidden_layer_sizes", size) for size in sizes),
        outputs=data.n_outputs,
        activation=_ACTIVATIONS.get(settings.activation, settings.activation),
        initialization=settings.initialization,
        penalize_output=bool(settings.penalize_output),
    )


def training_of(settings: Settings, data: Data, **others: Any) -> Training:
    """The training that the parameters describe; what is None follows from the table's size.

    Parameters
    ----------
    settings : Settings
        An estimator.
    data : Data
        Decides batch size, epochs and learning rate where they are left open.
    **others
        Fields of :class:`Training` that win; None for their defaults.
    """
    batch = None if settings.batch_size == "auto" else integer("batch_size", settings.batch_size)
    epochs = None if settings.max_iter is None else integer("max_iter", settings.max_iter)
    chosen: dict[str, Any] = {
        "optimizer": settings.solver,
        "schedule": settings.learning_rate,
        "learning_rate": settings.learning_rate_init,
        "epochs": epochs,
        "batch_size": batch,
        "momentum": settings.momentum,
        "nesterov": bool(settings.nesterovs_momentum),
        "beta1": settings.beta_1,
        "beta2": settings.beta_2,
        "epsilon": settings.epsilon,
        "shuffle": bool(settings.shuffle),
        "dropout": settings.dropout,
        "input_dropout": settings.input_dropout,
        "input_noise": settings.input_noise,
        "mixup": settings.mixup,
        "label_smoothing": getattr(settings, "label_smoothing", 0.0),
        "max_norm": settings.max_norm,
        "averaging": settings.averaging,
        "lam_schedule": settings.lam_schedule,
        "lam_ramp": settings.lam_ramp,
        "stopping_share": settings.validation_fraction,
    }
    if settings.polish:
        chosen["polish"] = POLISH if settings.polish is True else settings.polish
    hidden = bool(network_of(settings, data).hidden)
    training = _checked(lambda: _with_defaults(data, chosen | others, hidden))
    if not settings.early_stopping:
        return training
    patience = integer("n_iter_no_change", settings.n_iter_no_change)
    return _checked(lambda: replace(training, patience=min(patience, training.epochs)))


def _with_defaults(data: Data, chosen: dict[str, Any], hidden: bool) -> Training:
    """A training in which what was left open follows from the table's size.

    A linear model costs little and has far to go: it is trained as the command line does.
    """
    training = default_training(data, **chosen)
    if not hidden:
        return training
    rows = (data.parts[0] if data.parts else data.full).train.size
    steps = ceil(rows / training.batch_size)
    epochs = max(min(round(_STEPS / steps), _MOST_EPOCHS), ceil(_FEWEST_STEPS / steps), 10)
    rate = training.learning_rate if training.optimizer == "sgd" else _RATE
    return replace(
        training,
        epochs=chosen["epochs"] or epochs,
        learning_rate=chosen["learning_rate"] or rate,
    )


def penalty_of(given: str | Penalty | None, l1_ratio: float) -> Penalty | None:
    """The penalty that a name stands for; a penalty stands for itself.

    Parameters
    ----------
    given : str, Penalty or None
        Also ``"elasticnet"``, as scikit-learn spells it.
    l1_ratio : float
        Of an elastic net.
    """
    if given is None or given == "none":
        return None
    if not isinstance(given, str):
        if all(hasattr(given, name) for name in ("prox", "stationarity", "l1_share")):
            return given
        raise SettingError(
            f"penalty is {given!r}; name one, such as 'l1', 'l2' or 'elasticnet', or give a "
            "penalty such as shrinkage.L1()"
        )
    if given.strip().lower() in _ELASTIC_NETS:
        return _checked(lambda: ElasticNet(l1_ratio))
    return parse_penalty(given)


def lam_of(given: Any) -> float:
    """A strength of a penalty, checked."""
    lam = _checked(lambda: float(given))
    if not 0 <= lam < float("inf"):
        raise SettingError(f"lam is {given}; it must be a finite number, 0 or larger")
    return lam


def seed_of(settings: Settings) -> int:
    """A seed from `random_state`: of a number always the same, of a generator the next one."""
    from sklearn.utils import check_random_state

    return int(check_random_state(settings.random_state).randint(np.iinfo(np.int32).max))


def names_of(cls: type[Settings]) -> tuple[str, ...]:
    """The parameters of an estimator, in the order in which they are declared."""
    return tuple(field.name for field in fields(cls) if field.init)


def integer(name: str, given: Any) -> int:
    """A whole number, checked."""
    if isinstance(given, bool) or not isinstance(given, Integral):
        raise SettingError(f"{name} is {given!r}; it must be a whole number")
    return int(given)


def _checked(make: Callable[[], _T]) -> _T:
    """What `make` returns; an error speaks of the parameter by the name that it has here."""
    try:
        return make()
    except SettingError as error:
        message = str(error)
        for engine, own in _NAMES.items():
            if message.startswith(engine):
                message = own + message.removeprefix(engine)
        raise SettingError(message) from error
    except (TypeError, ValueError) as error:
        raise SettingError(f"a parameter has a value of the wrong type: {error}") from error
