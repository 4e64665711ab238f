"""The output of a plate: a plate whose fields are outputs as of an image, opened as one output.

As in `PlateSource`, its timepoints are those of all fields, one field after the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, override

import zarr

from idr_assets.imaging.errors import AbsentOutputError, ImageError, mask
from idr_assets.imaging.ome_zarr.geometry import Geometry
from idr_assets.imaging.output.arrays import open_array
from idr_assets.imaging.output.nodes import find_group
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.remedies import explain_absent, explain_remains
from idr_assets.imaging.planes import Plane, index_key
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.stores.pipelines import fuse
from idr_assets.imaging.stores.stacked_array import Stack, stack_arrays
from idr_assets.imaging.wells import Field, name_fields, parse_field


@dataclass(frozen=True)
class PlateOutput(OutputImage):
    """The output of a plate at `url`, opened with the label group `name` of each field.

    Attributes
    ----------
    fields : tuple of Field
        The fields whose timepoints are those of the arrays; a field that was not made has no planes.
    times : range
        The timepoints of each.
    groups : tuple of str
        The label groups that any field may have.

    """

    fields: tuple[Field, ...]
    times: range
    groups: tuple[str, ...]

    @override
    def label_groups(self) -> list[str]:
        return [*self.groups]

    @override
    def explain_unstored(self, plane: Plane) -> ImageError:
        return self._renamed(super().explain_unstored(plane))

    @override
    def _explain_damage(self, plane: Plane, error: Exception) -> ImageError:
        return self._renamed(super()._explain_damage(plane, error))

    @override
    def _partition(self, plane: Plane) -> str:
        field, at = divmod(plane.t, len(self.times))
        row = self.fields[field].name + (f"_t{self.times.start + at}" if len(self.times) > 1 else "")
        return f"{row}|{index_key(plane.z, self.labels.shape[2])}"

    def _renamed(self, error: ImageError) -> ImageError:
        return ImageError(name_fields(str(error), self.fields, self.times))

    @override
    def _keys(self, plane: Plane, array: str) -> list[str]:
        folder = self.fields[plane.t // len(self.times)].path
        grid = product([plane.t], [plane.c], [plane.z], *map(range, self._plane_grid))
        own = [self.labels.metadata.encode_chunk_key(at).removeprefix(f"{folder}/labels/{self.name}/0/") for at in grid]
        return [f"{folder}/{array}/{key}" for key in own]


def open_plate_output(
    url: str, name: str, fields: Sequence[Field], times: range, together: Sequence[int] = ()
) -> PlateOutput:
    """Open fields of the output of a plate; `ImageError` if none of its fields has a label group `name`.

    `together` is as of `open_output`.
    """
    labels = read_labels(url)
    try:
        like = parse_field(labels[name][0])
        pixels, labelled = (
            stack_field_arrays(url, f"{like.path}/{path}", fields, times) for path in ("0", f"labels/{name}/0")
        )
    except LookupError as error:
        raise _no_output(url, name) from error
    except FileNotFoundError as error:
        raise explain_remains(url, name, "dg launch --job segment_{}") from error
    own = {name: tuple(together)} if together else {}
    groups = tuple(labels)
    return PlateOutput(url, name, pixels, labelled, fields=tuple(fields), times=times, groups=groups, together=own)


def read_plate_geometry(url: str, name: str) -> Geometry:
    """Read axes, scales and units of a field of a plate's output that has labels `name`; `ImageError` if none has."""
    fields = read_labels(url).get(name)
    if not fields:
        raise _no_output(url, name)
    return open_level(f"{url}/{parse_field(fields[0]).path}", "0").geometry


def read_labels(url: str) -> Mapping[str, list[str]]:
    """Return the names of the fields that have each label group of a plate's output; none if there is no output."""
    group = find_group(url)
    about: Any = group.attrs.get("idr_assets", {}) if group is not None else {}
    labels: Mapping[str, list[str]] = about.get("labels", {})
    return labels


def stack_field_arrays(
    url: str, path: str, fields: Sequence[Field], times: range, *, missing_chunks: Literal["error", "zeros"] = "error"
) -> zarr.Array[Any]:
    """Open an array of a field of a plate's output, and those at the same place in other fields, as one array.

    Raises FileNotFoundError if there is no array at this `path` below the output.
    """
    array = open_array(url, path, missing_chunks=missing_chunks)
    place = "/".join(path.split("/")[3:])  # behind row, column and field
    stacked = stack_arrays(array, array.store, Stack(tuple(f"{it.path}/{place}" for it in fields), times))
    fuse(stacked)
    return stacked


def _no_output(url: str, name: str) -> AbsentOutputError:
    return explain_absent(url, f"{mask(url)} with labels {name!r}")
