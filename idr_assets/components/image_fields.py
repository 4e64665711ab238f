"""The fields of an image's YAML; `source_fields`, `image_parts` and `segmentation_fields` have parts of them."""

from typing import Annotated, Literal, override

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from idr_assets.components.field_types import Address, Channel, LabelName, License, Links
from idr_assets.components.image_parts import AutomationFields, Reading
from idr_assets.components.lookups import find_channels, import_measurement
from idr_assets.components.segmentation_fields import GAUSSIAN_THRESHOLD, Segmentation, check_names
from idr_assets.components.source_fields import SourceFields
from idr_assets.imaging.ome_zarr.formats import Version

type OneOrSeveral = Segmentation | dict[str, Segmentation]


class ImageFields(SourceFields):
    """The fields of an image."""

    segmentation: Segmentation = Field(
        default_factory=Segmentation,
        examples=[{"function": GAUSSIAN_THRESHOLD, "parameters": {"sigma": 1.0, "threshold_fraction": 0.33}}],
        description="The function that turns planes into labels, and its parameters. It may be your own. To compare "
        "several, write `segmentations: {threshold: {function: ...}, mine: {function: ...}}` instead.",
    )
    segmentations: Annotated[dict[LabelName, Segmentation], AfterValidator(check_names)] = Field(
        default_factory=dict,
        description="Several segmentations to compare, by name. Each has its own labels, and assets "
        "`<image>/<name>/...`.",
    )
    measure: Literal["all"] | list[Channel] = Field(
        default_factory=list,
        examples=[[]],
        description="Channels in which `objects` measures intensities, such as column `intensity_mean_DAPI`: `all`, or "
        "a list as of `channels`. Their pixels are stored with the labels.",
    )
    measurements: list[str] = Field(
        default_factory=list,
        examples=[[]],
        description="Dotted paths of functions of your own that measure objects, each with `@measurement`.",
    )
    reference: Address | None = Field(
        default=None,
        repr=False,
        description="Address of an OME-Zarr label image with the true objects, such as a person's own, like `url`. "
        "`segmentation_comparison` scores each segmentation by it.",
    )
    format: Version = Field(
        default="0.5",
        examples=["0.5"],
        description='OME-Zarr version of the output, in quotes: "0.5" (Zarr v3), or "0.4" (Zarr v2) for older viewers.',
    )
    reuse_pixels: bool = Field(
        default=True,
        examples=[True],
        description="Whether to reuse pixels that an earlier run stored, while the image's fingerprint is unchanged. "
        "`false` downloads all of them again.",
    )
    published: bool = Field(
        default=False,
        examples=[False],
        description="Whether the image has the asset `published`: pixels and labels in few files with smaller levels, "
        "for viewers and for sharing.",
    )
    extent: Literal["window", "image"] = Field(
        default="window",
        examples=["window"],
        description="What `published` has room for: the planes of the `window`, or all of the `image`, whose planes "
        "then have the indices that they have there.",
    )
    reading: Reading = Field(
        default_factory=Reading,
        examples=[Reading().model_dump()],
        description="How the store is read: requests at once, timeouts, retries, and missing chunks.",
    )
    license: License | None = Field(
        default=None,
        description="Licence of the image: an SPDX identifier such as CC-BY-4.0, or the address of its text. "
        "`published` states it.",
    )
    citation: str | None = Field(
        default=None,
        min_length=1,
        description="What to cite for the image: a DOI, an address, or any text. `published` states it.",
    )
    links: Links = Field(
        default_factory=dict,
        examples=[{}],
        description="Web pages about the image, such as its IDR page or paper: a name and an http(s) address for each.",
    )
    automation: AutomationFields = Field(
        default_factory=AutomationFields,
        examples=[AutomationFields().model_dump()],
        description="What runs automatically for the image. Everything is off by default.",
    )
    upstream: list[Annotated[str, Field(pattern=r"^\w+(/\w+)*$")]] = Field(
        default_factory=list,
        examples=[[]],
        description="Keys of assets that produce the image, such as `demo/synthetic_embryo`.",
    )

    @field_validator("measure")
    @classmethod
    def _find_measured(cls, measure: str | list[int | str], info: ValidationInfo) -> list[int]:
        names, shape = info.data.get("channel_names", []), info.data.get("shape")
        if isinstance(measure, str):
            return list(range(shape[1])) if shape else []
        return find_channels(measure, names, shape)

    @field_validator("measurements")
    @classmethod
    def _check_measurements(cls, paths: list[str]) -> list[str]:
        return [import_measurement(path).path for path in paths]

    @field_validator("segmentation", "segmentations")
    @classmethod
    def _find_inputs(cls, given: OneOrSeveral, info: ValidationInfo) -> OneOrSeveral:
        for each in given.values() if isinstance(given, dict) else [given]:
            find_channels([*each.inputs.values()], info.data.get("channel_names", []), info.data.get("shape"))
        return given

    @override
    def check_together(self) -> None:
        super().check_together()
        self._check_channels()
        if {"segmentation", "segmentations"} <= self.model_fields_set:
            message = "the image has both `segmentation` and `segmentations`; move the first into the second"
            raise ValueError(message)

    def _check_channels(self) -> None:
        each = [*self.segmentations.values()] or [self.segmentation]
        if "channels" in self.model_fields_set and all(it.inputs for it in each):
            labelled = {it.recipe((), self.channel_names).channels for it in each}
            if labelled != {tuple(self.channels)}:
                message = (
                    "`channels` has no use beside `inputs`, whose labels lie where `labels_for` says; leave it out"
                )
                raise ValueError(message)
