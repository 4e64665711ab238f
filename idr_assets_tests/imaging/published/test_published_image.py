"""A published image as other tools see it: validators, readers, plain zarr and dask, at every level."""

from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import pytest
import yaozarrs
import zarr
from ome_zarr.io import parse_url
from ome_zarr.reader import Reader

from idr_assets.imaging.published.pyramid import halve_labels, halve_pixels
from idr_assets.imaging.published.records import describe_missing
from idr_assets_tests.imaging.published.conftest import LABELLED, STORED, Published
from idr_assets_tests.support.idr_stores import PIXEL_SIZES

SHAPES = [(37, 50), (19, 25), (10, 13)]


def levels(published: Published, path: str) -> list[npt.NDArray[Any]]:
    """Give what each level is to hold, by halving whole planes."""
    extent, halve = published.task.layout.extent, halve_labels if path else halve_pixels
    planes = published.arrays[path][extent.t.start : extent.t.stop, list(extent.c), extent.z.start : extent.z.stop]
    found = [planes]
    for shape in SHAPES[1:]:
        halved = [halve(plane) for plane in found[-1].reshape(-1, *found[-1].shape[3:])]
        found.append(np.stack(halved).reshape(*planes.shape[:3], *shape))
    return found


@pytest.mark.parametrize("path", ["", *(f"labels/{name}/" for name in STORED)])
def test_zarr_and_dask_read_each_level(published: Published, path: str) -> None:
    for number, wanted in enumerate(levels(published, path)):
        where = f"{path}{number}"
        stored = zarr.open_group(published.task.url, mode="r")[where]
        assert isinstance(stored, zarr.Array)
        assert (stored.shape, stored.dtype) == (wanted.shape, wanted.dtype)
        np.testing.assert_array_equal(stored[...], wanted)
        np.testing.assert_array_equal(da.from_zarr(published.task.url, component=where).compute(), wanted)
        assert stored.chunks == (1, 1, 1, *(min(16, side) for side in SHAPES[number]))


def test_levels_lie_over_the_image(published: Published) -> None:
    """The centre of a pixel of any level is the mean of the centres of the pixels of the image that it stands for."""
    group, extent = zarr.open_group(published.task.url, mode="r"), published.task.layout.extent
    for path in ["", *(f"labels/{name}" for name in STORED)]:
        described: Any = group[path].attrs["ome"] if path else group.attrs["ome"]
        (multiscale,) = described["multiscales"]
        for number, dataset in enumerate(multiscale["datasets"]):
            scale, *moved = (next(iter(it.values())) for it in map(_values, dataset["coordinateTransformations"]))
            start = moved[0] if moved else [0.0] * 5
            of_image = np.arange(2**number, 2 ** (number + 1)) * PIXEL_SIZES["y"]  # of the second pixel of the level
            assert start[3] + scale[3] == start[4] + scale[4] == pytest.approx(of_image.mean())
            assert start[0] + scale[0] == PIXEL_SIZES["t"] * (extent.t.start + 1)
            assert start[2] + scale[2] == PIXEL_SIZES["z"] * (extent.z.start + 1)


def _values(transformation: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in transformation.items() if name != "type"}


def test_a_missing_plane_is_absent_and_a_timepoint_without_planes_has_no_shard(published: Published) -> None:
    layout, root = published.task.layout, Path(published.task.url)
    assert describe_missing([it for it in published.found if it.plane.t == 1]) == {
        "mine": {str(c): [[1, 2]] for c in LABELLED}
    }
    assert describe_missing([it for it in published.found if it.plane.t == 2]) == {
        name: {str(c): [[1, 4]] for c in LABELLED} for name in STORED
    }
    for path in ["", *(f"labels/{name}/" for name in STORED)]:
        for level in layout.levels:
            folders = {file.name for file in (root / f"{path}{level.path}/c").iterdir()}
            assert folders == {str(layout.extent.t.index(1))}
    shards = root / f"labels/mine/0/c/{layout.extent.t.index(1)}/0"
    stored = {layout.extent.z.index(z) // layout.levels[0].depth for z in STORED["mine"].z}
    assert {int(file.parts[-3]) for file in shards.rglob("*") if file.is_file()} == stored
    assert not (shards.parent / "1").exists()
    assert (root / f"0/c/{layout.extent.t.index(1)}/1").exists()


def test_validators_accept_every_group(published: Published) -> None:
    import ome_zarr_models  # noqa: PLC0415  half a second, in each process that collects the tests

    yaozarrs.validate_zarr_store(published.task.url)
    kinds = {"": "Image", "labels": "Labels"} | {f"labels/{name}": "ImageLabel" for name in STORED}
    for path, kind in kinds.items():
        model = ome_zarr_models.open_ome_zarr(zarr.open_group(published.task.url, path=path, mode="r"), version="0.5")
        assert (type(model).__name__, model.ome_zarr_version) == (kind, "0.5")


def test_ome_zarr_py_reads_image_and_labels(published: Published) -> None:
    location = parse_url(published.task.url)
    assert location
    nodes = {node.zarr.path.removeprefix(published.task.url).strip("/"): node for node in Reader(location)()}
    for path in ["", *(f"labels/{name}" for name in STORED)]:
        for stored, wanted in zip(nodes[path].data, levels(published, f"{path}/" if path else ""), strict=True):
            np.testing.assert_array_equal(stored[:, 0].compute(), wanted[:, 0])


# napari's readers come with a model that says `json_encoders`, and sort a frame in place: both are deprecated.
@pytest.mark.filterwarnings("ignore:`json_encoders` is deprecated:DeprecationWarning")
@pytest.mark.processes  # napari asks commands what the machine is
@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.sort_values is deprecated")
def test_napari_lays_labels_over_channels_with_names_colours_and_contrast(published: Published) -> None:
    from napari_ome_zarr._reader import napari_get_reader  # noqa: PLC0415  it takes seconds, and warns

    read = napari_get_reader(published.task.url)
    assert read
    layers, extent = read(), published.task.layout.extent
    paths = ["", *(f"labels/{name}/" for name in STORED)]
    wanted = [(path, channel) for path in paths for channel in range(len(extent.c))]
    for (data, about, kind), (path, channel) in zip(layers, wanted, strict=True):
        assert kind == ("labels" if path else "image")
        assert about["scale"] == [PIXEL_SIZES[axis] for axis in "tzyx"]
        for stored, level in zip(data, levels(published, path), strict=True):
            np.testing.assert_array_equal(stored[:, 3], level[:, channel, 3])
    shown = {about["name"]: about for _, about, kind in layers if kind == "image"}
    assert set(shown) == {"embryo: DAPI", *(f"embryo: channel {c}" for c in extent.c if c)}
    assert shown["embryo: DAPI"]["contrast_limits"] == [10.0, 200.0]
    assert shown["embryo: DAPI"]["colormap"].map([1.0])[0].tolist() == [0.0, 0.0, 1.0, 1.0]
