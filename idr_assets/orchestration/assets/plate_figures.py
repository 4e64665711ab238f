"""The assets `<plate>/plate_montage` and `<plate>/plane_browser`: what a person looks at."""

from typing import Any

import dagster as dg

from idr_assets.orchestration.assets.derived import define_derived
from idr_assets.orchestration.assets.descriptions import of_plane_browser, of_plate_montage
from idr_assets.orchestration.plate import Plate


def plate_montage(plate: Plate) -> dg.AssetsDefinition:
    """Define the asset; its value is the PNG."""

    def write() -> dict[str, Any]:
        from idr_assets.orchestration.assets.work.plate_montage import write_plate_montage  # noqa: PLC0415

        return write_plate_montage(plate)

    labels, kinds = [plate.key("plane_labels")], {"matplotlib", *plate.badge}
    about = of_plate_montage(plate)
    return define_derived(plate.key("plate_montage"), labels, plate.io, write, kinds=kinds, description=about)


def plate_browser(plate: Plate) -> dg.AssetsDefinition:
    """Define the asset; its value is the HTML page."""

    def write() -> dict[str, Any]:
        from idr_assets.orchestration.assets.work.plate_browser import write_plate_browser  # noqa: PLC0415

        return write_plate_browser(plate)

    labels, kinds, about = [plate.key("plane_labels")], {"html", *plate.badge}, of_plane_browser(plate)
    return define_derived(plate.key("plane_browser"), labels, plate.io, write, kinds=kinds, description=about)
