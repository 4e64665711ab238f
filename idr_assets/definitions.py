"""Entry point of the Dagster code location: loads what stands below `defs/`."""

from functools import cache
from pathlib import Path

import dagster as dg

from idr_assets.tolerant_load import load_project


@dg.definitions
@cache  # a run asks six times, and each load takes half a second
def defs() -> dg.Definitions:
    """Load every image and shared resource; nothing is read from network or images."""
    return load_project(Path(__file__).parent)
