"""Tiles of large planes: what they show, and that pages with them are below their bound."""

from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from idr_assets.imaging.figures import colours, tiles
from idr_assets.imaging.figures.palette import PALETTE, Bytes
from idr_assets.imaging.figures.plane_browser import plane_browser
from idr_assets.imaging.figures.plane_entries import TIMEPOINTS, Pictures, fit_entries
from idr_assets.imaging.planes import LabelledPlane
from idr_assets_tests.support.labelled_planes import SHAPE, labelled

RANGE = (200.0, 1200.0)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "SIDE", 32)
    monkeypatch.setattr(tiles, "LARGE", 1000)


def joined(level: dict[str, list[str]], kind: str, columns: int) -> Bytes:
    """Decode the tiles of a level and lay them beside each other."""
    found = [np.asarray(Image.open(BytesIO(b64decode(tile))).convert("RGB")) for tile in level[kind]]
    return np.vstack([np.hstack(found[at : at + columns]) for at in range(0, len(found), columns)])


def test_levels_have_every_second_label_and_halved_greys() -> None:
    plane = labelled(3, 0, 2)
    levels = tiles.cut_tiles(plane, RANGE, tiles.Detail(0, 80))
    assert [(level["step"], level["columns"]) for level in levels] == [(1, 5), (2, 3), (4, 2)]
    shades = colours.grey(plane.pixels, *RANGE)
    for level in levels:
        labels, greys = (joined(level, kind, level["columns"]) for kind in ("labels", "pixels"))
        picked = plane.labels[:: level["step"], :: level["step"]]
        assert np.array_equal((labels > 0).any(axis=-1), picked > 0)
        assert all(len(np.unique(labels[picked == label], axis=0)) == 1 for label in np.unique(picked))
        reduced = np.asarray(Image.fromarray(shades).reduce(level["step"]))
        assert np.abs(greys[..., 0].astype(int) - reduced).mean() < 6
    assert {*map(tuple, joined(levels[0], "labels", 5).reshape(-1, 3))} <= {*map(tuple, PALETTE[:9])}


def fitted(room: int, planes: int, monkeypatch: pytest.MonkeyPatch) -> Pictures:
    """Fit planes into so many bytes of pictures."""
    monkeypatch.setattr("idr_assets.imaging.figures.plane_entries.PAGE_BYTES", 500_000 + room)
    return fit_entries([labelled(3, 0, z) for z in range(planes)], SHAPE, {}, TIMEPOINTS)


def test_the_finest_tiles_that_fit_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    details = []
    for room in (32_000, 20_000, 16_000, 10_000):
        pictures = fitted(room, 1, monkeypatch)
        assert sum(len(tile) for level in pictures.entries[0].get("tiles", []) for tile in level["pixels"]) < room
        details.append(pictures.detail)
    assert details[0] == tiles.Detail(0, 80)
    ordered = [(it.first, -it.quality) for it in details if it]
    assert ordered == sorted(ordered)
    assert len({*ordered}) > 1


def test_planes_without_room_for_tiles_are_reduced(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = fitted(2_000, 1, monkeypatch)
    assert (pictures.detail, "tiles" in pictures.entries[0]) == (None, False)


def test_a_sample_unlike_the_rest_costs_quality_and_not_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.full((256, 256), 200, np.uint16)
    noise = np.random.default_rng(0).integers(200, 1200, (100, 100))
    pixels[:100, 120:220] = pixels[120:220, :100] = noise  # the sample is the diagonal
    plane = LabelledPlane(0, 0, 0, pixels, np.zeros(pixels.shape, np.int32))
    monkeypatch.setattr("idr_assets.imaging.figures.plane_entries.PAGE_BYTES", 500_000 + 40_000)
    pictures = fit_entries([plane], pixels.shape, {}, TIMEPOINTS)
    assert pictures.detail not in {None, tiles.Detail(0, 80)}
    assert len(plane_browser([plane], title="demo").encode()) < 540_000


@pytest.mark.parametrize(("room", "said"), [(32_000, "every pixel of the plane"), (10_000, "more does not")])
def test_the_page_says_what_tiles_show(room: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idr_assets.imaging.figures.plane_entries.PAGE_BYTES", 500_000 + room)
    page = plane_browser([labelled(3, 0, 2)], title="demo")
    assert said in page
    assert "pictures are reduced" not in page
