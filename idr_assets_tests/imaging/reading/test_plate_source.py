"""Fields of a plate as one level: what is read is what each field has, in every layout, and odd fields are named."""

import pickle
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import numpy as np
import pytest
import zarr

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.plate import PlateSource
from idr_assets.imaging.wells import list_fields, parse_field, parse_wells
from idr_assets_tests.support.idr_stores import Version, write_image
from idr_assets_tests.support.plate_stores import SHAPE, field_pixels, write_plate
from idr_assets_tests.support.store_faults import status
from idr_assets_tests.support.store_server import StoreServer

FIELDS = list_fields(parse_wells(["B02:C03"]), [0, 1])
BLOCK = Block(range(2, 7), (0, 1), range(2))


def source(address: str, fields: tuple[object, ...] = FIELDS, **changes: object) -> PlateSource:
    given = {"level": "0", "shape": SHAPE, "times": range(1)} | changes
    return PlateSource(address=address, fields=fields, **given)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServer]:
    """Serve a plate in each version."""
    root = tmp_path_factory.mktemp("plates")
    for version in ("0.4", "0.5"):
        write_plate(root / version, FIELDS, version=version)
    with StoreServer(root) as server:
        yield server


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_planes_of_several_fields_are_read_at_once(server: StoreServer, version: Version) -> None:
    plate = source(f"{server.url}/{version}")
    level = plate.open()
    plate.probe(level, BLOCK)
    assert level.shape == (8, *SHAPE[1:])
    wanted = np.concatenate([field_pixels(field) for field in FIELDS[2:7]])
    sent = pickle.loads(pickle.dumps(level.bare))  # noqa: S301  its own
    for each in (level, sent):
        np.testing.assert_array_equal(each.read(BLOCK), wanted)
    np.testing.assert_array_equal(level.lazy()[2:7].compute(), wanted)
    np.testing.assert_array_equal(np.asarray(level.array[3]), field_pixels(FIELDS[3])[0])


@pytest.mark.parametrize(
    ("axes", "shape"), [("tczyx", (4, 2, 3, 8, 9)), ("ctzyx", (2, 4, 3, 8, 9)), ("zyx", (3, 8, 9))]
)
def test_axes_and_timepoints_of_fields_stay_apart(tmp_path: Path, axes: str, shape: tuple[int, ...]) -> None:
    write_plate(tmp_path / "plate", FIELDS[:2])
    pixels = np.arange(2 * np.prod(shape), dtype="u2").reshape(2, *shape)
    for field, values in zip(FIELDS[:2], pixels, strict=True):
        folder = tmp_path / "plate" / field.path
        folder.rename(tmp_path / field.name)
        write_image(folder, values, version="0.4", axes=axes)
    times = range(1, 3) if "t" in axes else range(1)
    full = (4, 2, 3, 8, 9) if "t" in axes else (1, 1, 3, 8, 9)
    level = source(str(tmp_path / "plate"), FIELDS[:2], shape=full, times=times).open()
    order = [0, *(1 + axes.index(axis) for axis in "tczyx" if axis in axes)]
    wanted = pixels.transpose(order).reshape(2, *full)[:, times.start : times.stop].reshape(-1, *full[1:])
    found = level.read(Block(range(len(wanted)), tuple(range(full[1])), range(3)))
    np.testing.assert_array_equal(found, wanted)


def test_shards_are_read_and_their_empty_chunks_found(tmp_path: Path) -> None:
    write_plate(tmp_path / "plate", FIELDS[:2], version="0.5")
    for field in FIELDS[:2]:
        folder = tmp_path / "plate" / field.path
        folder.rename(tmp_path / field.name)
        write_image(folder, field_pixels(field), version="0.5", chunks=(1, 1, 1, 40, 36), shards=(1, 2, 2, 40, 36))
    array = zarr.open_array(tmp_path / "plate" / FIELDS[1].path, path="0", config={"write_empty_chunks": False})
    array[0, 1, 1] = 0
    level = source(str(tmp_path / "plate"), FIELDS[:2]).open()
    np.testing.assert_array_equal(level.read(Block(range(1), (0, 1), range(2))), field_pixels(FIELDS[0]))
    with pytest.raises(ImageError, match=r"The shard .*/plate/B/2/1/0/c/0/0/0/0/0 marks the chunk of t 1 c 1 z 1"):
        level.read(Block(range(1, 2), (1,), range(1, 2)))


def test_what_is_wrong_with_a_field_costs_that_field(tmp_path: Path) -> None:
    write_plate(tmp_path / "plate", FIELDS)
    odd = tmp_path / "plate" / FIELDS[4].path
    odd.rename(tmp_path / "odd")
    write_image(odd, field_pixels(FIELDS[4])[..., :20, :], version="0.4")
    fast = tmp_path / "plate" / FIELDS[5].path
    fast.rename(tmp_path / "fast")
    write_image(fast, field_pixels(FIELDS[5]), version="0.4", chunks=(1, 1, 1, 20, 36))
    more = (*FIELDS, parse_field("H12_0"), parse_field("C03_7"))
    level = source(str(tmp_path / "plate"), more).open()
    assert sorted(level.failures) == [4, 5, 8, 9]
    assert "is (1, 2, 2, 20, 36), but the YAML expects (1, 2, 2, 40, 36)" in level.failures[4]
    assert level.failures[5].startswith("shape, dtype, chunks, codecs or axes of this field are not those of B02_0")
    assert level.failures[8].endswith("has no well H12")
    assert "/plate/C/3/7 is not an image" in level.failures[9]
    np.testing.assert_array_equal(level.read(Block(range(6, 8), (0, 1), range(2)))[0], field_pixels(FIELDS[6])[0])


def test_a_document_that_stays_refused_costs_its_field(server: StoreServer) -> None:
    server.faults["*/0.4/B/3/1/0/.zarray"] = repeat(status(404))
    try:
        level = source(f"{server.url}/0.4").open()
    finally:
        server.faults.clear()
    assert [FIELDS[at].name for at in level.failures] == ["B03_1"]


def test_what_is_no_plate_is_refused(server: StoreServer) -> None:
    for path, told in (
        ("0.4/B/2/0", "is an image, not a plate"),
        ("0.4/B/2", "is no OME-Zarr plate: its metadata list"),
    ):
        with pytest.raises(ImageError, match=told):
            source(f"{server.url}/{path}").open()
    with pytest.raises(ImageError, match="No Zarr group at"):
        source(f"{server.url}/nowhere").open()
    with pytest.raises(ImageError, match=r"None of 8 fields of the plate .* can be read: The shape of level '0'"):
        source(f"{server.url}/0.4", shape=(1, 2, 9, 40, 36)).open()


def test_metadata_of_a_field_are_read_once_and_several_fields_at_once(server: StoreServer) -> None:
    server.reset()
    source(f"{server.url}/0.4", FIELDS[:1]).open()
    one = len(server.requests)
    server.reset()
    source(f"{server.url}/0.4").open()
    assert len(server.requests) - one == 3 * (len(FIELDS) - 1)  # two documents, and what identifies them
    assert server.peak_in_flight > 1
