"""Segment the middle plane of a window without a run, and draw it: parameters are judged before anything runs."""

from dataclasses import replace
from pathlib import Path

from idr_assets.imaging.figures.comparison import comparison
from idr_assets.imaging.figures.drawing import DPI, render
from idr_assets.imaging.figures.pictures import figure_png
from idr_assets.imaging.planes import Block, LabelledPlane, count_objects, within
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.segmentation.labelling import Part, label
from idr_assets.imaging.segmentation.recipe import Recipe

LARGE = 1200
"""Longest side of a panel in dots, so that outlines of small objects can be judged."""


def draw_look(level: Level, window: Block, recipe: Recipe, title: str, file: Path) -> str:
    """Draw the middle plane of each channel beside its labels into a PNG, and say how many objects it has.

    Raises
    ------
    ImageError
        If the plane cannot be read.

    """
    planes = _segment(level, window, recipe)
    known = dict(enumerate(level.geometry.channels))
    rows = {(plane.t, plane.c, plane.z): [plane] for plane in planes}
    name = recipe.path.rpartition(".")[2]
    sheet = comparison(rows, [name], title=title, pixel_size=level.geometry.pixel_size, most=LARGE, channels=known)
    file.write_bytes(figure_png(render(sheet), DPI))
    counts = ", ".join(f"{count_objects(it.labels)} objects in t {it.t} c {it.c} z {it.z}" for it in planes)
    return f"{name} {dict(recipe.parameters)}: {counts}"


def _segment(level: Level, window: Block, recipe: Recipe) -> list[LabelledPlane]:
    """Segment the middle plane of each channel; of a volume, all slices are read for it."""
    middle = replace(window.middle, c=window.c)
    part = Part(recipe.works_on, middle, recipe.works_on.reach(middle, level.shape))
    pixels = level.read(part.read)
    labels, _ = label(recipe.function, recipe.parameters, pixels, level.plane_shape, part)
    own = pixels[within(part.read, middle)]
    return [LabelledPlane(it.t, it.c, it.z, own[0, i, 0], labels[0, i, 0]) for i, it in enumerate(middle.planes())]
