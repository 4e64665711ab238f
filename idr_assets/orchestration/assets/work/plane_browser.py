"""Make and write the page with a slider."""

from typing import Any

import dagster as dg

from idr_assets.imaging.figures.plane_browser import plane_browser
from idr_assets.imaging.figures.plane_entries import TIMEPOINTS, Rows
from idr_assets.imaging.output.files import write_file
from idr_assets.imaging.planes import thin
from idr_assets.orchestration.assets.metadata import describe_channels, provenance
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.plate import Plate

BROWSER_PLANES = 400
"""Planes of the page at most, so that pictures stay sharp within its 20 MB."""


def write_plane_browser(image: Image) -> dict[str, Any]:
    """Show the stored planes of the window, evenly spread, of a plate over its fields; return the asset's metadata."""
    shown = image.open_output().read_grid(*thin(image.shown, BROWSER_PLANES), image.labels_shown)
    omitted = len(image.shown) - len(shown)
    geometry = image.geometry
    page = plane_browser(
        list(shown.values()),
        title=image.title,
        omitted=omitted,
        pixel_size=geometry.pixel_size,
        provenance=provenance(image),
        channels=describe_channels(image, geometry.channels),
        rows=_list_fields(image) if isinstance(image, Plate) else TIMEPOINTS,
    ).encode()
    write_file(image.browser_url, page)
    stored = sum(plane is not None for plane in shown.values())
    return {
        "path": dg.MetadataValue.path(image.browser_url),
        "planes": stored,
        "planes not materialized": len(shown) - stored,
        "planes left out": omitted,
        "bytes": len(page),
    }


def _list_fields(plate: Plate) -> Rows:
    return Rows("field", plate.row_key, lambda t: plate.field_of(t)[0].well.name, plate.name_plane)
