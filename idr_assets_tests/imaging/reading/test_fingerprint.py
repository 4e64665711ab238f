"""The fingerprint of an image changes with what identifies it."""

import os
from pathlib import Path
from typing import Any

import pytest

from idr_assets.imaging.reading.fingerprint import hash_layout, read_fingerprint
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.idr_stores import edit_metadata


def test_fingerprint_is_stable_across_openings(address: str) -> None:
    (found,) = {read_fingerprint(open_level(address, "0")).digest for _ in range(3)}
    assert len(found) == len(bytes.fromhex(found)) * 2 == 16


@pytest.mark.parametrize("remote", [True, False], ids=["over HTTP", "in a folder"])
def test_fingerprint_changes_with_etag_or_modification_date(image: Path, address: str, *, remote: bool) -> None:
    url = address if remote else str(image)
    before = read_fingerprint(open_level(url, "0")).digest
    os.utime(image / "0/.zarray", (0, 0))
    assert read_fingerprint(open_level(url, "0")).digest != before


GROWTH = [{"shape": [1, 1, 3, 20, 30]}, {"shape": [4, 1, 2, 20, 30]}]


CHANGES = [{"shape": [1, 1, 2, 20, 31]}, {"dtype": "<u2"}, {"dimension_separator": "."}, {"compressor": None}]


@pytest.mark.parametrize("change", GROWTH + CHANGES)
def test_fingerprint_changes_with_the_metadata_and_the_layout_with_all_but_the_lengths_of_t_and_z(
    image: Path, change: dict[str, Any]
) -> None:
    before = open_level(str(image), "0")
    old = read_fingerprint(before).digest
    edit_metadata(image / "0/.zarray", **change)
    after = open_level(str(image), "0")
    assert read_fingerprint(after).digest != old
    assert (hash_layout(after) == hash_layout(before)) == (change in GROWTH)
