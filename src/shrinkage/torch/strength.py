"""λ of every penalized parameter, and how it changes from step to step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from types import MappingProxyType
from typing import Any

from shrinkage.errors import SettingError, require_known
from shrinkage.frameworks.parameters import Parameter
from shrinkage.frameworks.selectors import chosen
from shrinkage.training import LAM_SCHEDULES, ramp

Lam = float | Sequence[float] | Mapping[str, float | Sequence[float]]
"""One λ for all, one for each parameter in the order of the network, or by selector."""
Schedule = str | Callable[[int], float]
"""How λ rises ("constant", "linear" or "cosine"), or the share of it at each step, from 0."""


class Strength:
    """λ by parameter, a schedule, and the steps taken so far: the one place where they are.

    Parameters
    ----------
    parameters : sequence of Parameter
        The penalized ones, in the order of the network.
    lam : float, sequence of float, or mapping
        See :data:`Lam`.
    schedule : str or callable, default "constant"
        See :data:`Schedule`.
    steps : int, optional
        Steps in which ``"linear"`` and ``"cosine"`` rise from 0.

    Raises
    ------
    SettingError
        On a λ below 0 or not finite, a wrong number of them, a selector that names nothing, a
        parameter without λ, or a schedule that cannot be followed.
    """

    def __init__(
        self,
        parameters: Sequence[Parameter],
        lam: Lam,
        schedule: Schedule = "constant",
        steps: int | None = None,
    ) -> None:
        self._parameters = tuple(parameters)
        self._lam: dict[str, float] = {}
        self.step = 0
        self.schedule: Schedule = schedule
        self.steps = steps
        _require_schedule(schedule, steps)
        self.set_all(lam)
        without = [p.name for p in self._parameters if p.name not in self._lam]
        if without:
            raise SettingError(
                f"lam gives no λ for '{without[0]}', which is penalized; name it too, or set its "
                "λ to 0"
            )

    @property
    def lam(self) -> Mapping[str, float]:
        """λ of each parameter by its name, before the schedule; read only."""
        return MappingProxyType(self._lam)

    def set_all(self, lam: Lam) -> None:
        """One λ for all parameters, one for each, or by selector; whatever is not named keeps its.

        Raises
        ------
        SettingError
            As for the class. Nothing has changed then.
        """
        if isinstance(lam, Mapping):
            found: dict[str, float] = {}
            for selector, value in lam.items():
                found |= self._read(chosen(selector, self._parameters), value, f"'{selector}'")
        else:
            found = self._read(self._parameters, lam, "the penalty")
        known = self._lam | found
        self._lam = {p.name: known[p.name] for p in self._parameters if p.name in known}

    def set(self, selector: str | Sequence[str], value: float | Sequence[float]) -> None:
        """λ of the penalized parameters that a selector names, one for all or one for each.

        Raises
        ------
        SettingError
            As for the class.
        """
        named = selector if isinstance(selector, str) else ", ".join(selector)
        self._lam |= self._read(chosen(selector, self._parameters), value, f"'{named}'")

    def share(self) -> float:
        """The schedule's factor at this step."""
        if isinstance(self.schedule, str):
            return ramp(self.schedule, self.step, self.steps or 1)
        found = self.schedule(self.step)
        if not isinstance(found, Real) or not 0 <= float(found) < math.inf:
            raise SettingError(
                f"the λ schedule returned {found!r} at step {self.step}; it has to return λ's "
                "share at that step, 0 or a positive, finite number"
            )
        return float(found)

    def state_dict(self) -> dict[str, Any]:
        """Plain numbers and names; a schedule that is a function is not among them."""
        named = self.schedule if isinstance(self.schedule, str) else None
        return {"step": self.step, "lam": dict(self._lam), "schedule": named, "steps": self.steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where :meth:`state_dict` was called; a function as schedule stays.

        Raises
        ------
        SettingError
            When the state is of other parameters.
        """
        missing = {"lam", "schedule", "steps", "step"} - state.keys()
        if missing:
            raise SettingError(
                f"the saved state has no '{sorted(missing)[0]}', so it is not one of penalties; "
                "load what state_dict() gave"
            )
        saved, own = set(state["lam"]), {p.name for p in self._parameters}
        if saved != own:
            other = sorted(saved ^ own)[0]
            where = "the saved λ, but not of this network" if other in saved else "no saved λ"
            raise SettingError(
                f"the saved state is of other parameters: '{other}' has {where}; build the same "
                "penalties before loading"
            )
        schedule, steps = state["schedule"], state["steps"]
        if schedule is not None and isinstance(self.schedule, str):
            _require_schedule(schedule, steps)
            self.schedule, self.steps = schedule, steps
        self.set_all(state["lam"])
        self.step = int(state["step"])

    def _read(self, named: Sequence[Parameter], value: Any, what: str) -> dict[str, float]:
        if hasattr(value, "tolist"):  # an array or a tensor of numbers
            value = value.tolist()
        if isinstance(value, Sequence) and not isinstance(value, str):
            if len(value) != len(named):
                names = ", ".join(p.name for p in named[:4]) + (", …" if len(named) > 4 else "")
                raise SettingError(
                    f"lam has {len(value)} values for {what}, which acts on {len(named)} "
                    f"parameters ({names}); give one for each, or a single number"
                )
            return {p.name: _number(one, p.name) for p, one in zip(named, value)}
        return {p.name: _number(value, p.name) for p in named}


def _require_schedule(schedule: object, steps: object) -> None:
    if callable(schedule):
        if steps is not None:
            raise SettingError("steps is of a ramp; a function as schedule knows its own")
        return
    if not isinstance(schedule, str):
        raise SettingError(
            f"the λ schedule is {schedule!r}; it has to be one of {', '.join(LAM_SCHEDULES)}, or "
            "a function of the step"
        )
    require_known("λ schedule", schedule, LAM_SCHEDULES)
    if schedule != "constant" and (not isinstance(steps, int) or steps < 1):
        raise SettingError(
            f"steps is {steps}; a {schedule} schedule needs the number of steps, at least 1, in "
            "which λ rises"
        )


def _number(value: Any, name: str) -> float:
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= float(value) < math.inf:
        raise SettingError(
            f"λ of '{name}' is {value!r}; it has to be 0 or a positive, finite number"
        )
    return float(value)
