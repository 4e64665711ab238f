"""Entry point of the Dagster code location: loads what stands below `defs/`."""

import atexit
import gc
from functools import cache
from pathlib import Path

import dagster as dg

# At its end Python looks for garbage among all that was loaded, several times, which takes most of a second of each
# command and run. What is frozen it leaves alone.
atexit.register(gc.freeze)


@dg.definitions
@cache  # a run asks six times, and each load takes half a second
def defs() -> dg.Definitions:
    """Load every image and shared resource; nothing is read from network or images, and no variable but in a YAML."""
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
