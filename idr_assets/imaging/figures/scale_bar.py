"""How long a scale bar is, in figures and on the page."""

import math


def round_length(length: float) -> float:
    """Return 1, 2 or 5 times the power of ten that comes closest to `length` > 0 on a log scale."""
    decade = 10.0 ** math.floor(math.log10(length))
    return min((decade * step for step in (1, 2, 5, 10)), key=lambda near: abs(math.log(near / length)))
