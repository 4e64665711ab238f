"""Types of the parameters of segmentation functions, with the bounds that a YAML is checked for."""

import math
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt
from pydantic import AfterValidator


def _check_rising(values: tuple[float, float]) -> tuple[float, float]:
    if values[0] >= values[1]:
        message = "the first is not below the second"
        raise ValueError(message)
    return values


type NotNegative = Annotated[float, Ge(0), Lt(math.inf)]
type Positive = Annotated[float, Gt(0), Lt(math.inf)]
type Share = Annotated[float, Gt(0), Le(1)]
type Percentile = Annotated[float, Ge(0), Le(100)]
type Percentiles = Annotated[tuple[Percentile, Percentile], AfterValidator(_check_rising)]
