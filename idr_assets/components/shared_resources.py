"""The resources that all images of a project share; Dagster describes each job with all resources of the project."""

from collections.abc import Iterable
from weakref import WeakKeyDictionary

import dagster as dg

from idr_assets.components.dask_cluster import default_resources
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.io_manager import ImageIO

_IO: WeakKeyDictionary[object, ImageIO] = WeakKeyDictionary()
"""What loads the values of the images of each load of a project."""


def shared_resources(images: Iterable[Image], context: dg.ComponentLoadContext) -> dict[str, dg.ResourceDefinition]:
    """Add images to those that the resources of this load of a project serve, and return these."""
    io = _IO.setdefault(context.component_tree.state_tracker, ImageIO())
    io.add(images)
    return {Image.io: io, **default_resources(context)}
