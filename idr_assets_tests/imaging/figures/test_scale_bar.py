"""The scale bar is as long as its label says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idr_assets.imaging.figures import montage
from idr_assets.imaging.figures.scale_bar import round_length
from idr_assets_tests.imaging.figures.test_montage import pictures, scale_bars, texts
from idr_assets_tests.support.labelled_planes import SHAPE, window


@pytest.mark.parametrize("pixel_size", [0.8125, 0.0021, 340.0])
@pytest.mark.parametrize("shape", [SHAPE, (600, 900)])
def test_the_scale_bar_is_as_long_as_its_label_says(pixel_size: float, shape: tuple[int, int]) -> None:
    figure = montage.montage(window(1, 1, 2, shape=shape), title="demo", pixel_size=pixel_size)
    (bar,) = scale_bars(figure)
    (label,) = [text for text in texts(figure) if text.endswith(" µm")]
    width = shape[1] * pixel_size
    assert bar.get_width() / pictures(figure)[1].picture.shape[1] == pytest.approx(float(label.split()[0]) / width)
    assert 0.12 < float(label.split()[0]) / width < 0.33


def test_there_is_no_scale_bar_without_a_pixel_size() -> None:
    assert not scale_bars(montage.montage(window(1, 1, 2), title="demo"))


@given(st.floats(1e-6, 1e9))
def test_round_lengths_are_one_two_or_five_and_close(length: float) -> None:
    found = round_length(length)
    assert f"{found:.0e}"[0] in "125"
    assert float(f"{found:.0e}") == pytest.approx(found)
    assert 0.6 < found / length < 1.6
