"""Provenance and records of planes are found again, whatever folder the output is in."""

from pathlib import Path

import pytest

from idr_assets.imaging.ome_zarr.formats import Version
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.plane_records import read_records, write_record
from idr_assets.imaging.output.provenance import Provenance, list_provenance, read_provenance
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.small_image import PIXELS

MADE = Provenance.from_json({"source": {"url": "https://127.0.0.1/a.zarr"}, "segmentation": {"function": "mine"}})
FOUND = {Plane(0, 0, 0): {"checksum": "1"}}


@pytest.mark.parametrize("folder", ["plain", "x #?%20[1] ü", "a*"])
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_records_are_those_of_the_output_alone(tmp_path: Path, folder: str, version: Version) -> None:
    write_image(tmp_path / "source.zarr", PIXELS, version="0.4")
    level = open_level(str(tmp_path / "source.zarr"), "0")
    other, output = (
        create_output(str(tmp_path / place / "o.ome.zarr"), level, version=version) for place in ("ab", folder)
    )
    write_record(other, MADE, "v", FOUND)  # which `a*` would match
    assert list_provenance(output.url, "segmentation") == []
    write_record(output, MADE, "v", FOUND)
    assert read_provenance(output.url, "segmentation") == read_provenance(output.url, "*") == [MADE]
    assert [(plane, it.found) for plane, it in read_records(output)] == [*FOUND.items()]
