"""The demo image: its layout on disk, that it is the same every time, and that it is worth segmenting."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from errno import EDQUOT, ENOSPC
from itertools import pairwise
from pathlib import Path

import fsspec
import numpy as np
import numpy.typing as npt
import pytest
import zarr
from scipy import ndimage
from scipy.spatial import KDTree

from idr_assets.imaging import synthetic_embryo
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.segmentation.plane_quality import expect_objects, is_far

type Planes = npt.NDArray[np.uint16]

WINDOW_T, WINDOW_Z = range(1, 11), range(3, 13)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the image once, in a folder whose name an URL could not have."""
    path = tmp_path_factory.mktemp("demo") / "x #?%20[1] ü :: y" / "embryo.zarr"
    synthetic_embryo.write_embryo(str(path))
    return path


@pytest.fixture(scope="module")
def pixels(written: Path) -> Planes:
    """Read all of it with plain zarr, (t, c, z, y, x)."""
    return np.asarray(zarr.open_array(written / "0", mode="r")[:])


def _files(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def _recipe(plane: Planes) -> tuple[npt.NDArray[np.int32], int]:
    smooth = ndimage.gaussian_filter(plane, 1)
    labels, count = ndimage.label(smooth > 0.33 * smooth.max())
    return labels, count


def _volumes(pixels: Planes, stop: BaseException | None = None) -> Callable[[int], Planes]:
    """Stand in for `embryo_volume` with volumes made before, to be quick, and to be interrupted at timepoint 2."""

    def volume(t: int) -> Planes:
        if t == 2 and stop:
            raise stop
        return np.asarray(pixels[t])

    return volume


def test_layout_is_that_of_the_idr(written: Path) -> None:
    assert json.loads((written / "0" / ".zarray").read_text()) == {
        "zarr_format": 2,
        "shape": [12, 2, 16, 128, 135],
        "chunks": [1, 1, 1, 128, 135],
        "dtype": ">u2",
        "order": "C",
        "fill_value": 0,
        "filters": None,
        "compressor": {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0},
        "dimension_separator": "/",
    }
    chunks = {str(file.relative_to(written / "0")) for file in written.glob("0/*/*/*/*/*")}
    assert chunks == {f"{t}/{c}/{z}/0/0" for t in range(12) for c in range(2) for z in range(16)}


def test_metadata_is_ome_zarr_0_4(written: Path) -> None:
    attributes = json.loads((written / ".zattrs").read_text())
    (multiscale,) = attributes["multiscales"]
    assert multiscale["version"] == "0.4"
    assert [axis["name"] for axis in multiscale["axes"]] == list("tczyx")
    assert [axis["type"] for axis in multiscale["axes"]] == ["time", "channel", "space", "space", "space"]
    assert [axis.get("unit") for axis in multiscale["axes"]] == ["second", None, *["micrometer"] * 3]
    scale = {"type": "scale", "scale": [1800.0, 1.0, 2.03125, 0.8125, 0.8125]}
    assert multiscale["datasets"] == [{"path": "0", "coordinateTransformations": [scale]}]
    assert [channel["label"] for channel in attributes["omero"]["channels"]] == ["H2B-miRFP720", "membrane-mScarlet"]


def test_pixels_depend_on_nothing_but_t(pixels: Planes) -> None:
    timepoints = [11, 4, 0]
    with ThreadPoolExecutor() as pool:
        for t, volume in zip(timepoints, pool.map(synthetic_embryo.embryo_volume, timepoints), strict=True):
            assert volume.dtype == np.uint16
            np.testing.assert_array_equal(volume, pixels[t])


def test_two_writes_are_equal_to_the_byte(written: Path, tmp_path: Path) -> None:
    synthetic_embryo.write_embryo((tmp_path / "again.zarr").as_uri())
    assert _files(tmp_path / "again.zarr") == _files(written)


@pytest.mark.parametrize(
    "stop", [KeyboardInterrupt("stopped"), OSError(ENOSPC, "no space"), OSError(EDQUOT, "over quota")], ids=str
)
def test_an_interrupted_write_is_no_image_and_can_be_completed(
    *,
    stop: BaseException,
    written: Path,
    pixels: Planes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "embryo.zarr"
    monkeypatch.setattr(synthetic_embryo, "embryo_volume", _volumes(pixels))
    if isinstance(stop, OSError):  # it was damaged
        synthetic_embryo.write_embryo(str(path))
        (path / "0/5/1/3/0/0").unlink()

    monkeypatch.setattr(synthetic_embryo, "embryo_volume", _volumes(pixels, stop))
    with pytest.raises((KeyboardInterrupt, ImageError), match=r"stopped|No space left for .*/embryo\.zarr"):
        synthetic_embryo.write_embryo(str(path))
    assert "multiscales" not in zarr.open_group(path, mode="r").attrs

    monkeypatch.setattr(synthetic_embryo, "embryo_volume", _volumes(pixels))
    synthetic_embryo.write_embryo(str(path))
    assert _files(path) == _files(written)


def test_a_complete_image_is_left_alone(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic_embryo, "embryo_volume", _volumes(np.zeros(0, np.uint16)))
    before = {file: file.stat().st_mtime_ns for file in written.rglob("*")}
    synthetic_embryo.write_embryo(str(written))
    assert {file: file.stat().st_mtime_ns for file in written.rglob("*")} == before


def test_any_fsspec_url(pixels: Planes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic_embryo, "embryo_volume", _volumes(pixels))
    synthetic_embryo.write_embryo("memory://demo/embryo.zarr")
    image = zarr.open_group("memory://demo/embryo.zarr", mode="r")
    assert "multiscales" in image.attrs
    level = zarr.open_array("memory://demo/embryo.zarr", path="0", mode="r")
    np.testing.assert_array_equal(level[2, 1], pixels[2, 1])
    fsspec.filesystem("memory").rm("/demo", recursive=True)


def test_another_array_is_left_alone(tmp_path: Path) -> None:
    other = zarr.open_group(tmp_path, mode="w", zarr_format=2, attributes={"mine": True})
    other.create_array("0", shape=(4,), dtype="u1")
    before = _files(tmp_path)
    with pytest.raises(TypeError, match="Incompatible shape"):
        synthetic_embryo.write_embryo(str(tmp_path))
    assert _files(tmp_path) == before


def test_nuclei_double_and_move_smoothly() -> None:
    nuclei = [synthetic_embryo.nuclei_at(t) for t in range(12)]
    counts = [len(n.centre) for n in nuclei]
    assert counts[0] == 35
    assert counts[-1] == 70
    assert all(earlier < later for earlier, later in pairwise(counts))
    for earlier, later in pairwise(nuclei):
        moved, _ = KDTree(earlier.centre).query(later.centre)
        assert moved.max() < 6


def test_pixels_are_those_of_a_camera(pixels: Planes) -> None:
    assert pixels.min() > 0
    assert 2**11 < pixels.max() < 2**12
    corner = pixels[:, :, :, :6, :6]
    assert corner.mean() == pytest.approx(100, abs=2)
    assert corner.std() == pytest.approx(9, abs=2)


def test_channels_show_different_things(pixels: Planes) -> None:
    nuclei, membranes = pixels[5, :, 8]
    assert np.corrcoef(nuclei.ravel(), membranes.ravel())[0, 1] < 0.3


def test_the_recipe_finds_nuclei_in_the_window(pixels: Planes) -> None:
    found = [_recipe(pixels[t, 0, z]) for t in WINDOW_T for z in WINDOW_Z]
    assert all(8 <= count <= 40 for _, count in found)
    areas = np.concatenate([np.bincount(labels.ravel())[1:] for labels, _ in found])
    assert 9 < np.median(2 * np.sqrt(areas / np.pi)) < 14


def test_no_plane_of_the_window_has_a_count_far_from_its_neighbours(pixels: Planes) -> None:
    objects = {Plane(t, 0, z): _recipe(pixels[t, 0, z])[1] for t in WINDOW_T for z in WINDOW_Z}
    expected = expect_objects(objects, lambda _: None)
    assert len(expected) == 100
    assert not [plane for plane in objects if is_far(objects[plane], expected[plane])]


def test_daughters_move_apart_after_the_division() -> None:
    early, late = (synthetic_embryo.nuclei_at(t).centre.reshape(-1, 2, 3) for t in (11, 30))
    moved = np.divide(*(np.linalg.norm(pairs[:, 0] - pairs[:, 1], axis=-1) for pairs in (early, late)))
    assert moved.min() < 0.7  # just divided
    assert 0.95 < moved.max() < 1.01
