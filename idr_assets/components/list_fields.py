"""The fields of a list of images: those that its images share, and the images."""

from typing import Any, override

from pydantic import Field

from idr_assets.components.field_types import Shape
from idr_assets.components.image_fields import ImageFields

LEVEL, SHAPE = (ImageFields.model_fields[name] for name in ("level", "shape"))


class ListFields(ImageFields):
    """The fields of a list of images. Those of an image hold for each image that does not give its own."""

    level: str | None = Field(  # type: ignore[assignment] # here or at each image
        default=None,
        min_length=1,
        coerce_numbers_to_str=True,
        json_schema_extra={"type": ["string", "integer", "null"]},
        description=LEVEL.description,
    )
    shape: Shape | None = Field(default=None, description=SHAPE.description)  # type: ignore[assignment]
    images: str | list[dict[str, Any]] = Field(
        min_length=1,
        examples=["images.csv"],
        description="The images: a CSV or TSV file beside the YAML, or a list of `{name: ..., url: ...}`. `name` names "
        "the image. Any field of an image may be a column. Other columns are your own, such as `treatment`.",
    )
    group_by: str | None = Field(
        default=None, description="Column of the images by which figures of the list group them, such as `treatment`."
    )

    @override
    def _check_addresses(self) -> None:
        """Leave the addresses to each image."""
