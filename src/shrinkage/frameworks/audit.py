"""What regularizes each parameter of a network now, and what is wrong with that: the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from shrinkage.conventions.wording import shown
from shrinkage.frameworks.parameters import Parameter
from shrinkage.penalties import Penalty

How = Literal["loss", "gradient", "decoupled", "proximal", "limit", "outputs", "unknown"]
"""In the loss; added to the gradient by the optimizer; taken off each weight apart from it; as a
proximal step; a limit on norms or signs; a penalty on a layer's outputs; not known here."""
Severity = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Action:
    """One thing that acts on a parameter.

    Parameters
    ----------
    setting : str
        In the framework's own words: ``"AdamW(weight_decay=0.01)"``.
    how : str
        In which way; see :data:`How`.
    l1, l2 : float, default 0.0
        Our λ₁ and λ₂.
    group : float, default 0.0
        Our λ of a group lasso.
    decay : float, default 0.0
        Of decoupled decay: learning rate · weight decay, the share that each step takes off.
    """

    setting: str
    how: How
    l1: float = 0.0
    l2: float = 0.0
    group: float = 0.0
    decay: float = 0.0

    @property
    def shrinks(self) -> bool:
        """Whether it pulls weights towards zero."""
        return self.how in ("loss", "gradient", "decoupled", "proximal")

    @property
    def words(self) -> str:
        """How strong it is, in the one convention."""
        if self.how == "decoupled":
            return f"no λ: lr · wd = {short(self.decay)} a step"
        if self.how == "limit":
            return "no λ: a limit"
        if self.how == "outputs":
            return "no λ: on outputs"
        if self.how == "unknown":
            return "not known"
        named = (("λ₁", self.l1), ("λ₂", self.l2), ("group λ", self.group))
        parts = [f"{name} = {short(value)}" for name, value in named if value]
        return ", ".join(parts) or "λ = 0 now"


@dataclass(frozen=True)
class Row:
    """A parameter with all that acts on it.

    Parameters
    ----------
    parameter : Parameter
        What it is.
    actions : tuple of Action, default ()
        What regularizes it.
    """

    parameter: Parameter
    actions: tuple[Action, ...] = ()

    @property
    def shrinking(self) -> tuple[Action, ...]:
        """Those of its actions that pull towards zero."""
        return tuple(action for action in self.actions if action.shrinks)


@dataclass(frozen=True)
class Flag:
    """Something that is wrong, or easily misread.

    Parameters
    ----------
    check : str
        What was looked for, in a few words: ``"decay on biases"``.
    severity : str
        ``"error"``: it does not do what it says; ``"warning"``: it does what is better not done;
        ``"note"``: good to know.
    sentence : str
        What, and why that matters.
    where : tuple of str, default ()
        Names of the parameters or layers.
    remedy : str, default ""
        What to do.
    code : str, default ""
        A line that does it.
    """

    check: str
    severity: Severity
    sentence: str
    where: tuple[str, ...] = ()
    remedy: str = ""
    code: str = ""


@dataclass(frozen=True)
class Audit:
    """Every parameter of a network, what regularizes it, and what is wrong with that.

    Printed it is a plain table, in a notebook an HTML table.

    Parameters
    ----------
    framework : str
        ``"PyTorch"`` or ``"Keras"``.
    network : str
        Its class or its name.
    optimizer : str
        With its settings; empty where there is none.
    rows : tuple of Row
        One for each parameter, in the order of the network.
    flags : tuple of Flag
        The most severe first.

    Examples
    --------
    >>> kernel = Parameter("0.weight", "hidden kernel", "0", "Linear", (8, 4), trainable=True)
    >>> decay = Action("SGD(weight_decay=0.1)", "gradient", l2=0.1)
    >>> print(Audit("PyTorch", "Net", "", (Row(kernel, (decay,)),)))
    PyTorch Net: 1 parameter of 32 numbers, 32 of them in hidden kernels
    <BLANKLINE>
    parameter  kind           shape  what acts on it now    in one convention  flag
    0.weight   hidden kernel  8 × 4  SGD(weight_decay=0.1)  λ₂ = 0.1
    <BLANKLINE>
    Nothing is flagged.
    """

    framework: str
    network: str
    optimizer: str
    rows: tuple[Row, ...]
    flags: tuple[Flag, ...] = field(default=())

    @property
    def flagged(self) -> bool:
        """Whether anything is an error or a warning."""
        return any(flag.severity != "note" for flag in self.flags)

    @property
    def title(self) -> str:
        """The network and its size, in one line."""
        parameters = [row.parameter for row in self.rows]
        count, numbers = len(parameters), sum(each.size for each in parameters)
        inside = sum(each.size for each in parameters if each.kind == "hidden kernel")
        plural = "" if count == 1 else "s"
        return (
            f"{self.framework} {self.network}: {count} parameter{plural} of {numbers:,} numbers, "
            f"{inside:,} of them in hidden kernels"
        )

    def flags_of(self, parameter: Parameter) -> tuple[int, ...]:
        """Tell which flags name a parameter.

        Parameters
        ----------
        parameter : Parameter
            Of one of the rows.

        Returns
        -------
        tuple of int
            Their numbers, from 1, as they are printed.
        """
        return tuple(
            number
            for number, flag in enumerate(self.flags, start=1)
            if parameter.name in flag.where
        )

    def to_frame(self) -> Any:
        """The table as a data frame.

        Returns
        -------
        pandas.DataFrame
            One row for each parameter: ``parameter``, ``kind``, ``layer``, ``layer_type``,
            ``shape``, ``numbers``, ``trainable``, ``setting`` and ``how`` (of several actions with
            semicolons), ``lambda1`` and ``lambda2`` and ``group_lambda`` in the one convention,
            ``decay_per_step`` (learning rate · weight decay, which has no λ) and ``flags`` (the
            checks that name it, with semicolons).
        """
        import pandas as pd

        return pd.DataFrame([self._line(row) for row in self.rows])

    def _line(self, row: Row) -> dict[str, Any]:
        parameter, actions = row.parameter, row.actions
        return {
            "parameter": parameter.name,
            "kind": parameter.kind,
            "layer": parameter.layer,
            "layer_type": parameter.layer_type,
            "shape": parameter.shape,
            "numbers": parameter.size,
            "trainable": parameter.trainable,
            "setting": "; ".join(action.setting for action in actions),
            "how": "; ".join(action.how for action in actions),
            "lambda1": sum(action.l1 for action in actions),
            "lambda2": sum(action.l2 for action in actions),
            "group_lambda": sum(action.group for action in actions),
            "decay_per_step": sum(action.decay for action in actions),
            "flags": "; ".join(self.flags[n - 1].check for n in self.flags_of(parameter)),
        }

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data, for JSON.

        Returns
        -------
        dict
            ``framework``, ``network``, ``optimizer``, ``parameters`` and ``flags``.
        """
        parameters = []
        for row in self.rows:
            facts = asdict(row.parameter)
            facts |= {"shape": list(facts["shape"]), "shared": list(facts["shared"])}
            facts["numbers"] = row.parameter.size
            facts["actions"] = [asdict(a) | {"words": a.words} for a in row.actions]
            facts["flags"] = list(self.flags_of(row.parameter))
            parameters.append(facts)
        flags = [asdict(flag) | {"where": list(flag.where)} for flag in self.flags]
        return {
            "framework": self.framework,
            "network": self.network,
            "optimizer": self.optimizer,
            "parameters": parameters,
            "flags": flags,
        }

    def __str__(self) -> str:
        from shrinkage.frameworks.audit_text import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from shrinkage.frameworks.audit_html import as_html

        return as_html(self)


def of_penalty(setting: str, how: How, penalty: Penalty, lam: float) -> Action:
    """A penalty of this package with its λ, as it acts on a weight."""
    return Action(
        setting, how, lam * penalty.l1_share, lam * penalty.l2_share, lam * penalty.group_share
    )


def ordered(flags: Sequence[Flag]) -> tuple[Flag, ...]:
    """The most severe first, else as they come."""
    return tuple(sorted(flags, key=lambda flag: SEVERITIES.index(flag.severity)))


def short(number: float) -> str:
    """A number as people write it, without the last digits of single precision.

    Examples
    --------
    >>> short(0.0010000000474974513)
    '0.001'
    """
    return shown(float(f"{number:.6g}"))
