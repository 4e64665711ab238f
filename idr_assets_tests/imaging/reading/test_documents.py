"""What an image may declare: numbers and the codecs that pixels need; nothing that runs code of the store."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.codecs.numcodecs import Delta, Zlib

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.idr_stores import Version, write_image
from idr_assets_tests.support.store_server import StoreServer

PLANE = Block(range(1), (0,), range(1))
PIXELS = np.arange(12, dtype="u2").reshape(1, 1, 1, 3, 4)

PICKLE = {"id": "pickle", "protocol": 5}
BYTES = {"name": "bytes", "configuration": {"endian": "little"}}
OBJECTS = {"encode_dtype": "O", "decode_dtype": "<u2"}
SHARDS = {"chunk_shape": [1, 1, 1, 3, 4], "codecs": [BYTES, {"name": "numcodecs.pickle"}], "index_codecs": [BYTES]}
CODEC = "which pixels do not need and which may run code that the store sends: no chunk is decoded. Use a copy"
DTYPE = "which is not a real number: no chunk is decoded. Use a copy"

REFUSED: dict[str, tuple[Version, dict[str, Any], str]] = {
    "compressor": ("0.4", {"compressor": PICKLE}, f"the codec 'pickle', {CODEC}"),
    "filter": ("0.4", {"filters": [PICKLE]}, f"the codec 'pickle', {CODEC}"),
    "filter alone": ("0.4", {"filters": [PICKLE], "compressor": None}, f"the codec 'pickle', {CODEC}"),
    "object codec": (
        "0.4", {"dtype": "|O", "filters": [PICKLE], "compressor": None, "fill_value": None}, f"'pickle', {CODEC}"
    ),
    "behind another object codec": (
        "0.4", {"dtype": "|O", "filters": [{"id": "vlen-bytes"}], "compressor": PICKLE}, f"'vlen-bytes', {CODEC}"
    ),
    "codec without a name": ("0.4", {"compressor": {"level": 1}}, f"the codec 'None', {CODEC}"),
    "codec that nobody knows": ("0.4", {"compressor": {"id": "mine"}}, f"the codec 'mine', {CODEC}"),
    "objects": ("0.4", {"dtype": "|O"}, f"the dtype '|O', {DTYPE}"),
    "records": ("0.4", {"dtype": [["a", "<u2"]]}, f"the dtype '[['a', '<u2']]', {DTYPE}"),
    "v3": ("0.5", {"codecs": [BYTES, {"name": "numcodecs.pickle"}]}, f"the codec 'numcodecs.pickle', {CODEC}"),
    "v3, its name alone": ("0.5", {"codecs": ["bytes", "pickle"]}, f"the codec 'pickle', {CODEC}"),
    "v3, under another name": ("0.5", {"codecs": [BYTES, {"id": "zstd", "name": "pickle"}]}, f"'pickle', {CODEC}"),
    "v3, in a shard": (
        "0.5", {"codecs": [{"name": "sharding_indexed", "configuration": SHARDS}]}, f"'numcodecs.pickle', {CODEC}"
    ),
    "a filter that makes objects": (
        "0.4", {"filters": [{"id": "astype", "encode_dtype": "|O", "decode_dtype": "<u2"}]}, f"the dtype '|O', {DTYPE}"
    ),
    "a filter that makes nothing known": (
        "0.4", {"filters": [{"id": "delta", "dtype": "<u2", "astype": "wide"}]}, f"the dtype 'wide', {DTYPE}"
    ),
    "v3, a codec that makes objects": (
        "0.5", {"codecs": [{"name": "numcodecs.astype", "configuration": OBJECTS}, BYTES]}, f"the dtype 'O', {DTYPE}"
    ),
    "v3, strings": ("0.5", {"data_type": "string"}, f"the dtype 'string', {DTYPE}"),
}  # fmt: skip


class MakesFile:
    """An object whose pickle makes a file when it is read."""

    def __init__(self, file: Path) -> None:
        self.file = str(file)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.file,)


def edit(document: Path, changes: dict[str, Any]) -> None:
    document.write_text(json.dumps(json.loads(document.read_text()) | changes))


def test_the_pickle_of_these_tests_makes_a_file(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(MakesFile(tmp_path / "made")))  # noqa: S301
    assert (tmp_path / "made").exists()


@pytest.mark.parametrize("case", REFUSED)
def test_what_may_run_code_is_refused_before_a_chunk_is_read(server: StoreServer, case: str) -> None:
    version, changes, message = REFUSED[case]
    image = write_image(server.root / "image.zarr", PIXELS, version=version)
    document, chunk = ("zarr.json", "c/0/0/0/0/0") if version == "0.5" else (".zarray", "0/0/0/0/0")
    edit(image / "0" / document, changes)
    (image / "0" / chunk).write_bytes(pickle.dumps(MakesFile(server.root / "made")))
    for url in (str(image), f"{server.url}/image.zarr"):
        with pytest.raises(ImageError) as error:
            open_level(url, "0").read(PLANE)
        assert str(error.value).startswith(f"{url}/0/{document} declares ")
        assert message in str(error.value)
    assert not (server.root / "made").exists()
    assert f"/image.zarr/0/{chunk}" not in {path for _, path in server.requests}


@pytest.mark.parametrize(
    "codecs",
    [
        {"compressor": None, "filters": None},
        {"compressor": {"id": "zlib", "level": 1}, "filters": [{"id": "delta", "dtype": "<u2"}]},
        {"compressor": {"id": "bz2", "level": 1}, "filters": [{"id": "shuffle", "elementsize": 2}]},
        {"compressor": {"id": "lz4", "acceleration": 1}},
        {"compressor": {"id": "gzip", "level": 1}},
        {"compressor": {"id": "zstd", "level": 1}},
    ],
)
def test_codecs_of_numbers_are_read(tmp_path: Path, codecs: dict[str, Any]) -> None:
    image = write_image(tmp_path / "image.zarr", PIXELS, version="0.4")
    edit(image / "0/.zarray", codecs)
    zarr.open_array(image / "0", mode="r+")[...] = PIXELS
    np.testing.assert_array_equal(open_level(str(image), "0").read(PLANE), PIXELS)


def test_codecs_of_numcodecs_are_read_in_v3(tmp_path: Path) -> None:
    image = write_image(tmp_path / "image.zarr", PIXELS, version="0.5")
    codecs: Any = {"filters": [Delta(dtype="uint16")], "compressors": [Zlib(level=1)]}
    zarr.create_array(image, name="0", data=PIXELS, overwrite=True, **codecs)
    np.testing.assert_array_equal(open_level(str(image), "0").read(PLANE), PIXELS)


V2_AS_MEANT: dict[str, tuple[Version, dict[str, Any]]] = {
    "no filters": ("0.4", {"filters": []}),
    "no order": ("0.4", {"order": None}),
    "no separator": ("0.1", {"dimension_separator": None}),
    "no fill value": ("0.4", {"fill_value": None}),
}
V3_AS_MEANT: dict[str, dict[str, Any]] = {
    "too few names": {"dimension_names": ["y", "x"]},
    "no names": {"dimension_names": []},
    "names that are no list": {"dimension_names": 5},
    "nulls": {"dimension_names": None, "attributes": None, "storage_transformers": None},
    "names that are null": {"dimension_names": [None] * 5},
}


@pytest.mark.parametrize("absent", [True, False])
@pytest.mark.parametrize("case", V2_AS_MEANT)
def test_what_writers_of_zarr_v2_get_wrong_is_read_as_it_is_meant(tmp_path: Path, case: str, *, absent: bool) -> None:
    version, changes = V2_AS_MEANT[case]
    image = write_image(tmp_path / "image.zarr", PIXELS, version=version)
    document = json.loads((image / "0/.zarray").read_text()) | changes
    kept = {key: value for key, value in document.items() if not absent or key not in changes}
    (image / "0/.zarray").write_text(json.dumps(kept))
    np.testing.assert_array_equal(open_level(str(image), "0").read(PLANE), PIXELS)


@pytest.mark.parametrize("case", V3_AS_MEANT)
def test_what_is_wrong_in_zarr_v3_beside_the_pixels_costs_no_image(tmp_path: Path, case: str) -> None:
    image = write_image(tmp_path / "image.zarr", PIXELS, version="0.5")
    edit(image / "0/zarr.json", V3_AS_MEANT[case])
    np.testing.assert_array_equal(open_level(str(image), "0").read(PLANE), PIXELS)
