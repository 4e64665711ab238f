"""Draw and write the figure of object counts."""

from typing import Any

import dagster as dg

from idr_assets.imaging.figures.drawing import svg
from idr_assets.imaging.figures.object_counts import CHANNELS, counts_figure
from idr_assets.imaging.figures.plane_areas import areas_figure
from idr_assets.imaging.objects.tables import explain_unmeasured, read_areas, read_counts
from idr_assets.imaging.output.files import write_file
from idr_assets.orchestration.assets.metadata import describe_channels
from idr_assets.orchestration.assets.work.figure_file import write_figure
from idr_assets.orchestration.image import Image


def write_object_counts(image: Image) -> dict[str, Any]:
    """Draw the counts and areas of the tables of objects, and return the asset's metadata."""
    urls = list(image.objects_urls.values())
    counts = read_counts(urls, image.window)
    if not counts:
        raise explain_unmeasured(urls)
    areas = read_areas(urls, image.window)
    geometry = image.geometry
    channels = describe_channels(image, geometry.channels)
    draw = areas_figure if len(image.t) == len(image.z) == 1 else counts_figure
    figure = draw(counts, areas, image.window, title=image.title, pixel_area=geometry.pixel_area, channels=channels)
    written = write_figure(image.counts_url("png"), figure, "object counts")
    write_file(image.counts_url("svg"), svg(figure))
    return {
        **written,
        "path of the SVG": dg.MetadataValue.path(image.counts_url("svg")),
        "planes": len(counts),
        "planes not measured": len(image.window) - len(counts),
        "channels left out": max(0, len(image.channels) - CHANNELS),
        "objects": sum(counts.values()),
    }
