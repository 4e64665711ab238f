"""Runs of functions that work on volumes or stacks: the same labels whatever is launched, or a failure."""

import numpy as np
import numpy.typing as npt
import pytest
import scipy.ndimage

from idr_assets.imaging.output.output_image import open_output
from idr_assets.imaging.planes import Block, Plane, count_objects
from idr_assets_tests.support.small_image import FIELDS, PIXELS, Segmented

OWN_FUNCTIONS = """
import numpy as np
import scipy.ndimage
from idr_assets.imaging.segmentation import per_stack, per_volume, versioned

@versioned("1")
@per_volume
def in_space(volume, *, than=1000):
    return scipy.ndimage.label(scipy.ndimage.gaussian_filter(volume, 1) > than)[0]

@versioned("1")
@per_stack
def by_the_brightest(planes):
    return (planes > 0.5 * planes.max()).astype(np.int32)
"""

RANGES = {
    ("1|05",): Block(range(1, 2), (0, 1), range(5, 6)),
    ("1|03", "1|10"): Block(range(1, 2), (0, 1), range(3, 11)),
    ("1|09", "2|10"): Block(range(1, 3), (0, 1), range(9, 11)),
    ("2|04", "2|06"): Block(range(2, 3), (0, 1), range(4, 7)),
    ("1|03", "2|10"): Block(range(1, 3), (0, 1), range(3, 11)),
}
"""What is launched, and which planes it is."""


@pytest.fixture
def own(fresh: Segmented) -> Segmented:
    """Give a project with the functions beside it, and a window of eight of the twelve slices."""
    (fresh.project.package / "own.py").write_text(OWN_FUNCTIONS)
    use(fresh, "in_space")
    return fresh


def use(project: Segmented, function: str) -> None:
    function = f"{{function: {project.project.package.name}.own.{function}}}"
    project.project.write(**FIELDS | {"window": "{t: [1, 2], z: [3, 10]}"}, segmentation=function)


def in_space(plane: Plane) -> npt.NDArray[np.int32]:
    """Label the volume of a plane by scipy alone, and give the plane."""
    smoothed = scipy.ndimage.gaussian_filter(PIXELS[plane.t, plane.c].astype("u2"), 1)
    return np.asarray(scipy.ndimage.label(smoothed > 1000)[0][plane.z], np.int32)


def stored(project: Segmented) -> dict[Plane, npt.NDArray[np.int32]]:
    output = open_output(str(project.project.root / "data/image.ome.zarr"))
    planes = Block(range(3), (0, 1), range(12)).planes()
    return {plane: found.labels for plane in planes if (found := output.read(plane))}


def test_a_plane_of_a_volume_has_the_same_labels_whatever_range_is_launched(own: Segmented) -> None:
    launched: set[Plane] = set()
    for keys, block in RANGES.items():
        assert own.run("plane_labels", *keys) == ""
        launched |= set(block.planes())
        found = stored(own)
        assert set(found) == launched
        for plane, labels in found.items():
            np.testing.assert_array_equal(labels, in_space(plane))
    metadata = own.metadata("plane_labels", "1|10")
    assert [metadata[f"objects (c {c})"] for c in (0, 1)] == [count_objects(in_space(Plane(1, c, 10))) for c in (0, 1)]
    assert own.check("plane_labels", "planes_independent") is None


def test_objects_of_volumes_are_measured_and_drawn_plane_by_plane(own: Segmented) -> None:
    assert own.run_jobs()
    objects = own.value("objects")
    for (t, c, z), rows in objects.groupby(["t", "c", "z"]):
        numbers, areas = np.unique(in_space(Plane(t, c, z)), return_counts=True)
        assert rows["label"].tolist() == numbers[1:].tolist()
        assert rows["area"].tolist() == areas[1:].tolist()
    assert len(objects) < sum(int(labels.max()) for labels in stored(own).values())  # numbers are left out
    assert f'"objects": {count_objects(in_space(Plane(1, 0, 10)))}' in own.value("plane_browser")
    assert own.numbers("plane_labels", "object_counts_like_neighbours")["planes checked"] == 32


def test_a_missing_plane_fails_those_of_its_volume(own: Segmented) -> None:
    (own.project.root / "data/source.zarr/0/2/1/0/0/0").unlink()
    error = own.run("plane_labels", "1|03", "2|04")
    assert "t 2 c 1 z 3: MissingChunkError: The chunk " in error
    assert "so t 2 c 1 z 0 has no pixels" in error
    assert "and for the same reason: t 2 c 1 z 4" in error
    assert own.materialized() == {"1|03", "1|04"}


def test_a_stack_whose_planes_depend_on_each_other_fails_and_names_the_plane(own: Segmented) -> None:
    use(own, "by_the_brightest")
    error = own.run("plane_labels", "1|03", "2|10")
    assert "DependentPlanesError: t 1 c " in error
    assert "has other labels alone (" in error
    assert "Partitions that are done: 0." in error
    assert own.materialized() == set()
    assert stored(own) == {}
    found = own.numbers("plane_labels", "planes_independent")
    assert not found["passed"]
    assert found["wrong planes"].startswith("DependentPlanesError: t 1 c ")


def test_the_planes_of_the_recipe_of_the_project_are_proved_to_be_independent(segmented: Segmented) -> None:
    assert segmented.numbers("plane_labels", "planes_independent") == {
        "passed": True,
        "planes checked": 6,
        "planes wrong": 0,
    }
