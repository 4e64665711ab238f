"""Segment public microscopy images plane by plane, with lineage."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from idr_assets.dask_cluster import DaskCluster
    from idr_assets.segmented_image import SegmentedImage

__all__ = ["DaskCluster", "SegmentedImage"]

_MODULES = {"DaskCluster": "idr_assets.dask_cluster", "SegmentedImage": "idr_assets.segmented_image"}


# Dagster is imported with the first component only: dask workers use `imaging` and need none of it.
def __getattr__(name: str) -> object:
    if name not in _MODULES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return __all__
