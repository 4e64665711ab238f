"""What the YAML of an image may say, and what is told where it is wrong.

Its parts, such as the window, stand in `yaml_fields`; what becomes of an image in `segmented_image`.
"""

import re
from typing import Annotated, Any, Self

import numpy as np
from pydantic import ConfigDict, Field, StrictInt, ValidationInfo, field_validator, model_validator

from idr_assets.components.yaml_model import (
    GAUSSIAN_THRESHOLD,
    AutomationFields,
    Reading,
    Segmentation,
    Window,
    YamlFields,
)
from idr_assets.imaging.ome_zarr.formats import Version

MOST_INDICES = 100_000
"""Of a window in T and in Z: each is a partition key, which Dagster loads and lists."""

PAGE = re.compile(r"https?://[^\s/?#<>\"'`\\^{|}][^\s<>\"`\\^{|}]*", re.IGNORECASE)
"""Addresses of pages, all of them: a relative one would ask the UI itself, and `javascript:` would run in it."""

NUMBERS = [np.dtype(f"{kind}{size}") for kind, sizes in (("i", "1248"), ("u", "1248"), ("f", "248")) for size in sizes]
DTYPES = [*NUMBERS, np.dtype(np.bool_)]


class ImageFields(YamlFields):
    """The fields of an image, and the rules that join them."""

    model_config = ConfigDict(hide_input_in_errors=True)  # passwords, which templates fill in

    url: str | None = Field(
        default=None,
        min_length=1,
        repr=False,
        examples=["https://livingobjects.ebi.ac.uk/idr/zarr/v0.4/idr0044A/4007801.zarr"],
        description="Address of the image: http, https, s3, another fsspec URL, or a local path (a relative one is "
        "below IDR_ASSETS_DATA). Or give `image_id` and `endpoint`.",
    )
    image_id: StrictInt | None = Field(default=None, description="ID of the image in the IDR, put into `endpoint`.")
    endpoint: str | None = Field(
        default=None,
        min_length=1,
        repr=False,
        description="Address with `{image_id}` in it, for example `https://host/zarr/v0.1/{image_id}.zarr`.",
    )
    storage_options: dict[str, Any] = Field(
        default_factory=dict,
        repr=False,
        examples=[{}],
        description="Handed to fsspec, for example `{anon: true}` for a public S3 bucket.",
    )
    level: str = Field(
        min_length=1,
        coerce_numbers_to_str=True,
        json_schema_extra={"type": ["string", "integer"]},
        examples=["4"],
        description="Path of the level in the image's multiscales, for example `4`; a higher one is smaller.",
    )
    shape: Annotated[list[Annotated[StrictInt, Field(gt=0)]], Field(min_length=5, max_length=5)] = Field(
        examples=[[532, 2, 988, 128, 135]],
        description="Shape TCZYX of that level, 1 for an axis that it lacks: partitions are known offline from it, and "
        "the store is checked against it.",
    )
    dtype: str | None = Field(
        default=None,
        examples=["uint16"],
        description="Dtype of that level, `uint16` in any byte order or `>u2` in this one, `bool` for a mask; "
        "unchecked if absent.",
    )
    channels: list[StrictInt] = Field(
        default=[0],
        min_length=1,
        examples=[[0]],
        description="Channels to segment; a partition (t, z) holds the plane of each.",
    )
    window: Window = Field(
        default_factory=Window,
        validate_default=True,
        examples=[{"t": [261, 270], "z": [489, 498]}],
        description="The T range x Z range that the partitions cover, such as {t: [0, 9], z: all}.",
    )
    segmentation: Segmentation = Field(
        default_factory=Segmentation,
        examples=[{"function": GAUSSIAN_THRESHOLD, "parameters": {"sigma": 1.0, "threshold_fraction": 0.33}}],
        description="The function that turns planes into labels, with its parameters; it may be your own. To compare "
        "several by name, write `segmentations: {threshold: {function: ...}, mine: {function: ...}}` in its place.",
    )
    segmentations: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$", max_length=40)], Segmentation] = Field(
        default_factory=dict,
        description="Or several to compare, by name: each has assets `<image>/<name>/...` and labels of its own.",
    )
    format: Version = Field(
        default="0.5",
        examples=["0.5"],
        description='Version of OME-Zarr that is written, in quotes: "0.5" (Zarr v3), or "0.4" (Zarr v2) for older '
        "viewers.",
    )
    reuse_pixels: bool = Field(
        default=True,
        examples=[True],
        description="Whether pixels that an earlier run stored are read from the output while the image's fingerprint "
        "stays the same; `false` fetches all of them anew.",
    )
    reading: Reading = Field(
        default_factory=Reading,
        examples=[Reading().model_dump()],
        description="How politely the image is read, and how long its store may stutter.",
    )
    links: dict[str, str] = Field(
        default_factory=dict,
        examples=[{}],
        description="Name and address, http:// or https://, of pages about the image, such as its IDR page and paper.",
    )
    automation: AutomationFields = Field(
        default_factory=AutomationFields,
        examples=[AutomationFields().model_dump()],
        description="What runs by itself for the image; all of it is off unless set.",
    )
    upstream: list[Annotated[str, Field(pattern=r"^\w+(/\w+)*$")]] = Field(
        default_factory=list,
        examples=[[]],
        description="Keys of assets that make the image, such as `demo/synthetic_embryo`.",
    )

    @field_validator("url", "endpoint")
    @classmethod
    def _without_blanks(cls, address: str | None) -> str | None:
        if address and address != address.strip():
            message = "blanks stand around the address; take them away"
            raise ValueError(message)
        return address

    @field_validator("links")
    @classmethod
    def _lead_to_pages(cls, links: dict[str, str]) -> dict[str, str]:
        for name, address in links.items():
            if not (PAGE.fullmatch(address) and address.isprintable()) and "{{" not in address:
                message = (
                    f"{name!r} leads to no page of the web: whoever follows it might run code in the UI. Write the "
                    "whole address, with https:// or http://, without blanks, quotes and brackets"
                )
                raise ValueError(message)
        return links

    @field_validator("dtype")
    @classmethod
    def _real_number(cls, dtype: str) -> str:
        try:
            known = np.dtype(dtype).newbyteorder("=") in DTYPES
        except TypeError:
            known = False
        if not known:
            message = f"pixels have one of {', '.join(each.name for each in DTYPES)}, or with byte order such as >u2"
            raise ValueError(message)
        return dtype

    @field_validator("channels")
    @classmethod
    def _channels_exist(cls, channels: list[int], info: ValidationInfo) -> list[int]:
        count = info.data["shape"][1] if "shape" in info.data else max(channels) + 1
        wrong = [channel for channel in channels if not 0 <= channel < count]
        if wrong or len(set(channels)) < len(channels):
            message = f"the image has channels 0 to {count - 1}; name each wanted one once"
            raise ValueError(message)
        return channels

    @field_validator("window")
    @classmethod
    def _window_inside(cls, window: Window, info: ValidationInfo) -> Window:
        if "shape" not in info.data:
            return window
        shape: list[int] = info.data["shape"]
        for axis, indices in window.ranges(shape).items():
            length = shape["tcz".index(axis)]
            if len(indices) > MOST_INDICES:
                message = f"{axis} has {len(indices)} indices, more than Dagster can show; take {MOST_INDICES} at most"
                raise ValueError(message)
            if indices.stop > length:
                message = (
                    f"{axis} ends at {indices[-1]}, but the shape has {axis} 0 to {length - 1}; end it there or before"
                )
                raise ValueError(message)
        return window

    @field_validator("endpoint")
    @classmethod
    def _takes_the_id(cls, endpoint: str | None) -> str | None:
        if endpoint and "{image_id}" not in endpoint and "{{" not in endpoint:
            message = "the ID has no place in it; write {image_id} where the ID stands"
            raise ValueError(message)
        return endpoint

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        given = [name for name in ("url", "image_id", "endpoint") if getattr(self, name) is not None]
        if given not in (["url"], ["image_id", "endpoint"]):
            message = f"the image needs one address, and has {' and '.join(given) or 'none'}; "
            raise ValueError(message + "give either `url`, or both `image_id` and `endpoint`")
        return self

    @model_validator(mode="after")
    def _one_or_several(self) -> Self:
        if {"segmentation", "segmentations"} <= self.model_fields_set:
            message = "the image has both `segmentation` and `segmentations`; name the first one among the others"
            raise ValueError(message)
        if "segmentation" in map(str.lower, self.segmentations):
            message = (
                "labels without a name are called `segmentation`, and would mix with those of this name; choose another"
            )
            raise ValueError(message)
        if len({name.lower() for name in self.segmentations}) < len(self.segmentations):
            message = "two names in `segmentations` differ in upper and lower case only, which some disks take for one"
            raise ValueError(message)
        return self
