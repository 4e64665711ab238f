"""What all figures have in common: the settings that they are drawn with."""

from collections.abc import Callable
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from idr_assets.imaging.figures.comparison import comparison
from idr_assets.imaging.figures.drawing import default_style, render, svg
from idr_assets.imaging.figures.montage import montage
from idr_assets_tests.imaging.figures.test_object_counts import figure as counts_figure
from idr_assets_tests.support.labelled_planes import labelled, window

STRANGE: Final[Any] = {
    "axes.facecolor": "red",
    "axes.formatter.use_locale": True,
    "figure.constrained_layout.use": True,
    "font.family": ["monospace"],
    "font.size": 20.0,
    "image.cmap": "gray",
    "image.interpolation": "bicubic",
    "image.origin": "lower",
    "lines.linewidth": 9.0,
    "savefig.dpi": 50,
    "savefig.transparent": True,
    "svg.fonttype": "none",
    "text.antialiased": False,
    "text.usetex": True,
}
"""What a user's `matplotlibrc` may say."""

FIGURES: Final = [
    lambda: montage({**window(1, 1, 2), (0, 0, 2): None}, title="demo", pixel_size=0.5),
    lambda: comparison({(1, 0, 3): [labelled(1, 0, 3), None]}, ["notebook", "otsu"], title="demo"),
    counts_figure,
]


@pytest.mark.parametrize("draw", FIGURES, ids=["montage", "comparison", "counts"])
def test_no_setting_of_the_user_reaches_a_figure(draw: Callable[[], Figure]) -> None:
    wanted = draw()
    with mpl.rc_context(STRANGE):
        found = draw()
        np.testing.assert_array_equal(render(found), render(wanted))
        assert svg(found) == svg(wanted)
        assert {name: value for name, value in mpl.rcParams.items() if name in STRANGE} == STRANGE


def test_settings_of_the_user_are_back_after_an_error() -> None:
    with mpl.rc_context({"image.origin": "lower"}):
        with pytest.raises(ValueError, match="no planes"):
            montage({}, title="demo")
        with default_style():
            assert mpl.rcParams["image.origin"] == "upper"
        assert mpl.rcParams["image.origin"] == "lower"
