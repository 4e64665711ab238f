"""Files of a folder that are damaged are refused at once."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.retries import Patience
from idr_assets_tests.support.idr_stores import Version, write_image


@pytest.mark.parametrize("document", [".zattrs", "0/.zarray", "0/0/0/0/0/0"])
@pytest.mark.parametrize("body", [b"\xff{}", b"<!doctype html>", b""])
def test_a_file_that_is_damaged_in_a_folder_is_refused_at_once(tmp_path: Path, document: str, body: bytes) -> None:
    image = write_image(tmp_path / "image.zarr", np.ones((1, 1, 1, 20, 30), "u2"), version="0.4")
    (image / document).write_bytes(body)
    patience = Patience(wait=600.0, seconds=3000.0)
    with pytest.raises(ImageError, match=re.escape(f"{image}/{document} is damaged: ") + ".*Restore it from a copy"):
        open_level(str(image), "0", patience=patience).read(Block(range(1), (0,), range(1)))


def test_bytes_that_cannot_be_decoded_in_a_folder_are_refused_at_once(tmp_path: Path) -> None:
    pixels = np.ones((1, 1, 1, 20, 30), "u2")
    image = write_image(tmp_path / "image.zarr", pixels, version="0.5", shards=pixels.shape)
    shard = image / "0/c/0/0/0/0/0"
    shard.write_bytes(bytes(8) + shard.read_bytes()[8:])  # the index at its end is whole
    with pytest.raises(ImageError, match="0/c/0/0/0/0/0 is damaged: zstd cannot decode it"):
        open_level(str(image), "0", patience=Patience(wait=600.0)).read(Block(range(1), (0,), range(1)))


@pytest.mark.parametrize(
    ("body", "quoted"),
    [
        (b"../../base_array/0", "'../../base_array/0'"),
        (b"version https://git-lfs.github.com/spec/v1\noid", r"'version https://git-lfs.github.com/spec/v1\noid'"),
        (b"\xff../base_array/0", None),
        (b" \n", None),
    ],
)
def test_a_link_that_was_copied_in_place_of_its_file_is_quoted(tmp_path: Path, body: bytes, quoted: str | None) -> None:
    image = write_image(tmp_path / "image.zarr", np.ones((1, 1, 1, 20, 30), "u2"), version="0.4")
    (image / "0/0/0/0/0/0").write_bytes(body)
    with pytest.raises(ImageError) as caught:
        open_level(str(image), "0").read(Block(range(1), (0,), range(1)))
    found = str(caught.value)
    assert f"it is the text {quoted}, perhaps a link that" in found if quoted else "the text" not in found


@pytest.mark.parametrize("length", [2**40, 10**30])
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_chunks_that_no_memory_holds_are_refused(tmp_path: Path, version: Version, length: int) -> None:
    image = write_image(tmp_path / "image.zarr", np.ones((1, 1, 1, 20, 30), "u2"), version=version)
    document = image / "0" / (".zarray" if version == "0.4" else "zarr.json")
    about = json.loads(document.read_text())
    chunks = about["chunks"] if version == "0.4" else about["chunk_grid"]["configuration"]["chunk_shape"]
    chunks[2] = length
    document.write_text(json.dumps(about))
    with pytest.raises(ImageError, match=r"the chunk has|cannot decode it"):
        open_level(str(image), "0").read(Block(range(1), (0,), range(1)))
