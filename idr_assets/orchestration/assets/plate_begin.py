"""Begin a run over fields of a plate: open them, report their version, and make the output."""

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING

import dagster as dg

from idr_assets.orchestration.plate import Plate
from idr_assets.orchestration.plate_version import renew_plate_version
from idr_assets.orchestration.rectangles import Cell
from idr_assets.orchestration.source_version import forget_input_version, report_version

if TYPE_CHECKING:
    from idr_assets.imaging.segmentation.run import SegmentationRun
    from idr_assets.orchestration.assets.plate_watch import PlateWatch


def begin_plate(
    plate: Plate, context: dg.AssetExecutionContext, cells: Collection[Cell]
) -> tuple["SegmentationRun", "PlateWatch"]:
    """Open the fields of these (t, z), as `begin_image` does an image."""
    from idr_assets.imaging.segmentation.plate_run import PlateRun  # noqa: PLC0415  dask and zarr, for the run only
    from idr_assets.orchestration.assets.plate_watch import PlateWatch  # noqa: PLC0415

    wanted = {t // len(plate.times) for t, _ in cells}
    run = PlateRun.prepare_fields(
        plate.source,
        plate.recipe,
        plate.window,
        plate.labels_url,
        wanted,
        labels=plate.label_group,
        format=plate.format,
        reuse_pixels=plate.reuse_pixels,
    )
    context.log.log(
        logging.WARNING if run.failures else logging.INFO,
        "%d of %d fields were opened",
        len(run.fields),
        len(wanted),
    )
    found = renew_plate_version(context.instance, plate, run.fields)
    version = report_version(context.instance, plate, found, context.run.run_id)
    forget_input_version(context, plate)
    return run, PlateWatch(plate, version, run.fields)
