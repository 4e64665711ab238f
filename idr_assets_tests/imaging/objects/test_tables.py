"""Tables of objects: what they hold, when they are written again, and what becomes of planes without objects."""

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.objects import large_planes
from idr_assets.imaging.objects.measurements import COLUMNS
from idr_assets.imaging.objects.table_folder import keep_tables
from idr_assets.imaging.objects.tables import objects_frame, read_areas, read_counts, write_objects
from idr_assets.imaging.output import output_image
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.writing import store_planes
from idr_assets.imaging.planes import Block, LabelledPlane, Plane
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.idr_stores import nuclei_plane, write_image
from idr_assets_tests.support.small_image import recipe

SHAPE = (40, 36)
PLANES = Block(range(2, 3), (0, 1), range(3))


def plane() -> LabelledPlane:
    """Make a plane of nuclei, labelled by the notebook's recipe."""
    pixels = nuclei_plane(2, 0, 1, SHAPE)
    return LabelledPlane(2, 0, 1, (pixels % 251 * 0.9).astype(np.uint16), recipe(pixels))


def spots(*places: Any) -> npt.NDArray[np.int32]:  # noqa: ANN401  whatever numpy takes as an index
    """Label each place of an empty plane, from 1."""
    labels = np.zeros(SHAPE, np.int32)
    for label, place in enumerate(places, 1):
        labels[place] = label
    return labels


@pytest.fixture
def output(tmp_path: Path) -> OutputImage:
    """Make an output with pixels of 0.5 µm by 0.25 µm at t 2: objects at c 0 z 1, none at c 0 z 2, the rest missing."""
    write_image(tmp_path / "source.zarr", np.zeros((3, 2, 4, *SHAPE), np.uint16), version="0.4")
    output = create_output(str(tmp_path / "image.ome.zarr"), open_level(str(tmp_path / "source.zarr"), "0"))
    write(output, 1, plane().labels)
    write(output, 2, spots())
    return output


def write(output: OutputImage, z: int, labels: npt.NDArray[np.int32]) -> None:
    where = (np.newaxis,) * 3
    store_planes(output, Plane(2, 0, z).block, plane().pixels[where], labels[where])


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Name a table that is not there yet."""
    return str(tmp_path / "objects" / "t=2.parquet")


def test_a_table_holds_every_object_of_a_timepoint_in_order(output: OutputImage, url: str) -> None:
    write(output, 0, spots((5, slice(5, 9)), (0, 0)))
    assert write_objects(url, output, PLANES, "image", 0.125)
    frame = objects_frame([url])
    assert list(frame.columns) == [column.name for column in COLUMNS]
    assert set(frame["image"]) == {"image"}
    assert frame[["t", "c", "z", "label"]].values.tolist()[:3] == [[2, 0, 0, 1], [2, 0, 0, 2], [2, 0, 1, 1]]
    assert frame["area_um2"].tolist() == (frame["area"] / 8).tolist()
    assert frame["area"].iloc[0] == 4
    assert (frame["intensity_sum"] / frame["area"]).to_numpy() == pytest.approx(frame["intensity_mean"].to_numpy())


def test_planes_without_objects_count_zero_and_missing_ones_not_at_all(output: OutputImage, url: str) -> None:
    assert write_objects(url, output, PLANES, "image", None)
    assert read_counts([url, "absent.parquet"], PLANES) == {Plane(2, 0, 1): plane().labels.max(), Plane(2, 0, 2): 0}
    assert set(objects_frame([url])["z"]) == {1}


def test_areas_are_those_of_the_window_by_channel(output: OutputImage, url: str) -> None:
    write(output, 0, spots((5, slice(5, 9)), (0, 0)))
    write_objects(url, output, PLANES, "image", None)
    found = read_areas([url, "absent.parquet"], Block(PLANES.t, PLANES.c, range(1)))
    assert {c: areas.tolist() for c, areas in found.items()} == {0: [4, 1], 1: []}
    assert [areas.size for areas in read_areas(["absent.parquet"], PLANES).values()] == [0, 0]


def test_areas_are_null_where_the_size_of_a_pixel_is_unknown(output: OutputImage, url: str) -> None:
    write_objects(url, output, PLANES, "image", None)
    table = pq.read_table(url)
    assert table["area_um2"].null_count == table.num_rows > 0
    assert table["area"].null_count == 0


def test_a_timepoint_without_any_plane_has_an_empty_table(output: OutputImage, url: str) -> None:
    write_objects(url, output, empty := Block(range(1, 2), (0,), range(3)), "image", None)
    assert read_counts([url], empty) == {}
    assert objects_frame([url]).empty


def test_a_damaged_table_is_named_and_measured_again(output: OutputImage, url: str) -> None:
    assert write_objects(url, output, PLANES, "image", None)
    whole = Path(url).read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:100] + bytes([whole[100] ^ 1]) + whole[101:]):
        Path(url).write_bytes(damaged)
        with pytest.raises(ImageError, match=rf"(?s)The table {url} cannot be read .* Materialize `objects`"):
            objects_frame([url])
        assert write_objects(url, output, PLANES, "image", None)
        assert Path(url).read_bytes() == whole


def test_a_table_of_something_else_is_named(output: OutputImage, url: str) -> None:
    assert write_objects(url, output, PLANES, "image", None)
    pq.write_table(pq.read_table(url).drop_columns(["z", "area"]), url)
    for read in (objects_frame, lambda urls: read_counts(urls, PLANES)):
        with pytest.raises(ImageError, match=rf"(?s)The table {url} cannot be read .* Materialize `objects`"):
            read([url])
    assert write_objects(url, output, PLANES, "image", None)


def test_a_table_tells_the_image_that_it_is_of(output: OutputImage, url: str) -> None:
    assert write_objects(url, output, PLANES, "former", None)
    assert write_objects(url, output, PLANES, "image", None)
    assert set(objects_frame([url])["image"]) == {"image"}


def test_tables_that_are_not_of_the_image_as_it_is_now_are_removed(output: OutputImage, url: str) -> None:
    folder = Path(url).parent
    write_objects(url, output, PLANES, "image", None)
    for name in ("t=02.parquet", "t=9.parquet", "own.parquet"):
        shutil.copy(url, folder / name)
    keep_tables(str(folder), [str(folder / "t=1.parquet"), url])
    assert {file.name for file in folder.iterdir()} == {Path(url).name, "own.parquet"}


def test_what_killed_writers_left_of_tables_goes(output: OutputImage, url: str) -> None:
    folder = Path(url).parent
    write_objects(url, output, PLANES, "image", None)
    for name in ("t=9.parquet.0a.partial", "t=02.parquet.0a.partial", f".{Path(url).name}.0a.partial", "own.partial"):
        (folder / name).touch()
    keep_tables(str(folder), [url])
    assert {file.name for file in folder.iterdir()} == {Path(url).name, "own.partial"}


def test_a_table_is_written_again_only_when_what_it_is_made_from_changed(output: OutputImage, url: str) -> None:
    assert write_objects(url, output, PLANES, "image", None)
    assert not write_objects(url, output, PLANES, "image", None)
    write(output, 2, spots((5, 5)))
    assert write_objects(url, output, PLANES, "image", None)
    assert read_counts([url], PLANES)[Plane(2, 0, 2)] == 1
    assert write_objects(url, output, PLANES, "image", 0.5)
    assert not write_objects(url, output, PLANES, "image", 0.5)


def test_tables_are_zstd_and_tell_what_each_column_means(output: OutputImage, url: str) -> None:
    write_objects(url, output, PLANES, "image", None)
    assert pq.read_metadata(url).row_group(0).column(5).compression == "ZSTD"
    meanings = {field.name: field.metadata[b"meaning"].decode() for field in pq.read_schema(url)}
    assert meanings["area"] == "area in pixels"
    assert list(Path(url).parent.iterdir()) == [Path(url)]


def test_no_table_says_what_to_do(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ImageError, match=r"There is no table of objects in .* Materialize `objects` first\."):
            objects_frame([f"{folder}/t=2.parquet"])


def test_the_documentation_lists_the_columns_with_their_types() -> None:
    page = (
        (Path(__file__).parents[3] / "docs/reference/outputs.md").read_text().partition("## The table of objects\n")[2]
    )
    page = page.partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?) \| (\w+) \|", page, re.MULTILINE)
    listed = [(name, kind) for names, kind in rows for name in re.findall("`(.+?)`", names)]
    assert listed == [(column.name, column.type) for column in COLUMNS]


def test_a_channel_is_named_and_a_table_of_an_earlier_version_names_none(output: OutputImage, url: str) -> None:
    assert write_objects(url, output, PLANES, "image", None)
    assert objects_frame([url])["channel"].isna().all()
    table = pq.read_table(url)
    pq.write_table(table.drop_columns(["channel"]), url)
    assert list(objects_frame([url]).columns) == [column.name for column in COLUMNS]
    assert write_objects(url, output, PLANES, "image", None, {0: Channel("DAPI ä")})
    assert set(objects_frame([url])["channel"]) == {"DAPI ä"}
    assert not write_objects(url, output, PLANES, "image", None, {0: Channel("DAPI ä"), 7: Channel("other")})


def test_a_large_plane_is_measured_by_parts_number_for_number(
    output: OutputImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = np.full(SHAPE, 7, np.int32)  # one object all around the others, through every part
    labels[3:36, 4:33] = 0
    labels[5:30, 5:30] = np.arange(1, 26).reshape(5, 5).repeat(5, 0).repeat(5, 1)
    labels[labels == 13] = 0
    labels[35, 35] = 0
    write(output, 1, labels)
    urls = [str(tmp_path / f"{name}.parquet") for name in ("whole", "parts")]
    for url in urls:
        write_objects(url, output, PLANES, "embryo", 0.125)
        monkeypatch.setattr(output_image, "MOST_PIXELS", 100)
        monkeypatch.setattr(large_planes, "SIDE", 17)
    whole, parts = map(pq.read_table, urls)
    assert whole.num_rows == 24
    assert parts.equals(whole)
    assert read_counts(urls[1:], PLANES) == read_counts(urls[:1], PLANES) != {}
