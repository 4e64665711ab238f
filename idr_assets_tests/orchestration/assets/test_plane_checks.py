"""The checks of `plane_labels`: planted faults are found and named, good planes give no warning, whatever the run."""

from typing import Any

import dagster as dg
import numpy as np
import pytest

from idr_assets.imaging.output.output_image import open_output
from idr_assets.imaging.planes import Plane
from idr_assets_tests.support.damage import chunk_of, damage_writes, flip_bit
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.small_image import FIELDS, PARTITIONS, PIXELS, PLANES, Segmented, recipe

STORED, USABLE, COUNTS = CHECKS = ("planes_stored", "source_planes_usable", "object_counts_like_neighbours")
OBJECTS = {Plane(*where): int(recipe(PIXELS[where]).max()) for where in PLANES}
DOTS = np.pad([[60_000]], ((0, 3), (0, 3)))
"""A dot on a ground of 4 x 4 pixels."""


def rewrite(project: Segmented, pixels: Any, **fields: str) -> None:  # noqa: ANN401  an array of any dtype
    """Put an image of other pixels beside the project's own, and name it in the YAML."""
    write_image(project.project.root / "data" / "other.zarr", pixels, version="0.4")
    project.project.write(**FIELDS | {"url": "other.zarr"} | fields)


def numbers(project: Segmented) -> dict[str, dict[str, Any]]:
    return {name: project.numbers("plane_labels", name) for name in CHECKS}


def run_job(project: Segmented) -> bool:
    job = project.definitions.resolve_job_def("segment_image")
    return job.execute_in_process(instance=project.instance, raise_on_error=False).success


def made(project: Segmented, asset: str) -> bool:
    return project.instance.get_latest_materialization_event(project.project.key(asset)) is not None


def test_a_window_of_two_channels_passes(segmented: Segmented) -> None:
    good = {"passed": True, "planes checked": 8, "planes wrong": 0}
    assert numbers(segmented) == {
        STORED: good | {"planes not written": 0, "objects": sum(OBJECTS.values())},
        USABLE: good,
        COUNTS: good | {"planes without neighbours": 0},
    }


def test_only_that_planes_are_stored_is_waited_for(segmented: Segmented) -> None:
    found = [segmented.check("plane_labels", name) for name in CHECKS]
    severities = [(evaluation.blocking, evaluation.severity) for evaluation in found if evaluation]
    warn = dg.AssetCheckSeverity.WARN
    assert severities == [(True, dg.AssetCheckSeverity.ERROR), (False, warn), (False, warn)]


def test_the_first_plane_ever_has_no_neighbours(one_plane: Segmented) -> None:
    found = numbers(one_plane)
    assert found[STORED]["planes checked"] == found[USABLE]["planes checked"] == 1
    assert found[COUNTS] == {
        "passed": True,
        "planes checked": 0,
        "planes wrong": 0,
        "planes without neighbours": 1,
    }


def test_a_rectangle_is_checked_and_then_one_plane_against_what_is_stored(fresh: Segmented) -> None:
    assert fresh.run("plane_labels", "1|09", "1|10") == ""
    assert [found["planes checked"] for found in numbers(fresh).values()] == [4, 4, 4]
    assert fresh.run("plane_labels", "2|09") == ""
    found = numbers(fresh)
    assert [it["planes checked"] for it in found.values()] == [2, 2, 2]
    assert [it["passed"] for it in found.values()] == [True] * 3
    assert found[STORED]["objects"] == OBJECTS[Plane(2, 0, 9)] + OBJECTS[Plane(2, 1, 9)]


def test_one_far_plane_is_found_by_its_stored_neighbours_and_a_damaged_one_tells_nothing(fresh: Segmented) -> None:
    assert fresh.run("plane_labels", "1|09", "1|10") == ""
    pixels = PIXELS.copy()
    pixels[2, 0, 9] = np.tile(DOTS, (10, 9))
    rewrite(fresh, pixels)
    assert fresh.run("plane_labels", "2|09") == ""
    wrong = f"t 2 c 0 z 9: 90 objects, {OBJECTS[Plane(1, 0, 9)]} expected"
    assert numbers(fresh)[COUNTS]["wrong planes"] == wrong
    flip_bit(chunk_of(open_output(str(fresh.project.root / "data/image.ome.zarr")), Plane(1, 0, 9)))
    assert fresh.run("plane_labels", "2|09") == ""
    assert numbers(fresh)[COUNTS]["planes without neighbours"] == 1


def test_planted_planes_are_named_and_the_run_succeeds(fresh: Segmented) -> None:
    pixels = PIXELS.copy()
    pixels[1, 0, 9] = 100
    pixels[2, 1, 9, :5, :5] = 65535
    pixels[2, 0, 10] = np.tile(DOTS, (10, 9))
    rewrite(fresh, pixels)
    assert run_job(fresh)
    assert fresh.materialized() == set(PARTITIONS)
    found = numbers(fresh)
    assert [it["passed"] for it in found.values()] == [True, False, False]
    assert found[USABLE]["wrong planes"].splitlines() == [
        "t 1 c 0 z 9: blank, all pixels are 100",
        "t 2 c 1 z 9: saturated, 1.74% of the pixels are 65535",
    ]
    (line,) = found[COUNTS]["wrong planes"].splitlines()
    assert line.startswith("t 2 c 0 z 10: 90 objects, ")
    assert fresh.metadata("plane_labels", "2|09")["saturated (c 1)"] == pytest.approx(25 / 1440, rel=1e-5)


def test_twenty_planes_are_named_and_the_others_counted(fresh: Segmented) -> None:
    rewrite(fresh, np.zeros((2, 1, 12, 8, 8)), shape="[2, 1, 12, 8, 8]", channels="[0]", window="{t: all, z: all}")
    assert fresh.run("plane_labels", "0|00", "1|11") == ""
    found = fresh.numbers("plane_labels", USABLE)
    assert (found["planes checked"], found["planes wrong"]) == (24, 24)
    lines = found["wrong planes"].splitlines()
    assert (len(lines), lines[0], lines[-1]) == (21, "t 0 c 0 z 0: blank, all pixels are 0", "and 4 more")


def test_a_run_with_a_missing_plane_is_checked_for_the_others(fresh: Segmented) -> None:
    (fresh.project.root / "data/source.zarr/0/2/1/9/0/0").unlink()
    assert not run_job(fresh)
    assert fresh.materialized() == set(PARTITIONS) - {"2|09"}
    found = numbers(fresh)
    assert [it["planes checked"] for it in found.values()] == [7, 7, 7]
    assert [it["passed"] for it in found.values()] == [True] * 3
    assert found[STORED]["planes not written"] == 1


def test_a_run_that_stores_nothing_does_not_pass(fresh: Segmented) -> None:
    (fresh.project.root / "data/source.zarr/0/2/1/9/0/0").unlink()
    (fresh.project.root / "data/source.zarr/0/2/0/9/0/0").unlink()
    assert "has no pixels" in fresh.run("plane_labels", "2|09")
    assert fresh.numbers("plane_labels", STORED) == {
        "passed": False,
        "planes checked": 0,
        "planes wrong": 0,
        "planes not written": 2,
        "objects": 0,
    }


def test_planes_that_do_not_read_back_are_named_and_no_figure_is_drawn(
    fresh: Segmented, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        damage_writes(patch, Plane(2, 1, 9), times=2)
        assert not run_job(fresh)
    assert fresh.materialized() == set(PARTITIONS) - {"2|09"}
    found = numbers(fresh)
    assert (found[STORED]["passed"], found[STORED]["planes checked"], found[STORED]["planes wrong"]) == (False, 8, 1)
    assert found[STORED]["wrong planes"].startswith("t 2 c 1 z 9: NotAsWrittenError: t 2 c 1 z 9 was written to ")
    assert [found[name]["planes checked"] for name in (USABLE, COUNTS)] == [7, 7]
    assert not made(fresh, "montage")
    assert not made(fresh, "plane_browser")
    assert run_job(fresh)
    assert fresh.numbers("plane_labels", STORED)["passed"]
    assert made(fresh, "montage")
    assert made(fresh, "plane_browser")
