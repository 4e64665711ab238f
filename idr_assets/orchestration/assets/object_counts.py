"""The asset `<image>/object_counts`: a figure of how many objects there are over T x Z, and how large they are."""

from typing import Any

import dagster as dg

from idr_assets.imaging.output.files import write_file
from idr_assets.orchestration.assets.conditions import when_settled
from idr_assets.orchestration.assets.derived import derived
from idr_assets.orchestration.assets.descriptions import of_object_counts
from idr_assets.orchestration.assets.figures import write_figure
from idr_assets.orchestration.image import Image


def object_counts(image: Image) -> dg.AssetsDefinition:
    """Define the asset; its value is the PNG."""
    counts = derived(
        image.key("object_counts"),
        [image.key("objects")],
        {"matplotlib", *image.badge},
        of_object_counts(image),
        lambda: _draw(image),
    )
    return counts.map_asset_specs(lambda spec: spec.replace_attributes(automation_condition=when_settled()))


def _draw(image: Image) -> dict[str, Any]:
    # matplotlib takes half a second to import, which only runs that draw should pay.
    from idr_assets.imaging.figures.drawing import svg  # noqa: PLC0415
    from idr_assets.imaging.figures.object_counts import CHANNELS, counts_figure  # noqa: PLC0415
    from idr_assets.imaging.objects.tables import not_measured, read_areas, read_counts  # noqa: PLC0415

    urls = list(image.objects_urls.values())
    counts = read_counts(urls, image.window)
    if not counts:
        raise not_measured(urls)
    areas = read_areas(urls, image.window)
    figure = counts_figure(counts, areas, image.window, title=image.title, pixel_area=image.geometry.pixel_area)
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
