"""Addresses behind another one, such as zip::, are not read."""

from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from fsspec.registry import get_filesystem_class, known_implementations

from idr_assets.imaging.errors import INDIRECT, ImageError
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.idr_stores import write_image


def is_indirect(protocol: str) -> bool:
    try:
        options = signature(get_filesystem_class(protocol).__init__).parameters
    except ImportError:  # of a package that is not here
        return protocol in INDIRECT
    return not {"fo", "fs", "target_protocol", "default_method"}.isdisjoint(options)


def test_every_protocol_of_fsspec_that_reads_another_address_is_known() -> None:
    found = {*filter(is_indirect, known_implementations), "simplecache"}
    assert found == INDIRECT & {*known_implementations, "simplecache"}  # earlier releases have fewer


@pytest.mark.parametrize("protocol", sorted(INDIRECT))
def test_no_address_behind_another_one_is_read_and_no_copy_of_it_kept(tmp_path: Path, protocol: str) -> None:
    write_image(tmp_path / "image.zarr", np.zeros((1, 1, 1, 20, 30), "u2"), version="0.4")
    options = {"target_protocol": "file", "cache_storage": str(tmp_path / "copies")}
    with pytest.raises(ImageError, match="a protocol such as zip, is not read"):
        open_level(f"{protocol}://{tmp_path}/image.zarr", "0", options)
    assert not (tmp_path / "copies").exists()
