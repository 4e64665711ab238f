"""Types of the parameters of segmentation functions, with the bounds that a YAML is checked for."""

import math
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

type NotNegative = Annotated[float, Ge(0), Lt(math.inf)]
type Positive = Annotated[float, Gt(0), Lt(math.inf)]
type Share = Annotated[float, Gt(0), Le(1)]
