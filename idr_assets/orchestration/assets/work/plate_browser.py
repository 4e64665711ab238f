"""Make and write the page with a slider over the fields of a plate."""

from typing import Any

import dagster as dg

from idr_assets.imaging.figures.plane_browser import plane_browser
from idr_assets.imaging.figures.plane_entries import Rows
from idr_assets.imaging.output.files import write_file
from idr_assets.imaging.planes import thin
from idr_assets.orchestration.assets.metadata import describe_channels, provenance
from idr_assets.orchestration.assets.work.plane_browser import BROWSER_PLANES
from idr_assets.orchestration.plate import Plate


def write_plate_browser(plate: Plate) -> dict[str, Any]:
    """Show the stored planes of the window, evenly spread over fields, and return the asset's metadata."""
    shown = plate.open_output().read_grid(*thin(plate.shown, BROWSER_PLANES), plate.labels_shown)
    omitted = len(plate.shown) - len(shown)
    rows = Rows("field", plate.row_key, lambda t: plate.field_of(t)[0].well.name, plate.name_plane)
    geometry = plate.geometry
    page = plane_browser(
        list(shown.values()),
        title=plate.title,
        omitted=omitted,
        pixel_size=geometry.pixel_size,
        channels=describe_channels(plate, geometry.channels),
        provenance=provenance(plate),
        rows=rows,
    ).encode()
    write_file(plate.browser_url, page)
    stored = sum(plane is not None for plane in shown.values())
    return {
        "path": dg.MetadataValue.path(plate.browser_url),
        "planes": stored,
        "planes not materialized": len(shown) - stored,
        "planes left out": omitted,
        "bytes": len(page),
    }
