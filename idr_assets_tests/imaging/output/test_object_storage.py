"""Outputs on S3: a writer that is killed in the middle of an upload, as a real process, tears nothing."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import s3fs

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.objects.tables import objects_frame, write_objects
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.files import exists, move_file, remove_tree, update_file, write_file
from idr_assets.imaging.output.growth import grow_array
from idr_assets.imaging.output.output_image import OutputImage, open_output
from idr_assets.imaging.output.provenance import Provenance, add_provenance, read_provenance
from idr_assets.imaging.output.read_back import check_written
from idr_assets.imaging.output.writing import store_planes
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.fingerprint import Fingerprint, read_fingerprint
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.dagster_home import wait_until
from idr_assets_tests.support.forked import fork
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.object_store import HeldUploads, default_store

NOISE = np.random.default_rng(0).integers(0, 2**16, (2, 1, 1, 1, 600, 600), np.uint16)
BLOCK = Block(range(1), (0,), range(1))
FIGURE, OUTPUT = "s3://bucket/image/montage.png", "s3://bucket/image.ome.zarr"


@pytest.fixture(scope="module")
def endpoint(s3: str) -> Iterator[str]:
    """Give the endpoint of a bucket that everybody may read."""
    with default_store(s3):
        s3fs.S3FileSystem().mkdir("bucket", acl="public-read")
        yield s3


def objects() -> dict[str, bytes]:
    """Give every object in the bucket."""
    filesystem = s3fs.S3FileSystem(use_listings_cache=False)
    return {key: filesystem.cat_file(key) for key in filesystem.find("bucket")}


def write(kind: str, number: int) -> None:
    """Write a figure, or the pixels and labels of a plane, with the noise of this number."""
    if kind == "figure":
        write_file(FIGURE, NOISE[number].tobytes())
    else:
        store_planes(open_output(OUTPUT), BLOCK, NOISE[number], NOISE[number].astype(np.int32))


@pytest.fixture
def output(endpoint: str, tmp_path: Path) -> Iterator[OutputImage]:
    """Write an output, and empty the bucket at the end."""
    assert endpoint
    write_image(tmp_path / "source.zarr", NOISE[0], version="0.4")
    yield create_output(OUTPUT, open_level(str(tmp_path / "source.zarr"), "0"))
    s3fs.S3FileSystem().rm("bucket/*", recursive=True)


HELD = {
    "figure": "/bucket/image/montage.png",
    "pixels": "/bucket/image.ome.zarr/0/c/0/0/0/0/0",
    "labels": "/bucket/image.ome.zarr/labels/segmentation/0/c/0/0/0/0/0",
}


@pytest.mark.parametrize(("kind", "key"), HELD.items(), ids=HELD)
def test_a_writer_that_is_killed_in_an_upload_tears_nothing_and_the_next_one_completes(
    endpoint: str, output: OutputImage, monkeypatch: pytest.MonkeyPatch, kind: str, key: str
) -> None:
    write(kind, 0)
    before = objects()
    with HeldUploads(endpoint, key) as way:
        monkeypatch.setenv("AWS_ENDPOINT_URL", way.endpoint)
        writer = fork(write, kind, 1)
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        assert way.held.wait(60)
        writer.kill()
        writer.join()
    after = objects()
    assert after.keys() == before.keys() - ({HELD["labels"].removeprefix("/")} if kind != "figure" else set())
    assert {name for name in after if after[name] != before[name]} == (
        {HELD["pixels"].removeprefix("/")} if kind == "labels" else set()
    )
    assert output.read(BLOCK.planes()[0]) is None  # no labels without their pixels
    write(kind, 1)
    assert objects().keys() == before.keys()
    if kind == "figure":
        assert objects()[FIGURE.removeprefix("s3://")] == NOISE[1].tobytes()
    else:
        check_written(output, BLOCK, NOISE[1], NOISE[1].astype(np.int32))


def test_what_another_process_writes_is_seen(output: OutputImage) -> None:
    add_provenance(output, Provenance.from_json({"segmentation": {"function": "first"}}))
    store_planes(output, BLOCK, NOISE[0], np.ones(NOISE[0].shape, np.int32))
    urls = [f"s3://bucket/image/objects/t={t}.parquet" for t in range(2)]
    assert write_objects(urls[0], output, BLOCK, "image", None)
    assert (len(read_provenance(OUTPUT, "segmentation")), len(objects_frame(urls))) == (1, 1)
    another = s3fs.S3FileSystem(skip_instance_cache=True)  # which shares no memory, as that of another process
    (way,) = (key for key in objects() if "/provenance/" in key and key.count("/") == 6)
    another.cp_file(way, f"{way.rpartition('/')[0]}2/zarr.json")
    another.cp_file(*urls)
    assert (len(read_provenance(OUTPUT, "segmentation")), len(objects_frame(urls))) == (2, 2)


@pytest.mark.usefixtures("output")
def test_a_file_that_another_process_changes_meanwhile_keeps_both_changes() -> None:
    write_file(FIGURE, b"1")

    def add(content: bytes) -> bytes:
        if content == b"1":
            update_file(FIGURE, lambda _: b"12")
        return content + b"3"

    update_file(FIGURE, add)
    assert objects()[FIGURE.removeprefix("s3://")] == b"123"


@pytest.mark.usefixtures("endpoint")
def test_a_folder_is_moved_and_removed_whole() -> None:
    names = ("a/zarr.json", "a/0/c/1", "ab/0", "x[1]/0/1", "x1/0/1")
    for name in names:
        write_file(f"s3://bucket/{name}", name.encode())
    move_file("s3://bucket/a", "s3://bucket/new/b")
    moved = {f"bucket/{name.replace('a/', 'new/b/', 1)}": name.encode() for name in names}
    assert {key: content for key, content in objects().items() if key in moved} == moved
    assert not exists("s3://bucket/a")
    remove_tree("s3://bucket/new")
    assert (exists("s3://bucket/new"), exists("s3://bucket/ab/0")) == (False, True)
    remove_tree("s3://bucket/x[1]")
    assert (exists("s3://bucket/x[1]"), exists("s3://bucket/x1/0/1")) == (False, True)
    for name in ("ab", "x1"):
        remove_tree(f"s3://bucket/{name}")


def test_of_writers_that_lengthen_an_array_at_once_the_longest_wins(output: OutputImage) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda t: grow_array(OUTPUT, "0", (t, *output.pixels.shape[1:])), [5, 3, 4, 2]))
    assert open_output(OUTPUT).pixels.shape == (5, *output.pixels.shape[1:])


def test_pixels_replaced_below_the_same_metadata_are_of_another_image(endpoint: str, tmp_path: Path) -> None:
    write_image(tmp_path / "source.zarr", NOISE[0], version="0.4")

    def uploaded() -> Fingerprint:
        s3fs.S3FileSystem().put(f"{tmp_path}/source.zarr/", "bucket/source.zarr/", recursive=True)
        with pytest.raises(ImageError, match=r"^s3://bucket is a folder.* that it lists: s3://bucket/source\.zarr\.$"):
            open_level("s3://bucket", "0", {"anon": True, "endpoint_url": endpoint})
        level = open_level("s3://bucket/source.zarr", "0", {"anon": True, "endpoint_url": endpoint})
        return read_fingerprint(level)

    before = uploaded()
    wait_until(lambda: uploaded().state != before.state)  # S3 tells whole seconds
    assert before.state
    assert uploaded().digest == before.digest  # the ETag is a hash of the metadata


CREATE = f"""
import sys
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.reading.level import open_level
create_output({OUTPUT!r}, open_level(sys.argv[1], "0"))
"""


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "Could not connect"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"}, "credentials"),
    ],
    ids=["no server", "no keys"],
)
@pytest.mark.usefixtures("endpoint")
def test_a_store_that_refuses_is_named_with_the_variables_to_check(
    tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    write_image(tmp_path / "source.zarr", NOISE[0], version="0.4")
    command = [sys.executable, "-c", CREATE, str(tmp_path / "source.zarr")]
    environment = os.environ | {"AWS_MAX_ATTEMPTS": "1"} | variables
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    assert re.search(rf"ImageError: {OUTPUT} cannot be read .*{said}.* so nothing was done.*AWS_ENDPOINT", ended.stderr)
