"""What is to be tried: a plan, and the defaults that follow from the size of a table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from math import ceil
from numbers import Integral, Real
from typing import Any, get_args, get_type_hints

import numpy as np

from shrinkage.data import Data
from shrinkage.errors import SettingError, require_known
from shrinkage.network import Network, OwnNetwork
from shrinkage.penalties import L1, L2, ElasticNet, Penalty
from shrinkage.scores import check_metric, default_metric
from shrinkage.training import Training

USUAL = (-4, 1)
"""Powers of ten between which the best λ mostly is."""
RULES = ("minimum", "one_standard_error")

_STEPS = 3_000
_BATCHES = (
    (2_000, 32),
    (8_000, 64),
    (20_000, 128),
    (60_000, 256),
    (200_000, 512),
    (float("inf"), 1024),
)
"""Training rows of a fold up to which a batch size is used."""


_KINDS: dict[type, tuple[type, str]] = {
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    str: (str, "a name"),
}
"""What is understood as each kind, NumPy's numbers too, and what that is called."""
_MEANT = {"lr": "learning_rate", "max_iter": "epochs"}
"""What settings are called elsewhere."""


def require_kind(name: str, value: object, kind: Any) -> None:
    """Raise :class:`SettingError` where a number or a name is something else.

    Parameters
    ----------
    name : str
        Of the setting.
    value : object
        What was given.
    kind : type
        int, float or str, or one of them with None; whatever else it is, nothing is checked.

    Examples
    --------
    >>> require_kind("epochs", "3", int)
    Traceback (most recent call last):
    ...
    shrinkage.errors.SettingError: epochs is '3'; it must be a whole number
    """
    expected = next((one for one in (kind, *get_args(kind)) if one in _KINDS), None)
    if expected is None:
        return
    understood, called = _KINDS[expected]
    if not isinstance(value, understood) or isinstance(value, (bool, np.bool_)):
        raise SettingError(f"{name} is {value!r}; it must be {called}")


def _require_field(name: str, known: Collection[str], of: str) -> None:
    if name in _MEANT and name not in known:
        raise SettingError(f"unknown {of} setting '{name}'; did you mean '{_MEANT[name]}'?")
    require_known(f"{of} setting", name, known)


@dataclass(frozen=True)
class Plan:
    """What is to be tried.

    Parameters
    ----------
    network : Network or OwnNetwork
        With the inputs of the full training part; folds whose encoding differs get their own.
    training : Training
        The same for every trial.
    penalties : tuple of Penalty
        Each gets its own path.
    lambdas : tuple of float or None, default None
        The path; None finds the bracket by itself and refines near the optimum.
    points : int, default 8
        Most λ of the automatic path before refinement.
    metric : str, default "log_loss"
        What is best; see :data:`shrinkage.scores.METRICS`.
    rule : str, default "minimum"
        Which selection is recommended and verified: ``"minimum"`` or ``"one_standard_error"``.
    bracket : bool, default True
        Whether an automatic path is bracketed on one fold, from almost no effect up to a constant
        prediction. Without a bracket it covers :data:`USUAL`, and a refinement also goes on beyond
        an end that is best.
    refinements : int, default 3
        Rounds of halving the distance between the best λ of an automatic path and its neighbours.
    refits : int, default 3
        Seeds on every training row, without and with the selected penalty.
    along : bool, default True
        Whether the path of the selected penalty is refitted on every training row too.
    relax : bool, default True
        Whether a selected penalty that leaves exact zeros gets its relaxed refits.
    seed : int, default 0
        Of everything random in training.

    Raises
    ------
    SettingError
        On a λ that is negative or not finite, a number that is none, an unknown rule, or nothing
        to try.
    """

    network: Network | OwnNetwork
    training: Training
    penalties: tuple[Penalty, ...] = (L1(), L2(), ElasticNet())
    lambdas: tuple[float, ...] | None = None
    points: int = 8
    metric: str = "log_loss"
    rule: str = "minimum"
    bracket: bool = True
    refinements: int = 3
    refits: int = 3
    along: bool = True
    relax: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        self._check_kinds()
        require_known("selection rule", self.rule, RULES)
        if not self.penalties:
            raise SettingError(
                "there is no penalty to try; name at least one of l1, l2, elastic_net"
            )
        if self.lambdas is not None and not self.lambdas:
            raise SettingError("the list of λ is empty; give numbers such as 0.001,0.01,0.1")
        for lam in self.lambdas or ():
            if not 0 <= lam < float("inf"):
                raise SettingError(f"λ is {lam}; it must be a finite number, 0 or larger")
        if self.refits < 1:
            raise SettingError(f"refits is {self.refits}; at least 1 is needed to verify anything")
        if self.refinements < 0:
            raise SettingError(f"refinements is {self.refinements}; it must be 0 or larger")
        if self.points < 2:
            raise SettingError(f"points is {self.points}; a path needs at least 2 values of λ")
        if not 0 <= self.seed < 2**32:
            raise SettingError(f"seed is {self.seed}; it must lie in [0, 2³²)")

    def _check_kinds(self) -> None:
        for name, value in (("rule", self.rule), ("metric", self.metric)):
            require_kind(name, value, str)
        for name in ("points", "refinements", "refits", "seed"):
            require_kind(name, getattr(self, name), int)
        for name, several in (("penalties", self.penalties), ("lambdas", self.lambdas)):
            if not isinstance(several, (tuple, list, type(None))):
                raise SettingError(f"{name} is {several!r}; give a tuple, as ({several!r},)")
        for penalty in self.penalties:
            if isinstance(penalty, type) or not hasattr(penalty, "l1_share"):
                raise SettingError(
                    f"{penalty!r} is not a penalty; give L1(), L2(), ElasticNet() or GroupLasso()"
                )
        for lam in self.lambdas or ():
            require_kind("λ", lam, float)

    @property
    def tries_penalties(self) -> bool:
        """Whether anything but no penalty is tried."""
        return self.lambdas is None or any(self.lambdas)


def default_training(data: Data, **settings: Any) -> Training:
    """A training for a table of this size, so that a whole path takes about a minute.

    Batches grow with the rows, from 32 to 1,024, so that a step is never small against its
    overhead; epochs fall from 300 as the rows grow, so that a fit takes about 3,000 steps: enough
    for a network of two layers of 128 to overfit, if it is going to.

    Parameters
    ----------
    data : Data
        Rows and task decide.
    **settings
        Fields of :class:`Training` that the user chose; they win.

    Returns
    -------
    Training
        With the loss of the task.

    Raises
    ------
    SettingError
        On an unknown field, a value of another kind, or one that cannot train.
    """
    kinds = get_type_hints(Training)
    for name, value in settings.items():
        _require_field(name, kinds, "training")
        if value is not None:
            require_kind(name, value, kinds[name])
    if settings.get("class_weight") == "balanced" and data.task == "regression":
        raise SettingError("balanced class weights need classes, but the target is a number")
    rows = data.parts[0].train.size if data.parts else data.full.train.size
    batch = next(size for most, size in _BATCHES if rows <= most)
    batch = int(settings.get("batch_size") or batch)
    steps = ceil(rows / batch)
    chosen: dict[str, Any] = {
        "loss": data.loss,
        "batch_size": batch,
        "epochs": int(np.clip(round(_STEPS / steps), 10, 300)),
        "learning_rate": 0.01 if settings.get("optimizer") == "sgd" else 0.005,
    }
    return Training(
        **(chosen | {name: value for name, value in settings.items() if value is not None})
    )


def plan(
    data: Data,
    *,
    network: Network | OwnNetwork | None = None,
    training: Training | None = None,
    metric: str | None = None,
    **settings: Any,
) -> Plan:
    """A plan for a table; what is not given follows from its size.

    Parameters
    ----------
    data : Data
        What it is for.
    network : Network or OwnNetwork, optional
        By default two hidden layers of 128.
    training : Training, optional
        By default :func:`default_training`.
    metric : str, optional
        By default the loss of the task.
    **settings
        Other fields of :class:`Plan`.

    Raises
    ------
    SettingError
        On a metric that does not fit the task, or any field that :class:`Plan` refuses.
    """
    for name in settings:
        _require_field(name, {field.name for field in fields(Plan)}, "plan")
    metric = metric or default_metric(data.task)
    require_kind("metric", metric, str)
    check_metric(metric, data.task)
    points = 8 if data.full.train.size <= 20_000 else 6
    return Plan(
        network=network or Network(data.full.n_inputs, outputs=data.n_outputs),
        training=training or default_training(data),
        metric=metric,
        **({"points": points} | settings),
    )
