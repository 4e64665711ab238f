"""The way to a web store: tokens in the address, headers, proxies and hosts of IPv6, against real servers."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.probe import check_pixels
from idr_assets.imaging.reading.retries import Patience
from idr_assets.imaging.stores.proxies import find_proxy
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.store_server import StoreServer

PIXELS = np.arange(2 * 40 * 36, dtype="u2").reshape(1, 1, 2, 40, 36)
BLOCK = Block(range(1), (0,), range(2))
HASTY = Patience(tries=2, timeout=5, wait=0.01)


@pytest.fixture(autouse=True)
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write an image of shards, whose parts are asked for too, and leave this machine's proxies out."""
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return write_image(tmp_path / "image.zarr", PIXELS, version="0.5", shards=(1, 1, 2, 40, 36))


def read_all(url: str, options: Mapping[str, Any] | None = None) -> None:
    """Read an image in every way that a run does."""
    level = open_level(url, "0", options, patience=HASTY)
    assert '"' in str(read_fingerprint(level, options).state)  # it has an ETag
    check_pixels(level, BLOCK, sparse=False, byte_order_known=False)
    np.testing.assert_array_equal(level.read(BLOCK), PIXELS)


QUERIES = ["sig=abc", "sv=2024-11-04&sig=a%2Fb%2Bc%3D", "X-Amz-Signature=0af&x=1/2+3", "Policy=~a_b-c"]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_address_travels_with_each_request_as_it_is_written(tmp_path: Path, query: str) -> None:
    with StoreServer(tmp_path, query=query) as server:
        read_all(f"{server.url}/image.zarr?{query}")


def test_a_token_is_in_no_message(tmp_path: Path, image: Path, caplog: pytest.LogCaptureFixture) -> None:
    with StoreServer(tmp_path, query="sig=secret") as server:
        with pytest.raises(ImageError) as refused:
            open_level(f"{server.url}/image.zarr?sig=wrong", "0", patience=HASTY)
        level = open_level(f"{server.url}/image.zarr?sig=secret", "0", patience=HASTY)
        (image / "0/c/0/0/0/0/0").unlink()
        with pytest.raises(ImageError) as missing:
            level.read(BLOCK)
    assert f"{server.url}/image.zarr/zarr.json?*** cannot be read (2 tries): access is refused" in str(refused.value)
    assert f"{server.url}/image.zarr/0/c/0/0/0/0/0?*** is missing" in str(missing.value)
    assert not {"secret", "wrong"} & set(caplog.text.replace("=", " ").split())


def test_headers_go_with_each_request(tmp_path: Path) -> None:
    with StoreServer(tmp_path, authorization="Bearer token") as server:
        read_all(f"{server.url}/image.zarr", {"headers": {"Authorization": "Bearer token\n", "X-Number": 1}})
        with pytest.raises(ImageError, match=r"access is refused \(status 401\)"):
            open_level(f"{server.url}/image.zarr", "0", patience=HASTY)


def test_the_proxy_of_the_environment_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with StoreServer(tmp_path) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.removeprefix("http://"))
        read_all("http://images.example/image.zarr")
        assert proxy.hosts == {"images.example"}


def test_a_proxy_that_cannot_be_asked_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://user:secret@127.0.0.1:9")
    with pytest.raises(ImageError, match=r"the proxy on the way to it does not answer\. Check http_proxy") as error:
        open_level("http://other.example/image.zarr", "0", patience=HASTY)
    assert "secret" not in str(error.value)


def test_a_password_of_the_users_netrc_goes_to_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("default login user password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with StoreServer(tmp_path, credentials=("user", "secret")) as server:
        with pytest.raises(ImageError, match=r"access is refused \(status 401\)"):
            open_level(f"{server.url}/image.zarr", "0", patience=HASTY)
        read_all(f"{server.url}/image.zarr", {"client_kwargs": {"trust_env": True}})  # unless asked


def test_a_host_of_ipv6_is_reached(tmp_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    with StoreServer(tmp_path, host="::1") as server:
        assert server.url.startswith("http://[::1]:")
        read_all(f"{server.url}/image.zarr")


PROXIES: dict[str, tuple[dict[str, str], str, str | None]] = {
    "none": ({}, "http://a.example", None),
    "http": ({"http_proxy": "http://p:1"}, "http://a.example", "http://p:1"),
    "https": ({"https_proxy": "http://p:1"}, "https://a.example", "http://p:1"),
    "of another scheme": ({"https_proxy": "http://p:1"}, "http://a.example", None),
    "in capitals": ({"HTTPS_PROXY": "http://p:1"}, "https://a.example", "http://p:1"),
    "without a scheme": ({"http_proxy": "p:1"}, "http://a.example", "http://p:1"),
    "with a password": ({"http_proxy": "http://u:x@p:1"}, "http://a.example", "http://u:x@p:1"),
    "not for a host": ({"http_proxy": "http://p:1", "no_proxy": "b.example,a.example"}, "http://a.example:80", None),
    "not for a domain": ({"http_proxy": "http://p:1", "no_proxy": ".example"}, "http://u:x@a.example", None),
    "not for a port": ({"http_proxy": "http://p:1", "no_proxy": "a.example:8"}, "http://a.example:8", None),
    "for another port": ({"http_proxy": "http://p:1", "no_proxy": "a.example:8"}, "http://a.example:9", "http://p:1"),
    "not for IPv6": ({"http_proxy": "http://p:1", "no_proxy": "::1"}, "http://[::1]:8", None),
    "not for a network": ({"http_proxy": "http://p:1", "no_proxy": "x, 10.0.0.0/8"}, "http://10.1.2.3:8", None),
    "for another network": ({"http_proxy": "http://p:1", "no_proxy": "10.0.0.0/8"}, "http://11.1.2.3", "http://p:1"),
    "for none": ({"http_proxy": "http://p:1", "no_proxy": "*"}, "http://a.example", None),
}


@pytest.mark.parametrize("case", PROXIES)
def test_which_proxy_leads_to_a_server(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    environment, url, proxy = PROXIES[case]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert find_proxy(url) == proxy


def test_a_proxy_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "socks5://u:secret@p:1")
    with pytest.raises(
        ImageError, match=r"https_proxy names a proxy of the kind 'socks5'.*Name an HTTP proxy"
    ) as error:
        find_proxy("https://a.example")
    assert "secret" not in str(error.value)


def test_documents_behind_a_token_are_checked_too(tmp_path: Path, image: Path) -> None:
    document = json.loads((image / "0/zarr.json").read_text())
    document["codecs"][0]["configuration"]["codecs"].append({"name": "numcodecs.pickle"})
    (image / "0/zarr.json").write_text(json.dumps(document))
    with StoreServer(tmp_path, query="sig=abc") as server, pytest.raises(ImageError, match="which may run code"):
        open_level(f"{server.url}/image.zarr?sig=abc", "0", patience=HASTY)


def test_a_fragment_is_no_part_of_an_address(tmp_path: Path) -> None:
    with (
        StoreServer(tmp_path) as server,
        pytest.raises(ImageError, match="what follows # is never sent to a server; write # as %23"),
    ):
        open_level(f"{server.url}/image #1.zarr", "0", patience=HASTY)
