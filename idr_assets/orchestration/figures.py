"""The assets `<image>/montage` and `<image>/plane_browser`: what a person looks at."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import dagster as dg

from idr_assets.imaging.files import write_file
from idr_assets.imaging.pictures import figure_png, preview_webp
from idr_assets.imaging.planes import LabelledPlane, Plane, evenly_spread, thinned
from idr_assets.imaging.provenance import read_provenance
from idr_assets.imaging.source import open_level
from idr_assets.orchestration.automation import when_labels_changed
from idr_assets.orchestration.descriptions import of_montage, of_plane_browser
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.metadata import picture

MONTAGE_SIDE = 12
"""Rows and columns of the montage at most; more cannot be read."""

BROWSER_PLANES = 400
"""Planes of the page at most, so that pictures stay sharp within its 20 MB."""

PREVIEW_WIDTH = 1000
"""Width in pixels of the montage in the Dagster UI, whose events must stay small."""


def montage(image: Image) -> dg.AssetsDefinition:
    """Define the asset; its value is the PNG."""
    return _figure(image, "montage", "matplotlib", of_montage(image), _draw)


def plane_browser(image: Image) -> dg.AssetsDefinition:
    """Define the asset; its value is the HTML page."""
    return _figure(image, "plane_browser", "html", of_plane_browser(image), _page)


def _figure(
    image: Image, name: str, kind: str, description: str, write: Callable[[Image], dict[str, Any]]
) -> dg.AssetsDefinition:
    @dg.asset(
        key=[image.name, name],
        deps=[dg.AssetKey([image.name, "plane_labels"])],
        group_name=image.name,
        kinds={kind},
        description=description,
        io_manager_key=f"{image.name}_io",
        backfill_policy=dg.BackfillPolicy.single_run(),
        automation_condition=when_labels_changed(),
    )
    def asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        context.log.info("drawing the stored planes of %s", image.name)
        metadata = write(image)
        context.log.info("wrote %s", metadata["path"].value)
        return dg.MaterializeResult(metadata=metadata)

    return asset


# matplotlib and jinja2 take a second to import, which only runs that draw should pay.


def _draw(image: Image) -> dict[str, Any]:
    from idr_assets.imaging.figures import drawn  # noqa: PLC0415
    from idr_assets.imaging.figures import montage as draw_montage  # noqa: PLC0415
    from idr_assets.imaging.montage_sheet import DPI  # noqa: PLC0415

    planes = _read(image, evenly_spread(image.t, MONTAGE_SIDE), evenly_spread(image.z, MONTAGE_SIDE))
    omitted = len(image.window) - len(planes)
    sheet = drawn(draw_montage(planes, title=image.name, omitted=omitted, pixel_size=_pixel_size(image)))
    write_file(image.montage_url, figure_png(sheet, DPI))
    stored = sum(plane is not None for plane in planes.values())
    return {
        "path": dg.MetadataValue.path(image.montage_url),
        "planes": stored,
        "planes not materialized": len(planes) - stored,
        "planes left out": omitted,
        "montage": picture(preview_webp(sheet, PREVIEW_WIDTH), "webp"),
    }


def _page(image: Image) -> dict[str, Any]:
    from idr_assets.imaging.plane_browser import plane_browser as browser_page  # noqa: PLC0415

    shown = _read(image, *thinned(image.t, image.z, BROWSER_PLANES // len(image.channels)))
    planes = [plane for plane in shown.values() if plane]
    page = browser_page(
        planes,
        title=image.name,
        omitted=len(image.window) - len(shown),
        pixel_size=_pixel_size(image),
        provenance=_provenance(image),
    )
    write_file(image.browser_url, page.encode())
    return {
        "path": dg.MetadataValue.path(image.browser_url),
        "planes": len(planes),
        "planes not materialized": len(shown) - len(planes),
        "bytes": len(page),
    }


def _read(image: Image, t: Sequence[int], z: Sequence[int]) -> dict[tuple[int, int, int], LabelledPlane | None]:
    """Read the planes of every channel at these timepoints and slices; None for a plane that is not stored."""
    labels = image.open_labels()
    return {where: labels.read(Plane(*where)) for where in product(t, image.channels, z)}


def _provenance(image: Image) -> dict[str, str]:
    """Tell how the stored planes came to be, which the YAML may no longer say."""
    ways = read_provenance(image.labels_url)
    sources = {f"{way['source']['url']}, level {way['source']['level']}" for way in ways}
    recipes = {f"{way['segmentation']['function']} {way['segmentation']['parameters']}" for way in ways}
    return {"image": "; ".join(sorted(sources)), "segmentation": "; ".join(sorted(recipes))}


def _pixel_size(image: Image) -> float | None:
    return open_level(image.labels_url, "0").geometry.pixel_size
