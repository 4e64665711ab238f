"""The axes of a level: which of T, C, Z, Y and X each stored dimension is, by its name or its type."""

from collections.abc import Mapping, Sequence
from typing import Any

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.ome_zarr.metadata import drop_nulls
from idr_assets.imaging.ome_zarr.multiscales import Multiscale
from idr_assets.imaging.ome_zarr.transformations import MOVING, list_steps
from idr_assets.imaging.ome_zarr.units import name_unit
from idr_assets.imaging.store_text import quote, quote_all

AXES = "tczyx"
"""Axis order of every array that leaves this package."""

TYPES = {"t": "time", "c": "channel", **dict.fromkeys("zyx", "space")}
BY_TYPE = {"time": "t", "channel": "c"}
WITHOUT_AXES = {(0, 1), (0, 2)}
"""Versions whose images have the axes TCZYX and do not name them."""


def are_axes(letters: Sequence[str | None]) -> bool:
    """Return whether letters are axes of planes: each of TCZYX at most once, Y and X among them."""
    return set(letters) <= {*AXES} and len(set(letters)) == len(letters) and {"y", "x"} <= set(letters)


def read_axes(
    url: str, multiscale: Multiscale, dataset: Mapping[str, Any], remarks: list[str]
) -> dict[str, str | None]:
    """Map the stored axes, as letters of TCZYX in the order of the array's dimensions, to their units.

    Raises
    ------
    ImageError
        Where an axis is not one of them, two are the same, or y or x is missing.

    """
    listed = [_axis(axis) for axis in _list_axes(url, multiscale, dataset)]
    letters = _letters(listed)
    if not are_axes(letters):
        shown = [f"{axis.get('name')} ({axis['type']})" if "type" in axis else axis.get("name") for axis in listed]
        message = (
            f"The axes of {url} are {quote_all(shown)}: no planes can be cut. Each must be one of t, c, z, y, x, by "
            "its name or its type (time, channel, space), each at most once, and y and x among them. Tell the store's "
            "owner, or correct them in a copy."
        )
        raise ImageError(message)
    known = {letter: axis for letter, axis in zip(letters, listed, strict=True) if letter}
    return {letter: _unit(url, letter, axis, remarks) for letter, axis in known.items()}


def _axis(axis: Any) -> dict[str, Any]:  # noqa: ANN401  any JSON
    return drop_nulls(axis) if isinstance(axis, dict) else {"name": axis}


def _list_axes(url: str, multiscale: Multiscale, dataset: Mapping[str, Any]) -> list[Any]:
    """List the axes as they are stored."""
    entry, version = multiscale.entry, multiscale.version
    if multiscale.has_systems:
        return _axes_of_system(url, entry["coordinateSystems"], dataset)
    if axes := entry.get("axes"):
        return axes if isinstance(axes, list) else [axes]
    if version in WITHOUT_AXES or (version is None and "axes" not in entry and not multiscale.below_ome):
        return list(AXES)
    named = f"OME-Zarr {version[0]}.{version[1]}" if version else "its version"
    message = (
        f"The multiscales of {url} name no axes, as {named} must: which of its dimensions are planes is not known, and "
        "nothing is read. Tell the store's owner, or add `axes` in a copy."
    )
    raise ImageError(message)


def _axes_of_system(url: str, systems: Any, dataset: Mapping[str, Any]) -> list[Any]:  # noqa: ANN401  any JSON
    """List the axes of the coordinate system that a level's own transformation leads to."""
    moving = [step.kind for step in list_steps(dataset.get("coordinateTransformations")) if step.kind in MOVING]
    known = [system for system in systems if isinstance(system, dict)] if isinstance(systems, list) else []
    wanted = _output(dataset)
    named = [system for system in known if wanted is not None and system.get("name") == wanted]
    axes = (named or (known if len(known) == 1 else [{}]))[0].get("axes")
    if isinstance(axes, list) and not moving:
        return axes
    reason = (
        f"the transformation {quote(moving[0])} of the level may exchange them"
        if moving
        else f"its level leads to {quote(wanted)}, and its coordinate systems are "
        f"{quote_all(system.get('name') for system in known)}"
    )
    message = (
        f"The axes of {url} are not known: {reason}. Nothing is read. Tell the store's owner, or correct "
        "`coordinateSystems` and `coordinateTransformations` in a copy."
    )
    raise ImageError(message)


def _output(dataset: Mapping[str, Any]) -> Any:  # noqa: ANN401  any JSON
    """Name the coordinate system that a level leads to; 0.6.dev1 has the name itself where 0.6 has an object."""
    listed = dataset.get("coordinateTransformations")
    last = listed[-1] if isinstance(listed, list) and listed else None
    output = last.get("output") if isinstance(last, dict) else None
    return output.get("name") if isinstance(output, dict) else output


def _letters(axes: list[dict[str, Any]]) -> list[str | None]:
    """Find which axis each one is; None where neither its name nor its type says it.

    Axes of space with other names are z, y, x in this order, as OME-Zarr has them; a single one is the letter that the
    others leave.
    """
    found = [_letter(axis) for axis in axes]
    spatial = [at for at, axis in enumerate(axes) if axis.get("type") == "space" or found[at] in {*"zyx"}]
    left = [letter for letter in "zyx"[-len(spatial) :] if letter not in found]
    unnamed = [at for at in spatial if found[at] is None]
    if len(unnamed) == len(left) and len(unnamed) in {1, len(spatial)}:
        for at, letter in zip(unnamed, left, strict=True):
            found[at] = letter
    return found


def _letter(axis: Mapping[str, Any]) -> str | None:
    name = str(axis.get("name")).lower()
    return name if name in TYPES else BY_TYPE.get(str(axis.get("type")))


def _unit(url: str, letter: str, axis: Mapping[str, Any], remarks: list[str]) -> str | None:
    if (axis.get("type") or TYPES[letter]) != TYPES[letter]:
        remarks.append(
            f"Axis {quote(axis.get('name'))} of {url} is taken for {letter} by its name; its type says "
            f"{quote(axis['type'])}."
        )
    unit = axis.get("unit", "")
    if not isinstance(unit, str):
        remarks.append(f"The unit of axis {letter} of {url} is {quote(unit)}, which is not a name: it is not used.")
        return None
    return name_unit(letter, unit)
