"""What a person should know about a run, before and after it: one line each for its log."""

import logging
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from idr_assets.imaging.errors import mask
from idr_assets.imaging.output.nodes import list_label_groups
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.provenance import read_provenance
from idr_assets.imaging.planes import MOST_PIXELS
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.reading.source import Source
from idr_assets.imaging.segmentation.findings import Findings
from idr_assets.imaging.segmentation.recipe import Recipe


class Remark(NamedTuple):
    """What a person should know about a run: a level of `logging`, and a text."""

    level: int
    text: str


def remark_before(source: Source, level: Level, url: str, recipe: Recipe) -> tuple[Remark, ...]:
    """Say what is unusual about a source and the output at `url`, before planes are segmented."""
    notes = [Remark(logging.WARNING, note) for note in (*level.remarks, source.describe_growth(level)) if note]
    return (*notes, *_remark_other_sources(level, url), *_remark_large_volumes(level, recipe))


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
