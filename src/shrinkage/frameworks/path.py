"""From what a person hands in to the search along λ, whatever framework the network is from."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data
from shrinkage.errors import DataError, SettingError, ShrinkageError
from shrinkage.frameworks.answers import answer_of
from shrinkage.frameworks.arrays import OwnRows, own_data
from shrinkage.network import OwnNetwork
from shrinkage.penalties import Penalty, parse_penalty
from shrinkage.scores import default_metric, explained
from shrinkage.study import Fit, Study
from shrinkage.training import Training
from shrinkage.tune import Search, plan
from shrinkage.tune.planning import require_kind

_FOLDS = 5


@dataclass(frozen=True, eq=False)
class Asked:
    """What a path is about.

    Parameters
    ----------
    data : Data
        Folds and test rows.
    inputs : ndarray, shape (rows, …)
        As they were handed in: those to train on, and all others too where they are codes, whose
        range matters.
    logits_of_two : bool
        Whether the network gives two logits for two classes.
    """

    data: Data
    inputs: NDArray[Any]
    logits_of_two: bool


def asked(
    train_data: Any,
    val_data: Any,
    test_data: Any,
    read: Callable[[Any, str], OwnRows],
    outputs_of: Callable[[NDArray[Any]], int],
    *,
    loss: str | None,
    called: str,
    name: str,
    folds: int | None,
    seeds: int,
    seed: int,
) -> Asked:
    """Read the rows, and fit what they ask for to what the network answers.

    Parameters
    ----------
    train_data, val_data, test_data
        As they were handed in; a prepared :class:`shrinkage.data.Data` stands for all three.
    read : callable
        Rows of one of them, given how it is called.
    outputs_of : callable
        How many numbers the network answers for a row, given some inputs.
    loss : str or None
        One of :data:`shrinkage.training.LOSSES`; None for what the targets ask for.
    called : str
        The network in a message.
    name : str
        The network in the report.
    folds : int or None
        Of rows without `val_data`, 5 by default; with it there are as many as seeds.
    seeds, seed : int
        How many draws, and where they begin.

    Raises
    ------
    SettingError, DataError
        When they do not fit together.

    Warns
    -----
    UserWarning
        When the rows do not allow as many folds.
    """
    _check_counts(folds, seeds, seed)
    if folds is not None and (isinstance(train_data, Data) or val_data is not None):
        instead = "the table has folds of its own"
        if val_data is not None:
            instead = "rows of val_data are validated on, in as many parts as there are seeds"
        raise SettingError(f"folds is {folds}, but {instead}; leave it out")
    if isinstance(train_data, Data):
        if val_data is not None or test_data is not None:
            raise SettingError(
                "train_data is a prepared table, which has folds and test rows of its own; leave "
                "out val_data and test_data"
            )
        inputs = train_data.full.inputs
        return Asked(
            train_data, inputs, _fits_table(train_data, outputs_of(inputs[:4]), loss, called)
        )
    train = read(train_data, "train_data")
    held = None if val_data is None else read(val_data, "val_data")
    test = None if test_data is None else read(test_data, "test_data")
    answer = answer_of(train.targets, outputs_of(train.inputs[:4]), loss, called)
    parts = _FOLDS if folds is None else folds
    count = parts if val_data is None else max(seeds, 2)
    data = own_data(train, held, test, answer, folds=count, seed=seed, name=name)
    if data.folds < count:
        most = "there are no" if data.task == "regression" else "no class has"
        warnings.warn(
            f"there are {data.folds} folds instead of {count}, since {most} more than {data.folds} "
            "rows to validate on",
            stacklevel=3,
        )
    return Asked(data, _seen(train, held, test), answer.logits_of_two)


def _check_counts(folds: Any, seeds: Any, seed: Any) -> None:
    """See that they are numbers, before anything is trained."""
    several = seeds.tolist() if hasattr(seeds, "tolist") else seeds
    if isinstance(several, Sized) and not isinstance(several, str):
        raise SettingError(
            f"seeds is {several!r}, but it says how many draws there are; give "
            f"seeds={len(several)}, and random_state for other draws"
        )
    for name, value in (("folds", folds), ("seeds", seeds), ("random_state", seed)):
        if value is not None or name != "folds":
            require_kind(name, value, int)
    if seeds < 1:
        raise SettingError(f"seeds is {seeds}; at least 1 is needed to verify anything")
    if not 0 <= seed < 2**32:
        raise SettingError(f"random_state is {seed}; it must lie in [0, 2³²)")


def _fits_table(data: Data, outputs: int, loss: str | None, called: str) -> bool:
    """Whether the network gives two logits for two classes; raises where it does not fit."""
    two = data.task == "binary" and outputs == 2
    if outputs != data.n_outputs and not two:
        raise SettingError(
            f"{called} answers {outputs} numbers for a row, but the table asks for "
            f"{data.n_outputs}; change its last layer"
        )
    # Of two logits the cross-entropy is the binary one of their difference.
    if loss not in (None, data.loss) and not (two and loss == "cross_entropy"):
        raise SettingError(
            f"the loss is '{loss}', but the table asks for '{data.loss}'; leave it out"
        )
    return two


def _seen(train: OwnRows, *others: OwnRows | None) -> NDArray[Any]:
    """All inputs where they are codes, whose range matters; else those to train on."""
    if np.issubdtype(train.inputs.dtype, np.floating):
        return train.inputs
    return np.concatenate([rows.inputs for rows in (train, *others) if rows is not None])


def search_of(
    data: Data,
    network: OwnNetwork,
    training: Training,
    penalties: Any,
    lambdas: Sequence[float] | None,
    *,
    metric: str | None,
    rule: str,
    seeds: int,
    seed: int,
) -> Search:
    """The search along λ; arguments as for the path of a framework."""
    planned = plan(
        data,
        network=network,
        training=training,
        penalties=_penalties(penalties),
        lambdas=None if lambdas is None else _lambdas(lambdas),
        metric=metric or default_metric(data.task),
        rule=rule,
        refits=seeds,
        seed=seed,
    )
    return Search(data, planned)


def _lambdas(given: Any) -> tuple[float, ...]:
    """λ as a person gives them: a list, an array or a tensor of numbers."""
    several = given.tolist() if hasattr(given, "tolist") else given
    if isinstance(several, str) or not isinstance(several, Iterable):
        raise SettingError(f"lambdas is {given!r}; give a list of numbers, such as [0.01, 0.1]")
    found = [lam.tolist() if hasattr(lam, "tolist") else lam for lam in several]
    for lam in found:
        require_kind("an entry of lambdas", lam, float)
    return tuple(float(lam) for lam in found)


def _penalties(given: Any) -> tuple[Penalty, ...]:
    """Penalties as a person gives them: one or several, as objects or by name."""
    several = given if isinstance(given, (list, tuple)) else [given]
    if not several:
        raise SettingError("there is no penalty to try; name at least one of l1, l2, elastic_net")
    found = []
    for one in several:
        if not (isinstance(one, str) or hasattr(one, "l1_share")):
            raise SettingError(
                f"{one!r} is not a penalty; give L1(), L2(), ElasticNet(), GroupLasso() or a name"
            )
        found.append(parse_penalty(one) if isinstance(one, str) else one)
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, eq=False)
class PathStudy(Study):
    """The study of a path, which knows how it was asked for.

    Parameters
    ----------
    call : str
        The Python line that makes it again, but for network and rows.
    seed : int or None
        Of everything random.
    """

    call: str = ""
    seed: int | None = None


def as_far_as_it_went(search: Search, fits: Iterable[Fit]) -> PathStudy:
    """The study of a search, followed to its end or to the first interruption.

    Parameters
    ----------
    search : Search
        Being trained.
    fits : iterable of Fit
        Its fits, as they come.

    Returns
    -------
    Study
        After an interruption, what is finished; a warning says so.

    Raises
    ------
    KeyboardInterrupt
        When it comes before a network without a penalty is finished on a fold.
    ShrinkageError
        When too many trainings failed to choose between them, with the reason of the first.
    """
    try:
        for _ in fits:
            pass
    except KeyboardInterrupt:
        study = search.study
        if not any(fit.ok and fit.trial.penalty is None for fit in study.fold_fits):
            raise
        warnings.warn(
            f"interrupted: the study holds the {len(study.fits)} fits that are finished, of "
            f"{search.expected}.",
            stacklevel=3,
        )
    except ShrinkageError as error:
        if not search.study.failed or isinstance(error, (SettingError, DataError)):
            raise
        raise explained(error, search.study) from error
    study = search.study
    held = {field.name: getattr(study, field.name) for field in fields(Study)}
    return PathStudy(**held, seed=search.plan.seed)


def require_kept(fit: Fit) -> None:
    """Raise :class:`SettingError` where the parameters of a fit were let go."""
    if not fit.parameters.size:
        raise SettingError("the parameters of fits on folds are not kept; take one of study.refits")
