"""A plate from its YAML to its labels: partitions, runs, fields that cannot be read, and what is stored."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest
from click.testing import CliRunner

from idr_assets.command_line import main
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.wells import list_fields, parse_field, parse_wells
from idr_assets.orchestration.assets.adoption import adopt_planes
from idr_assets.orchestration.assets.stored_planes import UNSTORED
from idr_assets.orchestration.automation.missing import missing_planes, plan_runs, stale_planes
from idr_assets.orchestration.partitions import RANGE_TAGS
from idr_assets.orchestration.plate import Plate
from idr_assets_tests.support.dagster_home import project_instance
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.plate_stores import SHAPE, field_pixels, write_plate
from idr_assets_tests.support.small_image import Segmented, recipe
from idr_assets_tests.support.stale_marks import stale_marks

FIELDS = list_fields(parse_wells(["B02:C04"]), [0, 1])
YAML = {"url": "plate.zarr", "shape": str(list(SHAPE)), "channels": "[0, 1]", "wells": "[B02:C04]", "fields": "[0-1]"}
BROKEN, ABSENT = "B03_1", "C04_1"
GOOD = {it.name for it in FIELDS} - {BROKEN, ABSENT}
ALL = ("B02_0|0", "C04_1|1")


def write_project(root: Path) -> ImageProject:
    """Write a plate of six wells with two fields each, of which one has no readable metadata and one is missing."""
    folder = write_plate(root / "data/plate.zarr", [it for it in FIELDS if it.name != ABSENT])
    (folder / parse_field(BROKEN).path / "0/.zarray").write_text("{")
    project = ImageProject(root, "plate", component="SegmentedPlate")
    project.write(**YAML)
    return project


def plate_of(segmented: Segmented) -> Plate:
    found: Plate = (segmented.definitions.resources or {})["image_io"].images[0]
    return found


@pytest.fixture(scope="module")
def segmented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Segmented]:
    root = tmp_path_factory.mktemp("plates")
    with project_instance(root / "home") as instance:
        yield Segmented(write_project(root), instance)


@pytest.fixture(scope="module")
def failure(segmented: Segmented) -> str:
    """Segment the whole plate, and give why the run failed."""
    assert segmented.run("source_plate") == ""
    return segmented.run("plane_labels", *ALL)


def test_every_field_that_can_be_read_is_segmented(segmented: Segmented, failure: str) -> None:
    assert failure
    assert segmented.materialized() == {f"{name}|{z}" for name in GOOD for z in (0, 1)}
    output = plate_of(segmented).open_output()
    for t, field in enumerate(FIELDS):
        for c, z in ((0, 0), (1, 1)):
            labelled, pixels = output.read(Plane(t, c, z)), field_pixels(field)[0, c, z]
            assert (labelled is not None) == (field.name in GOOD)
            if labelled:
                assert np.array_equal(labelled.pixels, pixels)
                assert np.array_equal(labelled.labels, recipe(pixels))


def test_fields_that_cannot_be_read_are_named_with_their_reasons(segmented: Segmented, failure: str) -> None:
    assert "Planes that failed: 8. Partitions that are done: 20." in failure
    assert re.search(rf"{ABSENT} c 0 z 0: .*/plate.zarr/C/4/1 is not an image", failure)
    assert f"{BROKEN} c 0 z 0: " in failure
    assert " t 3 c " not in failure
    told = segmented.numbers("source_plate", "matches_yaml")
    assert told == {"passed": False, "fields": 10, "fields that cannot be read": 2}
    assert segmented.metadata("source_plate")["wells"] == 6


def test_values_and_messages_go_by_the_names_of_fields(segmented: Segmented, failure: str) -> None:
    assert failure
    wanted = [recipe(field_pixels(parse_field("C02_1"))[0, c, 1]) for c in (0, 1)]
    assert np.array_equal(segmented.value("plane_labels", "C02_1|1"), wanted)
    with pytest.raises(
        ImageError, match=f"^{ABSENT} c 0 z 1 is not stored in .*/plate.ome.zarr, labels 'segmentation'"
    ):
        segmented.value("plane_labels", f"{ABSENT}|1")
    told = segmented.metadata("plane_labels", "C02_1|1")
    assert '/plate.zarr/C/2/1", "level": "0"' in told["source"]
    assert {"objects (c 0)", "checksum (c 1)"} <= told.keys()


def test_another_instance_adopts_what_is_done(segmented: Segmented, failure: str, tmp_path: Path) -> None:
    assert failure
    plate = plate_of(segmented)
    with project_instance(tmp_path / "home") as instance:
        found = adopt_planes(instance, plate, {(t, z) for t in plate.t for z in plate.z})
        assert {plate.row_key(t) for t, _ in found.adopted} == GOOD
        assert {why: {plate.row_key(t) for t, _ in cells} for why, cells in found.others.items()} == {
            UNSTORED: {BROKEN, ABSENT}
        }
        assert missing_planes(instance, plate) == found.others[UNSTORED]
        assert stale_planes(instance, plate) == set()


def test_what_is_missing_is_made_once_the_store_has_it(segmented: Segmented, failure: str) -> None:
    assert failure
    plate = plate_of(segmented)
    missing = missing_planes(segmented.instance, plate)
    assert {plate.row_key(t) for t, _ in missing} == {BROKEN, ABSENT}
    first, source = plate.open_output(), segmented.project.root / "data/plate.zarr"
    kept = {name: first.read(Plane(plate.row_of(name), 0, 0)) for name in GOOD}
    (source / "B/3/1/0/.zarray").write_bytes((source / "B/3/0/0/.zarray").read_bytes())
    write_plate(segmented.project.root / "again.zarr", [parse_field(ABSENT)])
    (segmented.project.root / "again.zarr/C/4/1").rename(source / "C/4/1")
    (tags,) = plan_runs(segmented.instance, plate, missing)
    job = segmented.definitions.resolve_job_def("segment_plate")
    keys = [segmented.project.key("plane_labels")]
    assert job.execute_in_process(instance=segmented.instance, asset_selection=keys, tags=tags).success
    assert len(segmented.materialized()) == 2 * len(FIELDS)
    assert missing_planes(segmented.instance, plate) == set()
    assert stale_planes(segmented.instance, plate) == set()  # more fields of a plate make none stale
    (run,) = segmented.instance.get_runs(limit=1)
    told = segmented.instance.fetch_materializations(keys[0], limit=50).records
    assert sum(record.run_id == run.run_id for record in told) == 4
    again = plate.open_output().read(Plane(plate.row_of("B02_0"), 0, 0))
    assert again
    assert kept["B02_0"]
    assert np.array_equal(again.labels, kept["B02_0"].labels)


def test_a_field_that_changes_makes_its_own_planes_stale(segmented: Segmented, failure: str) -> None:
    assert failure
    document = segmented.project.root / "data/plate.zarr/C/2/0/0/.zarray"
    document.write_text(document.read_text().replace('"clevel": 5', '"clevel": 4'))
    assert segmented.run("plane_labels", "C02_0|0") == ""
    plate = plate_of(segmented)
    assert stale_planes(segmented.instance, plate) == {(plate.row_of("C02_0"), 1)}
    states = stale_marks(segmented, "plane_labels", ["B02_0|0", "C02_0|0", "C02_0|1"])
    assert states == {"B02_0|0": "FRESH", "C02_0|0": "FRESH", "C02_0|1": "STALE"}
    kept = segmented.metadata("plane_labels", "B02_0|0")
    assert {"objects (c 0)", "checksum (c 1)"} <= kept.keys()


def test_the_watch_requests_the_fields_that_changed(segmented: Segmented, failure: str) -> None:
    assert failure
    sensor = segmented.definitions.resolve_sensor_def("watch_plate")

    def look(cursor: str | None) -> Any:  # noqa: ANN401  of Dagster
        return sensor.evaluate_tick(dg.build_sensor_context(segmented.instance, cursor))

    first = look(None)
    assert (first.run_requests, "none changed" in first.skip_message) == ([], True)
    document = segmented.project.root / "data/plate.zarr/B/4/0/0/.zarray"
    document.write_text(f"{document.read_text()} ")
    second = look(first.cursor)
    (request,) = second.run_requests
    assert [request.tags[name] for name in RANGE_TAGS] == ["B04_0|0", "B04_0|1"]
    assert look(second.cursor).run_requests == []


def test_partitions_are_fields_and_slices(segmented: Segmented) -> None:
    specs = {spec.key.path[-1]: spec for spec in segmented.definitions.resolve_all_asset_specs()}
    partitions = specs["plane_labels"].partitions_def
    assert isinstance(partitions, dg.MultiPartitionsDefinition)
    axes = {axis.name: axis.partitions_def.get_partition_keys() for axis in partitions.partitions_defs}
    assert axes == {"field": [it.name for it in FIELDS], "z": ["0", "1"]}


def test_a_renamed_plate_keeps_its_planes(segmented: Segmented, failure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert failure
    root, done = segmented.project.root, len(segmented.materialized())
    segmented.project.write_definitions()
    monkeypatch.setenv("DAGSTER_HOME", str(root / "home"))
    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(str(root))
    module = ["--module", f"{root.name}.definitions"]
    tried = CliRunner().invoke(main, ["try", "plate", f"{FIELDS[0].name}|0", *module])
    assert f" in {FIELDS[0].name} c 0 z 0: areas " in tried.stdout, tried.output
    found = CliRunner().invoke(main, ["rename", "plate", "assay", *module])
    assert f"Adopted {done - 4} partitions of assay.\n" in found.stdout, found.output  # without two that changed
    assert not (root / "data/plate.ome.zarr").exists()
    keys = segmented.instance.get_asset_keys()
    assert {it.to_user_string() for it in keys} == {"assay/source_plate", "assay/plane_labels"}
