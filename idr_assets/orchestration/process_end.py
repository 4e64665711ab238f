"""Let the process of a run end fast."""

import atexit
import gc
from functools import cache


@cache
def skip_last_garbage() -> None:
    """End this process without a last garbage collection, which takes a quarter of a run's time.

    Python skips frozen objects.
    """
    atexit.register(gc.freeze)
