"""Reads under faults, against a real server: what passes costs time only, what stays is named, nothing is invented."""

import json
import os
import random
import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from importlib.metadata import version
from itertools import repeat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.retries import Patience
from idr_assets_tests.support import store_faults as faults
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.served_image import BLOCK, EXPECTED, QUICK, Served
from idr_assets_tests.support.store_faults import Fault
from idr_assets_tests.support.store_server import StoreServer

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

TWICE = "cannot be read (2 tries): the body is not what the store holds:"
"""The same bytes twice are an answer."""

STAYING: dict[str, tuple[Fault, str]] = {
    "403": (faults.status(403), "access is refused (status 403)"),
    "410": (faults.status(410), "cannot be read: the server answers with status 410"),
    "404": (faults.status(404), "is missing, so t 1 c 0 z 1 has no pixels"),
    "503": (faults.status(503), "cannot be read (3 tries): the server answers with status 503"),
    "reset": (faults.connection_reset, "cannot be read (3 tries): the connection fails"),
    "cut": (faults.cut, "cannot be read (3 tries): the body ends too early"),
    "truncation": (faults.truncated, TWICE),
    "empty": (faults.empty, f"{TWICE} it has 0 bytes, less than a blosc header"),
    "random": (faults.random_bytes, TWICE),
    "other bytes each time": (faults.changed(lambda body: os.urandom(len(body))), TWICE.replace("2", "3")),
    "too long": (faults.announced(10**9), f"{TWICE} it has 1000000000 bytes"),
    "endless": (faults.endless, f"{TWICE} it has more bytes, at most"),
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
    ("document", "text"),
    [
        ("4/.zarray", '"shape": [-1]'),
        ("4/.zarray", '"shape": "wide"'),
        ("4/.zarray", '"shape": [2, 1, 3, 128]'),
        ("4/.zarray", '"zarr_format": 9'),
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
