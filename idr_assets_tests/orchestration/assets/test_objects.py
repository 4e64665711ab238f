"""The assets `objects` and `object_counts`: what they report in the UI, their values, and what is measured again."""

from io import BytesIO

import pyarrow.parquet as pq
import pytest
from PIL import Image

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.objects.measurements import COLUMNS
from idr_assets.orchestration.assets.work.objects import PREVIEW_ROWS
from idr_assets_tests.orchestration.assets.test_source_image import picture
from idr_assets_tests.support.damage import flip_bit
from idr_assets_tests.support.small_image import FIELDS, PARTITIONS, PIXELS, PLANES, Segmented, recipe

OBJECTS = {where: recipe(PIXELS[where]).max() for where in PLANES}


def test_the_value_is_a_frame_of_all_objects(segmented: Segmented) -> None:
    frame = segmented.value("objects")
    assert set(frame["image"]) == {"image"}
    assert frame.groupby(["t", "c", "z"]).size().to_dict() == OBJECTS
    assert frame["area_um2"].tolist() == pytest.approx((frame["area"] * 0.4 * 0.4).tolist())


def test_the_ui_shows_columns_rows_and_planes(segmented: Segmented) -> None:
    metadata = segmented.metadata("objects", "1")
    assert metadata["path"] == str(segmented.project.root / "data/image/objects/t=1.parquet")
    assert metadata["dagster/row_count"] == sum(count for (t, _, _), count in OBJECTS.items() if t == 1)
    schema = metadata["dagster/column_schema"]
    assert [(column.name, column.type, column.description) for column in schema.columns] == list(COLUMNS)
    assert (metadata["planes"], metadata["planes not materialized"]) == (len(PLANES) // 2, 0)
    header, _, *rows = metadata["preview"].splitlines()
    assert len(rows) == PREVIEW_ROWS < metadata["dagster/row_count"]
    assert rows[0].startswith("| 1 | 0 | 9 | 1 | ")
    assert rows[0].count("|") == header.count("|")


def test_missing_planes_are_listed_and_those_without_objects_counted(one_plane: Segmented) -> None:
    assert one_plane.run("objects", "0", "1") == ""
    none, one = (one_plane.metadata("objects", t) for t in "01")
    assert [(it["planes"], it["planes not materialized"]) for it in (none, one)] == [(0, 2), (1, 1)]
    assert [it["missing planes"] for it in (none, one)] == ["c 0: z 0 to 1", "c 0: z 1"]


def test_counts_of_a_timepoint_without_planes_say_that_planes_come_first(fresh: Segmented) -> None:
    assert [fresh.run("plane_labels", "1|09"), fresh.run("objects", "2")] == ["", ""]
    failure = fresh.run("object_counts")
    assert "No plane of the window was measured: none was stored when the tables of objects in" in failure
    assert "Materialize planes, then `objects`." in failure


def test_the_value_of_a_timepoint_is_its_objects(segmented: Segmented) -> None:
    frame = segmented.value("objects", "2")
    assert frame.groupby(["t", "c", "z"]).size().to_dict() == {at: n for at, n in OBJECTS.items() if at[0] == 2}


def test_a_damaged_plane_costs_its_timepoint_alone(fresh: Segmented) -> None:
    fresh.run("plane_labels", PARTITIONS[0], PARTITIONS[-1])
    flip_bit(fresh.project.root / "data/image.ome.zarr/labels/segmentation/0/c/1/0/9/0/0")
    failure = fresh.run("objects", "1", "2")
    assert "Timepoints that could not be measured: 1. Measured: 1.\nt 1: t 1 c 0 z 9 is damaged" in failure
    assert fresh.instance.get_materialized_partitions(fresh.project.key("objects")) == {"2"}
    assert set(fresh.value("objects")["t"]) == {2}
    fresh.run("plane_labels", "1|09")
    assert fresh.run("objects", "1") == ""


def test_a_rerun_measures_only_timepoints_that_changed(fresh: Segmented) -> None:
    def measured(*timepoints: str) -> list[tuple[bool, int]]:
        assert fresh.run("objects", timepoints[0], timepoints[-1]) == ""
        told = [fresh.metadata("objects", t) for t in timepoints]
        return [(it["measured in this run"], it["planes without objects"]) for it in told]

    fresh.run("plane_labels", "1|09", "2|10")
    assert measured("1", "2") == [(True, 0), (True, 0)]
    assert measured("1", "2") == [(False, 0), (False, 0)]
    fresh.project.write(**FIELDS | {"segmentation": "{parameters: {threshold_fraction: 2.0}}"})
    fresh.run("plane_labels", "2|09")
    assert measured("1", "2") == [(False, 0), (True, 2)]
    fresh.project.write(**FIELDS | {"window": "{t: [2, 2], z: [9, 10]}"})
    assert measured("2") == [(False, 2)]
    rows = fresh.value("objects")
    assert (set(rows["t"]), len(rows)) == ({2}, fresh.metadata("objects", "2")["dagster/row_count"])
    assert [file.name for file in (fresh.project.root / "data/image/objects").iterdir()] == ["t=2.parquet"]


def test_objects_before_any_run_say_what_to_do(fresh: Segmented) -> None:
    assert "Materialize planes first: `idr-assets resume image`." in fresh.run("objects", "1", "2")
    assert "There is no table of objects in" in fresh.run("object_counts")
    with pytest.raises(ImageError, match=r"Materialize `objects` first\."):
        fresh.value("objects")


def test_the_figure_of_counts_is_a_png_an_svg_and_a_picture_in_the_ui(segmented: Segmented) -> None:
    file = segmented.project.root / "data/image/object_counts.png"
    metadata = segmented.metadata("object_counts")
    assert (metadata["path"], metadata["path of the SVG"]) == (str(file), str(file.with_suffix(".svg")))
    assert segmented.value("object_counts") == file.read_bytes()
    written = file.with_suffix(".svg").read_text("utf-8")  # each text is a comment beside its outlines
    assert written.startswith("<?xml")
    assert "<!-- image -->" in written
    assert "<!-- area (µm²) -->" in written
    numbers = metadata["planes"], metadata["planes not measured"], metadata["objects"]
    assert numbers == (len(PLANES), 0, sum(OBJECTS.values()))
    drawn, shown = Image.open(BytesIO(file.read_bytes())), picture(metadata["object counts"])
    assert shown.width < drawn.width
    assert shown.width / shown.height == pytest.approx(drawn.width / drawn.height, rel=0.02)


def test_a_recipe_of_volumes_has_a_table_of_objects_in_space(fresh: Segmented) -> None:
    function = "idr_assets.imaging.segmentation.otsu_watershed_3d"
    fresh.project.yaml.write_text(fresh.project.yaml.read_text() + f"  segmentation: {{function: {function}}}\n")
    assert fresh.run("plane_labels", "1|09", "1|10") == fresh.run("objects", "1") == ""
    told, planes = fresh.metadata("objects", "1"), fresh.value("objects", "1")
    table = pq.read_table(fresh.project.root / "data/image/volumes/t=1.parquet").to_pylist()
    assert told["objects in space"] == len(table) == len(planes.groupby(["c", "label"]))
    assert sum(row["voxels"] for row in table) == planes["area"].sum()
    assert all(row["volume_um3"] > 0 for row in table)
