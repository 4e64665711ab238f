"""Small plates on disk, as others write them: OME-Zarr 0.4 and 0.5."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from idr_assets.imaging.wells import Field, Well
from idr_assets_tests.support.idr_stores import Pixels, Version, nuclei_plane, write_image

SHAPE = (1, 2, 2, 40, 36)
"""Of a field, TCZYX."""


def field_pixels(field: Field, shape: tuple[int, ...] = SHAPE) -> Pixels:
    """Make the pixels (t, c, z, y, x) of a field, others in each plane and field."""
    seed = 1000 * field.well.row + 10 * field.well.column + field.number
    planes = [
        nuclei_plane(seed, c, z, shape[3:]) for _ in range(shape[0]) for c in range(shape[1]) for z in range(shape[2])
    ]
    return np.array(planes, "u2").reshape(shape)


def write_plate(
    plate: Path, fields: Iterable[Field], *, version: Version = "0.4", shape: tuple[int, ...] = SHAPE
) -> Path:
    """Write fields as a plate, each with `field_pixels`; return its folder."""
    by_well: dict[Well, list[Field]] = {}
    for field in fields:
        by_well.setdefault(field.well, []).append(field)
    rows, columns = (sorted({getattr(well, axis) for well in by_well}) for axis in ("row", "column"))
    wells = [
        {"path": well.path, "rowIndex": rows.index(well.row), "columnIndex": columns.index(well.column)}
        for well in by_well
    ]
    described = {
        "rows": [{"name": Well(row, 0).row_name} for row in rows],
        "columns": [{"name": f"{column + 1}"} for column in columns],
        "wells": wells,
        "field_count": max(map(len, by_well.values())),
        "name": "plate",
    }
    _group(plate, {"plate": described}, version)
    for well, found in by_well.items():
        _group(plate / well.path, {"well": {"images": [{"path": f"{it.number}"} for it in found]}}, version)
        for field in found:
            write_image(plate / field.path, field_pixels(field, shape), version=version)
    return plate


def _group(folder: Path, metadata: Mapping[str, Mapping[str, Any]], version: Version) -> None:
    if version == "0.5":
        zarr.create_group(folder, zarr_format=3, attributes={"ome": {"version": version, **metadata}})
    else:
        attributes = {name: {"version": version, **about} for name, about in metadata.items()}
        zarr.create_group(folder, zarr_format=2, attributes=attributes)
