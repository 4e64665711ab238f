"""A run whose image and whose outputs lie on S3: the results of a local disk, and nothing on this one."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
import s3fs

from idr_assets.imaging.output.output_image import open_output
from idr_assets_tests.orchestration.conftest import SETTINGS
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.object_store import default_store
from idr_assets_tests.support.small_image import FIELDS, PARTITIONS, PIXELS, PLANES, Segmented

DATA = "s3://results/data"
FIGURES = ("montage.png", "planes.html", "object_counts.png", "object_counts.svg")
TABLES = ("objects/t=1.parquet", "objects/t=2.parquet")


@pytest.fixture(scope="module")
def on_s3(s3: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Segmented]:
    """Give a project after its jobs, whose image is in a public bucket and whose outputs go to another one."""
    root, working = tmp_path_factory.mktemp("on_s3"), tmp_path_factory.mktemp("working")
    image = write_image(tmp_path_factory.mktemp("image") / "source.zarr", PIXELS, version="0.4")
    with (
        default_store(s3),
        pytest.MonkeyPatch.context() as patch,
        dg.DagsterInstance.ephemeral(settings=SETTINGS) as instance,
    ):
        patch.setenv("IDR_ASSETS_DATA", DATA)
        patch.chdir(working)
        s3fs.S3FileSystem().mkdir("images", acl="public-read")
        s3fs.S3FileSystem().mkdir("results")
        s3fs.S3FileSystem().put(str(image), "images/source.zarr", recursive=True)
        options = f"{{anon: true, endpoint_url: '{s3}'}}"
        project = ImageProject(root)
        project.write(**FIELDS | {"url": "s3://images/source.zarr", "storage_options": options, "published": "true"})
        segmented = Segmented(project, instance)
        assert segmented.run_jobs()
        yield segmented


@pytest.fixture(autouse=True)
def _data_on_s3(_default_data_folder: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDR_ASSETS_DATA", DATA)


def test_pixels_labels_objects_and_figures_are_those_of_a_local_disk(
    on_s3: Segmented, segmented: Segmented, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = open_output(str(segmented.project.root / "data/image.ome.zarr"))
    remote = open_output("s3://results/data/image.ome.zarr")
    for plane in PLANES:
        np.testing.assert_array_equal(remote.pixels[plane], PIXELS[plane])
        np.testing.assert_array_equal(remote.labels[plane], local.labels[plane])
    assert on_s3.materialized() == set(PARTITIONS)
    assert "s3://images/source.zarr, level 0" in on_s3.value("plane_browser")
    found = {asset: on_s3.value(asset) for asset in ("objects", "montage", "object_counts")}
    monkeypatch.delenv("IDR_ASSETS_DATA")
    assert found.pop("objects").equals(segmented.value("objects"))
    assert found == {asset: segmented.value(asset) for asset in found}


def test_all_is_on_s3_and_nothing_on_the_local_disk(on_s3: Segmented) -> None:
    found = set(s3fs.S3FileSystem(use_listings_cache=False).find("results/data/image"))
    published = {path for path in found if path.startswith("results/data/image/published.ome.zarr/")}
    assert found - published == {f"results/data/image/{name}" for name in (*FIGURES, *TABLES)}
    assert list(Path.cwd().iterdir()) == []
    assert [path.name for path in on_s3.project.root.iterdir() if path.name != on_s3.project.root.name] == [
        "pyproject.toml"
    ]


def test_a_rerun_reuses_pixels_and_leaves_tables_alone_whose_planes_are_the_same(on_s3: Segmented) -> None:
    assert on_s3.run("plane_labels", PARTITIONS[0], PARTITIONS[-1]) == ""
    (run,) = on_s3.instance.get_runs(limit=1)
    messages = [entry.user_message for entry in on_s3.instance.all_logs(run.run_id)]
    assert any(message.startswith("pixels of 8 of 8 planes were read from s3://results/") for message in messages)
    assert on_s3.run("objects", "1", "2") == ""
    assert [on_s3.metadata("objects", t)["measured in this run"] for t in "12"] == [False, False]
    assert on_s3.run("published", "1", "2") == ""
    assert [on_s3.metadata("published", t)["published in this run"] for t in "12"] == [False, False]
    np.testing.assert_array_equal(on_s3.value("published")["0"][...], PIXELS[1:3, :, 9:11])
