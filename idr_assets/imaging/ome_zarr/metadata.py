"""The OME-Zarr metadata among the attributes of a group, whatever the version."""

from collections.abc import Mapping
from typing import Any


def drop_nulls(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Drop the keys whose value is null: it means the same as an absent key."""
    return {key: value for key, value in mapping.items() if value is not None}


def ome_metadata(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the OME-Zarr metadata among a group's attributes: since 0.5 below `ome`, before beside all others."""
    below = attributes.get("ome")
    if not isinstance(below, dict):
        return drop_nulls(attributes)
    return drop_nulls({key: attributes[key] for key in attributes if key != "ome"}) | drop_nulls(below)
