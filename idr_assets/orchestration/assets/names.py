"""The assets of an image, and their keys."""

from collections.abc import Sequence

import dagster as dg

from idr_assets.orchestration.grid import Grid
from idr_assets.orchestration.image import Image

FIGURES = Grid.figures
"""Assets that show the labels."""

MEASURES = Grid.measures
"""Assets that measure the labels. They have a job of their own: the first is partitioned over T, and the assets of a
job of Dagster must share their partitions."""

COMPARISON = "segmentation_comparison"
"""The asset that compares several segmentations."""

PUBLISHED = "published"
"""The asset that others read, of all segmentations of an image."""

OVERVIEW = "overview"
"""The asset of a list of images."""

MADE = (
    "source_image",
    "source_plate",
    "plane_labels",
    *FIGURES,
    *MEASURES,
    COMPARISON,
    PUBLISHED,
    "plate_montage",
    "plate_counts",
)
"""All assets of an image or a plate."""


def figure_keys(images: Sequence[Image]) -> list[dg.AssetKey]:
    """Return the keys of all figures of an image, whose segmentations are `images`."""
    several = [dg.AssetKey([images[0].name, COMPARISON])] if are_compared(images) else []
    return [dg.AssetKey(it.key(figure)) for it in images for figure in it.figures] + several


def are_compared(images: Sequence[Image]) -> bool:
    """Return whether the segmentations of an image are compared, with each other or with a reference."""
    return len(images) > 1 or images[0].reference_url is not None


def segment_keys(images: Sequence[Image]) -> list[dg.AssetKey]:
    """Return the keys of all assets of an image but its measures: source, labels and figures."""
    labels = [dg.AssetKey(it.key("plane_labels")) for it in images]
    return [dg.AssetKey([images[0].name, images[0].source_asset]), *labels, *figure_keys(images)]


def measure_keys(images: Sequence[Image]) -> list[dg.AssetKey]:
    """Return the keys of all measures of an image, whose segmentations are `images`, and of the published image."""
    published = [dg.AssetKey([images[0].name, PUBLISHED])] if images[0].published else []
    return [dg.AssetKey(it.key(measure)) for it in images for measure in it.measures] + published
