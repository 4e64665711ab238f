"""The output of a plate as other tools see it, in both formats."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaozarrs
import zarr
from ome_zarr.io import parse_url
from ome_zarr.reader import Reader

from idr_assets.imaging.ome_zarr.formats import FORMATS, Version
from idr_assets.imaging.output.plate_creation import create_plate
from idr_assets.imaging.output.plate_output import open_plate_output, read_labels
from idr_assets.imaging.output.plate_records import write_plate_record
from idr_assets.imaging.output.provenance import Provenance, read_provenance
from idr_assets.imaging.output.writing import store_planes
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.plate import PlateSource
from idr_assets.imaging.wells import Field, list_fields, parse_wells
from idr_assets_tests.support.plate_stores import SHAPE, field_pixels, write_plate

FIELDS = list_fields(parse_wells(["B02:C03"]), [0, 1])


DOCUMENTS = ("zarr.json", ".zgroup", ".zarray")


def make(folder: Path, version: Version, fields: tuple[Field, ...], name: str = "segmentation") -> str:
    """Make these fields of the output, and fill them: an object with the number of its field in each plane."""
    url = str(folder / "output.zarr")
    source = PlateSource(address=str(folder / "plate.zarr"), level="0", shape=SHAPE, fields=fields, times=range(1))
    plate = source.open()
    made = {
        fields[at]: (it.level, Provenance.from_json({"source": {"url": it.level.url}}))
        for at, it in plate.fields.items()
    }
    create_plate(url, plate, made, name, version=version)
    output, block = open_plate_output(url, name, fields, range(1)), Block(range(len(fields)), (0, 1), range(2))
    pixels = np.concatenate([field_pixels(field) for field in fields])
    labels = np.zeros(pixels.shape, np.int32)
    labels[..., 4:9, 4:9] = 1
    store_planes(output, block, pixels, labels)
    write_plate_record(output, {at: record for at, (_, record) in enumerate(made.values())}, "", {Plane(0, 0, 0): {}})
    return url


def described(url: str, path: str, version: Version) -> Any:  # noqa: ANN401  any JSON
    """Give the OME-Zarr metadata of a group."""
    attributes: Any = zarr.open_group(url, path=path, mode="r").attrs.asdict()
    return attributes["ome"] if version == "0.5" else attributes


@pytest.fixture(scope="module", params=FORMATS)
def output(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Version]:
    """Write a plate in two runs, the first of them of two fields alone."""
    folder = tmp_path_factory.mktemp("plate")
    write_plate(folder / "plate.zarr", FIELDS)
    some = Path(make(folder, request.param, FIELDS[2:4]))
    for document in [it for name in DOCUMENTS for it in some.rglob(name)]:
        (document.parent / "zarr.0123.partial").touch()  # as killed writers leave it
    return make(folder, request.param, FIELDS), request.param


def test_what_killed_writers_left_beside_documents_is_cleared_away(output: tuple[str, Version]) -> None:
    assert list(Path(output[0]).rglob("*.partial")) == []


def test_validators_accept_the_plate_and_each_field(output: tuple[str, Version]) -> None:
    import ome_zarr_models  # noqa: PLC0415  half a second, in each process that collects the tests

    url, version = output
    yaozarrs.validate_zarr_store(url)
    kinds = {"": "HCS", "B/3": "Well", "B/3/0": "Image", "B/3/0/labels/segmentation": "ImageLabel"}
    for path, kind in kinds.items():
        model = ome_zarr_models.open_ome_zarr(zarr.open_group(url, path=path, mode="r"), version=version)
        assert type(model).__name__ == kind


def test_the_plate_lists_what_was_made(output: tuple[str, Version]) -> None:
    url, version = output
    assert read_labels(url) == {"segmentation": [field.name for field in FIELDS]}
    plate = described(url, "", version)["plate"]
    assert [it["name"] for it in (*plate["rows"], *plate["columns"])] == ["B", "C", "2", "3"]
    assert [(it["path"], it["rowIndex"], it["columnIndex"]) for it in plate["wells"]] == [
        ("B/2", 0, 0), ("B/3", 0, 1), ("C/2", 1, 0), ("C/3", 1, 1),
    ]  # fmt: skip
    assert described(url, "B/3", version)["well"]["images"] == [{"path": "0"}, {"path": "1"}]


def test_each_field_tells_where_it_came_from(output: tuple[str, Version]) -> None:
    url, version = output
    for field in FIELDS:
        assert described(url, field.path, version)["multiscales"][0]["name"] == str(field.number)
        (record,) = read_provenance(f"{url}/{field.path}", "segmentation")
        assert record.url.endswith(f"plate.zarr/{field.path}")


def test_ome_zarr_py_reads_the_wells_side_by_side(output: tuple[str, Version]) -> None:
    (node, *_) = Reader(parse_url(output[0]))()
    drawn = np.asarray(node.data[0])
    (height, width), first = SHAPE[3:], field_pixels(FIELDS[0])
    assert drawn.shape == (1, 2, 2, 2 * height, 2 * width)
    np.testing.assert_array_equal(drawn[0, :, :, :height, :width], first[0])
    np.testing.assert_array_equal(drawn[0, :, :, height:, width:], field_pixels(FIELDS[6])[0])


# napari's readers come with a model that says `json_encoders`, and sort a frame in place: both are deprecated.
@pytest.mark.filterwarnings("ignore:`json_encoders` is deprecated:DeprecationWarning")
@pytest.mark.processes  # napari asks commands what the machine is
@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.sort_values is deprecated")
def test_napari_shows_pixels_and_labels_of_the_plate(output: tuple[str, Version]) -> None:
    from napari_ome_zarr._reader import napari_get_reader  # noqa: PLC0415  it takes seconds, and warns

    read = napari_get_reader(output[0])
    assert read
    layers = read()
    assert [kind for *_, kind in layers] == ["image", "image", "labels", "labels"]
    labels = np.asarray(layers[2][0][0])
    assert labels.max() == 1
    assert labels.shape[-2:] == (2 * SHAPE[3], 2 * SHAPE[4])


def test_another_segmentation_is_added_to_the_fields(output: tuple[str, Version]) -> None:
    url, version = output
    make(Path(url).parent, version, FIELDS[:3], "other")
    assert read_labels(url)["other"] == [field.name for field in FIELDS[:3]]
    for field, names in ((FIELDS[2], ["other", "segmentation"]), (FIELDS[3], ["segmentation"])):
        assert described(url, f"{field.path}/labels", version)["labels"] == names
    yaozarrs.validate_zarr_store(url)
