"""Measurements beside the usual: other channels, and functions of a user's own, right or wrong."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.objects import large_planes, measurement, tables
from idr_assets.imaging.objects.more_measurements import Measured, Measurement, MeasurementError, name_columns
from idr_assets.imaging.objects.table_files import list_more_columns
from idr_assets.imaging.objects.tables import objects_frame, write_objects
from idr_assets.imaging.output import output_image
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.output_image import OutputImage, open_output
from idr_assets.imaging.output.writing import store_planes
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.idr_stores import write_image

RANDOM = np.random.default_rng(3)
PIXELS = RANDOM.integers(0, 2**16, (1, 3, 2, 20, 30)).astype(">u2")
LABELS = RANDOM.choice([0, 2, 5, 9], (1, 1, 2, 20, 30)).astype(np.int32)
LABELS[0, 0, 1] = 0
PLANES = Block(range(1), (1,), range(2))
CHANNELS = {0: Channel("GFP 488"), 1: Channel("DAPI")}


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> OutputImage:
    """Store two planes of channel 1 with the pixels of channels 0 and 1; the second plane has no object."""
    folder = tmp_path_factory.mktemp("output")
    write_image(folder / "image", PIXELS, version="0.4")
    url = create_output(str(folder / "output"), open_level(str(folder / "image"), "0")).url
    output = open_output(url, together=(0, 1))
    store_planes(output, PLANES, PIXELS[:, :2], LABELS)
    return output


def spread(labels: Any, pixels: Any) -> Any:  # noqa: ANN401
    """Measure two things at once, changing what it is given."""
    present = np.unique(labels)[1:]
    values = [pixels["GFP_488"][labels == label].std() for label in present]
    same = [np.corrcoef(*(pixels[name][labels == label] for name in pixels))[0, 1] for label in present]
    labels[:] = pixels["GFP_488"][:] = 0
    return {"std": values, "correlation": same}


def measure(output: OutputImage, url: Path, function: Any = spread, version: str = "1") -> bool:  # noqa: ANN401
    more = Measured((0, 1), (Measurement("mine.spread", measurement(function), version),))
    return write_objects(str(url), output, PLANES, "image", None, CHANNELS, more)


def test_every_channel_is_measured_in_every_object_and_so_is_what_a_function_gives(
    output: OutputImage, tmp_path: Path
) -> None:
    url = tmp_path / "t=0.parquet"
    assert measure(output, url)
    found = objects_frame([str(url)])
    assert list(found["label"]) == [2, 5, 9]
    for name, c in (("GFP_488", 0), ("DAPI", 1)):
        inside = [PIXELS[0, c, 0][LABELS[0, 0, 0] == label].astype(float) for label in found["label"]]
        for kind in ("mean", "min", "max", "sum"):
            wanted = [getattr(values, kind)() for values in inside]
            np.testing.assert_allclose(found[f"intensity_{kind}_{name}"], wanted, rtol=1e-12)
        if c == 0:
            np.testing.assert_allclose(found["std"], [values.std() for values in inside])
    assert found["correlation"].abs().max() < 1
    assert list_more_columns(str(url)) == [*found.columns[-10:]]
    assert not measure(output, url)
    assert measure(output, url, version="2")


def test_large_planes_are_measured_by_parts_number_for_number(
    output: OutputImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [str(tmp_path / name) for name in ("whole", "parts")]
    write_objects(urls[0], output, PLANES, "image", 0.25, CHANNELS, Measured((0, 1)))
    monkeypatch.setattr(output_image, "MOST_PIXELS", 500)
    monkeypatch.setattr(large_planes, "SIDE", 7)
    monkeypatch.setattr(tables, "measure", None)
    write_objects(urls[1], output, PLANES, "image", 0.25, CHANNELS, Measured((0, 1)))
    whole, parts = (objects_frame([url]) for url in urls)
    pd.testing.assert_frame_equal(whole, parts)
    assert len(parts) == 3


def test_a_channel_without_pixels_is_named(output: OutputImage, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="The pixels of channel 2, 'c2', of t 0 z 0 are not stored"):
        write_objects(str(tmp_path / "t"), output, PLANES, "image", None, CHANNELS, Measured((2,)))


WRONG: list[tuple[Callable[..., Any], str]] = [
    (lambda *_: {"a": [1, 2]}, "returned int64 of shape (2,) as 'a' for 3 objects; return one number for each label"),
    (lambda *_: {"a": [1, 2, np.nan]}, "returned values of 'a' that are not finite numbers"),
    (lambda *_: {"a": ["x", "y", "z"]}, "returned <U1 of shape (3,) as 'a'"),
    (lambda *_: {"area": [1, 2, 3]}, "returned the column 'area', which the table has; rename it"),
    (lambda *_: {"intensity_sum_DAPI": [1, 2, 3]}, "returned the column 'intensity_sum_DAPI'"),
    (lambda *_: [1, 2, 3], "returned list; return a dict of arrays by the names of columns"),
    (lambda _, pixels: {"a": pixels["RFP"]}, f"raised KeyError('RFP') ({__file__}:105); it gets GFP_488, DAPI"),
    (lambda *_: sys.exit(1), "raised SystemExit(1)"),
]


@pytest.mark.parametrize(("function", "message"), WRONG, ids=[message for _, message in WRONG])
def test_a_function_that_measures_nothing_is_named_with_its_plane(
    output: OutputImage,
    tmp_path: Path,
    function: Callable[..., Any],
    message: str,
) -> None:
    with pytest.raises(MeasurementError) as raised:
        measure(output, tmp_path / "t=0.parquet", function)
    assert str(raised.value).startswith(f"t 0 c 1 z 0: mine.spread {message}")
    assert not (tmp_path / "t=0.parquet").exists()


def test_columns_have_the_names_of_channels_where_these_tell_them_apart() -> None:
    assert name_columns((0, 1, 2, 3), {0: "GFP 488", 1: "µ", 2: "same", 3: "same"}) == dict(
        zip(range(4), ["GFP_488", "µ", "c2", "c3"], strict=True)
    )
    assert name_columns((4, 5), {4: "+"}) == {4: "c4", 5: "c5"}
