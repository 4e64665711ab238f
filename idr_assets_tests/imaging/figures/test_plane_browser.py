"""The slider page, read as text. What it does in a browser is in `test_plane_browser_in_chromium`."""

import json
import re
from base64 import b64decode
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.figures import colours
from idr_assets.imaging.figures.palette import label_colours
from idr_assets.imaging.figures.plane_browser import plane_browser
from idr_assets.imaging.figures.plane_entries import PAGE_BYTES
from idr_assets.imaging.planes import LabelledPlane
from idr_assets_tests.support.labelled_planes import SHAPE, planes_of


def stored(page: str) -> list[dict[str, Any]]:
    """Read the planes from the data in the page."""
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    planes: list[dict[str, Any]] = json.loads(found[1])["planes"]
    return planes


def opened(png: str) -> Image.Image:
    """Decode a base64 PNG."""
    return Image.open(BytesIO(b64decode(png)))


class References(HTMLParser):
    """Collects everything through which a page could load something."""

    def __init__(self, page: str) -> None:
        """Parse `page`."""
        super().__init__()
        self.found: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the attributes and tags that load."""
        self.found += [(name, value) for name, value in attrs if name in {"src", "href", "srcset", "action", "data"}]
        self.found += [(tag, None)] if tag in {"link", "base", "iframe", "img", "object", "embed"} else []


def test_the_page_loads_nothing() -> None:
    page = plane_browser(planes_of(2, 1, 2), title="demo", pixel_size=0.5)
    assert not References(page).found
    assert not re.search(r"https?:|//[a-z]+\.|url\(|@import|fetch\(|import\(", page)
    assert "default-src 'none'" in page


def test_the_pictures_of_a_plane_are_its_greys_and_its_label_colours() -> None:
    planes = planes_of(2, 1, 2)
    black, white = colours.contrast([plane.pixels for plane in planes])
    for plane, entry in zip(planes, stored(plane_browser(planes, title="demo")), strict=True):
        assert (entry["t"], entry["c"], entry["z"], entry["objects"]) == (plane.t, plane.c, plane.z, plane.labels.max())
        assert entry["range"] == [black, white]
        assert np.array_equal(np.asarray(opened(entry["pixels"])), colours.grey(plane.pixels, black, white))
        assert np.array_equal(np.asarray(opened(entry["labels"])), label_colours(plane.labels))


def test_the_page_tells_what_greys_mean() -> None:
    assert colours.GREY_RANGE in " ".join(plane_browser(planes_of(1, 1, 1), title="demo").split())


def test_planes_are_sorted_by_channel_time_and_slice() -> None:
    entries = stored(plane_browser(planes_of(2, 2, 2)[::-1], title="demo"))
    places = [(entry["c"], entry["t"], entry["z"]) for entry in entries]
    assert places == sorted(places)


def test_a_page_of_400_planes_is_below_its_bound() -> None:
    planes = planes_of(1, 1, 2) * 200
    page = plane_browser(planes, title="demo")
    assert opened(stored(page)[0]["pixels"]).size == SHAPE[::-1]
    assert len(page.encode()) < PAGE_BYTES
    assert "reduced" not in page


def noise(height: int, width: int, planes: int) -> list[LabelledPlane]:
    """Make planes that hardly compress."""
    random = np.random.default_rng(0)
    pixels, labels = (random.integers(0, most, (height, width), np.int32) for most in (2**16, 9))
    return [LabelledPlane(0, 0, z, pixels, labels) for z in range(planes)]


@pytest.mark.parametrize(
    ("height", "width", "planes", "bound"),
    [
        (500, 500, 12, PAGE_BYTES // 4),  # a smaller bound takes less time
        (2048, 100, 12, PAGE_BYTES // 5),
        (100, 2048, 12, PAGE_BYTES // 5),
        (4200, 6, 80, PAGE_BYTES // 5),
    ],
)
def test_large_planes_of_noise_are_reduced_below_the_bound_and_the_page_says_so(
    height: int, width: int, planes: int, bound: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idr_assets.imaging.figures.plane_entries.PAGE_BYTES", bound)
    page = plane_browser(noise(height, width, planes), title="demo")
    assert re.search(rf"reduced from\s+{height} . {width}\s+to", page)
    assert 0.6 * bound < len(page.encode()) < bound


def test_planes_that_compress_are_reduced_no_more_than_the_page_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = PAGE_BYTES // 20
    monkeypatch.setattr("idr_assets.imaging.figures.plane_entries.PAGE_BYTES", bound)
    flat = LabelledPlane(0, 0, 0, np.ones((600, 800), np.uint16), np.ones((600, 800), np.int32))
    page = plane_browser([flat], title="demo")
    assert opened(stored(page)[0]["pixels"]).size == (800, 600)
    assert "reduced" not in page


def test_a_long_narrow_plane_is_not_reduced_without_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idr_assets.imaging.figures.plane_entries.PAGE_BYTES", PAGE_BYTES // 5)
    page = plane_browser(noise(2048, 100, 7), title="demo")
    assert opened(stored(page)[0]["pixels"]).size == (100, 2048)
    assert "reduced" not in page


def test_the_page_says_how_many_planes_are_left_out() -> None:
    planes = planes_of(1, 1, 3)
    assert "shows 3 of 10 planes, thinned evenly" in plane_browser(planes, title="demo", omitted=7)
    assert "thinned" not in plane_browser(planes, title="demo")


@pytest.mark.parametrize(("missing", "said"), [(1, ">1 plane not materialized."), (12, ">12 planes not materialized.")])
def test_the_page_says_how_many_planes_are_not_materialized(missing: int, said: str) -> None:
    assert said in plane_browser([*planes_of(1, 1, 3), *[None] * missing], title="demo")
    assert "not materialized" not in plane_browser(planes_of(1, 1, 3), title="demo")


def test_a_page_without_planes_says_so() -> None:
    page = plane_browser([None], title="demo")
    assert "not materialized" not in page
    assert "No planes yet" in page
    assert "<input" not in page


def test_what_users_write_stays_text() -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    page = plane_browser(
        planes_of(1, 1, 1), title=evil, provenance={evil: evil, "source": "https://example.org/a.zarr"}
    )
    assert not References(page).found
    assert page.count("&lt;img src=x") == 4
    assert "https://example.org/a.zarr" in page


def test_a_scale_bar_needs_a_pixel_size() -> None:
    assert '<div class="scale" style="width: 18.52%">10 µm</div>' in plane_browser(
        planes_of(1, 1, 1), title="demo", pixel_size=0.4
    )
    assert 'class="scale"' not in plane_browser(planes_of(1, 1, 1), title="demo")


def test_channels_have_their_names_and_colours_escaped() -> None:
    known = {0: Channel("<b>DAPI", "0000FF"), 7: Channel("absent")}
    page = plane_browser(planes_of(1, 2, 1), title="demo", channels=known)
    assert [plane["name"] for plane in stored(page)] == ["t 0 c 0 z 0 (<b>DAPI)", "t 0 c 1 z 0"]
    assert '<option value="0">0 &lt;b&gt;DAPI</option>' in page
    assert 'style="background: #0000FF"' in page
    assert "<b>DAPI" not in page.replace("<b>Pixels", "")
    assert "absent" not in page
