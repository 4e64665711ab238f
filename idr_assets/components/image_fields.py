"""The fields of an image's YAML, and the rules that join them; nested parts are in `image_parts`."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, StrictInt, ValidationInfo, field_validator, model_validator

from idr_assets.components.field_types import (
    Address,
    Axes,
    Channel,
    ChannelName,
    Dtype,
    Endpoint,
    LabelName,
    Links,
    Shape,
)
from idr_assets.components.image_parts import (
    GAUSSIAN_THRESHOLD,
    AutomationFields,
    Reading,
    Segmentation,
    Window,
    check_names,
    find_channels,
    import_measurement,
)
from idr_assets.components.yaml_model import YamlFields
from idr_assets.imaging.ome_zarr.formats import Version

type OneOrSeveral = Segmentation | dict[str, Segmentation]


class ImageFields(YamlFields):
    """The fields of an image."""

    model_config = ConfigDict(hide_input_in_errors=True)  # passwords, which templates fill in

    url: Address | None = Field(
        default=None,
        repr=False,
        examples=["https://livingobjects.ebi.ac.uk/idr/zarr/v0.4/idr0044A/4007801.zarr"],
        description="Address of the image: http, https, s3, another fsspec URL, or a local path, relative to "
        "IDR_ASSETS_DATA. Alternatively, set `image_id` and `endpoint`.",
    )
    image_id: StrictInt | None = Field(
        default=None, description="ID of the image in the IDR; it replaces `{image_id}` in `endpoint`."
    )
    endpoint: Endpoint | None = Field(
        default=None,
        repr=False,
        description="Address that contains `{image_id}`, for example `https://host/zarr/v0.1/{image_id}.zarr`.",
    )
    storage_options: dict[str, Any] = Field(
        default_factory=dict,
        repr=False,
        examples=[{}],
        description="Options for fsspec, for example `{anon: true}` for a public S3 bucket.",
    )
    level: str = Field(
        min_length=1,
        coerce_numbers_to_str=True,
        json_schema_extra={"type": ["string", "integer"]},
        examples=["4"],
        description="Path of the resolution level in the image's multiscales. `0` is usually full resolution; higher "
        "numbers are smaller.",
    )
    axes: Axes | None = Field(
        default=None,
        description="Only for a Zarr array without OME-Zarr metadata: the axis of each dimension, such as [z, y, x]. "
        "`url` is then the folder above the array, and `level` its path.",
    )
    shape: Shape = Field(
        examples=[[532, 2, 988, 128, 135]],
        description="Shape of that level in the order TCZYX, with 1 for an axis that it lacks. It defines the "
        "partitions, and each run checks it against the store.",
    )
    dtype: Dtype | None = Field(
        default=None,
        examples=["uint16"],
        description="Dtype of that level: `uint16` allows any byte order, `>u2` only this one; `bool` for a mask. If "
        "left out, any dtype is accepted.",
    )
    channel_names: list[ChannelName] = Field(
        default_factory=list,
        examples=[[]],
        description="Names of all channels, by index, in figures and tables, and for `channels`. Left out, figures and "
        "tables have the names that the image gives.",
    )
    channels: list[Channel] = Field(
        default=[0],
        min_length=1,
        examples=[[0]],
        description="Channels to segment, by index, or by name if `channel_names` has it. Each partition (t, z) has a "
        "plane per channel.",
    )
    window: Window = Field(
        default_factory=Window,
        validate_default=True,
        examples=[{"t": [261, 270], "z": [489, 498]}],
        description="The planes to segment, for example {t: [0, 9], z: all}. Each (t, z) is a partition.",
    )
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

    @field_validator("channels")
    @classmethod
    def _find_channels(cls, channels: list[int | str], info: ValidationInfo) -> list[int]:
        return find_channels(channels, info.data.get("channel_names", []), info.data.get("shape"))

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

    @field_validator("window")
    @classmethod
    def _check_window(cls, window: Window, info: ValidationInfo) -> Window:
        if info.data.get("shape"):
            window.check_fit(info.data["shape"])
        return window

    @model_validator(mode="after")
    def _check_addresses(self) -> Self:
        given = [name for name in ("url", "image_id", "endpoint") if getattr(self, name) is not None]
        if given not in (["url"], ["image_id", "endpoint"]):
            message = f"the image needs one address, but has {' and '.join(given) or 'none'}; "
            raise ValueError(message + "set either `url`, or both `image_id` and `endpoint`")
        return self

    @model_validator(mode="after")
    def _check_channels(self) -> Self:
        each = [*self.segmentations.values()] or [self.segmentation]
        if "channels" in self.model_fields_set and all(it.inputs for it in each):
            labelled = {it.recipe((), self.channel_names).channels for it in each}
            if labelled != {tuple(self.channels)}:
                message = (
                    "`channels` has no use beside `inputs`, whose labels lie where `labels_for` says; leave it out"
                )
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_segmentations(self) -> Self:
        if {"segmentation", "segmentations"} <= self.model_fields_set:
            message = "the image has both `segmentation` and `segmentations`; move the first into the second"
            raise ValueError(message)
        return self
