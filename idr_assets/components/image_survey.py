"""Choose the fields of the image at an address by its metadata, and check them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from idr_assets.components.image_fields import ImageFields
from idr_assets.components.new_address import NewAddress, place_address
from idr_assets.components.new_image import Choice, NewImage, choose_fields, name_channel
from idr_assets.components.yaml_model import explain_errors
from idr_assets.imaging.counts import write_count
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.reading.survey import survey_levels


def survey_image(wishes: NewImage, name: str, project: Path) -> tuple[Choice, NewAddress, tuple[Level, ...]]:
    """Choose what is said about the image at `wishes.url`; return its address and its levels too."""
    address = place_address(str(wishes.url), name, project)
    levels = survey_levels(address.read, wishes.storage_options, wishes.axes, wishes.level)
    above = levels[0].address != address.read  # the folder above an array
    if above:
        address = place_address(levels[0].address, name, project)
    choice = choose_fields(wishes, levels)
    axes = {"axes": list(choice.level.geometry.axes)} if above or wishes.axes else {}
    return replace(choice, values={**choice.values, **axes}), address, levels


def describe_choice(choice: Choice, fields: ImageFields) -> str:
    """Say which level, channels and planes were chosen."""
    level, window = choice.level, window_of(choice, fields)
    channels = ", ".join(name_channel(index, level.geometry.channels) for index in window.c)
    return (
        f"level {level.path}, channel {channels}, t {window.t[0]} to {window.t[-1]}, "
        f"z {window.z[0]} to {window.z[-1]}: {write_count(len(window), 'plane')}"
    )


def validate_fields(attributes: dict[str, Any], kind: type[ImageFields] = ImageFields) -> ImageFields:
    """Check a YAML as its load does, so that nothing is written that cannot be loaded."""
    try:
        return kind.model_validate(attributes)
    except ValidationError as error:
        message = f"Nothing was written, because the YAML could not be loaded. {explain_errors(error)}"
        raise ImageError(message) from None


def window_of(choice: Choice, fields: ImageFields) -> Block:
    """Return the planes to segment."""
    ranges = fields.window.ranges(choice.level.shape)
    return Block(ranges["t"], tuple(it for it in fields.channels if isinstance(it, int)), ranges["z"])
