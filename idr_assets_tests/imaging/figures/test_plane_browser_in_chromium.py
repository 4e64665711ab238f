"""The slider page, opened from file:// in Chromium: what a reader sees and does."""

import html
import re
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from idr_assets.imaging.figures import colours, tiles
from idr_assets.imaging.figures.palette import PALETTE, label_colours
from idr_assets.imaging.figures.plane_browser import plane_browser
from idr_assets.imaging.planes import LabelledPlane
from idr_assets_tests.support.drawn_page import canvas, drawn, show
from idr_assets_tests.support.labelled_planes import SHAPE, labelled, planes_of

pytestmark = pytest.mark.browser


def test_the_first_plane_is_drawn_to_the_pixel(page: Page, address: str) -> None:
    show(page, address)
    planes = planes_of(3, 1, 4)
    shades = colours.grey(planes[0].pixels, *colours.contrast([plane.pixels for plane in planes]))
    coloured = PALETTE[label_colours(planes[0].labels)]
    assert np.array_equal(canvas(page, "pixels"), np.repeat(shades[..., np.newaxis], 3, axis=2))
    assert np.array_equal(canvas(page, "labels"), coloured)
    overlay = canvas(page, "overlay")
    assert overlay.shape == (4 * SHAPE[0], 4 * SHAPE[1], 3)
    background = overlay[2::4, 2::4][planes[0].labels == 0]
    assert np.array_equal(background, np.repeat(shades[planes[0].labels == 0][:, np.newaxis], 3, axis=1))
    assert np.array_equal(overlay[36, 36:72], coloured[9, 9:18].repeat(4, axis=0))
    mixed = 0.6 * shades[13, 13] + 0.4 * coloured[13, 13]
    assert overlay[54, 54] == pytest.approx(mixed, abs=1)


def test_touching_objects_are_separated_by_outlines(page: Page, address: str) -> None:
    show(page, f"{address}#t=0&z=1", "t 0 c 0 z 1")
    coloured = PALETTE[label_colours(labelled(0, 0, 1).labels)]
    assert canvas(page, "overlay")[54, 71:73].tolist() == coloured[13, 17:19].tolist()


def test_the_slider_moves_through_all_planes(page: Page, address: str) -> None:
    show(page, address)
    before = canvas(page, "overlay")
    page.fill("#slider", "5")
    drawn(page, "t 1 c 0 z 1")
    assert page.inner_text("#name") == "t 1 c 0 z 1 · 3 objects"
    assert page.get_attribute("#slider", "aria-valuetext") == "t 1 c 0 z 1, 3 objects"
    assert not np.array_equal(canvas(page, "overlay"), before)
    page.fill("#slider", "0")
    drawn(page, "t 0 c 0 z 0")
    assert np.array_equal(canvas(page, "overlay"), before)
    assert page.get_attribute("#slider", "max") == "23"


@pytest.mark.parametrize("focus", ["body", "#slider"])
def test_arrows_step_through_slices_and_timepoints(page: Page, address: str, focus: str) -> None:
    show(page, address)
    page.focus(focus)
    steps = ["Left 0 0", "Up 0 0", "Right 0 1", "Down 1 1", "Down 2 1", "Down 2 1", "Up 1 1", "Left 1 0", "Left 0 3"]
    for key, t, z in map(str.split, steps):
        page.keyboard.press(f"Arrow{key}")
        drawn(page, f"t {t} c 0 z {z}")


def test_the_address_is_written_and_read(page: Page, address: str) -> None:
    show(page, f"{address}#t=2&z=3&c=1", "t 2 c 1 z 3")
    page.keyboard.press("ArrowLeft")
    drawn(page, "t 2 c 1 z 2")
    page.wait_for_url(f"{address}#t=2&c=1&z=2")
    page.evaluate("location.hash = '#t=1&z=0'")
    drawn(page, "t 1 c 1 z 0")
    assert page.is_hidden("#nearest")


@pytest.mark.parametrize(
    ("asked", "shown", "left"),
    [
        ("#t=1&z=99&c=x", "t 1 c 0 z 3", "t 1 c 0 z 2"),
        ("#t=99&z=abc", "t 2 c 0 z 0", "t 1 c 0 z 3"),
        ("#t=1&z=abc", "t 1 c 0 z 0", "t 0 c 0 z 3"),
        ("#t=-1&z=", "t 0 c 0 z 0", "t 0 c 0 z 0"),
        ("#t=1&z=<b>2</b>", "t 1 c 0 z 0", "t 0 c 0 z 3"),
    ],
)
def test_an_address_of_no_plane_shows_the_nearest_and_says_so(
    page: Page, address: str, asked: str, shown: str, left: str
) -> None:
    show(page, f"{address}{asked}", shown)
    quoted = asked.replace("<", "%3C").replace(">", "%3E")
    assert page.inner_text("#nearest") == f"{quoted} names no plane of this page; the nearest one is shown."
    page.keyboard.press("ArrowLeft")
    drawn(page, left)
    assert page.is_hidden("#nearest") == (left != shown)


def test_an_address_that_names_no_axis_shows_the_first_plane(page: Page, address: str) -> None:
    show(page, f"{address}#provenance")
    assert page.is_hidden("#nearest")


def test_the_slider_is_moved_by_hand_and_by_its_own_keys(page: Page, address: str) -> None:
    show(page, f"{address}#t=2&z=1", "t 2 c 0 z 1")
    page.click("#slider", position={"x": page.evaluate("document.getElementById('slider').offsetWidth") - 4, "y": 8})
    drawn(page, "t 2 c 1 z 3")
    page.wait_for_url(f"{address}#t=2&c=1&z=3")
    page.keyboard.press("Home")
    drawn(page, "t 0 c 0 z 0")
    page.wait_for_url(f"{address}#t=0&c=0&z=0")


def test_the_channel_can_be_chosen(page: Page, address: str) -> None:
    show(page, f"{address}#t=1&z=2", "t 1 c 0 z 2")
    page.select_option("#channel", "1")
    drawn(page, "t 1 c 1 z 2")


@pytest.mark.parametrize("width", [320, 1264, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_and_pictures_are_equally_high_at_any_width(
    page: Page, address: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    show(page, address)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    wide = page.evaluate(
        "[...document.querySelectorAll('body *')].filter(e => e.scrollWidth > e.clientWidth + 1 "
        "&& getComputedStyle(e).display !== 'inline').map(e => e.tagName)"
    )
    assert not wide
    shares = page.evaluate(
        "[document.querySelector('.scale').offsetWidth, document.querySelector('canvas').offsetWidth]"
    )
    assert shares[0] / shares[1] == pytest.approx(0.1852, abs=0.01)
    heights = page.evaluate("[...document.querySelectorAll('.view')].map(e => e.getBoundingClientRect().height)")
    assert len(set(heights)) == 1


def test_contrast_zoom_and_place_stay_from_plane_to_plane(page: Page, address: str) -> None:
    show(page, address)
    before, said = canvas(page, "pixels"), page.inner_text("#range")
    page.get_by_text("Contrast and zoom").click()
    page.get_by_label("White").fill("127")
    assert np.array_equal(canvas(page, "pixels"), np.clip(before * (255 / 127), 0, 255).round())
    assert page.inner_text("#range") != said
    page.get_by_label("Black").press("ArrowRight")  # which moves through planes elsewhere
    drawn(page, "t 0 c 0 z 0")
    page.focus("#slider")
    for key in ("+", "+", "Shift+ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    drawn(page, "t 0 c 0 z 1")
    assert page.inner_text("#times").startswith("2.3 ")
    transform = page.evaluate("document.getElementById('overlay').style.transform")
    assert transform.startswith("scale(2.25) translate(-36.6")  # from the middle, by a fifth of what is seen
    assert page.inner_text(".scale") == "5 µm"
    page.keyboard.press("0")
    assert page.inner_text("#times").startswith("1 ")
    page.keyboard.press("ArrowLeft")
    drawn(page, "t 0 c 0 z 0")
    assert np.array_equal(canvas(page, "pixels"), before)


def test_a_picture_is_dragged_and_zoomed_where_the_mouse_is(page: Page, address: str) -> None:
    show(page, address)
    box = page.locator("#pixels").bounding_box()
    assert box
    middle = box["x"] + 0.5 * box["width"], box["y"] + 0.1 * box["height"]
    page.mouse.dblclick(*middle)
    place = "[view.scale, view.x, view.y].map((it) => Math.round(100 * it) / 100)"
    assert page.evaluate(place) == [2, 0.25, 0.05]
    page.mouse.down()
    page.mouse.move(middle[0] - 0.2 * box["width"], middle[1])
    page.mouse.up()
    assert page.evaluate(place) == pytest.approx([2, 0.35, 0.05], abs=0.02)
    page.mouse.wheel(0, -1)
    assert page.evaluate("view.scale") == 2  # the page scrolls
    page.keyboard.down("Control")
    page.mouse.wheel(0, -1)
    page.keyboard.up("Control")
    expect(page.locator("#times")).to_have_text(re.compile("^3 "))


def test_tiles_of_a_large_plane_are_drawn_where_it_is_zoomed(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles, "SIDE", 32)
    monkeypatch.setattr(tiles, "LARGE", 1000)
    monkeypatch.setattr("idr_assets.imaging.figures.plane_entries.PAGE_BYTES", 532_000)
    plane, file = labelled(3, 0, 2), tmp_path / "large.html"
    file.write_text(plane_browser([plane], title="demo"), "utf-8")
    show(page, file.as_uri(), "t 3 c 0 z 2")
    page.evaluate("document.querySelector('#labels + .detail').id = 'detail'")
    for zoom in (1, 4):
        page.evaluate("async zoom => { zoomTo(zoom, 0.1, 0.1); await drawTiles(); }", zoom)
        drawn_labels = canvas(page, "detail")
        corner, seen = page.evaluate("[[view.y, view.x], [1 / dots(1), 1 / dots(0)].map(it => it / view.scale)]")
        places = [
            ((start + (np.arange(dots) + 0.5) * dot) * length).astype(int)
            for start, dot, dots, length in zip(corner, seen, drawn_labels.shape, SHAPE, strict=False)
        ]
        expected = plane.labels[np.ix_(*places)] > 0
        assert 0.02 < expected.mean() < 0.9
        assert ((drawn_labels > 0).any(axis=-1) == expected).mean() > 0.98
    page.keyboard.press("0")
    page.get_by_text("Contrast and zoom").click()
    page.get_by_label("White").fill("127")
    assert page.evaluate("details.every((detail) => !detail.hidden)")


def test_captions_of_a_very_tall_plane_are_words(page: Page, tmp_path: Path) -> None:
    tall = LabelledPlane(0, 0, 0, np.ones((4200, 6), np.uint16), np.ones((4200, 6), np.int32))
    file = tmp_path / "tall.html"
    file.write_text(plane_browser([tall], title="demo", pixel_size=0.4), "utf-8")
    page.set_viewport_size({"width": 1280, "height": 800})
    show(page, file.as_uri())
    highest = "selector => Math.max(...[...document.querySelectorAll(selector)].map(e => e.offsetHeight))"
    assert page.evaluate(highest, "figcaption") <= 48
    assert page.evaluate(highest, "canvas") <= 600


def test_a_page_without_an_address_of_its_own_is_drawn(page: Page, tmp_path: Path) -> None:
    content = html.escape(plane_browser(planes_of(1, 1, 2), title="demo"))
    (tmp_path / "notebook.html").write_text(f'<iframe sandbox="allow-scripts" srcdoc="{content}"></iframe>', "utf-8")
    page.goto((tmp_path / "notebook.html").as_uri())
    frame = page.frame_locator("iframe")
    frame.locator('body[data-drawn="t 0 c 0 z 0"]').wait_for()
    frame.locator("#slider").press("ArrowRight")
    frame.locator('body[data-drawn="t 0 c 0 z 1"]').wait_for()
    assert frame.locator("#name").inner_text() == "t 0 c 0 z 1 · 2 objects"


def test_what_users_write_is_shown_and_not_run(page: Page, tmp_path: Path) -> None:
    evil = "</script><script>document.title = 'run'</script>"
    file = tmp_path / "evil.html"
    file.write_text(plane_browser(planes_of(1, 1, 1), title="demo", provenance={"function": evil}), "utf-8")
    show(page, file.as_uri())
    assert page.title() == "demo"
    assert page.inner_text("dd") == evil
