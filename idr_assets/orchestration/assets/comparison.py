"""The asset `<image>/segmentation_comparison`, of an image with several segmentations."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from idr_assets.orchestration.assets.derived import define_derived
from idr_assets.orchestration.assets.descriptions import of_comparison
from idr_assets.orchestration.assets.names import COMPARISON
from idr_assets.orchestration.image import Image


def segmentation_comparison(images: Sequence[Image]) -> dg.AssetsDefinition:
    """Define the asset; its value is the PNG. `images` are the segmentations of one image."""

    def write() -> dict[str, Any]:
        from idr_assets.orchestration.assets.work.comparison import write_comparison  # noqa: PLC0415

        return write_comparison(images)

    labels = [image.key("plane_labels") for image in images]
    about = {"kinds": {"matplotlib"}, "description": of_comparison(images)}
    return define_derived([images[0].name, COMPARISON], labels, images[0].io, write, **about)
