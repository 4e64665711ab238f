"""The map of a plate's counts."""

from matplotlib.text import Text

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.figures.drawing import render
from idr_assets.imaging.figures.plate_counts import plate_counts_figure
from idr_assets.imaging.wells import Well


def test_channels_have_their_names() -> None:
    wells = [Well(0, 0), Well(0, 1)]
    means = {c: dict.fromkeys(wells, 3.0) for c in (0, 1)}
    layout = {"drug": dict.fromkeys(wells, "water")}
    figure = plate_counts_figure(means, wells, layout, title="plate", known={0: Channel("DAPI $a")})
    written = {it.get_text() for it in figure.findobj(Text) if isinstance(it, Text)}
    assert {"c 0: DAPI $a", "channel 1", "objects per plane\nc 0: DAPI $a"} <= written
    render(figure)
