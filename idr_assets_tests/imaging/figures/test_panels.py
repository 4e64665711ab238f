"""Small sheets of panels with long names: nothing that is written lies over anything else, or outside."""

from itertools import combinations

import pytest
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.figures.drawing import default_style, render
from idr_assets.imaging.figures.panels import Layout, Panel, draw_panels
from idr_assets_tests.support.labelled_planes import labelled

KNOWN = {0: Channel("DAPI", "0000FF"), 1: Channel("cytoplasm (actin) stained", "00FF00")}


def boxes(figure: Figure) -> list[Bbox]:
    """Render a figure; return where its texts, pictures and scale bars are, a dot smaller on each side."""
    render(figure)
    bars = [it for it in figure.findobj(Rectangle) if it.get_gid() == "scale bar"]
    texts = [it for it in figure.findobj(Text) if it.get_text() and it.get_text() != "not materialized"]
    found = [*texts, *figure.findobj(AxesImage), *bars]
    return [it.get_window_extent().padded(-1) for it in found]


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(("columns", "side"), [(1, 110), (2, 270), (12, 110)])
@pytest.mark.parametrize("name", ["B03", "a name of an image that does not end"])
def test_nothing_lies_over_anything_else(columns: int, side: int, groups: int, name: str) -> None:
    rows = {
        c: [[Panel(f"{name} · 1234{at}", labelled(at, c, 0) if at < 9 else None) for at in range(columns)]]
        for c in KNOWN
    }
    with default_style():
        layout = Layout(side, side, groups)
        figure = draw_panels(rows, layout, title="plate", caption="Wells.", pixel_size=0.5, known=KNOWN)
    found = boxes(figure)
    assert not [pair for pair in combinations(found, 2) if pair[0].overlaps(pair[1])]
    assert all(figure.bbox.containsx(x) for box in found for x in (box.x0, box.x1))
    numbers = [text.get_text().partition(" · ")[2] for text in figure.findobj(Text) if " · " in text.get_text()]
    assert numbers == [f"1234{at}" for at in range(columns)] * 2
