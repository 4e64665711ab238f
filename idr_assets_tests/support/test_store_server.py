"""Tests of the tests' own server, and of each of its faults. What stores hold is read by the tests of images."""

import http.client
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import zarr
from distributed.security import Security

from idr_assets_tests.support import store_faults as faulty
from idr_assets_tests.support.idr_stores import nuclei_plane, write_idr_store
from idr_assets_tests.support.store_faults import Fault
from idr_assets_tests.support.store_server import StoreServer

BODY = bytes(range(64))


def ask(
    server: StoreServer, path: str, method: str = "GET", context: ssl.SSLContext | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Send one request as it stands: the path is not normalized and no redirect followed."""
    netloc = urlsplit(server.url).netloc
    connection = (
        http.client.HTTPSConnection(netloc, timeout=5, context=context)
        if context
        else http.client.HTTPConnection(netloc, timeout=5)
    )
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StoreServer]:
    """Serve a folder that holds `folder/file`, beside a file that is not to be served."""
    (tmp_path / "root/folder").mkdir(parents=True)
    (tmp_path / "root/folder/file").write_bytes(BODY)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "root/link").symlink_to(tmp_path / "secret")
    with StoreServer(tmp_path / "root") as server:
        yield server


def test_files_have_validators_and_ranges(server: StoreServer) -> None:
    code, headers, body = ask(server, "/folder/file")
    assert (code, body, headers["Content-Length"]) == (200, BODY, "64")
    assert headers["ETag"]
    assert headers["Last-Modified"]
    code, head, body = ask(server, "/folder/file", "HEAD")
    assert (code, body, head["Content-Length"], head["ETag"]) == (200, b"", "64", headers["ETag"])
    code, headers, body = ask(server, "/folder/file", Range="bytes=2-5")
    assert (code, body, headers["Content-Range"]) == (206, BODY[2:6], "bytes 2-5/64")
    assert ask(server, "/folder/file", Range="bytes=-3")[2] == BODY[-3:]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path", ["/", "/folder", "/folder/", "/none", "/../secret", "/%2e%2e/secret", "//etc/passwd", "/link"]
)
def test_folders_and_the_outside_are_not_found(server: StoreServer, path: str, method: str) -> None:
    assert ask(server, path, method)[0] == 404


def test_requests_are_counted_until_reset(server: StoreServer) -> None:
    ask(server, "/folder/file")
    ask(server, "/none", "HEAD")
    assert server.requests == [("GET", "/folder/file"), ("HEAD", "/none")]
    assert server.peak_in_flight == 1
    server.reset()
    assert (server.requests, server.peak_in_flight) == ([], 0)


def test_latency_delays_every_answer(server: StoreServer) -> None:
    server.latency = 0.2
    start = time.monotonic()
    ask(server, "/none")
    assert time.monotonic() - start >= 0.2


def test_hanging_requests_count_as_in_flight_and_end_with_the_server(tmp_path: Path) -> None:
    threads = threading.enumerate()
    with ThreadPoolExecutor(4) as clients:
        with StoreServer(tmp_path) as server:
            server.faults["*"] = repeat(faulty.hang)
            answers = [clients.submit(ask, server, "/file") for _ in range(4)]
            while len(server.requests) < 4:
                time.sleep(0.01)
            assert server.peak_in_flight == 4
            start = time.monotonic()
        assert time.monotonic() - start < 2
        assert all(isinstance(answer.exception(), ConnectionError) for answer in answers)
    assert threading.enumerate() == threads


def test_an_error_inside_the_context_ends_the_server(tmp_path: Path) -> None:
    threads = threading.enumerate()
    with pytest.raises(KeyError), StoreServer(tmp_path):
        raise KeyError
    assert threading.enumerate() == threads


def test_faults_are_used_up_one_a_request(server: StoreServer) -> None:
    server.faults["/folder/*"] = [faulty.status(503), None, faulty.status(429, {"Retry-After": "1"})]
    answers = [ask(server, "/folder/file") for _ in range(4)]
    assert [code for code, _, _ in answers] == [503, 200, 429, 200]
    assert answers[2][1]["Retry-After"] == "1"
    assert ask(server, "/none")[0] == 404


BODIES: dict[str, tuple[Fault, bytes]] = {
    "empty": (faulty.empty, b""),
    "truncated": (faulty.truncated, BODY[:32]),
    "flipped_bit": (faulty.flipped_bit, BODY[:-1] + b"\x3e"),
    "replaced": (faulty.replaced(b"{}"), b"{}"),
    "drip": (faulty.drip(0.001), BODY),
}


@pytest.mark.parametrize(("fault", "expected"), BODIES.values(), ids=BODIES)
def test_a_wrong_body_comes_with_headers_that_agree(server: StoreServer, fault: Fault, expected: bytes) -> None:
    server.faults["*"] = [fault]
    code, headers, body = ask(server, "/folder/file")
    assert (code, body, headers["Content-Length"]) == (200, expected, str(len(expected)))


def test_random_bytes_and_html_pages(server: StoreServer) -> None:
    server.faults["*"] = [faulty.random_bytes, faulty.html_page]
    code, _, body = ask(server, "/folder/file")
    assert (code, len(body)) == (200, 64)
    assert body != BODY
    code, headers, body = ask(server, "/folder/file")
    assert (code, headers.get_content_type()) == (200, "text/html")
    assert body.startswith(b"<!DOCTYPE html>")


def test_a_range_of_a_wrong_body_is_partial(server: StoreServer) -> None:
    server.faults["*"] = [faulty.truncated]
    code, _, body = ask(server, "/folder/file", Range="bytes=8-11")
    assert (code, body) == (206, BODY[8:10])


def test_broken_connections(server: StoreServer) -> None:
    server.faults["*"] = [faulty.connection_reset, faulty.cut]
    with pytest.raises(ConnectionResetError):
        ask(server, "/folder/file")
    with pytest.raises(http.client.IncompleteRead) as error:
        ask(server, "/folder/file")
    assert (error.value.partial, error.value.expected) == (BODY[:32], 32)
    assert ask(server, "/folder/file")[2] == BODY


@pytest.mark.parametrize("base", ["", "http://localhost:1", "file://"])
def test_redirects_keep_the_path(server: StoreServer, base: str) -> None:
    server.faults["*"] = [faulty.redirect(base)]
    code, headers, _ = ask(server, "/folder/file")
    assert (code, headers["Location"]) == (302, f"{base}/folder/file")


def test_credentials(tmp_path: Path) -> None:
    with StoreServer(tmp_path, credentials=("user", "password")) as server:
        assert ask(server, "/file")[0] == 401
        assert ask(server, "/file", Authorization="Basic dXNlcjpvdGhlcg==")[0] == 401
        assert ask(server, "/file", Authorization="Basic dXNlcjpwYXNzd29yZA==")[0] == 404


def test_tls(tmp_path: Path) -> None:
    certificate = Security.temporary()
    (tmp_path / "pem").write_text(certificate.tls_scheduler_key + certificate.tls_scheduler_cert)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pem")
    trusting = ssl.create_default_context(cadata=certificate.tls_ca_file)
    trusting.check_hostname = False
    with StoreServer(tmp_path, ssl_context=context) as server:
        server.faults["*"] = [None, faulty.redirect("http://127.0.0.1:1"), faulty.connection_reset]
        assert server.url.startswith("https://127.0.0.1:")
        assert ask(server, "/none", context=trusting)[0] == 404
        assert ask(server, "/none", context=trusting)[1]["Location"] == "http://127.0.0.1:1/none"
        with pytest.raises(ConnectionResetError):
            ask(server, "/none", context=trusting)


def test_a_flipped_bit_decodes_silently_to_another_pixel(tmp_path: Path) -> None:
    image = write_idr_store(tmp_path, version="0.1", t=[0], c=[1], z=[2], shape=(1, 2, 3, 40, 50))
    with StoreServer(tmp_path) as server:
        server.faults["*/0.1.2.0.0"] = [faulty.flipped_bit]
        array = zarr.open_array(f"{server.url}/{image.relative_to(tmp_path)}/4", mode="r")
        assert np.count_nonzero(array[0, 1, 2] != nuclei_plane(0, 1, 2, (40, 50))) == 1
