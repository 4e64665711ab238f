"""The assets `<image>/montage`, or `plate_montage`, and `<image>/plane_browser`: what a person looks at."""

from typing import Any

import dagster as dg

from idr_assets.orchestration.assets.derived import define_derived
from idr_assets.orchestration.assets.descriptions import of_montage, of_plane_browser, of_plate_montage
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.plate import Plate


def montage(image: Image) -> dg.AssetsDefinition:
    """Define the asset; its value is the PNG."""

    def write() -> dict[str, Any]:
        from idr_assets.orchestration.assets.work.montage import write_montage  # noqa: PLC0415
        from idr_assets.orchestration.assets.work.plate_montage import write_plate_montage  # noqa: PLC0415

        return write_plate_montage(image) if isinstance(image, Plate) else write_montage(image)

    described = of_plate_montage(image) if isinstance(image, Plate) else of_montage(image)
    about = {"kinds": {"matplotlib", *image.badge}, "description": described}
    return define_derived(image.key(image.figures[0]), [image.key("plane_labels")], image.io, write, **about)


def plane_browser(image: Image) -> dg.AssetsDefinition:
    """Define the asset; its value is the HTML page."""

    def write() -> dict[str, Any]:
        from idr_assets.orchestration.assets.work.plane_browser import write_plane_browser  # noqa: PLC0415

        return write_plane_browser(image)

    about = {"kinds": {"html", *image.badge}, "description": of_plane_browser(image)}
    return define_derived(image.key("plane_browser"), [image.key("plane_labels")], image.io, write, **about)
