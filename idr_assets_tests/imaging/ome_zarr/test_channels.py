"""Names and colours of channels, in whatever a store may send."""

from typing import Any

import pytest

from idr_assets.imaging.channels import Channel, title_channel
from idr_assets.imaging.ome_zarr.channels import read_channels, store_channels

ODD: list[Any] = [None, 5, "odd", [], {}, {"channels": None}, {"channels": "odd"}, {"channels": [None, 5, [], {}]}]
ODD += [{"channels": [{"label": None, "color": "red"}, {"label": ["x"], "color": 5}, {"label": " "}]}]
ODD_WINDOWS: list[Any] = [
    None,
    {},
    {"start": 3},
    {"start": "3", "end": 9},
    {"start": 9, "end": 9},
    {"start": 0, "end": True},
]


@pytest.mark.parametrize("omero", ODD)
def test_what_names_no_channel_names_none(omero: Any) -> None:  # noqa: ANN401  any JSON
    assert read_channels({"omero": omero}) == ()


def test_names_are_on_one_line_and_colours_and_contrast_are_some() -> None:
    listed = [
        {"label": "DAPI", "color": "00f0Ff"},
        {"label": "a\nb", "color": "url(x)"},
        {"label": 488, "color": "#00FF00", "window": {"start": 3, "end": 200.5, "min": 0, "max": 9}},
        *({"label": "odd", "window": it} for it in ODD_WINDOWS),
    ]
    found = read_channels({"omero": {"channels": listed}})
    assert (
        found
        == (Channel("DAPI", "00F0FF"), Channel("a\\nb"), Channel("488", "00FF00", (3.0, 200.5))) + (Channel("odd"),) * 6
    )
    assert read_channels({"idr_assets": {"channels": store_channels(found)}, "omero": {"channels": []}}) == found


def test_a_heading_has_the_name_as_far_as_there_is_room() -> None:
    known = {0: Channel("DAPI"), 1: Channel(None, "FF0000"), 2: Channel("n" * 50)}
    titles = [title_channel(c, known) for c in range(4)]
    assert titles == ["c 0: DAPI", "channel 1", f"c 2: {'n' * 19}…", "channel 3"]
