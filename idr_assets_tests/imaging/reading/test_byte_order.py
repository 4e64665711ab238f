"""Whether pixels tell their byte order: planes of nuclei do, and no right plane is accused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from idr_assets.imaging.reading.byte_order import looks_swapped
from idr_assets_tests.support.idr_stores import nuclei_plane

DTYPES = ["uint16", "int16", "uint32", "int32", "int64", "float16", "float32", "float64"]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_nuclei_with_swapped_bytes_are_seen(dtype: str, order: str) -> None:
    plane = (nuclei_plane(0, 0, 0) * 1.01).astype(np.dtype(dtype).newbyteorder(order))  # type: ignore[arg-type]
    assert looks_swapped(plane.byteswap())
    assert not looks_swapped(plane)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_of_whole_numbers_with_swapped_bytes_are_seen(dtype: str) -> None:
    plane = nuclei_plane(0, 0, 0).astype(dtype)
    assert looks_swapped(plane.byteswap())
    assert not looks_swapped(plane)


@given(
    seed=st.integers(0, 1000),
    dtype=st.sampled_from(DTYPES),
    factor=st.sampled_from([0.01, 0.1, 1, 2, 4, 16, 17]),
    noise=st.sampled_from([0, 1, 30]),
    sigma=st.sampled_from([0, 1, 5]),
)
def test_no_right_plane_is_accused(seed: int, dtype: str, factor: float, noise: float, sigma: float) -> None:
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(1, 70, 2))
    plane = ndimage.gaussian_filter(nuclei_plane(0, 0, seed, shape) * factor, sigma) + random.normal(0, noise, shape)
    assert not looks_swapped(plane.astype(dtype))


@pytest.mark.parametrize("plane", [np.full((9, 9), 300), np.eye(9) * 65535, np.arange(400).reshape(20, 20) * 256])
def test_flat_planes_dots_and_shifted_bytes_cannot_tell(
    plane: np.ndarray[tuple[int, int], np.dtype[np.uint16]],
) -> None:
    assert not looks_swapped(plane.astype(">u2"))


def test_one_byte_has_no_order() -> None:
    assert not looks_swapped(np.random.default_rng(0).integers(0, 256, (20, 20), np.uint8))
