"""Draw and write the comparison of segmentations."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import dagster as dg
import numpy as np

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.figures.comparison import MOST_PANEL, comparison
from idr_assets.imaging.objects.reference import Reference, open_reference
from idr_assets.imaging.output.thin_planes import Planes, read_thin_grid
from idr_assets.imaging.planes import LabelledPlane, Plane, thin
from idr_assets.orchestration.assets.metadata import describe_channels, describe_step, provenance, table
from idr_assets.orchestration.assets.work.agreement import REFERENCE, compared_window, write_agreement
from idr_assets.orchestration.assets.work.figure_file import write_figure
from idr_assets.orchestration.image import Image

MOST_COMPARED, MOST_OF_A_CHANNEL = 12, 6
"""Rows of the comparison at most, so that panels are large enough to see outlines."""

type Row = list[LabelledPlane | None]


def write_comparison(images: Sequence[Image]) -> dict[str, Any]:
    """Draw some planes of the window with the labels of each segmentation, and return the asset's metadata."""
    image, names, (rows, step) = images[0], [it.label_group for it in images], _rows(images)
    reference = _open_reference(image)
    if reference:
        names = [*names, REFERENCE]
        rows = {where: [*row, _show(reference, row, step)] for where, row in rows.items()}
    omitted = len(compared_window(images)) - len(rows)
    geometry = image.geometry
    channels = describe_channels(image, geometry.channels)
    sheet = comparison(
        rows,
        names,
        title=image.name,
        omitted=omitted,
        pixel_size=geometry.pixel_size and geometry.pixel_size * step,
        channels=channels,
        name_plane=image.name_plane,
    )
    written = write_figure(image.comparison_url, sheet, "comparison")
    ways = {f"{it.label_group}: {name}": found for it in images for name, found in provenance(it).items()}
    written |= describe_step(step) | {"objects": _counts(image, rows, names)}
    return written | write_agreement(images, reference) | ways


def _rows(images: Sequence[Image]) -> tuple[dict[tuple[int, int, int], Row], int]:
    """Read some planes of the window, evenly spread, with the labels of each segmentation; and see `read_thin_grid`."""
    window = compared_window(images)
    indices = thin(window, min(MOST_COMPARED, MOST_OF_A_CHANNEL * len(window.c)))
    grids, steps = zip(*(_planes(image, indices) for image in images), strict=True)
    return {where: [grid.get(where) for grid in grids] for where in product(*indices)}, max(steps)


def _show(reference: Reference, row: Row, step: int) -> LabelledPlane | None:
    """Return a plane of a row with the labels of the reference."""
    found = next((plane for plane in row if plane), None)
    if found is None:
        return None
    labels = reference.read(Plane(found.t, found.c, found.z)).astype(np.int32)
    return replace(found, labels=labels[::step, ::step].copy(), objects=int(labels.max(initial=0)))


def _open_reference(image: Image) -> Reference | None:
    """Open the reference of an image, if it has one; one on a disk needs no options of the image's store."""
    if not (url := image.reference_url):
        return None
    return open_reference(url, image.storage_options if "://" in url else {}, image.shape)


def _planes(image: Image, indices: tuple[list[int], list[int], list[int]]) -> tuple[Planes, int]:
    try:
        return read_thin_grid(image.open_output(), indices, None, MOST_PANEL)
    except ImageError:  # this segmentation has no labels yet; the others are drawn without it
        return {}, 1


def _counts(image: Image, rows: dict[tuple[int, int, int], Row], names: Sequence[str]) -> dg.MarkdownMetadataValue:
    """Show the numbers of objects as a table."""
    cells = {where: [str(plane.count) if plane else "" for plane in row] for where, row in rows.items()}
    return table(["plane", *names], [[image.name_plane(Plane(*where)), *row] for where, row in cells.items()])
