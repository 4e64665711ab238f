"""What a person should know about a run, before and after it: one line each for its log."""

import logging
import math
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

import numpy as np

from idr_assets.imaging.errors import mask
from idr_assets.imaging.output.creation import LONGEST_CHUNK
from idr_assets.imaging.output.nodes import list_label_groups
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.provenance import read_provenance
from idr_assets.imaging.planes import MOST_PIXELS
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.reading.source import Source
from idr_assets.imaging.segmentation.cutting import cuts, make_form
from idr_assets.imaging.segmentation.findings import Findings
from idr_assets.imaging.segmentation.lengths import resolve_lengths
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.segmentation.tiles.grid import Grid

OVERSIZE = 1.05
"""How many times `background_sigma` the mean radius of objects may be: whole objects have half of it, pieces more."""

MOST_FOREGROUND = 0.7
"""Share of labelled pixels above which labels hold the background, as a rule."""


class Remark(NamedTuple):
    """What a person should know about a run: a level of `logging`, and a text."""

    level: int
    text: str


def remark_before(source: Source, level: Level, url: str, recipe: Recipe) -> tuple[Remark, ...]:
    """Say what is unusual about a source and the output at `url`, before planes are segmented."""
    notes = [Remark(logging.WARNING, note) for note in (*level.remarks, source.describe_growth(level)) if note]
    others = _remark_other_sources(level, url), _remark_large_volumes(level, recipe), _remark_tiles(level, recipe)
    return (*notes, *chain(*others))


def remark_findings(level: Level, output: OutputImage, recipe: Recipe, found: Findings) -> Iterator[Remark]:
    """Say what is unusual about what was found in planes."""
    if found.reused:
        yield Remark(
            logging.INFO,
            f"pixels of {found.reused} of {len(found)} planes were read from {mask(output.url)}: the image's "
            "fingerprint is the same as when they were stored",
        )
    if found.objects and not any(found.objects.values()):
        yield Remark(
            logging.WARNING,
            f"no object in any of {len(found.objects)} planes: check whether {recipe.path} with parameters "
            f"{dict(recipe.parameters)} suits the intensities of {level.url}",
        )
    if advice := advise_parameters(level, recipe, found):
        yield Remark(logging.WARNING, advice)


def advise_parameters(level: Level, recipe: Recipe, found: Findings) -> str | None:
    """Say which parameter to turn if objects are larger or smaller than the recipe's smoothing suits; None if not."""
    parameters = recipe.complete(resolve_lengths(recipe.function, recipe.parameters, level.geometry))
    sigma, background = (parameters.get(name) for name in ("sigma", "background_sigma"))
    objects, planes = sum(found.objects.values()), len(found.objects)
    if not objects:
        return None
    radius = math.sqrt(found.foreground * math.prod(level.plane_shape) / objects / math.pi)
    if isinstance(background, int | float) and radius > OVERSIZE * background:
        return (
            f"objects have a radius of {radius:.1f} pixels on average, more than background_sigma, {background:g}: the "
            "background follows what is large, so that large objects are hollow or in pieces. Set background_sigma to "
            f"twice the radius of a whole object, at least {2 * radius:.0f}."
        )
    if isinstance(sigma, int | float) and radius < sigma:
        return (
            f"objects have a radius of {radius:.1f} pixels on average, less than sigma, {sigma:g}, by which planes are "
            "smoothed: most are noise, or parts of objects. Raise sigma or the least size of objects."
        )
    if (share := found.foreground / planes) > MOST_FOREGROUND:
        turn = next((it for it in ("threshold_fraction", "background_sigma") if it in parameters), "its threshold")
        return f"labels cover {share:.0%} of the planes, so that the background may be among them. Raise {turn}."
    return None


def _remark_other_sources(level: Level, url: str) -> Iterator[Remark]:
    """Say that the output at `url` has planes from other addresses; an address may change, so this is no error."""
    records = [record for name in list_label_groups(url) for record in read_provenance(url, name)]
    others = {record.url.rstrip("/") for record in records} - {level.url.rstrip("/")}
    if others:
        yield Remark(
            logging.WARNING,
            f"{mask(url)} holds planes of {', '.join(sorted(others))}; planes of {level.url} are added. If these are "
            "not the same image, rename this one, or move the output away.",
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


def _remark_tiles(level: Level, recipe: Recipe) -> Iterator[Remark]:
    """Say into how many tiles planes are cut, and about how much memory and time that takes."""
    if not cuts(recipe.works_on, level.plane_shape):
        return
    parameters = recipe.complete(resolve_lengths(recipe.function, recipe.parameters, level.geometry))
    form = make_form(recipe.works_on, parameters)
    grid = Grid(level.plane_shape, (LONGEST_CHUNK, LONGEST_CHUNK))
    megapixels, (height, width) = math.prod(level.plane_shape) / 1e6, level.plane_shape
    tile = math.prod(grid.tiles()[0].widen(form.halo + form.overlap, grid.shape).shape)
    gigabytes, seconds = tile * form.bytes_per_pixel / 1e9, megapixels * form.seconds_per_megapixel
    more = f", and {seconds:.0f} s of a thread for each plane" if seconds else f" beside what {recipe.path} needs"
    yield Remark(
        logging.INFO,
        f"planes of {level.url} have {height} x {width} pixels, {megapixels:.0f} megapixels, and are cut into "
        f"{len(grid.tiles())} tiles, which all threads segment together: about "
        f"{gigabytes:.1f} GB for each thread{more}",
    )
