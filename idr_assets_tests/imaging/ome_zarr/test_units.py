"""The lengths of units are those of scipy."""

import pytest
from ome_zarr.axes import KNOWN_SPATIAL_UNITS
from scipy import constants

from idr_assets.imaging.ome_zarr.units import MICROMETRES


@pytest.mark.parametrize("unit", KNOWN_SPATIAL_UNITS)
def test_a_unit_is_as_long_as_scipy_says(unit: str) -> None:
    prefix = unit.removesuffix("meter")
    metres = getattr(constants, prefix) if prefix else 1
    assert MICROMETRES[unit] == pytest.approx(metres / constants.micro, rel=1e-15)
