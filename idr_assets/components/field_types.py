"""Types of single fields of a YAML, each with its check and the remedy in its error."""

import re
from typing import Annotated
from urllib.parse import urlsplit

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StrictStr

from idr_assets.imaging.ome_zarr.axes import are_axes

PAGE = re.compile(r"https?://[^\s/?#<>\"'`\\^{|}][^\s<>\"`\\^{|}]*", re.IGNORECASE)
"""Absolute addresses of web pages: a relative one would be a page of the UI, and `javascript:` would run in it."""

NUMBERS = [np.dtype(f"{kind}{size}") for kind, sizes in (("i", "1248"), ("u", "1248"), ("f", "248")) for size in sizes]
DTYPES = [*NUMBERS, np.dtype(np.bool_)]


def _check_address(address: str) -> str:
    if address != address.strip():
        message = "the address has blanks before or after it; remove them"
        raise ValueError(message)
    try:
        urlsplit(address)
    except ValueError as error:
        message = (
            f"the address cannot be understood ({error}); brackets are for a host of IPv6, as in http://[::1]/a.zarr"
        )
        raise ValueError(message) from error
    return address


def _check_place_of_id(endpoint: str) -> str:
    if "{image_id}" not in endpoint and "{{" not in endpoint:
        message = "the address has no place for the ID; write {image_id} there"
        raise ValueError(message)
    return endpoint


def _check_links(links: dict[str, str]) -> dict[str, str]:
    for name, address in links.items():
        if not (PAGE.fullmatch(address) and address.isprintable()) and "{{" not in address:
            message = (
                f"{name!r} is no link to a web page, and could run code in the UI. Write the whole address, with "
                "https:// or http://, without blanks, quotes and brackets"
            )
            raise ValueError(message)
    return links


def _check_license(given: str) -> str:
    if not (PAGE.fullmatch(given) or re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+-]*", given) or "{{" in given):
        message = "write an SPDX identifier such as CC-BY-4.0 or CC0-1.0, or the https address of the licence"
        raise ValueError(message)
    return given


def _check_dtype(dtype: str) -> str:
    try:
        known = np.dtype(dtype).newbyteorder("=") in DTYPES
    except TypeError:
        known = False
    if not known:
        message = f"pixels have one of {', '.join(each.name for each in DTYPES)}, or with byte order such as >u2"
        raise ValueError(message)
    return dtype


def _check_axes(axes: list[str]) -> list[str]:
    if not are_axes(axes):
        message = "write the axis of each dimension, one of t, c, z, y, x, each at most once, with y and x among them"
        raise ValueError(message)
    return axes


Address = Annotated[str, Field(min_length=1), AfterValidator(_check_address)]

Endpoint = Annotated[Address, AfterValidator(_check_place_of_id)]

Links = Annotated[dict[str, str], AfterValidator(_check_links)]

License = Annotated[str, AfterValidator(_check_license)]

Dtype = Annotated[str, AfterValidator(_check_dtype)]

Axes = Annotated[list[str], AfterValidator(_check_axes)]

Shape = Annotated[list[Annotated[StrictInt, Field(gt=0)]], Field(min_length=5, max_length=5)]


def _check_channel(channel: object) -> object:
    if not isinstance(channel, int | str) or isinstance(channel, bool):
        message = "write the index of a channel, or a name that is in `channel_names`"
        raise ValueError(message)  # noqa: TRY004  pydantic reports a ValueError with file and line
    return channel


ChannelName = Annotated[StrictStr, Field(min_length=1, max_length=100)]

Channel = Annotated[StrictInt | ChannelName, BeforeValidator(_check_channel)]

LabelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$", max_length=40)]
