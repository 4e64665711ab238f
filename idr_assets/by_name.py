"""Pixels, labels and objects of an image by its name, for scripts and notebooks. No Dagster instance is needed.

YAML files are read once in a process.
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
"""Module of this project's definitions."""


def open_pixels(name: str, *, module: str = DEFINITIONS) -> "da.Array":
    """Open the level of an image as a lazy array.

    Take the planes that you want by one slice, and compute that. Each `compute` builds the graph of all chunks, which
    takes 1.5 s for a million of them.

    Parameters
    ----------
    name
        Name of the image: that of the folder with its YAML.
    module
        Module with the Dagster definitions that hold the image.

    Returns
    -------
    dask.array.Array
        The source (t, c, z, y, x), in its stored dtype and its own chunks.

    Raises
    ------
    ImageError
        If no image has this name, and the message lists the names; if the image does not exist or is not as its YAML
        says, which reads a little of it. Computing raises it if a plane is missing or cannot be read.
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
        Name of the image: that of the folder with its YAML.
    segmentation
        Name of the segmentation, if the YAML names several.
    module
        Module with the Dagster definitions that hold the image.

    Returns
    -------
    dask.array.Array
        Labels (t, c, z, y, x) of int32, with the same indices as `open_pixels`: 0 is background, 1..n one object each,
        numbered in the plane. A chunk is a plane, or a part of it.

    Raises
    ------
    ImageError
        If no image has this name, and the message lists the names; if no plane was segmented yet. Computing raises it
        if a plane is not stored, and the message names the plane.
    """
    return find_segmentation(load_definitions(module), name, segmentation).open_output().lazy()


def read_objects(name: str, segmentation: str | None = None, *, module: str = DEFINITIONS) -> "pd.DataFrame":
    """Read the objects of all timepoints of the window.

    Parameters
    ----------
    name
        Name of the image: that of the folder with its YAML.
    segmentation
        Name of the segmentation, if the YAML names several.
    module
        Module with the Dagster definitions that hold the image.

    Returns
    -------
    pandas.DataFrame
        A row for each object, in the order t, c, z, label. docs/reference/outputs.md lists columns and units.

    Raises
    ------
    ImageError
        If no image has this name, and the message lists the names; if nothing was measured yet.
    """
    from idr_assets.imaging.objects.tables import objects_frame  # noqa: PLC0415  half a second, for a frame alone

    image = find_segmentation(load_definitions(module), name, segmentation)
    return objects_frame(list(image.objects_urls.values()))


def load_definitions(module: str = DEFINITIONS) -> dg.Definitions:
    """Load the definitions of a project from its module, an object or a function `defs`; nothing of images is read.

    Raises `ImageError` where the module has none, or cannot be loaded, as with an invalid YAML, which it names.
    """
    try:
        found = getattr(import_module(module), "defs", None)
        definitions = found() if callable(found) else found
    except Exception as error:
        message = f"{module} cannot be loaded, so nothing was done: {error.__cause__ or error}"
        raise ImageError(message) from error
    if not isinstance(definitions, dg.Definitions):
        message = f"Module {module!r} has no definitions `defs`, so no image is known; name it, such as {DEFINITIONS}."
        raise ImageError(message)
    return definitions


def find_image(definitions: dg.Definitions, name: str) -> Sequence[Image]:
    """Find an image, once for each of its segmentations; `ImageError` lists the images that there are."""
    of_images = [it for it in (definitions.resources or {}).values() if isinstance(it, ImageIO)]
    images = {it.images[0].name: it.images for it in of_images}
    if name not in images:
        message = f"There is no image {name!r}, so nothing was done; there are: {', '.join(sorted(images))}."
        raise ImageError(message)
    return images[name]


def find_segmentation(definitions: dg.Definitions, name: str, segmentation: str | None) -> Image:
    """Find an image with the segmentation of this name, or with its only one; `ImageError` lists those that it has."""
    images = find_image(definitions, name)
    wanted = [image for image in images if segmentation in {None, image.segmentation}]
    if len(wanted) != 1:
        raise ImageError(_unclear(name, segmentation, [image.segmentation for image in images if image.segmentation]))
    return wanted[0]


def _unclear(name: str, segmentation: str | None, known: list[str]) -> str:
    asked = f"no segmentation {segmentation!r}" if segmentation else "several segmentations"
    there = f"name one of: {', '.join(known)}" if known else "leave `segmentation` out, for its only one has no name"
    return f"{name} has {asked}, so nothing was done; {there}."
