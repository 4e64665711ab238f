"""The agreement of segmentations, read back from the figure's artists."""

from matplotlib.collections import PathCollection
from matplotlib.text import Text

from idr_assets.imaging.figures.agreement import agreement_figure
from idr_assets.imaging.figures.drawing import render

SCORES = {"low, $high$": {0.5: [0.5, 1.0, 0.9], 0.75: [0.25, 0.75]}, "low, other": {0.5: [1.0], 0.75: [0.0]}}


def test_each_plane_is_a_dot_and_each_mean_a_number() -> None:
    figure = agreement_figure(SCORES, title="demo", omitted=9)
    render(figure)
    dots = figure.findobj(lambda artist: isinstance(artist, PathCollection))
    drawn = [[float(x) for x, _ in strip.get_offsets()] for strip in dots]  # type: ignore[attr-defined]
    assert drawn == [found for by_overlap in SCORES.values() for found in by_overlap.values()]
    written = [text.get_text() for text in figure.findobj(Text)]
    assert [text for text in written if text in {"0.80", "0.50", "1.00", "0.00"}] == ["0.80", "0.50", "1.00", "0.00"]
    assert any("9 more planes of the window" in text.replace("\n", " ") for text in written)
    assert {"low, $high$", "low, other", "IoU 0.5", "IoU 0.75", "demo"} <= set(written)
