"""Would dropout and a penalty together be beneficial or redundant? On three data sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from shrinkage.data import Data, bundled, prepare
from shrinkage.errors import ShrinkageError
from shrinkage.exhibits import Basis, Table
from shrinkage.exhibits.interaction import InteractionMap, interaction
from shrinkage.exhibits.interaction_record import Interaction
from shrinkage.intervals import Interval
from shrinkage.lesson.exhibited import Claim, Exhibited, Job, Setting, judged
from shrinkage.lesson.pictures import Heat
from shrinkage.lesson.toys import pooled, toy
from shrinkage.lesson.trials import HIDDEN, lesson_trial, program, seeds_of
from shrinkage.network import Network
from shrinkage.penalties import L2, describe_lambda
from shrinkage.study import Study

LAMBDAS = (0.003, 0.01, 0.03, 0.1)
"""As the package means them; Keras' ``l2`` is half of each."""
DROPOUTS = (0.0, 0.2, 0.5)
_MAP = InteractionMap(L2(), LAMBDAS, DROPOUTS)
_TABLE_FOLDS = 5
_HALF = 50.0


@dataclass(frozen=True)
class _Problem:
    """A data set to ask on.

    Parameters
    ----------
    name : str
        Of a bundled problem.
    share : int
        Its epochs are the lesson's divided by this; it has more steps in an epoch.
    noise : float or None
        Of a toy, which is drawn anew for each seed; None for a table, which is split into folds.
    """

    name: str
    share: int
    noise: float | None = None


PROBLEMS = (_Problem("moons", 4, 0.25), _Problem("circles", 4, 0.2), _Problem("breast_cancer", 20))


@dataclass(frozen=True)
class Together:
    """The lesson's second prompt: a penalty and dropout, redundant or complementary."""

    name: ClassVar[str] = "together"
    title: ClassVar[str] = "Would dropout and a penalty together be beneficial or redundant?"

    def jobs(self, setting: Setting) -> Sequence[Job]:
        """A grid of λ and dropout on each data set."""
        return [_job(problem, setting) for problem in PROBLEMS]

    def read(self, setting: Setting, studies: Sequence[Study]) -> Exhibited:
        """Read each grid as the interaction map of a search does."""
        found, notes = _read(studies)
        return Exhibited(
            name=self.name,
            heading="Learning prompts",
            title=self.title,
            text=(_text(setting),),
            claims=tuple(claim for name, record in found for claim in _claims(name, record)),
            pictures=tuple(_picture(name, record) for name, record in found),
            code=_code(setting),
            tables=(
                ("Fall of the validation loss against the plain network", _gains(found)),
                *(
                    (f"{name}: mean validation {record.loss_name} ({record.unit})", record.table)
                    for name, record in found
                ),
            ),
            notes=notes,
        )


def _job(problem: _Problem, setting: Setting) -> Job:
    data = _data(problem, setting)
    seed = seeds_of(setting).start
    epochs = _epochs(problem, setting)
    training = lesson_trial(data, seed, epochs=epochs).training
    network = Network(data.full.n_inputs, HIDDEN, data.n_outputs, initialization="glorot")
    basis = Basis(data, network, training, seed)
    return Job(problem.name, data, tuple(_MAP.trials(basis)), weights=False)


def _data(problem: _Problem, setting: Setting) -> Data:
    """Independent draws of a toy, or folds of a table."""
    if problem.noise is not None:
        draws = [toy(problem.name, seed, noise=problem.noise) for seed in seeds_of(setting)]
        return pooled(draws)
    table, target = bundled(problem.name)
    repeats = max(setting.seeds // _TABLE_FOLDS, 1)
    seed = seeds_of(setting).start
    return prepare(table, target, folds=_TABLE_FOLDS, repeats=repeats, seed=seed, name=problem.name)


def _epochs(problem: _Problem, setting: Setting) -> int:
    return max(setting.epochs // problem.share, 1)


def _read(studies: Sequence[Study]) -> tuple[list[tuple[str, Interaction]], tuple[str, ...]]:
    """The record of each data set that has one, and what there is to note."""
    found: list[tuple[str, Interaction]] = []
    notes: list[str] = []
    for study in studies:
        try:
            record = interaction(study)
        except ShrinkageError as error:
            notes.append(f"{study.data.name} says nothing: {error}.")
            continue
        found.append((study.data.name, record))
        # Advice about options of the command line follows a semicolon; there are none here.
        notes.extend(
            f"{study.data.name}: {note.split(';')[0].rstrip('.')}." for note in record.notes
        )
    if not found:
        raise ShrinkageError(notes[0].removesuffix("."))
    return found, tuple(notes)


def _text(setting: Setting) -> str:
    places = " and ".join(
        f"{_epochs(problem, setting):,} on {problem.name}" for problem in PROBLEMS[1:]
    )
    return (
        f"On each of three data sets, {len(LAMBDAS)} λ of L2 beside none and two shares of "
        "dropout beside none are tried in every combination with the lesson's network: "
        f"{_epochs(PROBLEMS[0], setting):,} epochs on moons, {places}. Each toy is a hundred "
        "points drawn anew for every seed and validated on fresh ones; breast_cancer is split "
        "into folds. λ and dropout are chosen on the other seeds or folds, so that no choice is "
        "measured where it was made. λ as the package means it; Keras' l2 is half of each."
    )


def _claims(name: str, record: Interaction) -> tuple[Claim, ...]:
    """Whether both are better than one; and where each helps, how much is the same help."""
    beneficial = judged(
        f"On {name}, L2 and dropout together predict better than the better one alone.",
        f"{record.headline}. {record.sentences[1]}",
        record.extra,
        above=0,
        unit=record.unit,
    )
    if record.overlap is None:
        return (beneficial,)
    share = record.overlap
    percent = Interval(*(100 * end for end in (share.estimate, share.low, share.high)))
    redundant = judged(
        f"On {name}, they do the same work: one provides more than half of what the other gains.",
        f"Of the gain of {record.smaller.name}, {record.smaller.gain.with_unit(record.unit)}, "
        f"{record.better.name} provides {percent} % already.",
        percent,
        above=_HALF,
        unit="%",
    )
    return beneficial, redundant


def _gains(found: Sequence[tuple[str, Interaction]]) -> Table:
    """Each way's gain on each data set, with its best cell."""
    rows = [
        (
            f"{name}: {way.name}",
            describe_lambda(way.lam) if way.lam else "none",
            f"{way.dropout:g}" if way.dropout else "none",
            way.gain.with_unit(record.unit),
        )
        for name, record in found
        for way in (record.alone, record.dropout, record.both)
    ]
    return Table(("data and way", "best λ", "best dropout", "gain with 95% interval"), tuple(rows))


def _picture(name: str, record: Interaction) -> Heat:
    return Heat(
        f"{name}: λ and dropout",
        "Each cell is one λ (upwards) with one share of dropout (to the right); darker is less "
        "loss on new rows. If the best cell of the left column or of the lowest row is as dark as "
        "the darkest of all, one of the two is enough.",
        record,
    )


def _code(setting: Setting) -> str:
    seeds = seeds_of(setting)
    moons = PROBLEMS[0]
    return program(
        f"""\
        from shrinkage import L2, Network, Study, Training, train
        from shrinkage.exhibits import Basis
        from shrinkage.exhibits.interaction import InteractionMap, interaction
        from shrinkage.lesson.toys import pooled, toy

        data = pooled(
            [toy("moons", seed, noise={moons.noise}) for seed in range({seeds.start}, {seeds.stop})]
        )
        TRAINING
        NETWORK
        grid = InteractionMap(L2(), lambdas={LAMBDAS}, dropouts={DROPOUTS})
        trials = list(grid.trials(Basis(data, network, training, seed={seeds.start})))
        record = interaction(Study.of(data, trials, train(trials, data), versions={{}}))
        print(record.headline)
        """,
        _epochs(moons, setting),
    )
