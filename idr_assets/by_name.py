"""Open pixels, labels and objects of an image by name, in scripts and notebooks, without a Dagster instance.

Each process reads the YAML files once.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import dagster as dg

from idr_assets.imaging.errors import ImageError
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.io_manager import ImageIO

if TYPE_CHECKING:
    import dask.array as da
    import pandas as pd

DEFINITIONS = "idr_assets.definitions"
"""Module with this project's definitions."""


def open_pixels(name: str, *, module: str = DEFINITIONS) -> "da.Array":
    """Open the level of an image as a lazy array.

    Slice the planes that you want once, then compute. Each `compute` builds the graph of all chunks, which takes 1.5 s
    for a million chunks.

    Parameters
    ----------
    name
        Name of the image, which is the name of its YAML's folder.
    module
        Module with the Dagster definitions.

    Returns
    -------
    dask.array.Array
        The source (t, c, z, y, x), with its own dtype and chunks.

    Raises
    ------
    ImageError
        If no image has this name (the message lists the names), or if the store does not match the YAML; this check
        reads a little of the image. Computing raises it if a plane is missing or cannot be read.
    """
    image = find_image(load_definitions(module), name)[0]
    level = image.source.open()
    image.source.check(level)
    image.source.probe(level, image.window)
    return level.lazy()


def open_labels(name: str, segmentation: str | None = None, *, module: str = DEFINITIONS) -> "da.Array":
    """Open the stored labels of an image as a lazy array.

    Parameters
    ----------
    name
        Name of the image, which is the name of its YAML's folder.
    segmentation
        Name of the segmentation, if the YAML has several.
    module
        Module with the Dagster definitions.

    Returns
    -------
    dask.array.Array
        Labels (t, c, z, y, x) as int32, with the same indices as `open_pixels`: 0 is background, 1..n are the objects
        of a plane. A chunk is a plane or a part of one.

    Raises
    ------
    ImageError
        If no image has this name (the message lists the names), or if no plane was segmented yet. Computing raises it
        if a plane is not stored, and names the plane.
    """
    return find_segmentation(load_definitions(module), name, segmentation).open_output().lazy()


def read_objects(name: str, segmentation: str | None = None, *, module: str = DEFINITIONS) -> "pd.DataFrame":
    """Read the objects of all timepoints of the window.

    Parameters
    ----------
    name
        Name of the image, which is the name of its YAML's folder.
    segmentation
        Name of the segmentation, if the YAML has several.
    module
        Module with the Dagster definitions.

    Returns
    -------
    pandas.DataFrame
        One row per object, in the order t, c, z, label. docs/reference/outputs.md lists columns and units.

    Raises
    ------
    ImageError
        If no image has this name (the message lists the names), or if nothing was measured yet.
    """
    from idr_assets.imaging.objects.tables import objects_frame  # noqa: PLC0415  half a second, for a frame alone

    image = find_segmentation(load_definitions(module), name, segmentation)
    return objects_frame(list(image.objects_urls.values()))


def load_definitions(module: str = DEFINITIONS) -> dg.Definitions:
    """Load the definitions of a project from its module: an object or a function `defs`. Reads no image.

    Raises
    ------
    ImageError
        If the module has no definitions, or cannot be loaded, for example because of an invalid YAML, which it names.

    """
    try:
        found = getattr(import_module(module), "defs", None)
        definitions = found() if callable(found) else found
    except Exception as error:
        message = f"{module} cannot be loaded, so nothing was done: {error.__cause__ or error}"
        raise ImageError(message) from error
    if not isinstance(definitions, dg.Definitions):
        message = (
            f"Module {module!r} has no definitions `defs`, so no image is known. Name another, such as {DEFINITIONS}."
        )
        raise ImageError(message)
    return definitions


def find_image(definitions: dg.Definitions, name: str) -> Sequence[Image]:
    """Find an image, once for each of its segmentations; raise `ImageError` with the known names otherwise."""
    of_images = [it for it in (definitions.resources or {}).values() if isinstance(it, ImageIO)]
    images = {it.images[0].name: it.images for it in of_images}
    if name not in images:
        message = f"There is no image {name!r}, so nothing was done. Choose from: {', '.join(sorted(images))}."
        raise ImageError(message)
    return images[name]


def find_segmentation(definitions: dg.Definitions, name: str, segmentation: str | None) -> Image:
    """Find an image with the named segmentation, or its only one; raise `ImageError` with the known names otherwise."""
    images = find_image(definitions, name)
    wanted = [image for image in images if segmentation in {None, image.segmentation}]
    if len(wanted) != 1:
        raise ImageError(_unclear(name, segmentation, [image.segmentation for image in images if image.segmentation]))
    return wanted[0]


def _unclear(name: str, segmentation: str | None, known: list[str]) -> str:
    problem = f"no segmentation {segmentation!r}" if segmentation else "several segmentations"
    remedy = f"Choose from: {', '.join(known)}" if known else "Leave `segmentation` out: its only one has no name"
    return f"{name} has {problem}, so nothing was done. {remedy}."
