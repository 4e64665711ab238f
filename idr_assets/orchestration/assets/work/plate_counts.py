"""Draw and write the figure and the table of a plate's wells."""

import csv
from collections import defaultdict
from collections.abc import Mapping
from io import StringIO
from typing import Any

import dagster as dg

from idr_assets.imaging.figures.drawing import svg
from idr_assets.imaging.figures.plate_counts import plate_counts_figure
from idr_assets.imaging.objects.plate_layout import Layout, read_layout
from idr_assets.imaging.objects.plate_tables import read_plate_counts
from idr_assets.imaging.objects.tables import explain_unmeasured
from idr_assets.imaging.output.files import write_file
from idr_assets.imaging.wells import Well
from idr_assets.orchestration.assets.metadata import describe_channels
from idr_assets.orchestration.assets.work.figure_file import write_figure
from idr_assets.orchestration.plate import Plate

COLUMNS = ["well", "row", "column", "c", "planes", "objects", "objects_per_plane"]
"""Columns of the table; those of the layout follow."""

type Counts = Mapping[tuple[Well, int], list[int]]


def write_plate_counts(plate: Plate) -> dict[str, Any]:
    """Draw the counts of the tables of objects, write them by well, and return the asset's metadata."""
    urls = list(plate.objects_urls.values())
    planes = read_plate_counts(urls, plate.fields, plate.times)
    if not planes:
        raise explain_unmeasured(urls)
    layout = read_layout(plate.layout) if plate.layout else {}
    counts: dict[tuple[Well, int], list[int]] = defaultdict(list)
    for plane, objects in sorted(planes.items()):
        counts[plate.field_of(plane.t)[0].well, plane.c].append(objects)
    means = {c: {well: sum(it) / len(it) for (well, of), it in counts.items() if of == c} for c in plate.channels}
    names = dict.fromkeys(name for line in layout.values() for name in line)
    columns = {name: {well: line.get(name, "") for well, line in layout.items()} for name in names}
    known = describe_channels(plate, plate.geometry.channels)
    figure = plate_counts_figure(means, plate.wells, columns, title=plate.title, known=known)
    write_file(plate.counts_table_url, _write_table(counts, layout, [*names]).encode())
    write_file(plate.counts_url("svg"), svg(figure))
    return {
        **write_figure(plate.counts_url("png"), figure, "object counts"),
        "path of the SVG": dg.MetadataValue.path(plate.counts_url("svg")),
        "path of the table": dg.MetadataValue.path(plate.counts_table_url),
        "planes": len(planes),
        "planes not measured": len(plate.window) - len(planes),
        "wells": len({well for well, _ in counts}),
        "objects": sum(planes.values()),
        **({"columns of the layout": ", ".join(names)} if names else {}),
    }


def _write_table(counts: Counts, layout: Layout, names: list[str]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *names])
    for (well, c), found in sorted(counts.items()):
        of_well = layout.get(well, {})
        place = [well.name, well.row_name, well.column + 1, c]
        numbers = [len(found), sum(found), f"{sum(found) / len(found):.6g}"]
        writer.writerow([*place, *numbers, *(of_well.get(name, "") for name in names)])
    return text.getvalue()
