"""What the YAML of a plate may say, and what it becomes."""

from pathlib import Path

import pytest

from idr_assets.commands.export import refuse_plate
from idr_assets.imaging.errors import ImageError
from idr_assets.orchestration.assets.descriptions import of_plate_objects
from idr_assets.orchestration.assets.names import figure_keys
from idr_assets.orchestration.plate import Plate
from idr_assets_tests.imaging.segmentation.test_neighbours import median_of_all
from idr_assets_tests.support.image_project import ImageProject

YAML = {"url": "https://127.0.0.1/plate.zarr", "shape": "[3, 2, 12, 40, 36]", "wells": "[B02:C03, H12]"}

WRONG = [
    ({"wells": None}, "wells: The wells to segment"),
    ({"wells": "[]"}, "wells: The wells to segment"),
    ({"wells": "[B02, C]"}, "'C' is no well; write the letters of its row and the number of its column, such as B03"),
    ({"wells": "all"}, "cannot be read (FileNotFoundError: "),
    ({"wells": "all"}, "Write it by `idr-assets refresh plate`."),
    ({"fields": "[all, 1]"}, "'all' is no field"),
    ({"wells": "D04:B02"}, "'D04:B02' is no range of wells; write the upper left well and the lower right one"),
    ({"fields": "[8-0]"}, "'8-0' is no field; write numbers such as 0, and ranges such as 0-8"),
    ({"fields": "[true]"}, "True is no field"),
    ({"wells": "[A01:P24]", "fields": "[0-399]"}, "the plate has 460800 fields, more than Dagster can show"),
    ({"published": "true"}, "`published` is for images; leave it out"),
    ({"axes": "[y, x]"}, "`axes` is for images; leave it out, because the metadata of the plate say them"),
    (
        {"reference": "https://127.0.0.1/truth.zarr"},
        "leave it out, and score segmentations on an image of the same kind",
    ),
    (
        {"segmentation": f"{{function: {median_of_all.__module__}.median_of_all, neighbours: {{t: 1}}}}"},
        "`neighbours` along t would be of other fields of the plate; leave `t` out",
    ),
    ({"montage_field": "7"}, "`attributes.montage_field at "),
    ({"layout": "layout.csv"}, "layout.csv cannot be used ([Errno 2] No such file or directory"),
    ({"channels": "[2]"}, "channels 0 to 1; name each wanted one once"),
    ({"colour": "red"}, "choose from: url, image_id, endpoint, storage_options, level"),
]


@pytest.fixture
def project(tmp_path: Path) -> ImageProject:
    return ImageProject(tmp_path, "plate", component="SegmentedPlate")


def load(project: ImageProject, **fields: str | None) -> Plate:
    project.write(**YAML | fields)
    plate: Plate = (project.load().resources or {})["image_io"].images[0]
    return plate


def test_wells_and_fields_become_rows_of_partitions(project: ImageProject) -> None:
    plate = load(project, fields="[3, 0-1]", window="{t: [1, 2], z: [4, 9]}")
    assert [plate.row_key(t) for t in plate.t[:4]] == ["B02_0_t1", "B02_0_t2", "B02_1_t1", "B02_1_t2"]
    assert plate.row_key(plate.t[-1]) == "H12_3_t2"
    assert [plate.row_of(plate.row_key(t)) for t in plate.t] == list(plate.t)
    assert (len(plate.t), plate.z, plate.shape) == (30, range(4, 10), (30, 2, 12, 40, 36))
    assert plate.source.shape == (3, 2, 12, 40, 36)


LISTED = "well,fields\nB02,0-2\nB03,1 4\nH12,0\n"
ALL = [
    ({"wells": "all", "fields": "all"}, "B02_0 B02_1 B02_2 B03_1 B03_4 H12_0"),
    ({"wells": "[B02:B04]", "fields": "[all]"}, "B02_0 B02_1 B02_2 B03_1 B03_4"),
    ({"wells": "[all]", "fields": "[0-1]"}, "B02_0 B02_1 B03_0 B03_1 H12_0 H12_1"),
]


@pytest.mark.parametrize(("fields", "rows"), ALL)
def test_all_are_those_of_the_file_beside_the_yaml(project: ImageProject, fields: dict[str, str], rows: str) -> None:
    project.write()
    project.yaml.with_name("fields.csv").write_text(LISTED)
    plate = load(project, window="{t: [2, 2]}", **fields)
    assert " ".join(plate.row_key(t) for t in plate.t) == rows
    wells = {name: [plate.row_key(t) for t in plate.planes_of(name).t] for name in {row[:3] for row in rows.split()}}
    assert {row for found in wells.values() for row in found} == {*rows.split()}
    assert all(row.startswith(name) for name, found in wells.items() for row in found)


def test_a_single_timepoint_needs_no_name(project: ImageProject) -> None:
    plate = load(project, wells="B02", window="{t: [2, 2]}")
    assert [plate.row_key(t) for t in plate.t] == ["B02_0"]
    assert plate.field_of(0)[1] == 2


def test_a_plate_is_not_exported(project: ImageProject) -> None:
    with pytest.raises(ImageError, match="plate is a plate, and an export has the objects of one image"):
        refuse_plate(load(project))


def test_a_plate_of_volumes_says_where_objects_in_space_are(project: ImageProject) -> None:
    volumes = load(project, segmentation="{function: idr_assets.imaging.segmentation.otsu_watershed_3d}")
    of_volumes, of_planes = of_plate_objects(volumes), of_plate_objects(load(project))
    assert (
        of_volumes
        == f"{of_planes} The slices of an object in space are the rows with the same well, field, t, c, label."
    )


def test_several_segmentations_have_assets_of_their_own(project: ImageProject) -> None:
    function = "{function: idr_assets.imaging.segmentation.gaussian_threshold}"
    project.write(**YAML | {"segmentations": f"{{one: {function}, two: {function}}}"})
    definitions = project.load()
    made = definitions.resolve_job_def("segment_plate").asset_layer.executable_asset_keys
    assert {key.to_user_string() for key in made} == {"plate/source_plate", "plate/segmentation_comparison"} | {
        f"plate/{name}/{asset}"
        for name in ("one", "two")
        for asset in ("plane_labels", "plate_montage", "plane_browser")
    }
    images = (definitions.resources or {})["image_io"].images
    assert set(figure_keys(images)) < set(definitions.resolve_all_asset_keys())


@pytest.mark.parametrize(("fields", "remedy"), WRONG)
def test_what_is_wrong_is_told_with_its_remedy(
    project: ImageProject, fields: dict[str, str | None], remedy: str
) -> None:
    project.write(**YAML | fields)
    with pytest.raises(Exception, match=r"plate( \(loaded\))?\n.*defs\.yaml \(SegmentedPlate\) \(error\)") as raised:
        project.load()
    assert remedy in str(raised.value.__cause__)
