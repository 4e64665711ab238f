"""The YAML of a new image from its address: read its metadata, choose, and check what is written."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from idr_assets.components.image_fields import ImageFields
from idr_assets.components.image_survey import describe_choice, survey_image, validate_fields, window_of
from idr_assets.components.known_fields import write_fields
from idr_assets.components.new_address import NewAddress, place_address
from idr_assets.components.new_image import Choice, NewImage
from idr_assets.components.plate_fields import ALL, OF_IMAGES, PlateFields
from idr_assets.components.survey_text import describe_levels, list_channels
from idr_assets.components.yaml_text import describe_fields
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.reading.plate_survey import survey_plate
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
        return window_of(self.choice, self.fields)

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
