"""What a person should know about a run, before and after it: one line each for its log."""

import logging
import math
from collections.abc import Iterator
from itertools import chain

from idr_assets.imaging.errors import mask
from idr_assets.imaging.output.nodes import list_label_groups
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.provenance import read_provenance
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.reading.source import Source
from idr_assets.imaging.segmentation.findings import Findings
from idr_assets.imaging.segmentation.lengths import resolve_lengths
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.segmentation.size_remarks import Remark, remark_size

OVERSIZE = 1.05
"""How many times `background_sigma` the mean radius of objects may be: whole objects have half of it, pieces more."""

MOST_FOREGROUND = 0.7
"""Share of labelled pixels above which labels hold the background, as a rule."""


def remark_before(source: Source, level: Level, url: str, recipe: Recipe) -> tuple[Remark, ...]:
    """Say what is unusual about a source and the output at `url`, before planes are segmented."""
    notes = [Remark(logging.WARNING, note) for note in (*level.remarks, source.describe_growth(level)) if note]
    others = _remark_other_sources(level, url), remark_size(level, recipe)
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
