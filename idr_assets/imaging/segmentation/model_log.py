"""What models took, for the log of a run: time to load, device and memory."""

import resource
import sys
from collections.abc import Iterable
from contextlib import suppress

from distributed import Client

from idr_assets.imaging.segmentation.models.extras import find_versions
from idr_assets.imaging.segmentation.models.loading import list_models
from idr_assets.imaging.segmentation.recipe import Recipe

MOST_SECONDS = 5.0
"""For workers to answer."""


def describe_models(client: Client, recipe: Recipe) -> list[str]:
    """Say of each model of a recipe on each worker how it was loaded, what it labelled, and how much memory it took."""
    if not recipe.model:
        return []
    with suppress(OSError, TimeoutError):  # the cluster is lost
        found = client.run(_describe_own, on_error="ignore", callback_timeout=MOST_SECONDS)
        return [f"{worker}: {line}" for worker, lines in found.items() for line in lines]
    return []


def _describe_own() -> list[str]:
    memory = f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB"
    if (torch := sys.modules.get("torch")) and torch.cuda.is_available():
        memory += f", of the GPU {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB"
    return [
        f"{it.name} loaded its model in {it.seconds:.1f} s on {it.device}{_name(it.packages)}, and labelled "
        f"{it.planes} planes with it"
        + (f", for lack of memory at most {it.most} at once" if it.most < sys.maxsize else "")
        + f"; peak memory of the process: {memory}"
        for it in list_models()
    ]


def _name(packages: Iterable[str]) -> str:
    found = find_versions(packages)
    return f" ({', '.join(map(' '.join, found.items()))})" if found else ""
