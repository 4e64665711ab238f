"""Draw and write the montage of a plate."""

import math
from typing import Any

from idr_assets.imaging.figures import colours
from idr_assets.imaging.figures.drawing import default_style
from idr_assets.imaging.figures.panels import Layout, Panel, draw_panels
from idr_assets.imaging.output.plate_output import PlateOutput
from idr_assets.imaging.planes import LabelledPlane, Plane, evenly_spread
from idr_assets.imaging.wells import Well
from idr_assets.orchestration.assets.metadata import describe_channels
from idr_assets.orchestration.assets.work.figure_file import write_figure
from idr_assets.orchestration.plate import Plate

MOST_CHANNELS = 3
"""Channels of the montage at most."""

SIDES = 110, 270, 3240
"""Dots: the least and the most of a panel's longer side, and all panels side by side."""


def write_plate_montage(plate: Plate) -> dict[str, Any]:
    """Draw a field of each well in the layout of the plate, and return the asset's metadata."""
    output, z = plate.open_output(), plate.z[len(plate.z) // 2]
    rows, columns = (sorted({getattr(well, axis) for well in plate.wells}) for axis in ("row", "column"))
    least, most, every = SIDES
    side = max(least, min(most, every // len(columns)))
    step = max(1, math.ceil(max(plate.shape[3:]) / side))
    channels = {
        c: [[_panel(plate, output, Well(row, column), c, z, step) for column in columns] for row in rows]
        for c in evenly_spread(plate.shown.c, MOST_CHANNELS)
    }
    number, geometry = plate.shown_field, plate.geometry
    size, known = geometry.pixel_size, describe_channels(plate, geometry.channels)
    caption = (
        f"Rows and columns of the plate: field {number} of each well, z {z}. After the dot: its number of objects. "
        f"Grey: intensity in arbitrary units, {colours.GREY_RANGE}. Colours tell neighbouring objects apart and mean "
        f"nothing else.{f' Of {step} pixels along each side, one is shown.' if step > 1 else ''}"
    )
    with default_style():
        sheet = draw_panels(
            channels,
            Layout(side, side),
            title=plate.title,
            caption=caption,
            pixel_size=size and size * step,
            known=known,
        )
    panels = [panel for rows in channels.values() for row in rows for panel in row if panel.heading]
    shown = sum(panel.plane is not None for panel in panels)
    return {
        **write_figure(plate.montage_url, sheet, "montage"),
        "planes": shown,
        "planes not materialized": len(panels) - shown,
    }


def _panel(plate: Plate, output: PlateOutput, well: Well, c: int, z: int, step: int) -> Panel:  # noqa: PLR0913, PLR0917
    """Show a field of a well, reduced by leaving out pixels; an empty panel for a well that the YAML does not name."""
    t = plate.shown_row(well)
    if t is None:
        return Panel("", None)
    plane = output.read(Plane(t, c, z), plate.labels_shown)
    if plane is None:
        return Panel(well.name, None)
    pixels, labels = (values[::step, ::step].copy() for values in (plane.pixels, plane.labels))
    return Panel(f"{well.name} · {plane.count}", LabelledPlane(t, c, z, pixels, labels))
