"""One network or several: what is gained by averaging the predictions of refits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shrinkage.data import Data, TestSet
from shrinkage.study import Fit
from shrinkage.verify.large import tested
from shrinkage.verify.performance import TOO_FEW, Effect, compared, predicted


@dataclass(frozen=True, eq=False)
class Committee:
    """The average of several refits beside one of them, on the test set.

    Parameters
    ----------
    size : int
        Networks that are averaged.
    label : str
        What each of them is: ``"L2, λ = 0.01"``.
    effects : tuple of Effect
        The loss first. Before: the mean over the networks of what each scores alone. After: what
        the mean of their predictions scores.
    """

    size: int
    label: str
    effects: tuple[Effect, ...]

    @property
    def sentence(self) -> str:
        """The gain of the committee, with its interval."""
        loss = self.effects[0]
        shown = [loss, *(one for one in self.effects if one.metric in _SHOWN)]
        changes = [
            f"{one.label} {_from_to(one)}"
            + (f" ({TOO_FEW})" if one.outcome == TOO_FEW else f" (difference {one.difference})")
            for one in shown
        ]
        verdict = {
            "better": "is better than",
            "worse": "is worse than",
            "no clear difference": "makes no clear difference to",
        }.get(loss.outcome, "cannot be told from")
        return f"The average of {self.size} networks {verdict} one of them: {'; '.join(changes)}."


_SHOWN = frozenset({"accuracy", "r2"})


def _from_to(effect: Effect) -> str:
    from shrinkage.intervals import decimals

    old, new = effect.before.estimate, effect.after.estimate
    places = decimals(old, new)
    return f"{old:.{places}f} → {new:.{places}f}"


def committee_of(fits: Sequence[Fit], label: str, data: Data, test: TestSet) -> Committee | None:
    """What averaging the predictions of `fits` gains.

    Parameters
    ----------
    fits : sequence of Fit
        Refits on every training row: of one recipe with different seeds, or of several recipes.
    label : str
        For people.
    data : Data
        Task, classes and the scale of the targets.
    test : TestSet
        The untouched rows.

    Returns
    -------
    Committee or None
        None with fewer than two fits that ended well.

    References
    ----------
    Hansen & Salamon (1990), "Neural network ensembles", IEEE Transactions on Pattern Analysis and
    Machine Intelligence 12(10).
    """
    good = [fit for fit in fits if fit.ok]
    if len(good) < 2:
        return None
    test = tested(test)
    alone = [predicted(fit, test.inputs) for fit in good]
    found, _, _ = compared(alone, [np.mean(alone, axis=0)], good[0].trial.training, data, test)
    return Committee(len(good), label, found) if found else None
