"""Look at a plate before anything is known of it: its wells, and the fields of each."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from idr_assets.imaging.errors import ImageError, join_address, mask
from idr_assets.imaging.ome_zarr.groups import read_attributes
from idr_assets.imaging.ome_zarr.metadata import ome_metadata
from idr_assets.imaging.reading.opening import open_chunk_store
from idr_assets.imaging.reading.plate_wells import list_wells
from idr_assets.imaging.reading.survey import PATIENCE
from idr_assets.imaging.wells import Field, Well, join_wells

AT_ONCE = 16
"""Wells whose metadata are read at once."""


@dataclass(frozen=True)
class PlateSurvey:
    """What a plate has.

    Attributes
    ----------
    fields : tuple of Field
        All fields, well by well.
    failures : mapping of Well to str
        The wells that cannot be read, or list no field, and why.
    first : str
        Address of the first field.

    """

    fields: tuple[Field, ...]
    failures: Mapping[Well, str]
    first: str

    @property
    def text(self) -> str:
        """What the plate has, for a person."""
        wells = {it.well for it in self.fields}
        lines = [f"A plate. Wells: {len(wells)} ({', '.join(join_wells(wells))}). Fields: {len(self.fields)}."]
        return "\n".join(
            [*lines, *(f"note: well {well.name} is left out: {why}" for well, why in self.failures.items())]
        )


def survey_plate(address: str, storage_options: Mapping[str, Any] | None = None) -> PlateSurvey | None:
    """Read which wells and fields a plate has; None if there is no plate.

    Raises `ImageError` if no field of any well can be found.
    """

    def look(path: str) -> list[int] | str:
        url = join_address(address, path)
        try:
            about = ome_metadata(read_attributes(url, open_chunk_store(url, storage_options, PATIENCE)))
        except ImageError as error:
            return str(error)
        paths = [str(image.get("path")) for image in about.get("well", {}).get("images", ())]
        return sorted(int(path) for path in paths if path.isdecimal()) or f"{url} lists no field"

    try:
        wells = sorted(list_wells(address, open_chunk_store(address, storage_options, PATIENCE)).items())
    except ImageError:
        return None
    with ThreadPoolExecutor(AT_ONCE) as threads:
        found = list(zip(wells, threads.map(look, [path for _, path in wells]), strict=True))
    read = [(well, path, it) for (well, path), it in found if not isinstance(it, str)]
    if not read:
        why = f"its first well, {wells[0][0].name}: {found[0][1]}" if found else "it lists no well"
        message = (
            f"No field of the plate {mask(address)} can be found; {why}. Nothing was written. Write the address of one "
            "of its images."
        )
        raise ImageError(message)
    _, path, numbers = read[0]
    return PlateSurvey(
        tuple(Field(well, number) for well, _, each in read for number in each),
        {well: it for (well, _), it in found if isinstance(it, str)},
        join_address(address, f"{path}/{numbers[0]}"),
    )
