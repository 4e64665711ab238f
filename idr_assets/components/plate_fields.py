"""The fields of a plate's YAML: those of an image, and which wells and fields of the plate to take."""

from collections.abc import Collection
from typing import Annotated, Any, override

from pydantic import Field, StrictInt, field_validator

from idr_assets.components.field_types import Address, Shape
from idr_assets.components.image_fields import ImageFields
from idr_assets.components.image_parts import MOST_INDICES, Window
from idr_assets.imaging.wells import Field as PlateField
from idr_assets.imaging.wells import list_fields, parse_numbers, parse_wells

OF_IMAGES = {
    "axes": ", because the metadata of the plate say them",
    "reference": ", and score segmentations on an image of the same kind",
    "published": ", because a plate cannot be published yet",
    "extent": ", because a plate cannot be published yet",
}
"""Fields that a plate has no use for, and what to do instead."""

ALL = "all"
"""All wells, or all fields of each, that the file `fields.csv` lists."""


class PlateFields(ImageFields):
    """The fields of a plate."""

    url: Address | None = Field(
        default=None,
        repr=False,
        examples=["https://host/plate.ome.zarr"],
        description="Address of the plate: http, https, s3, another fsspec URL, or a local path, relative to "
        "IDR_ASSETS_DATA. Alternatively, set `image_id` and `endpoint`.",
    )
    shape: Shape = Field(
        examples=[[1, 2, 1, 1080, 1080]],
        description="Shape of that level in each field, in the order TCZYX, with 1 for an axis that it lacks. Each run "
        "checks it against the store.",
    )
    window: Window = Field(
        default_factory=Window,
        validate_default=True,
        examples=[{"t": "all", "z": "all"}],
        description="The planes of each field to segment, for example {t: [0, 9], z: all}.",
    )
    wells: Annotated[list[str], Field(min_length=1)] = Field(
        examples=[["B02:D11"]],
        description="The wells to segment: names such as `B03`, rectangles such as `B02:D11`, or `all` that "
        "`fields.csv` beside the YAML lists. `idr-assets refresh` renews it from the store.",
    )
    fields: Annotated[list[StrictInt | str], Field(min_length=1)] = Field(
        default=[0],
        examples=[[0]],
        description="The fields of each well, by the names of their folders: numbers such as `0`, ranges such as "
        "`0-8`, or `all` that `fields.csv` lists.",
    )

    montage_field: StrictInt | None = Field(
        default=None, description="The field that `plate_montage` shows of each well, by default the first."
    )
    layout: str | None = Field(
        default=None,
        description="CSV of what is in the wells, relative to the YAML's folder: a column `well`, and others of your "
        "own, such as `compound`. They are added to the table and the figure of `plate_counts`.",
    )

    @field_validator("wells", mode="before")
    @classmethod
    def _check_wells(cls, wells: object) -> object:
        names = [wells] if isinstance(wells, str) else wells
        if isinstance(names, list) and all(isinstance(name, str) and "{{" not in name for name in names):
            parse_wells([] if names == [ALL] else names)
        return names

    @field_validator("fields", mode="before")
    @classmethod
    def _check_fields(cls, fields: object) -> object:
        listed: list[Any] = fields if isinstance(fields, list) else [fields]
        parse_numbers([] if listed == [ALL] else listed)
        return listed

    @override
    def check_together(self) -> None:
        super().check_together()
        if ALL not in {*self.wells, *self.fields}:
            self.list_fields(())
        each = [*self.segmentations.values(), self.segmentation]
        if any("t" in segmentation.neighbours for segmentation in each):
            message = "`neighbours` along t would be of other fields of the plate; leave `t` out"
            raise ValueError(message)
        for name, remedy in OF_IMAGES.items():
            if getattr(self, name) != type(self).model_fields[name].default:
                message = f"`{name}` is for images; leave it out{remedy}"
                raise ValueError(message)

    def list_fields(self, known: Collection[PlateField]) -> tuple[PlateField, ...]:
        """List the fields to take, well by well; `known` are all that the plate has.

        Raises `ValueError` if these are too many or none, or the montage is to show another one.
        """
        wells = {it.well for it in known} if self.wells == [ALL] else parse_wells(self.wells)
        if self.fields == [ALL]:
            found = tuple(sorted(it for it in known if it.well in wells))
        else:
            found = list_fields(sorted(wells), parse_numbers(self.fields))
        if not found:
            message = f"the plate has no field in {', '.join(self.wells)}; choose other `wells`"
            raise ValueError(message)
        if self.montage_field is not None and self.montage_field not in {it.number for it in found}:
            message = f"`montage_field` {self.montage_field} is not one of `fields`; choose one of them"
            raise ValueError(message)
        rows = len(found) * len(self.window.ranges(self.shape)["t"])
        if rows > MOST_INDICES:
            message = f"the plate has {rows} fields, more than Dagster can show; use {MOST_INDICES} at most"
            raise ValueError(message)
        return found
