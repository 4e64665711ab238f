"""An image whose labels are made from two channels: its YAML, its run, its figures, and another instance."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
import zarr
from PIL import Image

from idr_assets.imaging.output.plane_records import read_records
from idr_assets.imaging.planes import Plane
from idr_assets.orchestration.assets import stored_planes as adoption
from idr_assets.orchestration.assets.adoption import adopt_planes
from idr_assets.orchestration.assets.work.look import draw_look
from idr_assets.orchestration.automation.missing import missing_planes, stale_planes
from idr_assets_tests.imaging.segmentation.test_inputs import above
from idr_assets_tests.orchestration.conftest import SETTINGS
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.small_image import PARTITIONS, PIXELS, Segmented, write_project

RECIPE = """
import numpy as np
from scipy import ndimage
from idr_assets.imaging.objects import measurement
from idr_assets.imaging.segmentation import per_plane, versioned

@versioned("1")
@per_plane
def cells(nuclei, cytoplasm, *, than: float = 400):
    return ndimage.label((nuclei > than) & (nuclei > cytoplasm.astype(int)))[0]

@versioned("%s")
@measurement
def rows(labels, pixels):
    assert list(pixels) == ["membrane", "DAPI"]
    if (labels == %s).sum():
        raise ValueError("no rows")
    heights = [np.ptp(np.nonzero(labels == label)[0]) + 1 for label in np.unique(labels)[1:]]
    return {"rows": heights}
"""
CELLS = {(1, 9), (1, 10), (2, 9), (2, 10)}
NAMES = "[membrane, DAPI]"
INPUTS = "{nuclei: DAPI, cytoplasm: 0}"


def write_cells(root: Path, inputs: str = INPUTS, more: str = "", **fields: str | None) -> ImageProject:
    """Write a project with a recipe of two channels; `more` follows its inputs."""
    project = write_project(root)
    (project.package / "own.py").write_text(RECIPE % ("1", -1))
    function = f"{project.package.name}.own.cells"
    segmentation = f"{{function: {function}, inputs: {inputs}{more}}}"
    measured = {"measure": "all", "measurements": f"[{project.package.name}.own.rows]"}
    window = {"window": "{t: [1, 2], z: [9, 10]}", "shape": str(list(PIXELS.shape)), "channel_names": NAMES}
    project.write(**{**window, **measured, "segmentation": segmentation, **fields})
    return project


@pytest.fixture(scope="module")
def of_cells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Segmented]:
    """Give a project after its jobs."""
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral(settings=SETTINGS) as instance:
        patch.delenv("IDR_ASSETS_DATA", raising=False)
        segmented = Segmented(write_cells(tmp_path_factory.mktemp("cells")), instance)
        assert segmented.run_jobs()
        yield segmented


def test_the_yaml_gives_labels_of_one_channel_and_pixels_of_all(of_cells: Segmented) -> None:
    assert of_cells.materialized() == set(PARTITIONS)
    folder = of_cells.project.root / "data/image.ome.zarr"
    pixels, labels = (zarr.open_array(folder / path, mode="r") for path in ("0", "labels/segmentation/0"))
    for t, z in CELLS:
        np.testing.assert_array_equal(pixels[t, :, z], PIXELS[t, :, z])
        np.testing.assert_array_equal(labels[t, 1, z], above(PIXELS[t, 1, z], PIXELS[t, 0, z], 400))
    assert not list((folder / "labels/segmentation/0/c").glob("*/0/*/0/0"))
    recorded = of_cells.metadata("plane_labels", "1|09")
    assert '"inputs": {"nuclei": 1, "cytoplasm": 0}' in recorded["segmentation"]
    assert recorded["channel name"] == "c 1: DAPI"


def test_figures_show_the_labels_on_each_channel(of_cells: Segmented) -> None:
    shown = [of_cells.metadata(asset)["planes"] for asset in ("montage", "plane_browser")]
    assert shown == [2 * len(CELLS)] * 2
    assert "of nuclei = c 1, cytoplasm = c 0" in of_cells.metadata("montage")["segmentation"]
    table = of_cells.value("objects", "1")
    assert set(table["c"]) == {1}
    assert set(table["channel"]) == {"DAPI"}
    assert {"outlines, t 1 c 0 z 9", "outlines, t 1 c 1 z 9"} <= of_cells.metadata("plane_labels", "1|09").keys()


def test_a_plane_that_is_tried_is_drawn_in_each_channel(of_cells: Segmented, tmp_path: Path) -> None:
    image = of_cells.project.load_image()
    plane = Plane(1, 1, 9).block
    told = draw_look(image.source.open(), plane, image.recipe, "cells", str(tmp_path / "cells.png"))
    assert told.count("1 object in t 1 c 1 z 9") == told.count(" in t ") == 1
    with Image.open(tmp_path / "cells.png") as picture:
        assert picture.height > picture.width  # two rows of two large panels


def test_each_channel_is_measured_and_so_is_what_a_function_of_the_project_gives(of_cells: Segmented) -> None:
    table = of_cells.value("objects", "2")
    for _, row in table.iterrows():
        inside = above(PIXELS[2, 1, row["z"]], PIXELS[2, 0, row["z"]], 400) == row["label"]
        for c, name in ((0, "membrane"), (1, "DAPI")):
            assert row[f"intensity_mean_{name}"] == pytest.approx(PIXELS[2, c, row["z"]][inside].mean())
        assert row["rows"] == row["bbox_y1"] - row["bbox_y0"]
    schema = of_cells.metadata("objects", "2")["dagster/column_schema"]
    described = {column.name: column.description for column in schema.columns}
    assert described["intensity_sum_DAPI"].endswith("in arbitrary units, of channel DAPI")
    assert described["rows"] == "by a function of the YAML"


def test_what_is_stale_and_adopted_is_so_by_all_channels(
    of_cells: Segmented, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(of_cells.project.root / "data", tmp_path / "data")
    monkeypatch.setenv("IDR_ASSETS_DATA", str(tmp_path / "data"))
    image = of_cells.project.load_image()
    swapped = replace(image, recipe=replace(image.recipe, inputs={"nuclei": 0, "cytoplasm": 1}))
    assert stale_planes(of_cells.instance, swapped) == CELLS
    (tmp_path / "data/image.ome.zarr/0/c/1/0/9/0/0").unlink()
    with dg.DagsterInstance.ephemeral(settings=SETTINGS) as other:
        found = adopt_planes(other, image, CELLS)
        assert (found.adopted, found.others) == (CELLS - {(1, 9)}, {adoption.UNSTORED: {(1, 9)}})
        assert missing_planes(other, image) == {(1, 9)}
    assert {record.provenance.together for _, record in read_records(image.open_output())} == {(0, 1)}


def test_other_code_of_a_measurement_makes_tables_stale_and_its_fault_costs_one(
    of_cells: Segmented, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version() -> str | None:
        graph = of_cells.project.load().resolve_asset_graph()
        return graph.get(of_cells.project.key("objects")).code_version

    before, package = version(), of_cells.project.package
    monkeypatch.delitem(sys.modules, f"{package.name}.own")
    (package / "own.py").write_text(RECIPE % ("1.1", 3))  # only t 2 has a third object
    of_cells.project.yaml.write_text(of_cells.project.yaml.read_text() + "# changed\n")
    assert before
    assert version() not in {before, None}
    failed = of_cells.run("objects", "1", "2")
    assert "Timepoints that could not be measured: 1. Measured: 1.\nt 2: t 2 c 1 z 9: " in failed
    assert f"own.rows raised ValueError('no rows') ({package / 'own.py'}:" in failed
    assert of_cells.metadata("objects", "1")["measured in this run"]


WRONG = [
    (
        "{nuclei: DAPI, cytoplasm: GFP}",
        "",
        {},
        "'GFP' is not the name of one channel in `channel_names`, which are membrane, DAPI",
    ),
    ("{nuclei: 1, cytoplasm: 2}", "", {}, "the image has channels 0 to 1 (membrane, DAPI); name each wanted one once"),
    ("{nuclei: 1, cytoplasm: 1}", "", {}, "name each wanted one once"),
    ("{nuclei: 1, other: 0}", "", {}, "cannot be called with the inputs nuclei, other and {}"),
    ("{nuclei: 1}", "", {}, "missing a required argument: 'cytoplasm'; its parameters are: nuclei, cytoplasm, than"),
    (INPUTS, ", labels_for: DAPI", {}, "'DAPI' is no name in `inputs`, which are nuclei, cytoplasm"),
    (INPUTS, "", {"channels": "[0]"}, "`channels` has no use beside `inputs`"),
    (INPUTS, "", {"channels": "[0]"}, "`attributes.channels at "),
    (
        "{}",
        "",
        {},
        "missing a required argument: 'cytoplasm'; its parameters are: cytoplasm, than; give it several channels by",
    ),
]


@pytest.mark.parametrize(("inputs", "more", "fields", "message"), WRONG)
def test_inputs_that_do_not_fit_are_refused(
    tmp_path: Path, inputs: str, more: str, fields: dict[str, str], message: str
) -> None:
    refusal = write_cells(tmp_path, inputs, more, **fields).refusal()
    assert message in refusal
    assert "defs.yaml:" in refusal


def test_neighbours_are_those_of_the_image_and_not_of_a_stack(tmp_path: Path) -> None:
    image = write_cells(tmp_path, INPUTS, ", neighbours: {z: 2, t: 1}").load_image()
    assert image.recipe.neighbours == {"t": (1, PIXELS.shape[0]), "z": (2, PIXELS.shape[2])}
    named = "idr_assets.imaging.segmentation"
    for function, reason in (("gaussian_threshold", "planes that do not"), ("otsu_watershed_3d", "all slices")):
        segmentation = f"{{function: {named}.{function}, neighbours: {{z: 1}}}}"
        refusal = write_project(tmp_path / function, segmentation=segmentation).refusal()
        assert f"{function} gets {reason}" in refusal


def test_labels_lie_where_the_yaml_says(tmp_path: Path) -> None:
    image = write_cells(tmp_path, INPUTS, ", labels_for: cytoplasm", channels="[0]").load_image()
    assert (image.channels, image.recipe.channels, image.recipe.together) == ((0,), (0,), (0, 1))
    assert image.source.channel_names == {0: "membrane", 1: "DAPI"}
