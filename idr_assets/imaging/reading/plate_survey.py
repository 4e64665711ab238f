"""Look at a plate before anything is known of it: its wells, and the fields of the first one."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from idr_assets.imaging.errors import ImageError, join_address
from idr_assets.imaging.ome_zarr.groups import read_attributes
from idr_assets.imaging.ome_zarr.metadata import ome_metadata
from idr_assets.imaging.reading.opening import open_chunk_store
from idr_assets.imaging.reading.plate_wells import list_wells
from idr_assets.imaging.reading.survey import PATIENCE
from idr_assets.imaging.wells import Well


@dataclass(frozen=True)
class PlateSurvey:
    """What a plate has: its wells, the numbers of the fields of the first one, and the address of its first field."""

    wells: list[Well]
    numbers: list[int]
    first: str


def survey_plate(address: str, storage_options: Mapping[str, Any] | None = None) -> PlateSurvey | None:
    """Read which wells and fields a plate has; None if there is no plate, or nothing in it."""
    with suppress(ImageError):
        wells = list_wells(address, open_chunk_store(address, storage_options, PATIENCE))
        for well in sorted(wells)[:1]:
            url = join_address(address, wells[well])
            about = ome_metadata(read_attributes(url, open_chunk_store(url, storage_options, PATIENCE)))
            paths = [str(image.get("path")) for image in about.get("well", {}).get("images", ())]
            numbers = sorted(int(path) for path in paths if path.isdecimal())
            if numbers:
                return PlateSurvey(sorted(wells), numbers, join_address(url, str(numbers[0])))
    return None
