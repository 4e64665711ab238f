"""Pixels, labels and objects of an image by its name, for scripts and notebooks; no Dagster instance is needed.

`name` is that of the folder that holds the image's YAML; `module` are the definitions of the project, those of another
one by their name. YAML files are read once in a process.
"""

from typing import TYPE_CHECKING

from idr_assets.images import DEFINITIONS, find_image, find_segmentation, load_definitions

if TYPE_CHECKING:
    import dask.array as da
    import pandas as pd


def open_pixels(name: str, *, module: str = DEFINITIONS) -> "da.Array":
    """Open the level that is segmented as a lazy (t, c, z, y, x) dask array of the stored dtype, in its chunks.

    Choose the planes that are wanted by one slice, and compute that: each compute builds the graph of all chunks, which
    takes 1.5 s where these are a million. Raises `ImageError` for an unknown name, which lists those that there are,
    and for an image that is not there or not as its YAML says, of which a little is read. Computing raises `ImageError`
    where a plane is missing or cannot be read.
    """
    image = find_image(load_definitions(module), name)[0]
    level = image.find_level()
    image.check(level)
    image.probe(level)
    return level.lazy()


def open_labels(name: str, segmentation: str | None = None, *, module: str = DEFINITIONS) -> "da.Array":
    """Open the stored labels as a lazy (t, c, z, y, x) dask array of int32, a plane a chunk or cut in y and x.

    0 is background, 1..n one object each, numbered in the plane; indices are those of `open_pixels`. `segmentation` is
    needed where the YAML names several. Raises `ImageError` for an unknown name, which lists those that there are, and
    before any plane was segmented. Computing raises `ImageError`, which names the plane, where one is not stored.
    """
    return find_segmentation(load_definitions(module), name, segmentation).open_output().lazy()


def read_objects(name: str, segmentation: str | None = None, *, module: str = DEFINITIONS) -> "pd.DataFrame":
    """Read the objects of the window's timepoints as one frame, a row each, in the order t, c, z, label.

    Its columns and units are those of docs/outputs.md. `segmentation` is needed where the YAML names several. Raises
    `ImageError` for an unknown name, which lists those that there are, and before anything was measured.
    """
    from idr_assets.imaging.objects import objects_frame  # noqa: PLC0415  half a second, for a frame alone

    image = find_segmentation(load_definitions(module), name, segmentation)
    return objects_frame(list(image.objects_urls.values()))
