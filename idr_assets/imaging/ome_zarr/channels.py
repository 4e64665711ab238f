"""The names and colours of channels, as the `omero` metadata of an image give them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from idr_assets.imaging.store_text import flatten


@dataclass(frozen=True)
class Channel:
    """A channel of an image.

    Attributes
    ----------
    name : str or None
        Its name on one line, None where the image gives none.
    colour : str or None
        RGB as six hexadecimal digits in capitals, None where the image gives none.

    """

    name: str | None = None
    colour: str | None = None


def read_channels(metadata: Mapping[str, Any]) -> tuple[Channel, ...]:
    """Read the channels that OME-Zarr metadata describe, by index; () where they describe none."""
    channels = tuple(_channels(metadata.get("omero")))
    return channels if any(channel != Channel() for channel in channels) else ()


def _channels(omero: Any) -> Iterator[Channel]:  # noqa: ANN401  any JSON
    listed = omero.get("channels") if isinstance(omero, dict) else None
    for each in listed if isinstance(listed, list) else []:
        known = each if isinstance(each, dict) else {}
        label, colour = known.get("label"), re.fullmatch(r"#?([0-9A-Fa-f]{6})", str(known.get("color")))
        name = flatten(label).strip() if isinstance(label, str | int | float) else ""
        yield Channel(name or None, colour[1].upper() if colour else None)
