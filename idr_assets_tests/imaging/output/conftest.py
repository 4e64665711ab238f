"""What tests of the output share: a source, and the output of it."""

from pathlib import Path

import numpy as np
import pytest

from idr_assets.imaging.ome_zarr.formats import FORMATS
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.reading.level import Level, open_level
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.outputs import SHAPE


@pytest.fixture
def level(tmp_path: Path) -> Level:
    """Write and open a source whose pixels count up."""
    write_image(tmp_path / "source.zarr", np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(">u2"), version="0.4")
    return open_level(str(tmp_path / "source.zarr"), "0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Name an output that is not there yet."""
    return tmp_path / "output.ome.zarr"


@pytest.fixture(params=FORMATS)
def image(folder: Path, level: Level, request: pytest.FixtureRequest) -> OutputImage:
    """Make the output, in both formats."""
    return create_output(str(folder), level, version=request.param)
