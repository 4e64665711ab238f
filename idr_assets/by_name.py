"""Pixels, labels and objects of an image by its name, for scripts and notebooks. No Dagster instance is needed.

YAML files are read once in a process.
"""

from typing import TYPE_CHECKING

from idr_assets.images import DEFINITIONS, find_image, find_segmentation, load_definitions

if TYPE_CHECKING:
    import dask.array as da
    import pandas as pd


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
    level = image.find_level()
    image.check(level)
    image.probe(level)
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
