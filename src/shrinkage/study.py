"""The question (`Trial`), the answer (`Fit`) and all of them together (`Study`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from importlib import import_module
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data
from shrinkage.errors import SettingError
from shrinkage.network import Network, OwnNetwork, layout, perceptron_of
from shrinkage.penalties import Penalty, describe
from shrinkage.training import Training


class Status(Enum):
    """How a training ended; the value is the sentence shown to people."""

    COMPLETED = "trained for all its epochs"
    STOPPED_EARLY = "stopped early: the validation loss no longer improved"
    DIVERGED = "diverged: the loss stopped being finite; lower the learning rate, or a very large λ"
    OUT_OF_TIME = (
        "ran out of time: it took longer than a fit may; allow more time, or train fewer epochs"
    )
    LOST = (
        "was lost: again and again the worker that trained it died, mostly for want of memory; "
        "give workers more of it, or train a smaller network"
    )


@dataclass(frozen=True)
class Trial:
    """One question to the engine. Plain data: it prints, hashes and compares.

    Parameters
    ----------
    network : Network or OwnNetwork
        What is trained.
    training : Training
        How.
    penalty : Penalty or None
        None for no penalty; then `lam` is 0.
    lam : float
        The strength λ in the package's convention.
    fold : int or None
        Index into `Data.folds`; None trains on every training row.
    seed : int
        Of the initial weights and of the order of rows.
    rows : int or None, default None
        Train on this many of the fold's training rows, the same ones for every seed, larger sets
        containing the smaller ones; None for all. For learning curves.

    Raises
    ------
    SettingError
        When the training ends with a polish that this penalty cannot have.

    Examples
    --------
    >>> from shrinkage.penalties import L1
    >>> one = Trial(Network(2), Training("binary_cross_entropy"), L1(), lam=0.01, fold=0, seed=0)
    >>> one == replace(one), one == replace(one, lam=0.02)
    (True, False)
    """

    network: Network | OwnNetwork
    training: Training
    penalty: Penalty | None
    lam: float
    fold: int | None
    seed: int
    rows: int | None = None

    @property
    def perceptron(self) -> Network:
        """The network, where it is one of this package's perceptrons.

        Raises
        ------
        SettingError
            When it is a network of the user's own.
        """
        return perceptron_of(self.network)

    def __post_init__(self) -> None:
        if not self.training.polish or self.penalty is None:
            return
        if self.penalty.groups is not None:
            raise SettingError(
                f"a polish is not made for a {self.penalty.label}; choose L1, L2 or elastic net, "
                "or leave out polish"
            )
        shrinks = self.penalty.l2_share and self.training.optimizer == "adamw"
        if self.penalty.decoupled or shrinks:
            raise SettingError(
                "a polish needs an L2 penalty that is part of the loss, but here it is decoupled; "
                "choose another optimizer than adamw and no decoupled penalty, or leave out polish"
            )


@dataclass(frozen=True, eq=False)
class Fit:
    """The answer to a trial.

    Parameters
    ----------
    trial : Trial
        The question.
    parameters : ndarray of float32, shape (P,)
        In the order of :func:`shrinkage.network.layout`; at divergence the last finite ones
        recorded at an evaluation. Of length 0 once forgotten.
    epochs : ndarray of int, shape (E,)
        Epochs (from 1) at which the losses below were taken, rising. A polish counts as one more.
    train_loss : ndarray of float, shape (E,)
        Penalty-free mean loss over the minibatches since the previous entry.
    validation_loss : ndarray of float, shape (E,)
        Penalty-free mean loss on the fold's validation rows after that epoch, or on the rows held
        back for early stopping; NaN without any.
    final_train_loss : float
        Penalty-free mean loss of the final parameters over the training rows.
    outputs : ndarray of float32, shape (rows, outputs)
        Of the final parameters on the fold's validation rows, after the head (probabilities, or
        standardized predictions); zero rows without any.
    status : Status
        How it ended.
    stopped_at : int
        The last epoch begun.
    best_epoch : int or None, default None
        Of early stopping: the epoch whose parameters were restored.
    seconds : float, default 0.0
        Of processor time that the training took; the one number that is not the same every time.
        Of a training that ran out of time: what it was given.
    kept : (float, float) or None, default None
        Sparsity and spread of the penalized weights, once :meth:`forget` let the weights go.
    stationarity : float or None, default None
        After a polish: the largest :meth:`shrinkage.penalties.Penalty.stationarity` of a penalized
        weight in units of λ, by the gradient over all training rows in double precision at
        `parameters` as they are, in single precision; without a penalty the largest absolute
        gradient of all parameters that may move.
    slope : float or None, default None
        After a polish: the largest absolute gradient of the parameters that no penalty acts on.
        The output kernel behind hidden layers is held by a polish and counts here.
    polish_iterations : int, default 0
        Passes over all training rows that the polish took.

    Examples
    --------
    >>> from shrinkage.data import bundled, prepare
    >>> from shrinkage.engine.pool import run_trial
    >>> from shrinkage.penalties import L1
    >>> table, target = bundled("moons", samples=60)
    >>> data = prepare(table, target, name="moons")
    >>> training = Training(data.loss, epochs=5)
    >>> fit = run_trial(Trial(Network(2, (8,)), training, L1(), 0.01, 0, seed=0), data.part(0))
    >>> fit.message, fit.epochs[-1].item(), fit.parameters.shape
    ('trained for all its epochs', 5, (33,))
    """

    trial: Trial
    parameters: NDArray[np.float32]
    epochs: NDArray[np.int64]
    train_loss: NDArray[np.float64]
    validation_loss: NDArray[np.float64]
    final_train_loss: float
    outputs: NDArray[np.float32]
    status: Status
    stopped_at: int
    best_epoch: int | None = None
    seconds: float = 0.0
    kept: tuple[float, float] | None = None
    stationarity: float | None = None
    slope: float | None = None
    polish_iterations: int = 0

    @property
    def ok(self) -> bool:
        """Whether the training ended as planned."""
        return self.status in (Status.COMPLETED, Status.STOPPED_EARLY)

    @property
    def message(self) -> str:
        """The status as a sentence, with the epoch where that matters."""
        if self.status is Status.STOPPED_EARLY:
            return f"{Status.STOPPED_EARLY.value} after epoch {self.best_epoch}"
        sentence = str(self.status.value)
        if self.status is not Status.DIVERGED:
            return sentence
        return sentence.replace("diverged", f"diverged at epoch {self.stopped_at}", 1)

    @property
    def final_validation_loss(self) -> float:
        """Penalty-free validation loss of the final parameters; NaN without validation rows."""
        if not self.validation_loss.size:
            return float("nan")
        if self.best_epoch is not None:
            return float(self.validation_loss[self.epochs == self.best_epoch][-1])
        return float(self.validation_loss[-1])

    @cached_property
    def sparsity(self) -> float:
        """Share of penalized weights that are exactly zero, from 0 to 1."""
        if self.kept is not None:
            return self.kept[0]
        weights = self.penalized_weights
        return float(np.mean(weights == 0.0)) if weights.size else 0.0

    @cached_property
    def spread(self) -> float:
        """Standard deviation of the penalized weights."""
        return float(self.penalized_weights.std()) if self.kept is None else self.kept[1]

    def forget(self) -> Fit:
        """The same fit without its parameters, so that a study of many fits stays small."""
        nothing = np.empty(0, dtype=np.float32)
        return replace(self, parameters=nothing, kept=(self.sparsity, self.spread))

    @property
    def penalized_weights(self) -> NDArray[np.float32]:
        """The weights that penalties act on, flat (a view)."""
        return self.parameters[layout(self.trial.network).penalized]


@dataclass(frozen=True, eq=False)
class Study:
    """Every trial with its fit, the data that they are about and the versions that made them.

    Parameters
    ----------
    data : Data
        Where the folds and the fingerprint come from.
    trials : tuple of Trial
        All that were planned, also those without a fit (after an interruption).
    fits : tuple of Fit
        Finished fits, in the order of `trials`.
    versions : dict of str to str
        Packages that made the numbers.
    names : dict of (Penalty or None, float) to str, default {}
        What points are called that stand for more than their penalty and λ.
    screened : int, default 0
        So many folds, from the first, decided which points were trained on the others too; a gain
        measured on them would look better than it is.

    Examples
    --------
    >>> from shrinkage.data import bundled, prepare
    >>> from shrinkage.engine.pool import train
    >>> table, target = bundled("moons", samples=60)
    >>> data = prepare(table, target, name="moons", folds=3, repeats=1)
    >>> training = Training(data.loss, epochs=5)
    >>> trials = [Trial(Network(2, (8,)), training, None, 0.0, fold, seed=0) for fold in range(3)]
    >>> study = Study.of(data, trials, train(trials[:2], data), versions={})
    >>> len(study.fits), study.missing == (trials[2],)
    (2, True)
    """

    data: Data
    trials: tuple[Trial, ...]
    fits: tuple[Fit, ...]
    versions: dict[str, str] = field(default_factory=dict)
    names: Mapping[tuple[Penalty | None, float], str] = field(default_factory=dict)
    screened: int = 0

    @staticmethod
    def of(
        data: Data, trials: Iterable[Trial], fits: Iterable[Fit], versions: dict[str, str]
    ) -> Study:
        """A study with its fits put in the order of its trials, whatever order they came in."""
        ordered = tuple(trials)
        by_trial = {fit.trial: fit for fit in fits}
        found = tuple(by_trial[trial] for trial in ordered if trial in by_trial)
        return Study(data, ordered, found, versions)

    @staticmethod
    def open(
        path: str | PathLike[str], *, data: Data | None = None, network: OwnNetwork | None = None
    ) -> Study:
        """The study inside a file that ``shrinkage run … --study FILE`` wrote.

        Parameters
        ----------
        path : str or path-like
            The file; another process may be writing it.
        data : Data, optional
            For a study whose data are too large to lie in the file, and are no longer where they
            were read from.
        network : OwnNetwork, optional
            For a study of a network of the user's own: that network, of which a file holds the
            parameters alone.

        Returns
        -------
        Study
            The trials of the last plan with their fits, to the bit as they were.

        Raises
        ------
        SettingError
            When the file is none of a study, is damaged, or needs data that are not there.
        """
        # A file is a room above this one, and is only looked for by name.
        opened: Study = import_module("shrinkage.archive.reading").open_study(
            path, data=data, network=network
        )
        return opened

    @property
    def missing(self) -> tuple[Trial, ...]:
        """Planned trials without a fit."""
        done = {fit.trial for fit in self.fits}
        return tuple(trial for trial in self.trials if trial not in done)

    @cached_property
    def principal(self) -> Study:
        """The trials that are relaxed as the first one is: the λ path, without relaxed refits.

        Points of a path are known by penalty and λ alone, and a relaxed refit shares both with the
        point that it belongs to.
        """
        if len({trial.training.relaxed_epochs for trial in self.trials}) < 2:
            return self
        first = self.trials[0].training.relaxed_epochs
        trials = tuple(t for t in self.trials if t.training.relaxed_epochs == first)
        fits = tuple(fit for fit in self.fits if fit.trial.training.relaxed_epochs == first)
        return replace(self, trials=trials, fits=fits)

    def label(self, penalty: Penalty | None, lam: float) -> str:
        """What people call a point: its name, or else penalty and λ."""
        return self.names.get((penalty, lam)) or describe(penalty, lam)

    @cached_property
    def fold_fits(self) -> tuple[Fit, ...]:
        """Fits that left validation rows out."""
        return tuple(fit for fit in self.fits if fit.trial.fold is not None)

    @cached_property
    def refits(self) -> tuple[Fit, ...]:
        """Fits on every training row."""
        return tuple(fit for fit in self.fits if fit.trial.fold is None)

    @property
    def failed(self) -> tuple[Fit, ...]:
        """Fits that failed; each says why in :attr:`Fit.message`."""
        return tuple(fit for fit in self.fits if not fit.ok)

    @property
    def diverged(self) -> tuple[Fit, ...]:
        """Those of them whose loss stopped being finite."""
        return tuple(fit for fit in self.fits if fit.status is Status.DIVERGED)
