"""Image stores on disk: sparse ones in the IDR's exact layout, and small ones in every OME-Zarr version.

Here belongs what a correct store holds. How a server spoils it on the way is in `store_server`.
"""

import json
from collections.abc import Callable, Iterable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import zarr

type Version = Literal["0.1", "0.2", "0.3", "0.4", "0.5", "0.6"]
type Pixels = npt.NDArray[Any]

AXES = "tczyx"
ZARR_V3 = ("0.5", "0.6")
IDR_SHAPE = (532, 2, 988, 128, 135)
IDR_PATHS = {"0.1": "idr/zarr/v0.1/4007801.zarr", "0.4": "idr/zarr/v0.4/idr0044A/4007801.zarr"}
IDR_LEVELS = ("0", "1", "2", "3", "4")
UNITS = {"t": "second", "z": "micrometer", "y": "micrometer", "x": "micrometer"}
PIXEL_SIZES = {"t": 30.0, "c": 1.0, "z": 2.0, "y": 0.4, "x": 0.4}
"""Of level 0, in UNITS; made up, of the order of a light-sheet microscope's."""


def nuclei_plane(t: int, c: int, z: int, shape: tuple[int, ...] = IDR_SHAPE[-2:]) -> npt.NDArray[np.uint16]:
    """Make a (y, x) uint16 plane of twelve round nuclei over camera noise, seeded by (t, c, z)."""
    random = np.random.default_rng((t, c, z))
    y, x = (np.exp(-(((np.arange(n) - random.uniform(0, n, (12, 1))) / 4) ** 2) / 2) for n in shape)
    nuclei = y.T @ (x * random.uniform(400, 1500, (12, 1)))
    return np.rint(nuclei + random.normal(110, 8, shape)).astype(np.uint16)


def write_idr_store(  # noqa: PLR0913
    root: Path,
    *,
    version: Literal["0.1", "0.4"],
    t: Iterable[int],
    c: Iterable[int],
    z: Iterable[int],
    level: str = "4",
    shape: tuple[int, ...] = IDR_SHAPE,
    pixels: Callable[[int, int, int], Pixels] | None = None,
) -> Path:
    """Write image 4007801 below `root` where the IDR has it: of all its planes only t x c x z, of one level.

    The level is >u2 in TCZYX, a plane a chunk. `pixels(t, c, z)` gives a (y, x) plane, by default `nuclei_plane`.
    Returns the image's folder; zarr raises ContainsGroupError where it exists.
    """
    image = root / IDR_PATHS[version]
    omero = {"channels": [_channel(index) for index in range(shape[1])], "rdefs": {"model": "color"}}
    group = zarr.create_group(
        image, zarr_format=2, attributes={"multiscales": [_multiscale(version, AXES, IDR_LEVELS)], "omero": omero}
    )
    array = group.create_array(level, shape=shape, dtype=">u2", chunks=(1, 1, 1, *shape[-2:]), **_layout(version))
    plane = pixels or partial(nuclei_plane, shape=shape[-2:])
    for index in product(t, c, z):
        array[index] = plane(*index)
    return image


def write_image(  # noqa: PLR0913
    image: Path,
    pixels: Pixels,
    *,
    version: Version,
    axes: str = AXES,
    chunks: tuple[int, ...] | None = None,
    shards: tuple[int, ...] | None = None,
) -> Path:
    """Write `pixels`, in the order of `axes`, as level "0" of a new image folder.

    `version` decides the Zarr format: v3 from 0.5 on, whose dtypes have no byte order, and v2 before, where that of
    `pixels` is kept. A plane is a chunk unless `chunks` says otherwise; `shards` is the shape of a shard and needs v3.
    Returns `image`; zarr raises ContainsGroupError where it exists.
    """
    metadata: dict[str, Any] = {"multiscales": [_multiscale(version, axes, ("0",))]}
    if version in ZARR_V3:
        group = zarr.create_group(image, zarr_format=3, attributes={"ome": {"version": version, **metadata}})
    else:
        group = zarr.create_group(image, zarr_format=2, attributes=metadata)
    chunks = chunks or (1,) * (pixels.ndim - 2) + pixels.shape[-2:]
    names = axes if version in ZARR_V3 else None
    group.create_array("0", data=pixels, chunks=chunks, shards=shards, dimension_names=names, **_layout(version))
    return image


def _layout(version: Version) -> dict[str, Any]:
    """Give the chunk keys and compression of a version; every chunk written exists, even one of zeros."""
    layout: dict[str, Any] = {"fill_value": 0, "config": {"write_empty_chunks": True}}
    if version not in ZARR_V3:
        layout["chunk_key_encoding"] = {"name": "v2", "separator": "." if version == "0.1" else "/"}
        layout["compressors"] = {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1}
    return layout


def _multiscale(version: Version, axes: str, levels: Iterable[str]) -> dict[str, Any]:
    """Describe levels of which each halves y and x, as far as the version has words for it."""
    multiscale: dict[str, Any] = {"name": "image", "datasets": [{"path": level} for level in levels]}
    if version not in ZARR_V3:
        multiscale["version"] = version
    if version == "0.3":
        multiscale["axes"] = list(axes)
    if version in ("0.4", "0.5"):
        multiscale["axes"] = [_axis(name) for name in axes]
        for dataset in multiscale["datasets"]:
            dataset["coordinateTransformations"] = [{"type": "scale", "scale": _scale(axes, int(dataset["path"]))}]
    if version == "0.6":
        multiscale["coordinateSystems"] = [{"name": "physical", "axes": [_axis(name) for name in axes]}]
        for dataset in multiscale["datasets"]:
            ends = {"input": {"path": dataset["path"]}, "output": {"name": "physical"}}
            scale = {"type": "scale", "scale": _scale(axes, int(dataset["path"]))}
            dataset["coordinateTransformations"] = [scale | ends]
    return multiscale


def _axis(name: str) -> dict[str, str]:
    axis = {"name": name, "type": {"t": "time", "c": "channel"}.get(name, "space")}
    return axis | ({"unit": UNITS[name]} if name in UNITS else {})


def _scale(axes: str, level: int) -> list[float]:
    return [PIXEL_SIZES[name] * (2**level if name in "yx" else 1) for name in axes]


def _channel(index: int) -> dict[str, Any]:
    window = {"min": 0.0, "max": 65535.0, "start": 0.0, "end": 1500.0}
    return {"label": f"channel {index}", "color": "FFFFFF", "active": index == 0, "window": window}


def edit_metadata(document: Path, **changes: object) -> None:
    """Change the first multiscales entry of a .zattrs, or the keys of another document."""
    content = json.loads(document.read_text())
    content.get("multiscales", [content])[0].update(changes)
    document.write_text(json.dumps(content))
