"""The way to a store: addresses with secrets, credentials, certificates, redirects and names of hosts."""

import socket
import ssl
from pathlib import Path
from traceback import format_exception

import numpy as np
import pytest
from aiohttp import ClientConnectorDNSError
from aiohttp.client_reqrep import ConnectionKey
from distributed import Security

from idr_assets.imaging.errors import ImageError, mask
from idr_assets.imaging.reading.faults import is_transient
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support import store_faults as faults
from idr_assets_tests.support.served_image import BLOCK, EXPECTED, QUICK, Served
from idr_assets_tests.support.store_server import StoreServer


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
    ("url", "shown"),
    [
        ("https://user:secret@host/a.zarr", "https://***@host/a.zarr"),
        ("https://host/a.zarr?X-Signature=secret", "https://host/a.zarr?***"),
        ("https://host/a.zarr#sig=secret", "https://host/a.zarr#***"),
        ("https://host/a.zarr;token=secret/0", "https://host/a.zarr;***"),
        ("https://user:secret@[host/a.zarr", "https://***"),
        ("/folder/a;b#c?.zarr", "/folder/a;b#c?.zarr"),
        ("https://host/a.zarr", "https://host/a.zarr"),
        ("/folder/a b.zarr", "/folder/a b.zarr"),
    ],
)
def test_what_may_be_secret_is_masked(url: str, shown: str) -> None:
    assert mask(url) == shown


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
