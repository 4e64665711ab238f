"""An output that was damaged from outside: what is ours is healed, and what is not ours is never touched."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.provenance import Provenance, add_provenance, read_provenance
from idr_assets.imaging.output.writing import store_planes
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.reading.level import Level
from idr_assets.orchestration.assets.adoption import adopt_planes
from idr_assets.orchestration.assets.healing import heal_output
from idr_assets.orchestration.automation.missing import missing_planes
from idr_assets.orchestration.image import Image
from idr_assets_tests.support.dagster_home import project_instance
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.small_image import PIXELS, Segmented
from idr_assets_tests.support.stored_files import files

CELLS = {(1, 9), (1, 10), (2, 9), (2, 10)}
LABELS = "labels/segmentation"
DOCUMENTS = ["", "0", "labels", LABELS, f"{LABELS}/0", f"{LABELS}/provenance", "record"]


@pytest.fixture
def image(moved: Segmented) -> Image:
    """Give an image of which an instance knows all planes."""
    image = moved.project.load_image()
    assert adopt_planes(moved.instance, image, CELLS).adopted == CELLS
    return image


def output(image: Image) -> Path:
    return Path(image.labels_url)


def document(image: Image, path: str) -> Path:
    record = f"{LABELS}/provenance/*" if path == "record" else path
    (found,) = output(image).glob(f"{record}/zarr.json".removeprefix("/"))
    return found


def empty(path: Path) -> None:
    path.write_text("")


def cut(path: Path) -> None:
    path.write_text(path.read_text()[:40])


@pytest.mark.parametrize(("path", "damage"), [("", empty), ("", Path.unlink), *((path, cut) for path in DOCUMENTS)])
def test_documents_are_written_again_and_proven_planes_stay(
    path: str, damage: Callable[[Path], object], image: Image, moved: Segmented
) -> None:
    damaged = document(image, path)
    damage(damaged)
    named = f"was damaged from outside: {damaged.relative_to(output(image))}. "
    assert named in (said := heal_output(moved.instance, image))
    assert "8 are intact and kept, and 0 that" in said
    create_output(image.labels_url, image.source.open(), image.label_group)
    assert missing_planes(moved.instance, image) == set()
    assert image.open_output().read(Plane(1, 0, 9))
    assert heal_output(moved.instance, image) == ""


def test_what_cannot_be_proven_is_removed_and_counts_as_missing(image: Image, tmp_path: Path) -> None:
    with project_instance(tmp_path / "home") as instance:
        assert adopt_planes(instance, image, CELLS).adopted == CELLS
        empty(document(image, ""))
        chunk = output(image) / LABELS / "0/c/1/0/9/0/0"
        chunk.write_bytes(chunk.read_bytes()[:-1] + b"?")
        (output(image) / LABELS / "0/c/2/1/10/0/0").unlink()
        assert "6 are intact and kept, and 1 that cannot be proven were removed. 2" in heal_output(instance, image)
        assert missing_planes(instance, image) == {(1, 9), (2, 10)}
        assert not chunk.exists()


def test_what_a_run_goes_on_to_write_into_a_removed_folder_is_ours(image: Image, tmp_path: Path) -> None:
    with project_instance(tmp_path / "home") as instance:
        assert adopt_planes(instance, image, CELLS).adopted == CELLS
        opened, (record,) = image.open_output(), read_provenance(image.labels_url, image.label_group)
        shutil.rmtree(output(image))
        write_plane(opened, record, image.source.open())
        told = "Of its label planes 0 are intact and kept, and 1 that cannot be proven were removed. 4 partitions"
        assert told in heal_output(instance, image)
        assert missing_planes(instance, image) == CELLS
        create_output(image.labels_url, image.source.open(), image.label_group)


@pytest.mark.parametrize("known", [True, False])
def test_chunks_alone_are_ours_if_dagster_knows_planes(image: Image, tmp_path: Path, *, known: bool) -> None:
    with project_instance(tmp_path / "home") as instance:
        if known:
            assert adopt_planes(instance, image, CELLS).adopted == CELLS
        opened, (record,) = image.open_output(), read_provenance(image.labels_url, image.label_group)
        shutil.rmtree(output(image))
        write_plane(opened, record, image.source.open())
        shutil.rmtree(output(image) / LABELS / "provenance")
        healed = heal_output(instance, image)
        assert ("0 are intact and kept, and 1 that cannot be proven were removed. 4 partitions" in healed) is known
        assert missing_planes(instance, image) == CELLS


@pytest.mark.parametrize("part", ["labels", LABELS, f"{LABELS}/0", "0"])
def test_planes_that_are_gone_with_a_part_of_the_output_are_missing(part: str, image: Image, tmp_path: Path) -> None:
    with project_instance(tmp_path / "home") as instance, project_instance(tmp_path / "other") as other:
        assert adopt_planes(instance, image, CELLS).adopted == CELLS
        shutil.rmtree(output(image) / part)
        assert heal_output(other, image) == ""  # it knows no planes
        assert "4 partitions that Dagster counted are missing now" in heal_output(instance, image)
        assert missing_planes(instance, image) == CELLS
        assert heal_output(instance, image) == ""


def write_plane(opened: OutputImage, record: Provenance, level: Level) -> None:
    """Write a plane, with other labels than its run made, as the worker of a run does."""
    plane = Plane(1, 0, 9).block
    add_provenance(opened, record)
    pixels = level.read(plane)
    store_planes(opened, plane, pixels, pixels.astype(np.int32))


def somebody_elses(image: Image) -> None:
    shutil.rmtree(output(image))
    write_image(output(image), PIXELS, version="0.5")
    empty(document(image, ""))


def notes(image: Image) -> None:
    shutil.rmtree(output(image))
    output(image).mkdir()
    (output(image) / "zarr.json").touch()
    (output(image) / "notes.txt").write_text("mine")


def more(image: Image) -> None:
    empty(document(image, ""))
    (output(image) / "notes.txt").write_text("mine")


def more_chunks(image: Image) -> None:
    for file in output(image).rglob("zarr.json"):
        file.unlink()
    (output(image) / "1").mkdir()
    (output(image) / "0/c/1/0/9/0/0").rename(output(image) / "1/9")


def link(image: Image) -> None:
    empty(document(image, ""))
    shutil.move(output(image) / "0", output(image).parent / "elsewhere")
    (output(image) / "0").symlink_to(output(image).parent / "elsewhere")


def other_level(image: Image) -> None:
    empty(document(image, ""))
    record = document(image, "record")
    about = json.loads(record.read_text())
    about["attributes"]["idr_assets"]["source"]["level"] = "1"
    record.write_text(json.dumps(about))


@pytest.mark.parametrize("damage", [somebody_elses, notes, more, more_chunks, link, other_level])
def test_what_is_not_ours_is_never_touched(damage: Callable[[Image], None], image: Image, moved: Segmented) -> None:
    damage(image)
    before = files(output(image))
    assert heal_output(moved.instance, image) == ""
    assert files(output(image)) == before
    assert missing_planes(moved.instance, image) == set()
