"""Images that lack chunks of zeros: recognized when they are opened, with the line of YAML to add."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.errors import ChunkNotFoundError

from idr_assets.imaging.errors import MissingChunkError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.missing_chunks import explain_sparse, find_places, find_writer
from idr_assets.imaging.reading.probe import check_pixels
from idr_assets_tests.support.idr_stores import Version, write_image

WINDOW = Block(range(3), (0,), range(1))
PIXELS = np.ones((3, 1, 1, 600, 500), "u2")
SPARSE = "The image seems to be sparse by intent"
LINE = "write `missing_chunks: zeros` below `reading`"


def write(folder: Path, absent: dict[int, str], version: Version = "0.5") -> Path:
    """Write three planes of 6 x 5 chunks, without the chunk (y, x) that `absent` names for each timepoint."""
    image = write_image(folder / "image.zarr", PIXELS, version=version, chunks=(1, 1, 1, 100, 100))
    for t, at in absent.items():
        (image / f"0/{'c/' if version == '0.5' else ''}{t}/0/0/{at}").unlink()
    return image


def check(image: Path, *, sparse: bool = False) -> None:
    level = open_level(str(image), "0", missing_chunks="zeros" if sparse else "error")
    check_pixels(level, WINDOW, sparse=sparse, byte_order_known=False)


@pytest.mark.parametrize("at", ["0/0", "0/4", "5/0", "5/4", "2/0", "2/2", "5/2"])
def test_the_same_chunk_missing_in_each_plane_is_sparse_by_intent(tmp_path: Path, at: str) -> None:
    image = write(tmp_path, dict.fromkeys(range(3), at))
    with pytest.raises(MissingChunkError) as error:
        check(image)
    assert f"The chunk {image}/0/c/1/0/0/{at} is missing, so t 1 c 0 z 0 has no pixels" in str(error.value)
    assert f"{SPARSE}, for all 3 planes that were looked at lack the same chunks: {LINE}." in str(error.value)
    check(image, sparse=True)


def test_chunks_missing_here_and_there_may_be_zeros(tmp_path: Path) -> None:
    image = write(tmp_path, {0: "0/0", 1: "5/4", 2: "2/0"})
    with pytest.raises(
        MissingChunkError, match=f"If missing chunks of this image stand for zeros, .*, {LINE}; otherwise"
    ):
        check(image)


def test_chunks_that_some_planes_lack_cost_these_alone(tmp_path: Path) -> None:
    check(write(tmp_path, {0: "0/0", 1: "0/0"}))


def test_the_writer_says_that_an_image_is_sparse(tmp_path: Path) -> None:
    image = write(tmp_path, {0: "0/0", 1: "5/4", 2: "2/0"}, "0.4")
    document = json.loads((image / ".zattrs").read_text())
    document["multiscales"][0]["metadata"] = {"method": "loci.common.image.SimpleImageScaler"}
    (image / ".zattrs").write_text(json.dumps(document))
    with pytest.raises(MissingChunkError, match=f"{SPARSE}, for bioformats2raw wrote it, which .*: {LINE}"):
        check(image)


def test_a_fill_value_of_null_is_zero(tmp_path: Path) -> None:
    image = write(tmp_path, dict.fromkeys(range(3), "0/0"), "0.4")
    document = json.loads((image / "0/.zarray").read_text())
    (image / "0/.zarray").write_text(json.dumps(document | {"fill_value": None}))
    check(image, sparse=True)
    read = open_level(str(image), "0", missing_chunks="zeros").read(WINDOW)
    assert not read[..., :100, :100].any()
    assert read[..., 100:].all()
    with pytest.raises(MissingChunkError, match=LINE):
        check(image)


ATTRIBUTES: list[tuple[Any, str | None]] = [
    ({}, None),
    ({"multiscales": []}, None),
    ({"multiscales": None}, None),
    ({"ome": []}, None),
    ({"multiscales": ["bioformats2raw"]}, None),
    ({"multiscales": [{"name": "bioformats2raw"}]}, None),
    ({"multiscales": [{"metadata": {"version": "Bio-Formats 7.1.0"}}]}, "bioformats2raw"),
    ({"ome": {"multiscales": [{"metadata": {"method": "loci.common.image.SimpleImageScaler"}}]}}, "bioformats2raw"),
    ({"multiscales": [{}], "_creator": {"name": "bioformats2raw", "version": "0.12.0"}}, "bioformats2raw"),
    ({"multiscales": [{"metadata": {"method": "skimage.transform.pyramid_gaussian"}}]}, None),
]


@pytest.mark.parametrize(("attributes", "writer"), ATTRIBUTES)
def test_who_wrote_an_image(attributes: Any, writer: str | None) -> None:  # noqa: ANN401  whatever JSON holds
    assert find_writer(attributes) == writer


def test_zarrs_message_tells_the_places_of_missing_chunks(tmp_path: Path) -> None:
    config: Any = {"read_missing_chunks": False}
    array = zarr.create_array(tmp_path, shape=(2, 40, 60), chunks=(1, 20, 20), dtype="u2", config=config)
    array[0, :20, 20:] = array[1, :20] = 1
    with pytest.raises(ChunkNotFoundError) as error:
        _ = array[:]
    assert find_places(str(error.value), "zyx") == {(0, 0), (1, 0), (1, 1), (1, 2)}


def test_nothing_is_suggested_where_missing_chunks_are_no_zeros(tmp_path: Path) -> None:
    array = zarr.create_array(tmp_path, shape=(2, 2), dtype="u2", fill_value=7)
    error = MissingChunkError("It is missing.")
    error.places = frozenset({(0, 0)})
    assert explain_sparse([error, error], {}, array) == "It is missing."
