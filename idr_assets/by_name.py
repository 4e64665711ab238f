"""Open pixels, labels and objects of an image by name, in scripts and notebooks, without a Dagster instance.

Each process reads the YAML files once.
"""

from typing import TYPE_CHECKING

from idr_assets.project import find_image, find_segmentation, load_definitions

if TYPE_CHECKING:
    import dask.array as da
    import pandas as pd


def open_pixels(name: str, *, module: str | None = None) -> "da.Array":
    """Open the level of an image as a lazy array.

    Slice the planes that you want once, then compute. Each `compute` builds the graph of all chunks, which takes 1.5 s
    for a million chunks.

    Parameters
    ----------
    name
        Name of the image, which is the name of its YAML's folder.
    module
        Module with the Dagster definitions, by default those of the project around the working folder.

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


def open_labels(name: str, segmentation: str | None = None, *, module: str | None = None) -> "da.Array":
    """Open the stored labels of an image as a lazy array.

    Parameters
    ----------
    name
        Name of the image, which is the name of its YAML's folder.
    segmentation
        Name of the segmentation, if the YAML has several.
    module
        Module with the Dagster definitions, by default those of the project around the working folder.

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


def read_objects(name: str, segmentation: str | None = None, *, module: str | None = None) -> "pd.DataFrame":
    """Read the objects of all timepoints of the window.

    Parameters
    ----------
    name
        Name of the image, which is the name of its YAML's folder.
    segmentation
        Name of the segmentation, if the YAML has several.
    module
        Module with the Dagster definitions, by default those of the project around the working folder.

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
