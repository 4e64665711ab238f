"""The fields of an image's YAML that say where it is, and which planes of it are segmented."""

from typing import Any, override

from pydantic import ConfigDict, Field, StrictInt, ValidationInfo, field_validator

from idr_assets.components.field_types import Address, Axes, Channel, ChannelName, Dtype, Endpoint, Shape
from idr_assets.components.image_parts import Window
from idr_assets.components.lookups import find_channels
from idr_assets.components.yaml_model import YamlFields


class SourceFields(YamlFields):
    """The fields of an image that say where it is, and which planes of it are segmented."""

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

    @field_validator("channels")
    @classmethod
    def _find_channels(cls, channels: list[int | str], info: ValidationInfo) -> list[int]:
        return find_channels(channels, info.data.get("channel_names", []), info.data.get("shape"))

    @field_validator("window")
    @classmethod
    def _check_window(cls, window: Window, info: ValidationInfo) -> Window:
        if info.data.get("shape"):
            window.check_fit(info.data["shape"])
        return window

    @override
    def check_together(self) -> None:
        self._check_addresses()

    def _check_addresses(self) -> None:
        given = [name for name in ("url", "image_id", "endpoint") if getattr(self, name) is not None]
        if given not in (["url"], ["image_id", "endpoint"]):
            message = f"the image needs one address, but has {' and '.join(given) or 'none'}; "
            raise ValueError(message + "set either `url`, or both `image_id` and `endpoint`")
