"""An image with several segmentations: assets, labels and versions of each, and the figure that compares them."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
import yaozarrs

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.objects.agreement import match_objects
from idr_assets.imaging.objects.reference import open_reference
from idr_assets.imaging.output.provenance import read_provenance
from idr_assets.imaging.planes import Plane
from idr_assets.orchestration.assets.metadata import markdown
from idr_assets_tests.orchestration.conftest import SETTINGS
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.small_image import PARTITIONS, PIXELS, PLANES, Segmented, recipe, write_project

LOW, HIGH = 0.33, 0.7
SEVERAL = "{low: {}, high: {parameters: {threshold_fraction: %s}}}"
MADE = ("plane_labels", "montage", "plane_browser", "objects", "object_counts")
PICTURES = ("montage.png", "planes.html", "object_counts.png", "object_counts.svg")
FILES = (*PICTURES, "objects/t=1.parquet", "objects/t=2.parquet")


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Segmented]:
    """Give a project with two segmentations, written as OME-Zarr 0.4, after its jobs."""
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral(settings=SETTINGS) as instance:
        patch.delenv("IDR_ASSETS_DATA", raising=False)
        project = write_project(tmp_path_factory.mktemp("compared"), segmentations=SEVERAL % HIGH, format='"0.4"')
        segmented = Segmented(project, instance)
        assert segmented.run_jobs()
        yield segmented


def output(segmented: Segmented) -> Path:
    return segmented.project.root / "data" / "image.ome.zarr"


def code_versions(segmented: Segmented) -> dict[str, str | None]:
    nodes = segmented.definitions.resolve_asset_graph().asset_nodes
    return {node.key.to_user_string(): node.code_version for node in nodes}


def test_each_segmentation_has_assets_with_its_name_in_the_key(compared: Segmented) -> None:
    own = {f"image/{name}/{asset}" for name in ("low", "high") for asset in MADE}
    assert code_versions(compared).keys() == own | {"image/source_image", "image/segmentation_comparison"}
    kinds = {node.key.to_user_string(): node.kinds for node in compared.definitions.resolve_asset_graph().asset_nodes}
    assert [key for key in own if key.split("/")[1] not in kinds[key]] == []  # a box of the graph shows no other part


@pytest.mark.parametrize(("name", "fraction"), [("low", LOW), ("high", HIGH)])
def test_labels_of_each_are_its_own(compared: Segmented, name: str, fraction: float) -> None:
    for partition in PARTITIONS:
        t, z = map(int, partition.split("|"))
        wanted = [recipe(PIXELS[t, c, z], fraction=fraction) for c in (0, 1)]
        assert np.array_equal(compared.value(f"{name}/plane_labels", partition), wanted)
    (record,) = read_provenance(str(output(compared)), name)
    assert record.parameters == ({} if name == "low" else {"threshold_fraction": HIGH})


def test_the_output_lists_both_and_is_valid(compared: Segmented) -> None:
    yaozarrs.validate_zarr_store(output(compared))
    assert json.loads((output(compared) / "labels/.zattrs").read_text())["labels"] == ["high", "low"]
    assert list(output(compared).rglob("zarr.json")) == []


def test_the_comparison_tells_the_counts_of_each(compared: Segmented) -> None:
    table = compared.metadata("segmentation_comparison")["objects"].splitlines()
    assert table[0] == "| plane | low | high |"
    t, c, z = PLANES[0]
    counts = [recipe(PIXELS[t, c, z], fraction=fraction).max() for fraction in (LOW, HIGH)]
    assert f"| t {t} c {c} z {z} | {counts[0]} | {counts[1]} |" in table
    assert compared.value("segmentation_comparison").startswith(b"\x89PNG\r\n")


def test_the_comparison_tells_how_many_objects_both_have(compared: Segmented) -> None:
    folder = compared.project.root / "data" / "image"
    rows = list(csv.DictReader((folder / "segmentation_agreement.csv").read_text().splitlines()))
    assert len(rows) == 2 * len(PLANES)
    t, c, z = PLANES[0]
    one, other = (recipe(PIXELS[t, c, z], fraction=fraction) for fraction in (LOW, HIGH))
    wanted = {f"{iou}": match_objects(one, other, iou) for iou in (0.5, 0.75)}
    found = [row for row in rows if (row["t"], row["c"], row["z"]) == (f"{t}", f"{c}", f"{z}")]
    assert {row["iou"]: int(row["matched"]) for row in found} == {iou: it.matched for iou, it in wanted.items()}
    assert all((row["one"], row["other"]) == ("low", "high") for row in rows)
    mean = np.mean([float(row["f1"]) for row in rows if row["iou"] == "0.5"])
    told = compared.metadata("segmentation_comparison")
    cells = " | ".join(map(markdown, ("low, high", "0.5", f"{mean:.3f}")))
    assert f"| {cells} |" in told["agreement"]
    assert (folder / "segmentation_agreement.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_made_from_each_lies_apart(compared: Segmented) -> None:
    folder = compared.project.root / "data" / "image"
    found = {str(file.relative_to(folder)) for file in folder.rglob("*.*")}
    own = {f"{name}/{file}" for name in ("low", "high") for file in FILES}
    assert found == own | {"segmentation_comparison.png", "segmentation_agreement.png", "segmentation_agreement.csv"}


def test_another_parameter_makes_another_version_of_its_labels_alone(compared: Segmented) -> None:
    before = code_versions(compared)
    yaml = compared.project.yaml.read_text()
    compared.project.yaml.write_text(yaml.replace(str(HIGH), "0.8"))
    after = code_versions(compared)
    compared.project.yaml.write_text(yaml)
    assert {key for key in before if before[key] != after[key]} == {"image/high/plane_labels"}


def test_one_segmentation_alone_is_compared_with_what_is_not_there_yet(fresh: Segmented) -> None:
    fresh.project.yaml.write_text(fresh.project.yaml.read_text() + f"  segmentations: {SEVERAL % HIGH}\n")
    assert fresh.run("low/plane_labels", PARTITIONS[0]) == ""
    assert fresh.run("segmentation_comparison") == ""
    assert fresh.metadata("segmentation_comparison")["objects"].splitlines()[2].endswith(" |  |")


def test_figures_say_so_where_planes_come_of_several_recipes(fresh: Segmented) -> None:
    yaml = fresh.project.yaml.read_text()
    function = "idr_assets.imaging.segmentation.gaussian_threshold"
    for fraction, partition in zip((HIGH, 0.8), PARTITIONS, strict=False):
        fresh.project.yaml.write_text(yaml + f"  segmentations: {SEVERAL % fraction}\n")
        assert fresh.run("high/plane_labels", partition) == ""
    assert fresh.run("low/plane_labels", PARTITIONS[0]) == ""
    both = "; ".join(f"{function} {{'threshold_fraction': {fraction}}}" for fraction in (HIGH, 0.8))
    assert fresh.run("high/montage") == fresh.run("segmentation_comparison") == ""
    assert fresh.metadata("high/montage")["segmentations so far"] == both
    told = fresh.metadata("segmentation_comparison")
    assert (told["low: segmentation"], told["high: segmentations so far"]) == (f"{function} {{}}", both)
    assert fresh.run("high/plane_labels", PARTITIONS[0]) == fresh.run("high/montage") == ""
    assert fresh.metadata("high/montage")["segmentation"] == both.partition("; ")[2]  # no plane of the first is left


def test_a_reference_scores_each_segmentation(compared: Segmented) -> None:
    yaml, data = compared.project.yaml.read_text(), compared.project.root / "data"
    truth = np.zeros((3, 1, *PIXELS.shape[2:]), np.int32)
    for t, c, z in PLANES:
        if c == 0:
            truth[t, 0, z] = 7 * recipe(PIXELS[t, 0, z], fraction=0.5)
    write_image(data / "truth.zarr", truth, version="0.4")
    with dg.DagsterInstance.ephemeral(settings=SETTINGS) as instance:
        scored = Segmented(compared.project, instance)
        scored.project.yaml.write_text(f"{yaml}  reference: truth.zarr\n")
        failed, told = scored.run("segmentation_comparison"), scored.metadata("segmentation_comparison")
    compared.project.yaml.write_text(yaml)
    assert failed == ""
    rows = list(csv.DictReader((data / "image/segmentation_agreement.csv").read_text().splitlines()))
    t, c, z = PLANES[0]
    found = match_objects(recipe(PIXELS[t, c, z]), truth[t, 0, z], 0.75)
    where = {"t": str(t), "c": str(c), "z": str(z), "one": "low", "other": "the reference", "iou": "0.75"}
    (row,) = [row for row in rows if row.items() >= where.items()]
    for name in ("f1", "precision", "recall", "panoptic_quality"):
        assert float(row[name]) == pytest.approx(getattr(found, name), abs=1e-6)
    assert {row["precision"] for row in rows if row["other"] == "high"} == {""}
    names = "segmentations", "IoU", "mean F1", "least F1", "precision", "recall", "panoptic quality", "planes"
    assert told["agreement"].splitlines()[0] == f"| {' | '.join(names)} |"
    assert told["objects"].splitlines()[0] == "| plane | low | high | the reference |"


def test_a_reference_without_these_planes_is_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "truth.zarr", np.zeros((1, 1, 2, 9, 9), np.int32), version="0.4")
    wrong = r"no level of integers of shape \[1, 2, 2, 8, 9\].*: its levels are 0 \[1, 1, 2, 9"
    with pytest.raises(ImageError, match=wrong):
        open_reference(str(tmp_path / "truth.zarr"), {}, (1, 2, 2, 8, 9))


def test_a_reference_of_pixels_is_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "truth.zarr", PIXELS, version="0.4")
    reference = open_reference(str(tmp_path / "truth.zarr"), {}, PIXELS.shape)
    with pytest.raises(ImageError, match=r"truth.zarr has pixels in t 0 c 0 z 0 that mostly differ"):
        reference.read(Plane(0, 0, 0))


def test_one_segmentation_with_a_reference_is_compared(tmp_path: Path) -> None:
    project = write_project(tmp_path, reference="truth.zarr")
    keys = {key.to_user_string() for key in project.load().resolve_asset_graph().get_all_asset_keys()}
    assert "image/segmentation_comparison" in keys
    assert project.load_image().reference_url == str(project.root / "data/truth.zarr")
