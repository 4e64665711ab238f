"""What a person should know of a run whose planes or volumes are large: how much memory and time they take."""

import logging
import math
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

import numpy as np

from idr_assets.imaging.output.creation import LONGEST_CHUNK
from idr_assets.imaging.planes import MOST_PIXELS, Plane
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.segmentation.cutting import cuts, explain_whole, make_form
from idr_assets.imaging.segmentation.lengths import resolve_lengths
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.segmentation.tiles.grid import Grid


class Remark(NamedTuple):
    """What a person should know about a run: a level of `logging`, and a text."""

    level: int
    text: str


def remark_size(level: Level, recipe: Recipe) -> Iterator[Remark]:
    """Say about how much memory and time large planes or volumes take."""
    yield from chain(
        _remark_large_volumes(level, recipe), _remark_large_planes(level, recipe), _remark_tiles(level, recipe)
    )


def _remark_large_volumes(level: Level, recipe: Recipe) -> Iterator[Remark]:
    """Say how much memory volumes take that are larger than a block may be, because they are not cut."""
    pixels = math.prod(level.shape[2:])
    if recipe.works_on.unit == "volume" and pixels > MOST_PIXELS:
        gigabytes = pixels * (2 * level.dtype.itemsize + 2 * np.dtype(np.int32).itemsize) / 1e9
        yield Remark(
            logging.WARNING,
            f"each volume of {level.url} has {level.shape[2]} slices, {pixels / 1e6:.0f} megapixels, and is segmented "
            f"whole: each thread of dask takes {gigabytes:.1f} GB for pixels and labels, plus what {recipe.path} "
            "needs. If memory runs out, choose a smaller level, or fewer threads in the YAML of dask.",
        )


def _remark_large_planes(level: Level, recipe: Recipe) -> Iterator[Remark]:
    """Say about how much memory planes take that are larger than a block may be, and are not cut."""
    works, pixels = recipe.works_on, math.prod(level.plane_shape)
    if works.unit == "volume" or pixels <= MOST_PIXELS or not (whole := explain_whole(works)):
        return
    read = len(works.reach(Plane(level.shape[0] // 2, recipe.channels[0], level.shape[2] // 2).block, level.shape))
    why, remedy = whole
    gigabytes = pixels * (2 * read * level.dtype.itemsize + 2 * np.dtype(np.int32).itemsize) / 1e9
    yield Remark(
        logging.WARNING,
        f"planes of {level.url} have {pixels / 1e6:.0f} megapixels, and {recipe.path} segments them whole, {why}: each "
        f"thread of dask takes {gigabytes:.1f} GB for pixels and labels, plus what the function needs. If memory runs "
        f"out, {remedy}, choose a smaller level, or fewer threads in the YAML of dask.",
    )


def _remark_tiles(level: Level, recipe: Recipe) -> Iterator[Remark]:
    """Say into how many tiles planes are cut, and about how much memory and time that takes."""
    if not cuts(recipe.works_on, level.plane_shape):
        return
    parameters = recipe.complete(resolve_lengths(recipe.function, recipe.parameters, level.geometry))
    form = make_form(recipe.works_on, parameters)
    grid = Grid(level.plane_shape, (LONGEST_CHUNK, LONGEST_CHUNK))
    megapixels, (height, width) = math.prod(level.plane_shape) / 1e6, level.plane_shape
    tile = math.prod(grid.tiles()[0].widen(form.halo + form.overlap, grid.shape).shape)
    each = form.bytes_per_pixel + 2 * level.dtype.itemsize * max(0, len(recipe.inputs) - 1)
    gigabytes, seconds = tile * each / 1e9, megapixels * form.seconds_per_megapixel
    more = f", and {seconds:.0f} s of a thread for each plane" if seconds else f" beside what {recipe.path} needs"
    yield Remark(
        logging.INFO,
        f"planes of {level.url} have {height} x {width} pixels, {megapixels:.0f} megapixels, and are cut into "
        f"{len(grid.tiles())} tiles, which all threads segment together: about "
        f"{gigabytes:.1f} GB for each thread{more}",
    )
