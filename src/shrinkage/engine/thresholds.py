"""A soft threshold in an optimizer's metric, in one pass over flat arrays.

On a processor the passes are what costs: dividing, taking roots and clamping one after another
read and write every weight six times. Here it is once, between what the optimizer left in memory.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit


# Not `fastmath`: a weight that is NaN has to stay so, or a divergence would look like a zero.
@njit(nogil=True, error_model="numpy", cache=True)
def shrink_by_root(w: Any, v: Any, length: Any, added: Any) -> None:
    """Soft-threshold `w` (n,) by length / (√v + added), in place; zeros are +0.0.

    Parameters
    ----------
    w : array (n,)
        Weights.
    v : array (n,)
        Second moments.
    length, added : float
        In the type of `w`.
    """
    for i in range(w.size):
        threshold = length / (math.sqrt(v[i]) + added)
        lost = w[i] if abs(w[i]) <= threshold else math.copysign(threshold, w[i])
        w[i] -= lost
