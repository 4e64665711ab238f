"""Segment public microscopy images plane by plane, with lineage."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from idr_assets.by_name import open_labels, open_pixels, read_objects
    from idr_assets.components.dask_cluster import DaskCluster
    from idr_assets.components.segmented_image import SegmentedImage
    from idr_assets.components.segmented_images import SegmentedImages
    from idr_assets.components.segmented_plate import SegmentedPlate
    from idr_assets.tolerant_load import load_project

__all__ = [
    "DaskCluster",
    "SegmentedImage",
    "SegmentedImages",
    "SegmentedPlate",
    "load_project",
    "open_labels",
    "open_pixels",
    "read_objects",
]

_MODULES = {
    "DaskCluster": "idr_assets.components.dask_cluster",
    "SegmentedImage": "idr_assets.components.segmented_image",
    "SegmentedImages": "idr_assets.components.segmented_images",
    "load_project": "idr_assets.tolerant_load",
    "SegmentedPlate": "idr_assets.components.segmented_plate",
    "open_labels": "idr_assets.by_name",
    "open_pixels": "idr_assets.by_name",
    "read_objects": "idr_assets.by_name",
}


# Dagster is imported with the first of these only: dask workers use `imaging` and need none of it.
def __getattr__(name: str) -> object:
    if name not in _MODULES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return __all__
