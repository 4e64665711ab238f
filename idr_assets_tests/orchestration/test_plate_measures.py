"""What is made from the labels of a plate: tables, counts, pictures and the page."""

import csv
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.objects.plate_layout import read_layout
from idr_assets.imaging.wells import Field, Well, list_fields, parse_wells
from idr_assets.orchestration.assets.work.comparison import write_comparison
from idr_assets.web.gallery_routes import mount_gallery
from idr_assets_tests.support.asgi import ask
from idr_assets_tests.support.dagster_home import project_instance
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.plate_stores import SHAPE, field_pixels, write_plate
from idr_assets_tests.support.small_image import Segmented, recipe

FIELDS = list_fields(parse_wells(["B02:C04"]), [0, 1])
STORED = [field for field in FIELDS if field.name not in {"C03_0", "C04_0", "C04_1"}]
YAML = {
    "url": "plate.zarr", "shape": str(list(SHAPE)), "channels": "[0, 1]", "wells": "[B02:C04]", "fields": "[0-1]",
    "layout": "layout.csv",
}  # fmt: skip
LAYOUT = "well,compound,dose\nB2,water,0\nb03,water,0\nB04,drug,1\nC02,drug,5\nC03,drug,5\n"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Segmented]:
    """Segment a plate of which three fields, and so one whole well, are missing, and make everything of it."""
    root = tmp_path_factory.mktemp("measures")
    write_plate(root / "data/plate.zarr", STORED)
    project = ImageProject(root, "plate", component="SegmentedPlate")
    project.write(**YAML)
    (project.yaml.parent / "layout.csv").write_text(LAYOUT)
    with project_instance(root / "home") as instance:
        segmented = Segmented(project, instance)
        assert segmented.run("plane_labels", "B02_0|0", "C04_1|1") != ""
        assert segmented.run("objects", "B02", "C04") == ""
        for asset in ("plate_counts", "plate_montage", "plane_browser"):
            assert segmented.run(asset) == ""
        yield segmented


def objects_of(field: Field, c: int, z: int) -> int:
    return int(recipe(field_pixels(field)[0, c, z]).max())


def test_the_table_of_a_well_says_where_objects_are(measured: Segmented) -> None:
    frame = measured.value("objects", "B03")
    first = ["image", "row", "column", "well", "field", "t", "c", "channel", "z"]
    assert list(frame.columns[: len(first)]) == first
    assert set(frame["well"]) == {"B03"}
    assert (set(frame["row"]), set(frame["column"]), set(frame["t"])) == ({"B"}, {3}, {0})
    for field in FIELDS[2:4]:
        for c, z in ((0, 0), (1, 1)):
            found = frame.query(f"field == {field.number} and c == {c} and z == {z}")
            assert len(found) == objects_of(field, c, z) == found["label"].max()


def test_a_well_without_planes_has_an_empty_table_that_says_so(measured: Segmented) -> None:
    told = measured.metadata("objects", "C04")
    assert (told["dagster/row_count"], told["planes"], told["planes not materialized"]) == (0, 0, 8)
    assert measured.metadata("objects", "C03")["planes not materialized"] == 4


def test_tables_are_measured_again_only_if_planes_changed_and_stay_right_with_more_fields(
    measured: Segmented,
) -> None:
    measured.project.write(**YAML | {"wells": "[A01, B02:C04]"})
    try:
        assert measured.run("objects", "A01", "C04") == ""
        assert measured.metadata("objects", "B03")["measured in this run"] is False
        assert measured.metadata("objects", "B03")["planes"] == 8
        assert measured.run("plate_counts") == ""
        assert measured.metadata("plate_counts")["planes"] == 8 * len(STORED) // 2
    finally:
        measured.project.write(**YAML)
        assert measured.run("objects", "B02", "C04") == ""
        assert measured.run("plate_counts") == ""


def test_counts_of_wells_are_joined_with_the_layout(measured: Segmented) -> None:
    with (measured.project.root / "data/plate/plate_counts.csv").open() as file:
        rows = {(row["well"], row["c"]): row for row in csv.DictReader(file)}
    assert len(rows) == 10
    row = rows["C02", "1"]
    objects = [objects_of(field, 1, z) for field in FIELDS[6:8] for z in (0, 1)]
    assert (int(row["planes"]), int(row["objects"])) == (4, sum(objects))
    assert float(row["objects_per_plane"]) == pytest.approx(np.mean(objects))
    assert (row["row"], row["column"], row["compound"], row["dose"]) == ("C", "2", "drug", "5")
    assert measured.metadata("plate_counts")["columns of the layout"] == "compound, dose"


def test_pictures_show_the_plate(measured: Segmented) -> None:
    for asset in ("plate_counts", "plate_montage"):
        picture = Image.open(BytesIO(measured.value(asset)))
        assert picture.width > 600
        assert len(np.unique(np.asarray(picture.convert("L")))) > 50
    told = measured.metadata("plate_montage")
    assert (told["planes"], told["planes not materialized"]) == (2 * 4, 2 * 2)
    svg = (measured.project.root / "data/plate/plate_counts.svg").read_text()
    assert len(re.findall(r'id="missing"', svg)) == 2  # C04 in each channel
    assert len(re.findall(r'id="unnamed"', svg)) == 12  # row A and column 1


def test_segmentations_are_compared_by_fields(measured: Segmented) -> None:
    told = write_comparison([(measured.definitions.resources or {})["image_io"].images[0]])
    assert re.findall(r"(\w+_\d c \d z \d)", told["objects"].value.replace("\\", ""))[:1] == ["B02_0 c 0 z 0"]


def test_the_page_has_wells_and_fields(measured: Segmented) -> None:
    page = measured.value("plane_browser")
    assert re.findall(r'<optgroup label="(\w+)">', page) == ["B02", "B03", "B04", "C02", "C03"]
    assert re.findall(r"<option>(\w+_\d)</option>", page) == [field.name for field in STORED]
    assert '"name": "C03_1 c 1 z 1"' in page


def test_both_jobs_make_everything(measured: Segmented) -> None:
    jobs = {job.name: job for job in measured.definitions.resolve_all_job_defs()}
    made = {name: {key.path[-1] for key in jobs[name].asset_layer.executable_asset_keys} for name in jobs}
    assert made["segment_plate"] == {"source_plate", "plane_labels", "plate_montage", "plane_browser"}
    assert made["measure_plate"] == {"objects", "plate_counts"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("well,a\nB02,1\nb2,2\n", "line 3: B02 has a line already"),
        ("place,a\n", "line 1: its columns are place, a"),
        ("well\nX\n", "line 2: 'X' is no well"),
    ],
)
def test_a_layout_that_is_none_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "layout.csv"
    path.write_text(text)
    with pytest.raises(ImageError, match=told) as raised:
        read_layout(path)
    assert "Write a CSV with a line for each well, a column `well`" in str(raised.value)


def test_a_layout_may_have_blanks_and_a_mark_of_its_encoding(tmp_path: Path) -> None:
    path = tmp_path / "layout.csv"
    path.write_text("\ufeffwell, dose \nB02, 5 \n")
    assert read_layout(path) == {Well(1, 1): {"dose": "5"}}


def test_the_gallery_has_a_page_of_a_plate(measured: Segmented, monkeypatch: pytest.MonkeyPatch) -> None:
    measured.project.write_definitions()
    monkeypatch.syspath_prepend(str(measured.project.root))
    module = f"{measured.project.package.name}.definitions"
    app = Starlette(routes=[mount_gallery(module, measured.instance, [], ui=True)])
    page = ask(app, "/gallery/image/plate").text
    for file in ("plate_montage.png", "plate_counts.png", "planes.html"):
        assert f'"/gallery/data/plate/{file}"' in page
    assert "idr-assets show plate" in page
    assert "/assets/plate/plane_labels?view=partitions&amp;partition=B02_0%7C0" in page
    pictures = re.findall(r'src="(/gallery/plane/plate/[^"]+)"', page)
    answers = [ask(app, picture) for picture in pictures]
    kinds = [answer.headers["content-type"] for answer in answers]
    assert (len(kinds), kinds.count("image/png")) == (len(FIELDS) * 4, len(STORED) * 4)
    for source in re.findall(r'(?:src|href)="(/gallery/[^"#]+)', page):
        assert ask(app, source).status == 200, source
