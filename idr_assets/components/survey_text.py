"""What a person reads about an image before it is added: its levels, channels and spacings, as plain text."""

from collections.abc import Iterator, Sequence
from math import prod

from idr_assets.components.new_image import name_channel
from idr_assets.imaging.ome_zarr.geometry import Geometry
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.store_text import flatten, show_address

HEAD = ("level", "shape (t, c, z, y, x)", "dtype", "pixel size (y, x)", "planes", "a plane")

SYMBOLS = {"micrometer": "µm", "nanometer": "nm", "millimeter": "mm", "second": "s", "millisecond": "ms"}


def describe_levels(levels: Sequence[Level], chosen: Level) -> str:
    """List the levels of an image, `chosen` marked by a star, then its channels and spacings."""
    rows = [HEAD, *(_row(level) for level in levels)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    marks = ["  ", *("* " if level.path == chosen.path else "  " for level in levels)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    table = [f"{mark}{line}".rstrip() for mark, line in zip(marks, lines, strict=True)]
    return "\n".join([show_address(chosen.address), *table, *_notes(chosen)])


def list_channels(level: Level) -> str:
    """List the channels of an image, with the names and colours that it gives."""
    known = level.geometry.channels
    colours = {index: f" (#{channel.colour})" for index, channel in enumerate(known) if channel.colour}
    return ", ".join(name_channel(index, known) + colours.get(index, "") for index in range(level.shape[1]))


def _row(level: Level) -> tuple[str, ...]:
    shape, itemsize = level.shape, level.dtype.itemsize
    return (
        flatten(level.path),
        ", ".join(map(str, shape)),
        level.dtype.newbyteorder("=").name,
        _pixel_size(level.geometry),
        f"{prod(shape[:3]):,}",
        _bytes(prod(level.plane_shape) * itemsize),
    )


def _notes(level: Level) -> Iterator[str]:
    yield f"channels: {list_channels(level)}"
    for axis, what in ((0, "timepoints"), (2, "slices")):
        if level.shape[axis] > 1:
            spacing = _length(level.geometry, axis)
            yield f"{what}: {level.shape[axis]}, {spacing or 'an unknown step'} apart"
    yield from (f"note: {remark}" for remark in level.remarks)


def _pixel_size(geometry: Geometry) -> str:
    sides = [_length(geometry, axis) for axis in (3, 4)]
    return " x ".join(sides) if all(sides) else "unknown"


def _length(geometry: Geometry, axis: int) -> str:
    """Write the step of an axis with its unit; '' where one of them is not known."""
    unit, step = geometry.units[axis], geometry.scale[axis]
    return f"{step:.4g} {SYMBOLS.get(unit, unit)}" if unit and step else ""


def _bytes(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:  # noqa: PLR2004  of each unit
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"
