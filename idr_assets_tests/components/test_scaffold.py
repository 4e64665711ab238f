"""What `dg` shows of the components, and the YAML that it writes for a new image."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from dagster_dg_cli.cli import create_dg_cli

from idr_assets import SegmentedImage
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.large_image import write_large_image

COMPONENTS = [f"idr_assets.{name}" for name in ("DaskCluster", "SegmentedImage", "SegmentedImages", "SegmentedPlate")]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageProject:
    """Give a project that is the working directory, with the settings of the real one."""
    project = ImageProject(tmp_path, "mouse_embryo")
    ImageProject(tmp_path).write()
    shutil.copy(Path(__file__).parents[2] / ".dagster_home" / "dagster.yaml", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_IS_DEV_CLI", "1")  # which `dg` sets and leaves behind
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return project


def dg(*arguments: str, exit_code: int = 0) -> str:
    """Run `dg` in this process and give what it prints."""
    result = CliRunner().invoke(create_dg_cli(), arguments, catch_exceptions=False)  # type: ignore[no-untyped-call]
    assert result.exit_code == exit_code, result.output
    return result.stdout


def fields(schema: Mapping[str, Any], parts: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Walk the fields of a JSON schema, nested ones too: their path and description."""
    schema = schema | parts.get(schema.get("$ref", "").rpartition("/")[2], {})
    if path:
        yield path, schema.get("description", "")
    for name, field in schema.get("properties", {}).items():
        yield from fields(field, parts, f"{path}.{name}".lstrip("."))


@pytest.mark.usefixtures("project")
def test_components_are_listed_with_what_they_are() -> None:
    listed = {item["key"]: item["summary"] for item in json.loads(dg("list", "components", "--json"))["items"]}
    assert listed["idr_assets.SegmentedImage"].startswith("An OME-Zarr image to segment plane by plane")
    assert listed["idr_assets.SegmentedPlate"].startswith("An OME-Zarr plate to segment")
    assert listed["idr_assets.DaskCluster"].startswith("The dask cluster that segments planes")


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("component", COMPONENTS)
def test_every_field_has_a_description(component: str) -> None:
    schema = json.loads(dg("utils", "inspect-component", component, "--defs-yaml-json-schema"))
    attributes = schema["properties"]["attributes"]
    found = dict(fields(attributes, attributes.get("$defs", {})))
    assert found.keys() & {"segmentation.parameters", "workers"}
    assert [path for path, description in found.items() if not description] == []


@pytest.mark.parametrize("level", ["4", '"4"'])
def test_yaml_is_checked_without_loading_it(project: ImageProject, level: str) -> None:
    project.write(level=level)
    assert "All component YAML validated successfully." in dg("check", "yaml")
    project.write(level=level, channels="first")
    found = dg("check", "yaml", exit_code=1)
    assert f"{project.yaml}:6 - idr_assets.SegmentedImage attributes.channels 'first' is not of type" in found


def test_scaffolded_yaml_explains_every_field_and_loads_as_it_is(project: ImageProject) -> None:
    dg("scaffold", "defs", "idr_assets.SegmentedImage", project.image)
    lines = project.yaml.read_text().splitlines()
    attributes = yaml.safe_load(project.yaml.read_text())["attributes"]
    uncommented = [name for name in attributes if not lines[_line(lines, name) - 1].startswith("  # ")]
    assert uncommented == []
    assert set(attributes) == set(SegmentedImage.model_fields) - {
        "image_id",
        "endpoint",
        "segmentations",
        "axes",
        "reference",
        "license",
        "citation",
    }  # which stand in for others, are of few images, or those of another image would be wrong
    assert {
        "    # inputs: {nuclei: 0, cytoplasm: 1}",
        "    # neighbours: {z: 1}",
        "  # reference: truth.ome.zarr",
        "  # license: CC-BY-4.0",
    } < {*lines}
    keys = {key.to_user_string() for key in project.load().resolve_all_asset_keys()}
    assert f"{project.image}/plane_labels" in keys


OTHERS = [("SegmentedPlate", {"wells", "fields"}, "source_plate"), ("SegmentedImages", {"images", "level"}, "overview")]


@pytest.mark.parametrize(("component", "names", "asset"), OTHERS)
def test_a_scaffolded_plate_or_list_loads_as_it_is(
    project: ImageProject, component: str, names: set[str], asset: str
) -> None:
    dg("scaffold", "defs", f"idr_assets.{component}", project.image)
    assert names <= set(yaml.safe_load(project.yaml.read_text())["attributes"])
    assert dg("check", "yaml")
    keys = {key.to_user_string() for key in project.load().resolve_all_asset_keys()}
    assert f"{project.image}/{asset}" in keys


def test_a_name_that_would_be_refused_is_not_scaffolded(project: ImageProject) -> None:
    result = CliRunner().invoke(create_dg_cli(), ["scaffold", "defs", "idr_assets.SegmentedImage", "a-b"])  # type: ignore[no-untyped-call]
    assert result.exit_code == 1
    assert "names the image 'a-b', but keys of assets and jobs take letters, digits and _ only." in result.stderr
    assert "Rename the folder, for example to a_b." in result.stderr
    assert sorted(folder.name for folder in (project.package / "defs").iterdir()) == ["dask", "image"]


def _line(lines: list[str], field: str) -> int:
    return next(number for number, line in enumerate(lines) if line.startswith(f"  {field}:"))


def test_an_address_is_scaffolded_with_what_its_image_has(project: ImageProject) -> None:
    image = write_large_image(project.root / "data/large.zarr")
    wishes = json.dumps({"url": str(image), "channel": [1], "window": {"t": [0, 1]}})
    shown = dg("scaffold", "defs", "idr_assets.SegmentedImage", project.image, "--json-params", wishes)
    assert "chosen: level 1, channel 1 'GFP" in shown
    attributes = yaml.safe_load(project.yaml.read_text())["attributes"]
    assert (attributes["level"], attributes["channels"], attributes["window"]) == ("1", [1], {"t": [0, 1]})
    assert f"{project.image}/plane_labels" in {key.to_user_string() for key in project.load().resolve_all_asset_keys()}
    dg("scaffold", "defs", "idr_assets.SegmentedImage", "none", "--url", "none.zarr", exit_code=1)
    assert not (project.package / "defs/none").exists()
