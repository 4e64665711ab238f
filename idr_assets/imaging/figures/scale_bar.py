"""The length of a scale bar, in figures and on the page."""

import math


def round_length(length: float) -> float:
    """Return the length 1, 2 or 5 times a power of ten that is closest to `length` > 0 on a log scale."""
    decade = 10.0 ** math.floor(math.log10(length))
    return min((decade * step for step in (1, 2, 5, 10)), key=lambda near: abs(math.log(near / length)))
