"""Every penalty by name, and how a point of the path is called."""

from __future__ import annotations

import numpy as np

from shrinkage.errors import require_known
from shrinkage.penalties.group_lasso import GroupLasso
from shrinkage.penalties.penalty import Penalty
from shrinkage.penalties.separable import L1, L2, ElasticNet

PENALTIES: dict[str, Penalty] = {
    penalty.name: penalty
    for penalty in (L1(), L2(), ElasticNet(), GroupLasso("units"), GroupLasso("inputs"))
}
"""Every penalty by name, with its default settings."""


def parse_penalty(name: str) -> Penalty:
    """The penalty that a user names.

    Parameters
    ----------
    name : str
        A key of :data:`PENALTIES`, in any case, with ``-``, ``_`` or a space between words.

    Returns
    -------
    Penalty
        With its default settings.

    Raises
    ------
    SettingError
        On an unknown name, with a suggestion.

    Examples
    --------
    >>> parse_penalty("Elastic-Net")
    ElasticNet(l1_ratio=0.5)
    """
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    if key not in PENALTIES:
        require_known("penalty", name, PENALTIES)
    return PENALTIES[key]


def describe(penalty: Penalty | None, lam: float) -> str:
    """A point of the path, for people.

    Examples
    --------
    >>> describe(L2(), 0.01), describe(None, 0.0)
    ('L2, λ = 0.01', 'no penalty')
    """
    if penalty is None or lam == 0.0:
        return "no penalty"
    return f"{penalty.label}, λ = {describe_lambda(lam)}"


def describe_lambda(lam: float) -> str:
    """λ with three digits, for people: no powers of ten unless it takes a dozen zeros.

    Examples
    --------
    >>> describe_lambda(1e-05), describe_lambda(0.03162), describe_lambda(1000.0)
    ('0.00001', '0.0316', '1,000')
    """
    rounded = float(f"{lam:.3g}")
    if rounded and not 1e-9 <= rounded < 1e9:
        return f"{rounded:.3g}"
    if rounded >= 1000:
        return f"{rounded:,.0f}"
    return np.format_float_positional(rounded, trim="-")
