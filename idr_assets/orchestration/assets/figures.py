"""The assets `<image>/montage` and `<image>/plane_browser`: what a person looks at."""

from typing import TYPE_CHECKING, Any

import dagster as dg

from idr_assets.imaging.figures.pictures import figure_png, preview_webp
from idr_assets.imaging.output.files import write_file
from idr_assets.imaging.output.provenance import read_provenance
from idr_assets.imaging.planes import evenly_spread, thinned
from idr_assets.orchestration.assets.derived import derived
from idr_assets.orchestration.assets.descriptions import of_montage, of_plane_browser
from idr_assets.orchestration.assets.metadata import picture
from idr_assets.orchestration.image import Image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MONTAGE_SIDE = 12
"""Rows, of all channels together, and columns of the montage at most; more cannot be read."""

BROWSER_PLANES = 400
"""Planes of the page at most, so that pictures stay sharp within its 20 MB."""

PREVIEW_WIDTH = 850
"""Width in pixels of a figure in the Dagster UI, whose dialog cuts wider ones and whose events must stay small."""


def montage(image: Image) -> dg.AssetsDefinition:
    """Define the asset; its value is the PNG."""
    return derived(
        image.key("montage"),
        [image.key("plane_labels")],
        {"matplotlib", *image.badge},
        of_montage(image),
        lambda: _draw(image),
    )


def plane_browser(image: Image) -> dg.AssetsDefinition:
    """Define the asset; its value is the HTML page."""
    return derived(
        image.key("plane_browser"),
        [image.key("plane_labels")],
        {"html", *image.badge},
        of_plane_browser(image),
        lambda: _page(image),
    )


# matplotlib and jinja2 take a second to import, which only runs that draw should pay.


def _draw(image: Image) -> dict[str, Any]:
    from idr_assets.imaging.figures.montage import montage as draw_montage  # noqa: PLC0415

    c, z = (evenly_spread(indices, MONTAGE_SIDE) for indices in (image.channels, image.z))
    t = evenly_spread(image.t, MONTAGE_SIDE // len(c))
    planes = image.open_output().read_grid(t, c, z)
    omitted = len(image.window) - len(planes)
    sheet = draw_montage(planes, title=image.title, omitted=omitted, pixel_size=image.geometry.pixel_size)
    stored = sum(plane is not None for plane in planes.values())
    return {
        **write_figure(image.montage_url, sheet, "montage"),
        "planes": stored,
        "planes not materialized": len(planes) - stored,
        "planes left out": omitted,
        **provenance(image),
    }


def write_figure(url: str, figure: "Figure", name: str) -> dict[str, Any]:
    """Write a figure as PNG, and give as metadata where it lies and, under `name`, a preview."""
    from idr_assets.imaging.figures.drawing import DPI, render  # noqa: PLC0415

    drawn = render(figure)
    write_file(url, figure_png(drawn, DPI))
    return {"path": dg.MetadataValue.path(url), name: picture(preview_webp(drawn, PREVIEW_WIDTH), "webp")}


def _page(image: Image) -> dict[str, Any]:
    from idr_assets.imaging.figures.plane_browser import plane_browser as browser_page  # noqa: PLC0415

    shown = image.open_output().read_grid(*thinned(image.window, BROWSER_PLANES))
    omitted = len(image.window) - len(shown)
    page = browser_page(
        list(shown.values()),
        title=image.title,
        omitted=omitted,
        pixel_size=image.geometry.pixel_size,
        provenance=provenance(image),
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


def provenance(image: Image) -> dict[str, str]:
    """Tell how the stored planes came to be, which the YAML may no longer say; all ways, where there were several."""
    records = read_provenance(image.labels_url, image.label_group)
    sources = {f"{record.url}, level {record.level}" for record in records}
    recipes = {f"{record.function} {record.parameters}" for record in records}
    told = {"image": sorted(sources), "segmentation": sorted(recipes)}
    return {f"{name}s so far" if len(found) > 1 else name: "; ".join(found) for name, found in told.items() if found}
