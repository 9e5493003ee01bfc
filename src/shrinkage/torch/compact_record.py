"""What is left of a module, in numbers and as a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class LayerSize:
    """Units or channels that a layer gives.

    Parameters
    ----------
    name : str
        Of the layer, as its module calls it.
    before, after : int
        How many there were, and how many are left.

    Examples
    --------
    >>> print(LayerSize("hidden", before=128, after=12))
    12 of 128 in 'hidden'
    """

    name: str
    before: int
    after: int

    def __str__(self) -> str:
        return f"{self.after:,} of {self.before:,} in '{self.name}'"


@dataclass(frozen=True, eq=False)
class CompactedModule:
    """What is left of a module.

    Parameters
    ----------
    module : torch.nn.Module
        The smaller one. Of the original's class, unless its ``forward`` has numbers of channels
        written out: then a :class:`torch.fx.GraphModule` with the numbers of now. Where inputs are
        left out and `keep_inputs`, it stands inside a module that takes all and selects.
    layers : tuple of LayerSize
        Every linear and convolutional layer that could be cut, in the order of the computation.
    columns : tuple of int
        Inputs that are needed, rising: columns of rows, channels of images, or numbers of a
        flattened row.
    all_columns : int
        How many there were.
    before, after : int
        Parameters of the original and of the smaller module.
    rows : int
        Rows on which both were compared.
    drawn : bool
        Whether these were drawn; else they were given.
    difference : float
        Largest absolute difference of an output.
    relative : float
        The same in shares of the largest output.
    notes : tuple of str, default ()
        Why channels stay that could go otherwise, each a sentence.

    Examples
    --------
    >>> import torch
    >>> from shrinkage.torch import compact
    >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    >>> with torch.no_grad():
    ...     _ = model[0].weight[1:].zero_(), model[0].weight[:, 2].zero_()
    >>> small = compact(model)
    >>> small.columns, [str(layer) for layer in small.layers]
    ((0, 1), ["1 of 4 in '0'", "1 of 1 in '2'"])
    """

    module: nn.Module
    layers: tuple[LayerSize, ...]
    columns: tuple[int, ...]
    all_columns: int
    before: int
    after: int
    rows: int
    drawn: bool
    difference: float
    relative: float
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.after == self.before:
            return " ".join([f"Nothing can be removed of {self.before:,} parameters.", *self._kept])
        changed = [str(layer) for layer in self.layers if layer.after < layer.before]
        if len(self.columns) < self.all_columns:
            changed.append(f"{len(self.columns):,} of {self.all_columns:,} inputs")
        apart = f"differ by at most {self.relative:.0e} of the largest".replace("e-0", "e-")
        same = apart if self.difference else "are equal"
        rows = f"{self.rows:,} {'drawn ' * self.drawn}row{'s' * (self.rows != 1)}"
        told = (
            f"Of {self.before:,} parameters {self.after:,} are left "
            f"({_percent(self.after / self.before)}): {', '.join(changed)}. The smaller module's "
            f"outputs {same} on {rows}."
        )
        return " ".join([told, *self._kept])

    @property
    def _kept(self) -> list[str]:
        return [f"{note[0].upper()}{note[1:]}." for note in self.notes]


def _percent(share: float) -> str:
    return f"{100 * share:.2g}%" if share < 0.1 else f"{share:.0%}"
