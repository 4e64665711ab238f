"""Text of a store in messages: one line, printable and short, whatever it is."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.retries import Patience
from idr_assets.imaging.store_text import MOST_CHARACTERS, MOST_QUOTED, flatten, quote, quote_all

NASTY = "\x1b[2J\u202egnp\r\n" + 1000 * "x"
ANY = st.text(st.characters(), max_size=200)  # surrogates too, which JSON may hold


@given(ANY)
def test_a_quoted_text_is_printable_and_short(text: str) -> None:
    quoted = quote(text)
    assert quoted.isprintable()
    assert len(quoted) <= MOST_CHARACTERS + 2


@given(ANY, st.integers(1, 50))
def test_a_text_that_prints_and_is_short_stays(text: str, most: int) -> None:
    assert len(flatten(text, most)) <= most
    if text.isprintable() and len(text) <= most:
        assert flatten(text, most) == text


def test_what_is_left_out_is_told() -> None:
    assert quote("ab\n\u202e\ud800") == r"'ab\n\u202e\ud800'"
    assert quote("x" * 1000) == f"'{'x' * (MOST_CHARACTERS - 1)}…'"
    assert quote_all(["a", "b"]) == "['a', 'b']"
    assert quote_all(map(str, range(1000))).endswith(f", '{MOST_QUOTED - 1}', and {1000 - MOST_QUOTED} more]")


def level(path: object) -> dict[str, object]:
    return {"multiscales": [{"version": "0.4", "axes": ["y", "x"], "datasets": [{"path": path}]}]}


def array(**changes: object) -> dict[str, object]:
    """Give a document of an array in Zarr v2, with some entries changed."""
    plain = {"shape": [4, 4], "chunks": [4, 4], "dtype": "<u2", "compressor": None, "filters": None, "fill_value": 0}
    return {"zarr_format": 2, "order": "C", **plain, **changes}


NASTY_STORES = {
    "keys": ({NASTY + str(n): n for n in range(1000)}, array()),
    "levels": (level(NASTY), array()),
    "axes": ({"multiscales": [{"axes": [NASTY], "datasets": [{"path": "0"}]}]}, array()),
    "type of axes": ({"multiscales": [{"axes": 3, "datasets": [{"path": "0"}]}]}, array()),
    "codec": (level("0"), array(compressor={"id": NASTY})),
    "dtype": (level("0"), array(dtype=NASTY)),
    "fields of a dtype": (level("0"), array(dtype=[[NASTY, "<u2"]])),
    "fill value": (level("0"), array(fill_value=NASTY)),
    "order": (level("0"), array(order=NASTY)),
    "format": (level("0"), array(zarr_format=NASTY)),
    "first level": (
        {"multiscales": [{"axes": ["y", "x"], "datasets": [{"path": NASTY}, {"path": "0"}]}]},
        array(order=NASTY),
    ),
    "multiscales": ({"multiscales": NASTY}, array()),
    "version": ({"ome": {"version": f"9.9{NASTY}", "multiscales": []}}, array()),
    "datasets": ({"multiscales": [{"axes": ["y", "x"], "datasets": NASTY}]}, array()),
    "wells": ({"plate": {"wells": [{"path": NASTY + str(n)} for n in range(1000)]}}, array()),
    "series": ({"well": {"images": [{"path": f"{n}x" * 99} for n in range(1000)]}}, array()),
    "coordinate systems": (
        {"multiscales": [{"coordinateSystems": [{"name": NASTY}, {"name": NASTY}], "datasets": [{"path": "0"}]}]},
        array(),
    ),
}


@pytest.mark.parametrize("store", NASTY_STORES)
def test_an_image_is_refused_in_a_message_that_prints(store: str, tmp_path: Path) -> None:
    attributes, document = NASTY_STORES[store]
    (tmp_path / "0").mkdir()
    (tmp_path / ".zgroup").write_text('{"zarr_format": 2}')
    (tmp_path / ".zattrs").write_text(json.dumps(attributes))
    (tmp_path / "0/.zarray").write_text(json.dumps(document))
    with pytest.raises(ImageError) as error:
        open_level(str(tmp_path), "0", patience=Patience(tries=1))
    message = str(error.value)
    assert message.isprintable(), message
    assert len(message) < 2000


def test_a_remark_on_an_image_prints(tmp_path: Path) -> None:
    wrong = [{"type": NASTY}, {"scale": NASTY}, {"translation": NASTY}, NASTY]
    axes = [{"name": name, "type": NASTY, "unit": [NASTY]} for name in "yx"]
    image = {"version": NASTY, "axes": axes, "datasets": [{"path": "0", "coordinateTransformations": wrong}]}
    (tmp_path / "0").mkdir()
    (tmp_path / ".zgroup").write_text('{"zarr_format": 2}')
    (tmp_path / ".zattrs").write_text(json.dumps({"multiscales": [image]}))
    (tmp_path / "0/.zarray").write_text(json.dumps(array()))
    remarks = open_level(str(tmp_path), "0").remarks
    assert len(remarks) > 4
    assert all(remark.isprintable() and len(remark) < 500 for remark in remarks)
