"""The asset `source_image`: what it reports, and what it refuses."""

import re
from base64 import b64decode
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from idr_assets.orchestration.assets.metadata import markdown
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.small_image import FIELDS, PARTITIONS, PIXELS, SHAPE, Segmented

MISMATCHES = [
    # what the YAML says | stored value | expected value | remedy
    ({"shape": "[3, 2, 12, 40, 37]"}, str(SHAPE), "(3, 2, 12, 40, 37)", "Correct `shape` or `level` in the YAML."),
    ({"dtype": "float32"}, "uint16", "float32", "Correct `dtype` or `level` in the YAML."),
    ({"dtype": "'<u2'"}, ">u2", "<u2", "Correct `dtype` or `level` in the YAML."),
    ({"level": "'1'"}, "multiscales", "Level '1'", "Set `level` to one of ['0']"),
    ({"url": "nowhere.zarr"}, "No Zarr group", "nowhere.zarr", "Check `url`"),
    (
        {"url": "other_axes.zarr"},
        "['w (?)', 'z (space)'",
        "one of t, c, z, y, x, by its name",
        "correct them in a copy",
    ),
]


def picture(markdown: str) -> Image.Image:
    """Decode the picture that the Dagster UI shows for a Markdown value."""
    encoded = re.fullmatch(r"!\[\]\(data:image/(png|webp);base64,(\S+)\)", markdown)
    assert encoded
    return Image.open(BytesIO(b64decode(encoded[2])))


def test_metadata_that_are_not_used_are_reported(fresh: Segmented) -> None:
    document = fresh.project.root / "data/source.zarr/.zattrs"
    document.write_text(document.read_text().replace('"scale": [', '"scale": [1, '))
    assert not fresh.run("source_image")
    assert "the size of its pixels is not known" in fresh.metadata("source_image")["metadata that are not used"]


def test_it_reports_the_image_and_shows_its_middle_plane(segmented: Segmented) -> None:
    metadata = segmented.metadata("source_image")
    thumbnail = picture(metadata.pop("middle plane"))
    assert re.fullmatch("[0-9a-f]{16}", metadata.pop("fingerprint"))
    assert metadata.pop("layout")["shape"] == list(SHAPE)
    assert metadata == {
        "url": str(segmented.project.root / "data" / "source.zarr"),
        "level": "0",
        "shape (TCZYX)": str(SHAPE),
        "dtype": ">u2",
        "chunks (TCZYX)": "(1, 1, 1, 40, 36)",
        "chunks verified by": "length alone",
        "bytes": PIXELS.nbytes,
        "pixel size (µm)": 0.4,
        "IDR": "https://127.0.0.1/image-1",
    }
    grey = np.asarray(thumbnail.convert("L")).astype(float)
    middle = PIXELS[2, 0, 10]
    magnification = grey.shape[0] // SHAPE[3]
    shrunk = grey.reshape(SHAPE[3], magnification, SHAPE[4], magnification).mean(axis=(1, 3))
    assert np.corrcoef(shrunk.ravel(), middle.ravel())[0, 1] > 0.95


def test_it_is_a_lazy_array_of_the_whole_level(segmented: Segmented) -> None:
    array = segmented.value("source_image")
    assert (array.shape, array.dtype) == (SHAPE, ">u2")
    assert np.array_equal(array[2, 1, 3].compute(), PIXELS[2, 1, 3])


@pytest.mark.parametrize(("fields", "stored", "expected", "remedy"), MISMATCHES, ids=[str(it[0]) for it in MISMATCHES])
def test_an_image_that_does_not_match_its_yaml(
    fresh: Segmented, fields: dict[str, Any], stored: str, expected: str, remedy: str
) -> None:
    data = fresh.project.root / "data"
    document = write_image(data / "other_axes.zarr", PIXELS[:1, :1, :1], version="0.4", axes="tzcyx") / ".zattrs"
    document.write_text(document.read_text().replace('"t"', '"w"').replace('"time"', '"?"'))
    fresh.project.write(**{"shape": str(list(SHAPE)), **fields})
    failure = fresh.run("source_image")
    assert stored in failure
    assert expected in failure
    assert remedy in failure
    assert str(data) in failure
    assert fresh.instance.get_latest_materialization_event(fresh.project.key("source_image")) is None
    evaluation = fresh.check("source_image", "matches_yaml")
    assert evaluation
    assert (evaluation.passed, evaluation.blocking) == (False, True)
    assert evaluation.description
    assert all(markdown(text) in evaluation.description for text in (stored, expected, remedy))


@pytest.mark.parametrize("dtype", ["uint16", "'>u2'"])
def test_a_dtype_matches_in_any_byte_order_or_in_the_one_that_is_named(fresh: Segmented, dtype: str) -> None:
    fresh.project.write(shape=str(list(SHAPE)), dtype=dtype)
    assert fresh.run("source_image") == ""
    assert fresh.numbers("source_image", "matches_yaml") == {
        "passed": True,
        "expected shape (TCZYX)": str(SHAPE),
        "stored shape (TCZYX)": str(SHAPE),
        "expected dtype": dtype.strip("'"),
        "stored dtype": ">u2",
    }


def test_the_check_tells_the_numbers_that_differ(fresh: Segmented) -> None:
    fresh.project.write(shape="[3, 2, 12, 40, 37]")
    fresh.run("source_image")
    assert fresh.numbers("source_image", "matches_yaml") == {
        "passed": False,
        "expected shape (TCZYX)": "(3, 2, 12, 40, 37)",
        "stored shape (TCZYX)": str(SHAPE),
        "expected dtype": "any",
        "stored dtype": ">u2",
    }


def test_the_check_of_a_materialized_image_tells_of_that_materialization(segmented: Segmented) -> None:
    evaluation = segmented.check("source_image", "matches_yaml")
    latest = segmented.instance.get_latest_materialization_event(segmented.project.key("source_image"))
    assert evaluation
    assert evaluation.passed
    assert evaluation.target_materialization_data
    assert latest
    assert evaluation.target_materialization_data.timestamp == latest.timestamp


def test_nothing_is_made_from_an_image_that_does_not_match(fresh: Segmented) -> None:
    fresh.project.write(**FIELDS | {"dtype": "float32"})
    job = fresh.definitions.resolve_job_def("segment_image")
    assert not job.execute_in_process(instance=fresh.instance, raise_on_error=False).success
    assert fresh.materialized() == set()
    assert sorted(path.name for path in (fresh.project.root / "data").iterdir()) == ["source.zarr"]


@pytest.mark.parametrize("asset", ["source_image", "plane_labels"])
def test_an_image_whose_metadata_swap_the_bytes_is_refused(fresh: Segmented, asset: str) -> None:
    document = fresh.project.root / "data/source.zarr/0/.zarray"
    document.write_text(document.read_text().replace(">u2", "<u2"))
    assert "look swapped" in fresh.run(asset, *PARTITIONS[::3] if asset == "plane_labels" else ())
    assert not (fresh.project.root / "data/image.ome.zarr").exists()


def test_no_link_takes_the_place_of_where_pixels_come_from(fresh: Segmented) -> None:
    names = ("url", "level", "dtype", "fingerprint", "pixel size (µm)")
    fresh.project.write(**FIELDS, links=str(dict.fromkeys(names, "https://127.0.0.1/page")))
    assert fresh.run("source_image") == ""
    metadata = fresh.metadata("source_image")
    assert metadata["url"] == str(fresh.project.root / "data" / "source.zarr")
    assert "https://127.0.0.1/page" not in metadata.values()


def test_a_middle_plane_that_is_missing_costs_its_picture_only(fresh: Segmented) -> None:
    (fresh.project.root / "data/source.zarr/0/2/0/10/0/0").unlink()
    assert fresh.run("source_image") == ""
    assert "t 2 c 0 z 10 has no pixels" in fresh.metadata("source_image")["middle plane"]
