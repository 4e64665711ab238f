"""The assets `montage` and `plane_browser`: what they report, and what becomes of planes that are not there."""

from io import BytesIO
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
from PIL import Image

from idr_assets.imaging.figures import montage
from idr_assets.imaging.figures.drawing import render
from idr_assets.imaging.output.output_image import open_output
from idr_assets_tests.orchestration.assets.test_source_image import picture
from idr_assets_tests.orchestration.conftest import SETTINGS
from idr_assets_tests.support.small_image import PLANES, Segmented, write_project


@pytest.mark.parametrize(("asset", "file"), [("montage", "montage.png"), ("plane_browser", "planes.html")])
def test_a_figure_tells_where_it_lies_and_what_it_shows(segmented: Segmented, asset: str, file: str) -> None:
    metadata = segmented.metadata(asset)
    assert metadata["path"] == str(segmented.project.root / "data" / "image" / file)
    assert (metadata["planes"], metadata["planes not materialized"]) == (len(PLANES), 0)


def test_the_montage_is_seen_in_the_ui(segmented: Segmented) -> None:
    shown = picture(segmented.metadata("montage")["montage"])
    drawn = Image.open(BytesIO(segmented.value("montage")))
    assert shown.width / shown.height == pytest.approx(drawn.width / drawn.height, rel=0.02)
    assert shown.width <= min(1000, drawn.width)


def test_figures_are_of_the_stored_planes_with_title_and_scale_bar(segmented: Segmented) -> None:
    output = open_output(str(segmented.project.root / "data/image.ome.zarr"), "segmentation")
    wanted = montage.montage(output.read_grid([1, 2], [0, 1], [9, 10]), title="image", pixel_size=0.4)
    drawn = Image.open(BytesIO(segmented.value("montage")))
    assert np.array_equal(np.asarray(drawn), np.asarray(render(wanted)))
    page = segmented.value("plane_browser")
    assert "<h1>image</h1>" in page
    assert '<div class="scale" style="width: 13.89%">2 µm</div>' in page


def test_the_page_tells_its_length_in_bytes(segmented: Segmented) -> None:
    metadata = segmented.metadata("plane_browser")
    assert metadata["bytes"] == Path(metadata["path"]).stat().st_size


def test_planes_that_are_not_materialized_are_told(one_plane: Segmented) -> None:
    for asset in ("montage", "plane_browser"):
        assert one_plane.run(asset) == ""
        metadata = one_plane.metadata(asset)
        assert (metadata["planes"], metadata["planes not materialized"]) == (1, 3)
    assert "3 planes not materialized." in one_plane.value("plane_browser")


def test_a_montage_of_many_channels_stays_bounded_and_counts_what_it_leaves_out(tmp_path: Path) -> None:
    pixels = np.ones((3, 14, 1, 8, 8), np.uint8)
    fields = {"shape": str(list(pixels.shape)), "channels": str(list(range(14))), "window": "{t: all, z: all}"}
    with dg.DagsterInstance.ephemeral(settings=SETTINGS) as instance:
        segmented = Segmented(write_project(tmp_path, pixels, **fields), instance)
        assert [segmented.run("plane_labels", "0|0"), segmented.run("montage")] == ["", ""]
        metadata, drawn = segmented.metadata("montage"), Image.open(BytesIO(segmented.value("montage")))
    assert (metadata["planes"], metadata["planes left out"]) == (12, 3 * 14 - 36)
    assert drawn.height < 5500


def test_a_page_of_many_planes_says_how_many_it_leaves_out(
    segmented: Segmented, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idr_assets.orchestration.assets.work.plane_browser.BROWSER_PLANES", 2)
    assert segmented.run("plane_browser") == ""
    metadata = segmented.metadata("plane_browser")
    assert (metadata["planes"], metadata["planes left out"]) == (2, len(PLANES) - 2)
    assert f"2 of {len(PLANES)} planes" in segmented.value("plane_browser")


def test_object_counts_of_many_channels_stay_bounded(tmp_path: Path) -> None:
    pixels = np.ones((1, 14, 1, 8, 8), np.uint8)
    fields = {"shape": str(list(pixels.shape)), "channels": str(list(range(14))), "window": "{t: all, z: all}"}
    with dg.DagsterInstance.ephemeral(settings=SETTINGS) as instance:
        segmented = Segmented(write_project(tmp_path, pixels, **fields), instance)
        assert [segmented.run("plane_labels", "0|0"), segmented.run("objects", "0")] == ["", ""]
        assert segmented.run("object_counts") == ""
        metadata, drawn = segmented.metadata("object_counts"), Image.open(BytesIO(segmented.value("object_counts")))
    assert (metadata["planes"], metadata["channels left out"]) == (14, 2)
    assert drawn.height < 5500


def test_figures_before_any_run_say_what_to_do(fresh: Segmented) -> None:
    failure = fresh.run("montage")
    assert "No output at" in failure
    assert "Materialize planes first: `idr-assets resume image`." in failure
