"""The fields of a plate's YAML: those of an image, and which wells and fields of the plate to take."""

import re
from typing import Annotated, Self

from pydantic import Field, StrictInt, field_validator, model_validator

from idr_assets.components.field_types import Address, Shape
from idr_assets.components.image_fields import ImageFields
from idr_assets.components.image_parts import MOST_INDICES, Window
from idr_assets.imaging.wells import Field as PlateField
from idr_assets.imaging.wells import list_fields, parse_wells

RANGE = re.compile(r"([0-9]{1,4})-([0-9]{1,4})")
"""Fields from a first to a last number, of four digits at most."""


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
        description="The wells to segment: names such as `B03`, and rectangles such as `B02:D11`. They are not read "
        "from the store, because nothing is when the YAML is loaded.",
    )
    fields: Annotated[list[StrictInt | str], Field(min_length=1)] = Field(
        default=[0],
        examples=[[0]],
        description="The fields of each well, by the names of their folders: numbers such as `0`, and ranges such as "
        "`0-8`.",
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
        if names == ["all"]:
            message = (
                "nothing is read from the plate when the YAML is loaded; write the wells, or let `idr-assets add NAME "
                "ADDRESS --force` write all that the plate has"
            )
            raise ValueError(message)
        if isinstance(names, list) and all(isinstance(name, str) and "{{" not in name for name in names):
            parse_wells(names)
        return names

    @field_validator("fields", mode="before")
    @classmethod
    def _check_fields(cls, fields: object) -> object:
        listed = fields if isinstance(fields, list) else [fields]
        for each in listed:
            found = RANGE.fullmatch(each) if isinstance(each, str) else None
            if not (found and int(found[1]) <= int(found[2])) and not (type(each) is int and each >= 0):
                message = f"{each!r} is no field; write numbers such as 0, and ranges such as 0-8"
                raise ValueError(message)
        return listed

    @model_validator(mode="after")
    def _check_plate(self) -> Self:
        if self.montage_field is not None and self.montage_field not in {it.number for it in self.list_fields()}:
            message = f"`montage_field` {self.montage_field} is not one of `fields`; choose one of them"
            raise ValueError(message)
        each = [*self.segmentations.values(), self.segmentation]
        if any("t" in segmentation.neighbours for segmentation in each):
            message = "`neighbours` along t would be of other fields of the plate; leave `t` out"
            raise ValueError(message)
        if self.reference:
            message = "`reference` is for images; leave it out, and score segmentations on an image of the same kind"
            raise ValueError(message)
        if self.published:
            message = "`published` is for images; leave it out, because a plate cannot be published yet"
            raise ValueError(message)
        rows = len(self.list_fields()) * len(self.window.ranges(self.shape)["t"])
        if rows > MOST_INDICES:
            message = f"the plate has {rows} fields, more than Dagster can show; use {MOST_INDICES} at most"
            raise ValueError(message)
        return self

    def list_fields(self) -> tuple[PlateField, ...]:
        """List the fields of all wells, well by well."""
        numbers: set[int] = set()
        for each in self.fields:
            first, _, last = str(each).partition("-")
            numbers |= set(range(int(first), int(last or first) + 1))
        return list_fields(parse_wells(self.wells), sorted(numbers))
