"""How areas are put into the bars of a histogram."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

_BARS = 40  # at most, but for the one of the largest
_FEW, _MANY = 0.005, 20  # share of the objects that may stand apart, of so many objects or more
_FAR = 2  # times as large as all others


def bar_edges(areas: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Cut the range of areas into bars of as many whole pixels each.

    Where few objects are far larger than all others, which could then not be told apart, the last bar is theirs.
    """
    ordered = np.sort(areas)
    few = math.ceil(_FEW * areas.size) if areas.size >= _MANY else 0
    least, most, common = (int(ordered[at]) for at in (0, -1, -1 - few))
    apart = most > _FAR * common
    span = (common if apart else most) - least + 1
    step = -(-span // _BARS)
    bars = -(-span // step) + apart
    return least + step * np.arange(bars + 1)
