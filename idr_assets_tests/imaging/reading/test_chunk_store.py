"""Reads under faults, against a real server: what passes costs time only, what stays is named, nothing is invented."""

import json
import random
import re
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from importlib.metadata import version
from itertools import repeat
from pathlib import Path
from traceback import format_exception
from typing import NamedTuple

import numpy as np
import pytest
from aiohttp import ClientConnectorDNSError
from aiohttp.client_reqrep import ConnectionKey
from distributed import Security
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idr_assets.imaging.errors import ImageError, masked
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.faults import is_transient
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.reading.level import Level, open_level
from idr_assets.imaging.reading.retries import Patience
from idr_assets_tests.support import store_server as faults
from idr_assets_tests.support.idr_stores import nuclei_plane, write_idr_store, write_image
from idr_assets_tests.support.store_server import Fault, StoreServer

QUICK = Patience(tries=3, seconds=10, timeout=1, wait=0.05)
BLOCK = Block(range(2), (0,), range(3))
EXPECTED = np.stack([[nuclei_plane(t, 0, z) for z in BLOCK.z] for t in BLOCK.t])[:, np.newaxis]

PASSING: dict[str, list[Fault]] = {
    "408": [faults.status(408)],
    "425": [faults.status(425)],
    "429": [faults.status(429, {"Retry-After": "1"})],
    "503 twice": [faults.status(503), faults.status(503)],
    "reset before headers": [faults.connection_reset],
    "body cut": [faults.cut],
    "consistent truncation": [faults.truncated],
    "empty body": [faults.empty],
    "random bytes": [faults.random_bytes],
    "HTML with 200": [faults.html_page],
    "hang": [faults.hang],
    "slow drip": [faults.drip(0.5)],
}

STAYING: dict[str, tuple[Fault, str]] = {
    "403": (faults.status(403), "access is refused (status 403)"),
    "410": (faults.status(410), "cannot be read: the server answers with status 410"),
    "404": (faults.status(404), "is missing, so t 1 c 0 z 1 has no pixels"),
    "503": (faults.status(503), "cannot be read (3 tries): the server answers with status 503"),
    "reset": (faults.connection_reset, "cannot be read (3 tries): the connection fails"),
    "cut": (faults.cut, "cannot be read (3 tries): the body ends too early"),
    "truncation": (faults.truncated, "bytes, its blosc header says"),
    "empty": (faults.empty, "it has 0 bytes, less than a blosc header"),
    "random": (faults.random_bytes, "its blosc header says"),
    "HTML": (faults.html_page, "it is an HTML page"),
    "hang": (faults.hang, "cannot be read (3 tries): the answer takes too long"),
    "redirect loop": (faults.redirect(""), "cannot be read: it redirects in a loop"),
    "redirect to another host": (faults.redirect("http://localhost:9"), "another host or port or a less safe scheme"),
    "redirect by URI": (
        faults.redirect("http://localhost:9", header="URI"),
        "another host or port or a less safe scheme",
    ),
    "redirect to nothing": (faults.redirect("http://[bad"), "redirects to something that is not an address"),
    "Retry-After of an hour": (faults.status(429, {"Retry-After": "3600"}), "the server answers with status 429"),
    "Retry-After without end": (faults.status(503, {"Retry-After": "9" * 400}), "the server answers with status 503"),
    "redirect to a file": (faults.redirect("file://"), "redirects to file:///"),
}


class Served(NamedTuple):
    """A store of six planes behind a server."""

    server: StoreServer
    url: str
    level: Level

    def key(self, path: str) -> str:
        """Name a file of the image as the server knows it."""
        return f"{self.url.removeprefix(self.server.url)}/{path}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("store")
    image = write_idr_store(root, version="0.4", t=BLOCK.t, c=BLOCK.c, z=BLOCK.z)
    with StoreServer(root) as server:
        url = f"{server.url}/{image.relative_to(root).as_posix()}"
        yield Served(server, url, open_level(url, "4", patience=QUICK))


@pytest.fixture(autouse=True)
def healthy(served: Served) -> None:
    served.server.faults.clear()
    served.server.reset()


@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_passes_costs_time_only(served: Served, name: str) -> None:
    chunk = served.key("4/1/0/1/0/0")
    served.server.faults[chunk] = PASSING[name]
    np.testing.assert_array_equal(served.level.read(BLOCK), EXPECTED)
    assert [path for _, path in served.server.requests].count(chunk) == len(PASSING[name]) + 1


def test_tries_leave_the_random_numbers_of_a_segmentation_alone(served: Served) -> None:
    served.server.faults[served.key("4/1/0/1/0/0")] = PASSING["503 twice"]
    before = random.getstate()
    served.level.read(BLOCK)
    assert random.getstate() == before


@pytest.mark.parametrize("name", STAYING)
def test_a_fault_that_stays_is_named_with_plane_or_url(served: Served, name: str) -> None:
    fault, message = STAYING[name]
    served.server.faults[served.key("4/1/0/1/0/0")] = repeat(fault)
    with pytest.raises(ImageError) as error:
        served.level.read(BLOCK)
    assert f"{served.url}/4/1/0/1/0/0" in str(error.value)
    assert message in str(error.value)
    assert str(error.value).endswith(".")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (faults.replaced(b"{no JSON"), "it is not JSON"),
        (faults.html_page, "it is an HTML page"),
        (faults.status(403), "access is refused (status 403)"),
    ],
)
def test_bad_metadata_is_an_error_of_its_own(served: Served, fault: Fault, message: str) -> None:
    served.server.faults[served.key("4/.zarray")] = repeat(fault)
    with pytest.raises(ImageError) as error:
        open_level(served.url, "4", patience=QUICK)
    assert f"{served.url}/4/.zarray cannot be read" in str(error.value)
    assert message in str(error.value)


def test_an_address_is_in_no_traceback_with_its_secrets(served: Served) -> None:
    secret = served.url.replace("http://", "http://user:s3cret@").replace("4007801", "nowhere")
    for url in (
        secret,
        f"{secret}?token=s3cret",
        "s3://user:s3cret@bucket/a.zarr",
        "http://user:12/s3cret@127.0.0.1/a",
        "simplecache::https://user:s3cret@127.0.0.1/a.zarr",
        "HTTP://user:s3cret@127.0.0.1/a.zarr",
        " https://user:s3cret@127.0.0.1/a.zarr",
        "ftp://user:s3cret@127.0.0.1:9/a.zarr",
        "foo://user:s3cret@127.0.0.1/a.zarr",
    ):
        with pytest.raises(ImageError) as error:
            open_level(url, "4", patience=QUICK)
        assert "s3cret" not in "".join(format_exception(error.value))


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("4/.zarray", '"shape": [-1]'),
        ("4/.zarray", '"shape": "wide"'),
        ("4/.zarray", '"shape": [2, 1, 3, 128]'),
        ("4/.zarray", '"zarr_format": 9'),
        (".zattrs", '"multiscales": "none"'),
        (".zattrs", '"multiscales": [{"axes": [{"type": "time"}], "datasets": [{"path": "4"}]}]'),
        (".zattrs", '"multiscales": [{"datasets": [{}]}]'),
    ],
)
def test_metadata_that_make_no_sense_are_named(served: Served, document: str, text: str) -> None:
    def change(body: bytes) -> bytes:
        return json.dumps(json.loads(body) | json.loads(f"{{{text}}}")).encode()

    served.server.faults[served.key(document)] = repeat(faults.changed(change))
    with pytest.raises(ImageError, match=re.escape(served.url)):
        open_level(served.url, "4", patience=QUICK)


def test_a_fingerprint_is_read_with_the_same_patience(served: Served) -> None:
    document = served.key("4/.zarray")
    expected = read_fingerprint(served.level)
    served.server.faults[document] = [faults.status(503)] * 3
    assert read_fingerprint(served.level) == expected
    served.server.faults[document] = repeat(faults.status(503))
    with pytest.raises(ImageError, match="answers with status 503"):
        read_fingerprint(served.level)
    served.server.faults.clear()
    level = open_level(served.url, "4", patience=Patience(tries=1, timeout=0.3))
    served.server.faults[document] = repeat(faults.hang)
    with pytest.raises(ImageError, match="the answer takes too long"):
        read_fingerprint(level)


@pytest.mark.parametrize(("requests", "peak"), [({"requests": 2}, 2), ({}, 16), ({"requests": 32}, 32)])
def test_requests_in_flight_are_as_many_as_wanted(tmp_path: Path, requests: dict[str, int], peak: int) -> None:
    pixels = np.ones((1, 1, 64, 4, 4), "u2")
    write_image(tmp_path / "image.zarr", pixels, version="0.4")
    with StoreServer(tmp_path, latency=0.03 * peak) as server:  # a busy machine takes a while to send as many
        level = open_level(f"{server.url}/image.zarr", "0", patience=Patience(**requests))
        server.reset()
        np.testing.assert_array_equal(level.read(Block(range(1), (0,), range(64))), pixels)
        assert server.peak_in_flight == peak
        assert server.agents == {f"idr_assets/{version('idr_assets')}"}


def test_waiting_for_a_slot_is_no_time_of_failing(tmp_path: Path) -> None:
    pixels = np.ones((1, 1, 12, 4, 4), "u2")
    write_image(tmp_path / "image.zarr", pixels, version="0.4")
    patience = Patience(requests=1, seconds=0.5, wait=0.01)
    with StoreServer(tmp_path, latency=0.1) as server:
        level = open_level(f"{server.url}/image.zarr", "0", patience=patience)
        server.faults = {"/image.zarr/0/0/0/*": [faults.status(503)] * 12}
        np.testing.assert_array_equal(level.read(Block(range(1), (0,), range(12))), pixels)


def test_no_sooner_than_the_server_asks_for(served: Served) -> None:
    for dated in (False, True):
        soon = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)  # which has whole seconds
        refusal = faults.status(429, {"Retry-After": soon if dated else "1"})
        served.server.faults[served.key("4/1/0/1/0/0")] = [refusal]
        started = time.monotonic()
        np.testing.assert_array_equal(served.level.read(BLOCK), EXPECTED)
        assert time.monotonic() - started > 1


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.integers(0, 5), st.lists(st.sampled_from(["503 twice", "body cut", "empty body"]), max_size=1))
)
def test_any_passing_faults_leave_the_pixels_as_they_are(served: Served, drawn: dict[int, list[str]]) -> None:
    keys = [f"4/{plane.t}/0/{plane.z}/0/0" for plane in BLOCK.planes()]
    served.server.faults = {
        served.key(keys[at]): [fault for name in names for fault in PASSING[name]] for at, names in drawn.items()
    }
    np.testing.assert_array_equal(served.level.read(BLOCK), EXPECTED)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@host/a.zarr", "https://***@host/a.zarr"),
        ("https://host/a.zarr?X-Signature=secret", "https://host/a.zarr?***"),
        ("https://host/a.zarr#sig=secret", "https://host/a.zarr#***"),
        ("https://host/a.zarr;token=secret/0", "https://host/a.zarr;***"),
        ("/folder/a;b#c?.zarr", "/folder/a;b#c?.zarr"),
        ("https://host/a.zarr", "https://host/a.zarr"),
        ("/folder/a b.zarr", "/folder/a b.zarr"),
    ],
)
def test_what_may_be_secret_is_masked(url: str, shown: str) -> None:
    assert masked(url) == shown


def test_credentials_reach_the_server_and_no_message(served: Served) -> None:
    with StoreServer(served.server.root, credentials=("user", "password")) as server:
        path = served.url.removeprefix(served.server.url)
        with pytest.raises(ImageError) as error:
            open_level(f"{server.url}{path}".replace("://", "://user:wrong@"), "4", patience=QUICK)
        assert "access is refused (status 401)" in str(error.value)
        assert "wrong" not in str(error.value)
        level = open_level(f"{server.url}{path}".replace("://", "://user:password@"), "4", patience=QUICK)
        np.testing.assert_array_equal(level.read(BLOCK), EXPECTED)
        assert "password" not in f"{level!r} {level.url}"


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """Make a certificate for a server, which nobody trusts."""
    made = Security.temporary()
    (tmp_path / "pem").write_text(made.tls_scheduler_key + made.tls_scheduler_cert)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pem")
    return context


def test_a_certificate_that_is_not_trusted_is_not_tried_again(served: Served, certificate: ssl.SSLContext) -> None:
    with StoreServer(served.server.root, ssl_context=certificate) as server, pytest.raises(ImageError) as error:
        open_level(f"{server.url}{served.key('')}", "4", patience=QUICK)
    assert "cannot be read: its TLS certificate is not trusted" in str(error.value)


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_a_redirect_from_https_to_less_is_not_followed(
    served: Served, certificate: ssl.SSLContext, scheme: str
) -> None:
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    # A TLS connection that is kept alive would end after the server does.
    options = {"ssl": trusting, "headers": {"Connection": "close"}}
    with StoreServer(served.server.root, ssl_context=certificate) as server:
        level = open_level(f"{server.url}{served.key('')}".rstrip("/"), "4", options, patience=QUICK)
        chunk = served.key("4/1/0/1/0/0")
        server.faults[chunk] = [faults.redirect(server.url)]
        np.testing.assert_array_equal(level.read(BLOCK), EXPECTED)  # the same host and scheme is followed
        # The very port of the server that has the pixels without TLS, or the file itself.
        target = {"http": served.server.url, "file": f"file://{served.server.root}"}[scheme]
        server.faults[chunk] = [faults.redirect(target)]
        with pytest.raises(ImageError) as error:
            level.read(BLOCK)
    assert f"{server.url}{chunk} redirects to {target}{chunk}, another host or port or a less safe scheme" in str(
        error.value
    )
    assert "nothing was read. If you trust it, write that address into the YAML." in str(error.value)
    assert ("GET", chunk) not in served.server.requests


def test_a_host_that_is_not_known_is_not_tried_again() -> None:
    # The latter where no name at all can be looked up.
    with pytest.raises(ImageError, match=r"its host is not known here|its host cannot be looked up now"):
        open_level("http://no-such-host.invalid/a.zarr", "4", patience=QUICK)


@pytest.mark.parametrize(("number", "passes"), [(socket.EAI_AGAIN, True), (socket.EAI_NONAME, False)])
def test_a_host_is_looked_up_again_only_where_that_may_help(number: int, *, passes: bool) -> None:
    key = ConnectionKey("host", 443, is_ssl=True, ssl=True, proxy=None, proxy_auth=None, proxy_headers_hash=None)
    assert is_transient(ClientConnectorDNSError(key, socket.gaierror(number, "no answer"))) == passes
