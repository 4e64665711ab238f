"""One plate as its YAML describes it: an image whose timepoints are those of all its fields, one after the other."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, override

from idr_assets.imaging.planes import Block, Plane, index_key
from idr_assets.imaging.wells import Field, Well
from idr_assets.orchestration.data_folder import data_url
from idr_assets.orchestration.image import Image

if TYPE_CHECKING:
    from idr_assets.imaging.ome_zarr.geometry import Geometry
    from idr_assets.imaging.output.plate_output import PlateOutput
    from idr_assets.imaging.reading.plate import PlateSource


@dataclass(frozen=True, kw_only=True)
class Plate(Image):
    """A plate, its fields and one segmentation; creating one reads nothing.

    `shape` is (t, c, z, y, x) of all fields as one image, and `t` all of its timepoints.

    Attributes
    ----------
    fields : tuple of Field
        The fields, well by well.
    times : range
        The timepoints of each field that are segmented.
    timepoints : int
        The timepoints that each has.
    layout : Path or None
        A CSV of what is in the wells, with a column `well`.
    montage_field : int or None
        The field of each well that the montage shows; the first if None.

    """

    row_axis: ClassVar[str] = "field"
    source_asset: ClassVar[str] = "source_plate"
    figures: ClassVar[tuple[str, ...]] = ("plate_montage", "plane_browser")
    measures: ClassVar[tuple[str, ...]] = ("objects", "plate_counts")
    has_neighbours: ClassVar[bool] = False
    is_healed: ClassVar[bool] = False
    fields: tuple[Field, ...]
    times: range
    timepoints: int
    layout: Path | None = None
    montage_field: int | None = None

    @override
    def row_key(self, t: int) -> str:
        """Return the key of a row: a field, and its timepoint if there are several, for example `B03_0`."""
        field, at = self.field_of(t)
        return field.name + (f"_t{index_key(at, self.timepoints)}" if len(self.times) > 1 else "")

    @override
    def row_of(self, key: str) -> int:
        if key not in self._rows:
            message = f"{self.name} has no field {key!r} in its YAML as it is now."
            raise ValueError(message)
        return self._rows[key]

    @override
    def name_plane(self, plane: Plane) -> str:
        return f"{self.row_key(plane.t).replace('_t', ' t ')} c {plane.c} z {plane.z}"

    def field_of(self, t: int) -> tuple[Field, int]:
        """Return the field of a timepoint, and its timepoint in that field."""
        number, at = divmod(t, len(self.times))
        return self.fields[number], self.times.start + at

    @property
    @override
    def source(self) -> "PlateSource":
        """The fields to segment, and the shape and dtype that is expected of each."""
        from idr_assets.imaging.reading.plate import PlateSource  # noqa: PLC0415  zarr, which definitions do without

        return PlateSource(
            address=self.url,
            level=self.level,
            fields=self.fields,
            times=self.times,
            shape=(self.timepoints, *self.shape[1:]),
            dtype=self.dtype,
            storage_options=self.storage_options,
            patience=self.patience,
            missing_chunks=self.missing_chunks,
        )

    @override
    def open_output(self) -> "PlateOutput":
        from idr_assets.imaging.output.plate_output import open_plate_output  # noqa: PLC0415  as above

        return open_plate_output(self.labels_url, self.label_group, self.fields, self.times, self.recipe.together)

    @property
    @override
    def geometry(self) -> "Geometry":
        from idr_assets.imaging.output.plate_output import read_plate_geometry  # noqa: PLC0415  as above

        return read_plate_geometry(self.labels_url, self.label_group)

    @property
    def wells(self) -> list[Well]:
        """The wells, row by row."""
        return list(dict.fromkeys(field.well for field in self.fields))

    @property
    def shown_field(self) -> int:
        """The number of the field that the montage shows of each well."""
        return self.fields[0].number if self.montage_field is None else self.montage_field

    def shown_row(self, well: Well) -> int | None:
        """Return the first timepoint of that field of a well; None for a well that the YAML does not name."""
        field = Field(well, self.shown_field)
        return self.fields.index(field) * len(self.times) if field in self.fields else None

    def planes_of(self, well: str) -> Block:
        """Return the planes of all fields of a well, by its name."""
        return replace(self.window, t=self._wells[well])

    @override
    def measured_row(self, key: str) -> int:
        return self._wells[key].start

    @property
    @override
    def objects_urls(self) -> dict[int, str]:
        """Address of the table of each well, a Parquet file, by the well's first timepoint."""
        return {rows.start: f"{self.objects_url}/well={name}.parquet" for name, rows in self._wells.items()}

    @property
    @override
    def montage_url(self) -> str:
        return data_url(self.project, *self._path, "plate_montage.png")

    @property
    def counts_table_url(self) -> str:
        """Address of the table of the wells, a CSV."""
        return data_url(self.project, *self._path, "plate_counts.csv")

    @override
    def counts_url(self, kind: str) -> str:
        return data_url(self.project, *self._path, f"plate_counts.{kind}")

    @cached_property
    def _wells(self) -> dict[str, range]:
        """Timepoints of the fields of each well, which follow each other."""
        step = len(self.times)
        found: dict[str, range] = {}
        for at, field in enumerate(self.fields):
            first = found.get(field.well.name, range(at * step, 0)).start
            found[field.well.name] = range(first, (at + 1) * step)
        return found

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {self.row_key(t): t for t in self.t}
