"""The names, colours and contrast of channels, as the `omero` metadata of an image give them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.store_text import flatten

COLOURS = ("00FF00", "FF00FF", "00FFFF", "FFFF00", "FF0000", "0000FF")
"""Of channels to which the image gives none, if there are several; a single one is white."""


def read_channels(metadata: Mapping[str, Any]) -> tuple[Channel, ...]:
    """Read the channels that OME-Zarr metadata describe, by index; () where they describe none.

    An output has those of its source among its own attributes, since `omero` must give more than is known.
    """
    channels = tuple(_channels(metadata.get("idr_assets"))) or tuple(_channels(metadata.get("omero")))
    return channels if any(channel != Channel() for channel in channels) else ()


def store_channels(channels: Iterable[Channel]) -> list[dict[str, Any]]:
    """Return channels as the attributes of an output have them."""
    return [
        {"label": it.name, "color": it.colour}
        | ({"window": dict(zip(("start", "end"), it.contrast, strict=True))} if it.contrast else {})
        for it in channels
    ]


def show_channels(channels: Mapping[int, Channel], dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return `omero` metadata of channels with a contrast, by their indices in the image; others have none to show."""
    listed, alone = [], len(channels) == 1
    for at, (c, known) in enumerate(channels.items()):
        if known.contrast is None:
            return {}
        start, end = known.contrast
        ends = np.iinfo(dtype) if dtype.kind in "iu" else None
        window = {"min": float(ends.min if ends else start), "max": float(ends.max if ends else end)}
        colour = known.colour or ("FFFFFF" if alone else COLOURS[at % len(COLOURS)])
        name = known.name or f"channel {c}"
        listed.append({"label": name, "color": colour, "active": True, "window": window | {"start": start, "end": end}})
    return {"omero": {"channels": listed}} if listed else {}


def _channels(holder: Any) -> Iterator[Channel]:  # noqa: ANN401  any JSON
    listed = holder.get("channels") if isinstance(holder, dict) else None
    for each in listed if isinstance(listed, list) else []:
        known = each if isinstance(each, dict) else {}
        label, colour = known.get("label"), re.fullmatch(r"#?([0-9A-Fa-f]{6})", str(known.get("color")))
        name = flatten(label).strip() if isinstance(label, str | int | float) else ""
        yield Channel(name or None, colour[1].upper() if colour else None, _contrast(known.get("window")))


def _contrast(window: Any) -> tuple[float, float] | None:  # noqa: ANN401  any JSON
    ends: Sequence[Any] = [window.get(end) for end in ("start", "end")] if isinstance(window, dict) else []
    known = [float(it) for it in ends if type(it) in {int, float} and isfinite(it)]
    return (known[0], known[1]) if len(known) == len(ends) > 0 and known[0] < known[1] else None
