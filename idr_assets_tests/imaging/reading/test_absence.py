"""Stores that refuse what does not exist, or send a web page in its place: only what an image has may fail it."""

from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from idr_assets.imaging.errors import ImageError, MissingChunkError
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.document_answers import DocumentAnswers
from idr_assets.imaging.reading.faults import AnswerError
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.probe import check_pixels
from idr_assets.imaging.reading.retries import Patience
from idr_assets_tests.support.idr_stores import Version, write_image
from idr_assets_tests.support.store_faults import Fault, html_page, replaced, status
from idr_assets_tests.support.store_server import StoreServer

PIXELS = np.arange(1, 1 + 2 * 3 * 8 * 12, dtype="u2").reshape(2, 1, 3, 8, 12)
BLOCK = Block(range(2), (0,), range(3))
HASTY = Patience(tries=3, timeout=5, wait=0.01)
ABSENT = {"403": status(403), "401": status(401), "a page": html_page}
NO_DOCUMENTS = {
    "an XML page": replaced(b'\xef\xbb\xbf<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>'),
    "a comment": replaced(b"<!-- made by --><html></html>"),
    "text": replaced(b"404: Not Found"),
    "a JSON error": replaced(b'{"error": "not found"}'),
    "nothing": status(204),
}
"""What else servers send in place of what they do not have."""


@pytest.fixture(params=["http", "s3"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[StoreServer, str, dict[str, Any]]]:
    """Serve a bucket, and give the address of the image in it and its options."""
    with StoreServer(tmp_path) as server:
        http = request.param == "http"
        options = {} if http else {"anon": True, "endpoint_url": server.url}
        yield server, f"{server.url if http else 's3:/'}/bucket/image.zarr", options


def write(folder: Path, version: Version, **options: Any) -> Path:  # noqa: ANN401  of `write_image`
    return write_image(folder / "bucket/image.zarr", PIXELS, version=version, **options)


def write_sparse(folder: Path) -> npt.NDArray[Any]:
    """Write planes of four chunks, of which the first plane lacks all and the others the first."""
    image, pixels = write(folder, "0.5", chunks=(1, 1, 1, 4, 6)), PIXELS.copy()
    for t, z in np.ndindex(2, 3):
        pixels[t, 0, z, :4, :6] = 0
        (image / f"0/c/{t}/0/{z}/0/0").unlink()
    pixels[0, 0, 0] = 0
    for key in ("0/1", "1/0", "1/1"):
        (image / "0/c/0/0/0" / key).unlink()
    return pixels


@pytest.mark.parametrize("version", ["0.1", "0.4", "0.5"])
@pytest.mark.parametrize("answer", ABSENT | NO_DOCUMENTS)
def test_documents_that_an_image_has_not_do_not_fail_it(
    remote: tuple[StoreServer, str, dict[str, Any]], version: Version, answer: str
) -> None:
    server, url, options = remote
    write(server.root, version)
    server.absent = (ABSENT | NO_DOCUMENTS)[answer]
    level = open_level(url, "0", options)
    check_pixels(level, BLOCK, sparse=False, byte_order_known=False)
    np.testing.assert_array_equal(level.read(BLOCK), PIXELS)
    assert max(server.requests.count(request) for request in server.requests) <= 3  # asked twice, and by the probe


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (status(403), "access is refused (status 403)"),
        (html_page, "it is an HTML page"),
        (status(410), "status 410"),
        (NO_DOCUMENTS["text"], "it is not JSON"),
    ],
)
@pytest.mark.parametrize("document", ["zarr.json", "0/zarr.json", ".zgroup", ".zattrs", "0/.zarray"])
def test_a_refusal_is_named_where_no_other_document_is_sent(
    tmp_path: Path, document: str, answer: Fault, what: str
) -> None:
    write(tmp_path, "0.5" if document.endswith("zarr.json") else "0.4")
    with StoreServer(tmp_path) as server:
        url = f"{server.url}/bucket/image.zarr"
        server.faults[f"/bucket/image.zarr/{document}"] = repeat(answer)
        with pytest.raises(ImageError) as error:
            open_level(url, "0", patience=HASTY)
    assert str(error.value).startswith(f"{url}/{document} cannot be read")
    assert what in str(error.value)


def test_a_fault_that_passes_is_no_absence(tmp_path: Path) -> None:
    write(tmp_path, "0.4")
    with StoreServer(tmp_path) as server:
        server.faults["*/zarr.json"] = repeat(status(503))
        with pytest.raises(
            ImageError, match=r"zarr\.json cannot be read \(3 tries\): the server answers with status 503"
        ):
            open_level(f"{server.url}/bucket/image.zarr", "0", patience=HASTY)


@pytest.mark.parametrize("answer", ABSENT)
def test_a_chunk_that_is_refused_is_missing_where_others_are_sent(
    remote: tuple[StoreServer, str, dict[str, Any]], answer: str
) -> None:
    server, url, options = remote
    pixels = write_sparse(server.root)
    server.absent = ABSENT[answer]
    for plane in (Plane(0, 0, 0), Plane(1, 0, 2)):  # the first has no chunk that would be sent
        with pytest.raises(MissingChunkError) as error:
            open_level(url, "0", options, patience=HASTY).read(plane.block)
        message = str(error.value)
        assert f"The chunk {url}/0/c/{plane.t}/0/{plane.z}/0/0 is missing, so {plane} has no pixels" in message
        assert "The store sends other chunks; for this one it answers: " in message
        assert ("it is an HTML page" if answer == "a page" else f"status {answer}") in message
        assert "write `missing_chunks: zeros` below `reading`" in message
        zeros = open_level(url, "0", options, patience=HASTY, missing_chunks="zeros")
        np.testing.assert_array_equal(zeros.read(plane.block)[0, 0, 0], pixels[plane.t, 0, plane.z])
    np.testing.assert_array_equal(zeros.read(BLOCK), pixels)


@pytest.mark.parametrize("zeros", ["zeros", "error"])
def test_chunks_of_which_none_is_sent_are_refused_and_no_zeros(
    remote: tuple[StoreServer, str, dict[str, Any]],
    zeros: Any,  # noqa: ANN401
) -> None:
    server, url, options = remote
    write(server.root, "0.5")
    server.faults["*/0/c/*"] = repeat(status(403))
    level = open_level(url, "0", options, patience=HASTY, missing_chunks=zeros)
    for _ in range(2):
        with pytest.raises(ImageError, match=r"/0/c/1/0/2/0/0 cannot be read \(2 tries\): access is refused"):
            level.read(Plane(1, 0, 2).block)


def test_a_refusal_that_passes_makes_no_zeros(tmp_path: Path) -> None:
    write(tmp_path, "0.5")
    with StoreServer(tmp_path) as server:
        level = open_level(f"{server.url}/bucket/image.zarr", "0", patience=HASTY, missing_chunks="zeros")
        server.faults["*/0/c/1/0/2/0/0"] = [status(403)]
        np.testing.assert_array_equal(level.read(BLOCK), PIXELS)


def test_a_token_that_expires_makes_no_zeros(remote: tuple[StoreServer, str, dict[str, Any]]) -> None:
    server, url, options = remote
    write_sparse(server.root)
    level = open_level(url, "0", options, patience=HASTY, missing_chunks="zeros")
    level.read(BLOCK)
    server.faults["*"] = repeat(status(403))
    with pytest.raises(ImageError, match="access is refused"):
        level.read(Plane(1, 0, 2).block)


@pytest.mark.parametrize("answer", ABSENT)
def test_a_wrong_separator_is_told_from_what_is_refused(tmp_path: Path, answer: str) -> None:
    pixels = write_sparse(tmp_path)
    with StoreServer(tmp_path, absent=ABSENT[answer]) as server:
        level = open_level(f"{server.url}/bucket/image.zarr", "0", patience=HASTY, missing_chunks="zeros")
        check_pixels(level, Block(range(1), (0,), range(1)), sparse=True, byte_order_known=False)
    assert not pixels[0, 0, 0].any()


def answers(sent: str, refused: str) -> DocumentAnswers:
    found = DocumentAnswers()
    for key in sent.split():
        found.note(key)
    for key in refused.split():
        found.note(key, AnswerError(key))
    return found


@pytest.mark.parametrize(
    ("sent", "refused", "named"),
    [
        (".zgroup .zattrs", "zarr.json .zmetadata", None),
        ("zarr.json", ".zgroup .zattrs .zmetadata", None),
        (".zgroup", ".zattrs zarr.json", ".zattrs"),
        (".zattrs", ".zgroup", ".zgroup"),
        (".zattrs", ".zgroup zarr.json", "zarr.json"),
        (".zgroup .zattrs 0/.zarray", "0/zarr.json 0/.zattrs", None),
        (".zgroup .zattrs", "0/.zarray 0/.zattrs 0/zarr.json", "0/zarr.json"),
        ("zarr.json", "0/.zarray 0/.zattrs", "0/.zarray"),
    ],
)
def test_which_refusal_matters(sent: str, refused: str, named: str | None) -> None:
    found = answers(sent, refused).refusal()
    assert (str(found) if found else None) == named
