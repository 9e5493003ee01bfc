"""What a command wants to try as a study file says it, and back."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shrinkage.data import Data
    from shrinkage.exhibits import Basis, Exhibit
    from shrinkage.network import Network
    from shrinkage.study import Study
    from shrinkage.training import Training
    from shrinkage.tune import Plan
    from shrinkage.tune.joint import Budget

_SPENT = "spent"


@dataclass(frozen=True)
class Spent:
    """What the runs of a joint search took, as far as they came to their end.

    Parameters
    ----------
    seconds : float, default 0.0
        Up to the last fit.
    seats : int or None, default None
        Networks of the committee that were settled on.
    """

    seconds: float = 0.0
    seats: int | None = None

    @property
    def told(self) -> dict[str, Any]:
        """Facts for a study file."""
        return {_SPENT: {"seconds": self.seconds, "seats": self.seats}}

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> Spent:
        """Of a study file; nothing where it does not say."""
        from shrinkage.archive.kept_data import fact

        said = fact(connection, _SPENT) or {}
        seats = said.get("seats")
        return cls(float(said.get("seconds", 0.0)), None if not seats else int(seats))


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a run wanted to try, from its plan in a study file.

    Parameters
    ----------
    network : Network
        Of all of it.
    training : Training
        How.
    seed : int
        Of everything random.
    plan : Plan or None
        Of a search; None for an exhibit alone.
    budget : Budget or None
        Of a joint search; None for a λ path.
    committee : int
        Of a joint search.
    exhibits : tuple of Exhibit
        Beside a search, or one alone.
    """

    network: Network
    training: Training
    seed: int
    plan: Plan | None
    budget: Budget | None
    committee: int
    exhibits: tuple[Exhibit, ...]

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Wanted:
        """From JSON; :class:`shrinkage.archive.records.Unreadable` where it makes no sense."""
        from shrinkage.archive.reading import plan_fields
        from shrinkage.cli.exhibits import kinds
        from shrinkage.tune import Plan
        from shrinkage.tune.joint import Budget

        values = plan_fields(said)
        made = kinds()
        exhibits = tuple(
            made[name](**dict(settings)) for name, settings in values.pop("exhibits", ())
        )
        joint = values.pop("joint", None)
        return cls(
            network=values["network"],
            training=values["training"],
            seed=values["seed"],
            plan=Plan(**values) if "penalties" in values else None,
            budget=None if joint is None else Budget(*joint[:2]),
            committee=1 if joint is None else int(joint[2]),
            exhibits=exhibits,
        )

    @classmethod
    def followed(cls, study: Study) -> Wanted | None:
        """From the trials alone, where the plan is lost; None where these are no λ path.

        How a point is chosen does not follow from them, and is as by default; nor does the seed.
        """
        from shrinkage.network import Network
        from shrinkage.scores import default_metric
        from shrinkage.tune import Plan

        trials, data = study.trials, study.data
        networks = {
            replace(trial.network, inputs=data.full.n_inputs)
            for trial in trials
            if isinstance(trial.network, Network)
        }
        trainings = {replace(trial.training, relaxed_epochs=0) for trial in trials}
        penalties = tuple(dict.fromkeys(t.penalty for t in trials if t.penalty is not None))
        plain = not study.names and all(trial.rows is None for trial in trials)
        if not (plain and len(networks) == len(trainings) == 1 and penalties):
            return None
        (network,), (training,) = networks, trainings
        lambdas = tuple(sorted({trial.lam for trial in trials if trial.penalty is not None}))
        metric = default_metric(data.task)
        plan = Plan(network, training, penalties, lambdas=lambdas, metric=metric)
        return cls(network, training, plan.seed, plan, None, 1, ())

    def basis(self, data: Data) -> Basis:
        """What an exhibit alone starts from."""
        from shrinkage.exhibits import Basis

        return Basis(data, self.network, self.training, self.seed)


def told_basis(basis: Basis) -> dict[str, Any]:
    """What every fit of a study shares."""
    from shrinkage.archive.records import told

    return {name: told(getattr(basis, name)) for name in ("network", "training", "seed")}


def told_plan(plan: Plan, joint: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A plan, and with it the budget and the committee of a joint search."""
    from shrinkage.archive import told_fields
    from shrinkage.archive.records import told

    found = told_fields(plan)
    if joint is not None:
        budget = joint["budget"]
        found["joint"] = told((budget.seconds, budget.fits, joint["committee"]))
    return found


def told_exhibits(exhibits: Sequence[Exhibit]) -> dict[str, Any]:
    """Exhibits with their settings; nothing where there is none."""
    from shrinkage.archive.records import told

    found = tuple(
        (
            exhibit.name,
            tuple((one.name, getattr(exhibit, one.name)) for one in fields(exhibit)),  # type: ignore[arg-type]  # a dataclass, as the protocol says in words
        )
        for exhibit in exhibits
    )
    return {"exhibits": told(found)} if found else {}
