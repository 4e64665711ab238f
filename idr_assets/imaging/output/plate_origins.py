"""Which pixels the output of a plate already has: as of an image, with the state of each field by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import override

from idr_assets.imaging.output.origin_array import ORIGINS
from idr_assets.imaging.output.origins import Origins
from idr_assets.imaging.output.plate_output import PlateOutput, stack_field_arrays
from idr_assets.imaging.planes import Plane


@dataclass(frozen=True)
class PlateOrigins(Origins):
    """The stored pixels of the fields of a plate and their origins.

    Attributes
    ----------
    states : mapping of int to str
        The state of each field that may be read, see `Fingerprint`.
    times : range
        The timepoints of each field.

    """

    states: Mapping[int, str]
    times: range

    @override
    def _head(self, plane: Plane) -> list[object]:
        field, t = divmod(plane.t, len(self.times))
        return [self.states[field], self.times.start + t, plane.c, plane.z]


def open_plate_origins(output: PlateOutput, states: Mapping[int, str], *, reuse: bool) -> PlateOrigins:
    """Open the origins of the fields of a plate that were created, whose states are those of the keys of `states`."""
    like = output.fields[next(iter(states))].path
    pixels, digests = (
        stack_field_arrays(output.url, f"{like}/{path}", output.fields, output.times, missing_chunks="zeros")
        for path in ("0", ORIGINS)
    )
    return PlateOrigins(output.url, "", pixels, digests, reuse=reuse, states=states, times=output.times)
