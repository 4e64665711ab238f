"""Segment the middle plane of a window without a run, and draw it: parameters are judged before anything runs."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.counts import write_count
from idr_assets.imaging.errors import ImageError, mask_all
from idr_assets.imaging.figures.comparison import comparison
from idr_assets.imaging.figures.drawing import DPI, render
from idr_assets.imaging.figures.pictures import figure_png
from idr_assets.imaging.output.creation import LONGEST_CHUNK
from idr_assets.imaging.output.files import write_file
from idr_assets.imaging.planes import Block, LabelledPlane, Plane, count_objects, within
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.segmentation.cutting import cuts, make_form
from idr_assets.imaging.segmentation.findings import Findings
from idr_assets.imaging.segmentation.labelling import Part, label
from idr_assets.imaging.segmentation.lengths import resolve_lengths
from idr_assets.imaging.segmentation.recipe import Recipe, fill_in
from idr_assets.imaging.segmentation.remarks import advise_parameters
from idr_assets.imaging.segmentation.size_remarks import remark_size
from idr_assets.imaging.segmentation.tiles.arrays import label_array

LARGE = 1200
"""Longest side of a panel in dots, so that outlines of small objects can be judged."""


def draw_look(  # noqa: PLR0913, PLR0917
    level: Level, window: Block, recipe: Recipe, title: str, url: str, name_plane: Callable[[Plane], str] = str
) -> str:
    """Draw the middle plane of each channel beside its labels into a PNG, and describe its objects.

    Labels of several channels together are drawn beside each of these. `name_plane` names the planes of a plate.

    Raises
    ------
    ImageError
        If the plane cannot be read, or a parameter is in µm and the image does not say how large a pixel is.

    """
    parameters = resolve_lengths(recipe.function, recipe.parameters, level.geometry)
    planes = _segment(level, window, replace(recipe, parameters=parameters))
    rows = {(plane.t, plane.c, plane.z): [plane] for plane in planes}
    name = recipe.path.rpartition(".")[2]
    known, size = dict(enumerate(level.geometry.channels)), level.geometry.pixel_size
    sheet = comparison(rows, [name], title=title, pixel_size=size, most=LARGE, channels=known, name_plane=name_plane)
    write_file(url, figure_png(render(sheet), DPI))
    labelled = [plane for plane in planes if plane.c in window.c]
    lines = [
        f"{name} {mask_all(dict(parameters))}",
        *(_describe(it, name_plane(Plane(it.t, it.c, it.z)), level.geometry.pixel_area) for it in labelled),
    ]
    objects = {Plane(it.t, it.c, it.z): count_objects(it.labels) for it in labelled}
    found = Findings(objects, foreground=sum(float((it.labels > 0).mean()) for it in labelled))
    advice = advise_parameters(level, recipe, found)
    return "\n".join([*lines, f"warning: {advice}"] if advice else lines)


def describe_size(level: Level, recipe: Recipe) -> list[str]:
    """Say about how much memory and time a large plane takes; nothing of others."""
    return [remark.text for remark in remark_size(level, recipe)]


def _describe(plane: LabelledPlane, name: str, pixel_area: float | None) -> str:
    most = int(plane.labels.max(initial=0)) + 1
    parts = np.array_split(plane.labels, max(1, plane.labels.size // 2**22))  # numpy counts with 8 bytes a pixel
    areas = np.sum([np.bincount(part.ravel(), minlength=most) for part in parts], axis=0)[1:]
    areas = areas[areas > 0]
    named = f"{write_count(areas.size, 'object')} in {name}"
    if not areas.size:
        return named
    least, most, median = areas.min(), areas.max(), np.median(areas)
    units = {"pixels": 1.0} | ({"µm²": pixel_area} if pixel_area else {})
    each = [f"{least * it:.4g} to {most * it:.4g}, median {median * it:.4g} {unit}" for unit, it in units.items()]
    return f"{named}: areas {'; '.join(each)}"


def _label(recipe: Recipe, pixels: npt.NDArray[Any], level: Level, part: Part) -> npt.NDArray[np.int32]:
    """Label a part as a run does; what the function does wrong is an `ImageError`, with the line of its file."""
    try:
        if cuts(part.works, level.plane_shape):
            return _label_by_tiles(recipe, pixels, level, part)
        return label(recipe.function, recipe.parameters, pixels, level.plane_shape, part)[0]
    except ImageError:
        raise
    except Exception as error:
        plain = isinstance(error, (TypeError, ValueError))
        text = str(error) if plain else f"{recipe.path} raised {error!r}"
        raise ImageError("\n".join([text, *getattr(error, "__notes__", [])])) from error


def _label_by_tiles(recipe: Recipe, pixels: npt.NDArray[Any], level: Level, part: Part) -> npt.NDArray[np.int32]:
    """Label the large plane of each channel, (t, c, z, y, x)."""
    parameters = fill_in(recipe.function, recipe.parameters, recipe.inputs)
    found = []
    for plane in part.block.planes():
        own = Part(part.works, plane.block, part.works.inputs_of(plane.block, level.shape))
        read = pixels[:, [part.read.c.index(c) for c in own.read.c]]
        form = make_form(part.works, parameters, own)
        found.append(
            label_array(form, read[0, 0, 0] if len(own.read) == 1 else read, (LONGEST_CHUNK, LONGEST_CHUNK))[0]
        )
    return np.stack(found)[np.newaxis, :, np.newaxis]


def _segment(level: Level, window: Block, recipe: Recipe) -> list[LabelledPlane]:
    """Segment the middle plane of each channel; of a volume, all slices are read for it."""
    middle = replace(window.middle, c=window.c)
    part = Part(recipe.works_on, middle, recipe.works_on.reach(middle, level.shape))
    pixels = level.read(part.read)
    labels = _label(recipe, pixels, level, part)
    shown = replace(middle, c=part.read.c)
    own = pixels[within(part.read, shown)][0, :, 0]
    labels = np.broadcast_to(labels[0, :, 0], own.shape)  # those of one channel belong to all that are read with it
    return [LabelledPlane(it.t, it.c, it.z, own[i], labels[i]) for i, it in enumerate(shown.planes())]
