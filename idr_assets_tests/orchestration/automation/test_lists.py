"""What runs by itself for a list of images, and the commands that take a list."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from idr_assets.command_line import main
from idr_assets.orchestration.assets.work.overview import write_overview
from idr_assets.orchestration.automation import list_sensor
from idr_assets.orchestration.image_list import ImageList, ListedImage
from idr_assets.project import find_image
from idr_assets_tests.support.image_lists import write_list
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.small_image import RANGE, Segmented, change_image

FAR = ("1|09", "2|10")
LABELS = dg.AssetKey(["a", "plane_labels"])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageProject:
    """Write a project and an instance, and go there as a user does."""
    project = write_list(tmp_path / "to_list")
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("IDR_ASSETS_DATA", raising=False)
    monkeypatch.chdir(project.root)
    monkeypatch.syspath_prepend(str(project.root))
    forget_modules(monkeypatch)  # of another test's project
    return project


def forget_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == "to_list"]:
        monkeypatch.delitem(sys.modules, module)


def call(command: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, [*command.split(), "--module", "to_list.definitions"])
    return result.exit_code, result.stdout, result.stderr


def check_overview(project: ImageProject) -> None:
    """Compare the overview with the tables of objects, and see that the row without an address is named."""
    key = dg.AssetKey(["screen", "overview"])
    definitions = project.load()
    with dg.DagsterInstance.get() as instance:
        frame: Any = definitions.load_asset_value(key, instance=instance)
        event = instance.get_latest_materialization_event(key)
        record = instance.get_latest_asset_check_evaluation_record(dg.AssetCheckKey(key, "all_rows_loaded"))
        objects = [dg.AssetKey([name, "objects"]) for name in "ab"]
        tables: list[Any] = [definitions.load_asset_value(each, instance=instance) for each in objects]
    assert frame[["image", "treatment", "planes", "done", "failed", "stale"]].values.tolist() == [
        ["a", "drug", 4, 4, 0, 0],
        ["b", "control", 4, 4, 0, 0],
    ]
    assert frame["objects"].tolist() == [len(table) for table in tables]
    assert frame["median_area"].tolist() == [table["area"].median() for table in tables]
    assert event
    assert event.asset_materialization
    shown = event.asset_materialization.metadata["images"].value
    assert "| image | treatment | planes |" in str(shown)
    assert record
    assert record.evaluation
    assert not record.evaluation.passed
    assert "images.csv:4: url: the image needs one address" in str(record.evaluation.metadata)
    assert (project.root / "data/screen/overview.png").exists()


def looked(definitions: dg.Definitions, cursor: str | None = None) -> dg.SensorResult:
    """Evaluate the sensor that watches the list."""
    with dg.DagsterInstance.get() as instance:
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        found = definitions.resolve_sensor_def("watch_screen")(context)
    assert isinstance(found, dg.SensorResult)
    return found


def test_commands_take_a_list_or_one_of_its_images(project: ImageProject, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ["name,url,treatment,published", "a,a.zarr,drug,", "b,b.zarr,control,true", "c,,drug,"]
    project.yaml.with_name("images.csv").write_text("\n".join(rows))
    published = [project.root / f"data/{image}/published.ome.zarr" for image in "ab"]
    assert call("missing screen")[1] == "a 1|09...2|10\nb 1|09...2|10\n"
    assert call("missing b")[1] == "1|09...2|10\n"
    source = (project.root / "data/b.zarr").rename(project.root / "away.zarr")
    code, _, shown = call("resume screen")
    assert code == 1
    assert shown.endswith("Error: Runs failed of 1 of 2 images: b. Above are the reasons; the others are done.\n")
    source.rename(project.root / "data/b.zarr")
    assert call("missing screen")[1] == "b 1|09...2|10\n"
    assert call("resume screen")[0] == 0
    made = {path.relative_to(project.root / "data").as_posix() for path in (project.root / "data").glob("*/*.png")}
    assert made >= {f"{image}/{figure}.png" for image in "ab" for figure in ("montage", "object_counts")}
    assert call("missing screen")[1:] == ("", "No plane of screen is missing or failed.\n")
    check_overview(project)
    assert [path.exists() for path in published] == [False, True]
    assert "Choose from: a, b." in call("missing c")[2]
    assert call("delete b --yes")[0] == 0
    assert not published[1].parent.exists()
    forget_modules(monkeypatch)
    assert call("resume screen")[0] == 0
    assert pq.read_table(project.root / "data/screen/overview.parquet")["image"].to_pylist() == ["a"]


def test_an_overview_has_no_secret_of_an_address(project: ImageProject) -> None:
    image = replace(find_image(project.load(), "a")[0], address="https://127.0.0.1/a.zarr?token=secret")
    images = ImageList("screen", project.root, None, [ListedImage("images.csv:2", [image], {})])
    with dg.DagsterInstance.get() as instance:
        write_overview(instance, images)
    (source,) = pq.read_table(images.overview_url("parquet"))["source"].to_pylist()
    assert source == "https://127.0.0.1/a.zarr?***"


def test_one_schedule_requests_what_is_missing_of_each_image(project: ImageProject) -> None:
    definitions = project.load()
    with dg.DagsterInstance.get() as instance:
        definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance, asset_selection=[LABELS], tags=dict(zip(RANGE, FAR, strict=True))
        )
        context = dg.build_schedule_context(instance=instance, repository_def=definitions.get_repository_def())
        requests = definitions.resolve_schedule_def("missing_screen").evaluate_tick(context).run_requests or []
    found = [(request.asset_selection, tuple(request.tags[name] for name in RANGE)) for request in requests]
    assert found == [([dg.AssetKey(["b", "plane_labels"])], FAR)]


def test_one_sensor_looks_at_each_image_and_goes_on_where_it_stopped(
    project: ImageProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    definitions = project.load()
    first = looked(definitions)
    assert not first.run_requests
    assert "2 of 2 images looked at" in str(first.skip_reason)
    store = project.root / "data/source.zarr"
    (project.root / "data/b.zarr").rename(store)
    with dg.DagsterInstance.get() as instance:
        change_image(Segmented(project, instance))
    store.rename(project.root / "data/b.zarr")
    monkeypatch.setattr(list_sensor, "SECONDS", 1e-9)  # time for one image at most
    monkeypatch.setattr(list_sensor, "monotonic", iter([0.0, 0.0, 1.0, 0.0, 0.0, 1.0]).__next__)
    second = looked(definitions, first.cursor)
    assert "1 of 2 images looked at" in str(second.skip_reason)
    third = looked(definitions, second.cursor)
    (request,) = third.run_requests or ()
    names = [key.to_user_string() for key in request.asset_selection or ()]
    assert names == ["b/source_image", "b/plane_labels", "b/montage", "b/plane_browser"]
    assert tuple(request.tags[name] for name in RANGE) == FAR
