"""Which assets an image has, and their keys."""

from collections.abc import Sequence

import dagster as dg

from idr_assets.orchestration.image import Image

FIGURES = ("montage", "plane_browser")
"""Assets that show the labels."""

MEASURES = ("objects", "object_counts")
"""Assets that measure the labels: apart from all others, since the first is partitioned over T, and a job of Dagster
holds assets of one partitions definition only."""

COMPARISON = "segmentation_comparison"
"""Asset that shows the labels of several segmentations."""

MADE = ("source_image", "plane_labels", *FIGURES, *MEASURES, COMPARISON)
"""Every asset that an image has."""


def figure_keys(images: Sequence[Image]) -> list[dg.AssetKey]:
    """Give the keys of all figures of an image, whose segmentations are `images`."""
    several = [dg.AssetKey([images[0].name, COMPARISON])] if len(images) > 1 else []
    return [dg.AssetKey(it.key(figure)) for it in images for figure in FIGURES] + several


def measure_keys(images: Sequence[Image]) -> list[dg.AssetKey]:
    """Give the keys of all that measures an image, whose segmentations are `images`."""
    return [dg.AssetKey(it.key(measure)) for it in images for measure in MEASURES]
