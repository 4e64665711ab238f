"""Draw and write the montage."""

from typing import Any

from idr_assets.imaging.figures.montage import MOST, MOST_PANEL, montage, most_timepoints
from idr_assets.imaging.output.thin_planes import read_thin_grid
from idr_assets.imaging.planes import evenly_spread
from idr_assets.orchestration.assets.metadata import describe_channels, describe_step, provenance
from idr_assets.orchestration.assets.work.figure_file import write_figure
from idr_assets.orchestration.image import Image


def write_montage(image: Image) -> dict[str, Any]:
    """Draw the stored planes of the window, evenly spread, and return the asset's metadata."""
    c, z = (evenly_spread(indices, MOST) for indices in (image.shown.c, image.z))
    t = evenly_spread(image.t, most_timepoints(len(c), len(z)))
    planes, step = read_thin_grid(image.open_output(), (t, c, z), image.labels_shown, MOST_PANEL)
    omitted = len(image.shown) - len(planes)
    geometry = image.geometry
    sheet = montage(
        planes,
        title=image.title,
        omitted=omitted,
        pixel_size=geometry.pixel_size and geometry.pixel_size * step,
        channels=describe_channels(image, geometry.channels),
    )
    stored = sum(plane is not None for plane in planes.values())
    return {
        **write_figure(image.montage_url, sheet, "montage"),
        "planes": stored,
        "planes not materialized": len(planes) - stored,
        "planes left out": omitted,
        **describe_step(step),
        **provenance(image),
    }
