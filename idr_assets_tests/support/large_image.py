"""A large image of three levels and two named channels, of which the metadata alone exist."""

from pathlib import Path
from typing import Any

import zarr

SHAPES = ((3, 2, 60, 4000, 4200), (3, 2, 60, 1800, 2100), (3, 2, 60, 900, 1050))
CHANNELS = [{"label": "DAPI", "color": "0000FF"}, {"label": "GFP\n  type: x", "color": "javascript"}]


def write_large_image(image: Path, *, version: str = "0.4", channels: Any = CHANNELS, level: str = "{}") -> Path:  # noqa: ANN401
    """Write the documents of an image; `level` is the path of a level, with a place for its number."""
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    axes = [{"name": "t", "type": "time", "unit": "second"}, {"name": "c", "type": "channel"}, *axes]
    datasets = [
        {
            "path": level.format(n),
            "coordinateTransformations": [{"type": "scale", "scale": [30, 1, 2, *[0.2 * 2**n] * 2]}],
        }
        for n in range(len(SHAPES))
    ]
    metadata = {
        "multiscales": [{"version": version, "axes": axes, "datasets": datasets}],
        "omero": {"channels": channels},
    }
    attributes: Any = {"ome": {"version": version, **metadata}} if version == "0.5" else metadata
    group = zarr.create_group(image, zarr_format=3 if version == "0.5" else 2, attributes=attributes)
    for number, shape in enumerate(SHAPES):
        group.create_array(level.format(number), shape=shape, dtype="u2", chunks=(1, 1, 1, *shape[3:]))
    return image
