"""The names and colours of channels, as the `omero` metadata of an image give them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.store_text import flatten


def read_channels(metadata: Mapping[str, Any]) -> tuple[Channel, ...]:
    """Read the channels that OME-Zarr metadata describe, by index; () where they describe none.

    An output has those of its source among its own attributes, since `omero` must give more than is known.
    """
    channels = tuple(_channels(metadata.get("idr_assets"))) or tuple(_channels(metadata.get("omero")))
    return channels if any(channel != Channel() for channel in channels) else ()


def store_channels(channels: Iterable[Channel]) -> list[dict[str, str | None]]:
    """Return channels as the attributes of an output have them."""
    return [{"label": channel.name, "color": channel.colour} for channel in channels]


def _channels(holder: Any) -> Iterator[Channel]:  # noqa: ANN401  any JSON
    listed = holder.get("channels") if isinstance(holder, dict) else None
    for each in listed if isinstance(listed, list) else []:
        known = each if isinstance(each, dict) else {}
        label, colour = known.get("label"), re.fullmatch(r"#?([0-9A-Fa-f]{6})", str(known.get("color")))
        name = flatten(label).strip() if isinstance(label, str | int | float) else ""
        yield Channel(name or None, colour[1].upper() if colour else None)
