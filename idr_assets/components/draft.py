"""The YAML of a new image from its address: read its metadata, choose, and check what is written."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from idr_assets.components.image_fields import ImageFields
from idr_assets.components.known_fields import write_fields
from idr_assets.components.new_address import NewAddress, place_address
from idr_assets.components.new_image import Choice, NewImage, choose_fields, name_channel
from idr_assets.components.plate_fields import ALL, OF_IMAGES, PlateFields
from idr_assets.components.survey_text import describe_levels, list_channels
from idr_assets.components.yaml_model import explain_errors
from idr_assets.components.yaml_text import describe_fields
from idr_assets.imaging.counts import write_count
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.reading.plate_survey import survey_plate
from idr_assets.imaging.reading.survey import survey_levels
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.wells import Field


@dataclass(frozen=True)
class Draft:
    """The YAML of a new image, which is not written yet.

    Attributes
    ----------
    name : str
        Name of the image.
    text : str
        The YAML.
    fields : ImageFields
        The same, validated; the address in it is a template where it may hold a secret.
    choice : Choice
        The level, opened, and the values of the YAML.
    address : NewAddress
        The address of the image.
    levels : str
        What the image has, for a person.
    of_plate : tuple of Field
        The fields of a plate.

    """

    name: str
    text: str
    fields: ImageFields
    choice: Choice
    address: NewAddress
    levels: str
    of_plate: tuple[Field, ...] = ()

    def write(self, folder: Path) -> None:
        """Write the YAML, and the list of fields of a plate beside it."""
        if self.of_plate:
            write_fields(folder, self.of_plate)
        (folder / "defs.yaml").write_text(self.text)

    @property
    def window(self) -> Block:
        """The planes to segment."""
        return _window(self.choice, self.fields)

    @property
    def recipe(self) -> Recipe:
        """The segmentation, as a run has it."""
        return self.fields.segmentation.recipe(self.window.c)

    @property
    def report(self) -> str:
        """What the image has, and what was chosen."""
        return f"{self.levels}\n\nchosen: {describe_choice(self.choice, self.fields)}"

    @property
    def next(self) -> str:
        """The commands that come next."""
        note = "The address may hold a secret, which is not written. For each process, set it by: "
        before = f"{note}{self.address.export}\n" if self.address.export else ""
        return f"{before}next: dg launch --job segment_{self.name} && dg launch --job measure_{self.name}"


def draft_image(wishes: NewImage, name: str, project: Path) -> Draft:
    """Draft the YAML of the image or plate at `wishes.url`; only metadata are read, and nothing is written.

    Raises
    ------
    ImageError
        Where there is no image, or a wish does not fit it; the message says which address or value to take.

    """
    address = place_address(str(wishes.url), name, project)
    try:
        return _draft(name, *survey_image(wishes, name, project))
    except ImageError:
        plate = survey_plate(address.read, wishes.storage_options)
        if plate is None:
            raise
    choice, _, levels = survey_image(wishes.model_copy(update={"url": plate.first}), name, project)
    draft = _draft(name, choice, address, levels, wells=[ALL], fields=[ALL])
    return replace(draft, levels=f"{plate.text} A field:\n\n{draft.levels}", of_plate=plate.fields)


def _draft(name: str, choice: Choice, address: NewAddress, levels: Sequence[Level], **of_plate: Sequence[str]) -> Draft:
    known = [f"{level.path} is {' x '.join(map(str, level.plane_shape))} pixels" for level in levels]
    notes = {
        "level": [f"Of this image (y x x): {', '.join(known)}."],
        "channels": [f"Of this image: {list_channels(choice.level)}."],
    }
    kind, component = (PlateFields, "SegmentedPlate") if of_plate else (ImageFields, "SegmentedImage")
    left_out = OF_IMAGES if of_plate else ()
    text = describe_fields(kind, {"url": address.written, **choice.values, **of_plate}, notes, component, left_out)
    fields = validate_fields(yaml.safe_load(text)["attributes"], kind)
    return Draft(name, text, fields, choice, address, describe_levels(levels, choice.level))


def survey_image(wishes: NewImage, name: str, project: Path) -> tuple[Choice, NewAddress, tuple[Level, ...]]:
    """Choose what is said about the image at `wishes.url`; return its address and its levels too."""
    address = place_address(str(wishes.url), name, project)
    levels = survey_levels(address.read, wishes.storage_options, wishes.axes)
    bare = levels[0].address != address.read  # the folder above an array
    if bare:
        address = place_address(levels[0].address, name, project)
    elif wishes.axes:
        message = f"{levels[0].url} has OME-Zarr metadata, which say its axes, so nothing was written. Name no axes."
        raise ImageError(message)
    choice = choose_fields(wishes, levels)
    axes = {"axes": list(choice.level.geometry.axes)} if bare else {}
    return replace(choice, values={**choice.values, **axes}), address, levels


def describe_choice(choice: Choice, fields: ImageFields) -> str:
    """Say which level, channels and planes were chosen."""
    level, window = choice.level, _window(choice, fields)
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


def _window(choice: Choice, fields: ImageFields) -> Block:
    ranges = fields.window.ranges(choice.level.shape)
    return Block(ranges["t"], tuple(it for it in fields.channels if isinstance(it, int)), ranges["z"])
