"""What an exhibit of the lesson is: jobs to train, and the record with claims that they give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data
from shrinkage.exhibits import Table
from shrinkage.intervals import Interval
from shrinkage.lesson.pictures import Picture
from shrinkage.study import Study, Trial

Verdict = Literal["holds", "does not hold here", "not decided here"]


@dataclass(frozen=True)
class Claim:
    """A sentence of the lesson that could be wrong, and what came out.

    Parameters
    ----------
    text : str
        The claim, as a sentence.
    measured : str
        What came out, as a sentence with its number, unit and interval.
    verdict : str
        ``"holds"``, ``"does not hold here"`` or ``"not decided here"``.
    interval : Interval or None, default None
        The number behind it, where there is one.
    asked : str, default ""
        What the number had to be, ``"at least 3"``.
    unit : str, default ""
        Of the number.
    """

    text: str
    measured: str
    verdict: Verdict
    interval: Interval | None = None
    asked: str = ""
    unit: str = ""


def judged(
    text: str,
    measured: str,
    interval: Interval,
    *,
    at_least: float = -inf,
    at_most: float = inf,
    above: float = -inf,
    below: float = inf,
    unit: str = "",
) -> Claim:
    """A claim about one number, decided by its whole interval.

    Parameters
    ----------
    text, measured : str
        See :class:`Claim`.
    interval : Interval
        Of the number.
    at_least, at_most, above, below : float
        Where it has to lie, the last two without the end itself; one of them at least is given.
    unit : str, default ""
        Of the number.

    Returns
    -------
    Claim
        It holds when the whole interval lies where it has to, it does not hold when no part of it
        does, and else these runs do not decide.

    Examples
    --------
    >>> judged("Weights shrink.", "3.4 times.", Interval(3.4, 3.1, 3.7), at_least=3).verdict
    'holds'
    >>> judged("Weights shrink.", "2.9 times.", Interval(2.9, 2.6, 3.2), at_least=3).verdict
    'not decided here'
    >>> judged("There are islands.", "None in any run.", Interval(0, 0, 0), above=0).verdict
    'not decided here'
    """
    verdict: Verdict = "not decided here"
    low, high = interval.low, interval.high
    if at_least <= low and high <= at_most and above < low and high < below:
        verdict = "holds"
    elif high < at_least or low > at_most or high <= above or low >= below:
        verdict = "does not hold here"
    if low == high and low in (above, below):
        verdict = "not decided here"  # nothing happened in any run, so nothing was seen
    limits = (("at least", at_least), ("at most", at_most), ("above", above), ("below", below))
    tail = f" {unit}" if unit else ""
    asked = [f"{words} {limit:.3g}{tail}" for words, limit in limits if abs(limit) < inf]
    return Claim(text, measured, verdict, interval, " and ".join(asked), unit)


@dataclass(frozen=True)
class Setting:
    """How large the lesson's runs are.

    Parameters
    ----------
    seeds : int, default 10
        Draws of data and first weights behind each interval.
    epochs : int, default 2000
        Of a training on the lesson's 100 points; exhibits with more rows scale it down.
    seed : int, default 0
        Of everything random.
    """

    seeds: int = 10
    epochs: int = 2_000
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Job:
    """Trials on one set of data.

    Parameters
    ----------
    name : str
        What it is for; an exhibit finds its studies by it.
    data : Data
        Made from a seed.
    trials : tuple of Trial
        Equal trials on data of equal fingerprints are trained once for the whole lesson.
    weights : bool, default True
        Whether the exhibit looks at the trained weights; else they are let go at once.
    starts : mapping of Trial to ndarray of float32 (P,), default {}
        First weights of some of the trials instead of fresh ones, see
        :func:`shrinkage.engine.pool.train`.
    """

    name: str
    data: Data
    trials: tuple[Trial, ...]
    weights: bool = True
    starts: Mapping[Trial, NDArray[np.float32]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Exhibited:
    """One exhibit, finished.

    Parameters
    ----------
    name : str
        ``"l2"``: of anchors and options.
    heading : str
        Of the part of the lesson that it belongs to.
    title : str
        What it shows, in one line without its full stop.
    text : tuple of str
        Paragraphs before the figures.
    claims : tuple of Claim
        At least one.
    pictures : tuple of Picture
        In the order of the page, each with its caption.
    code : str
        A Python program that makes the exhibit's main numbers with this package.
    tables : tuple of (str, Table), default ()
        Numbers, each with a title.
    notes : tuple of str, default ()
        What is missing or was left out.
    """

    name: str
    heading: str
    title: str
    text: tuple[str, ...]
    claims: tuple[Claim, ...]
    pictures: tuple[Picture, ...]
    code: str
    tables: tuple[tuple[str, Table], ...] = ()
    notes: tuple[str, ...] = ()


class LessonExhibit(Protocol):
    """An exhibit before it is trained; a frozen dataclass without work in it."""

    @property
    def name(self) -> str:
        """See :class:`Exhibited`."""

    @property
    def title(self) -> str:
        """What it asks, in one line."""

    def jobs(self, setting: Setting) -> Sequence[Job]:
        """Everything to train; empty where nothing has to be."""

    def read(self, setting: Setting, studies: Sequence[Study]) -> Exhibited:
        """The record of the finished jobs: one study for each job, in their order.

        Raises
        ------
        ShrinkageError
            When too few fits are finished to say anything.
        """
