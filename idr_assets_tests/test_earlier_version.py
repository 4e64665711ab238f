"""Outputs and an instance of an earlier version, in both formats: they are read and resumed, and no plane is stale.

`data/README.md` says how they were written.
"""

import os
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import dagster as dg
import numpy as np
import numpy.typing as npt
import pytest

from idr_assets.by_name import open_labels, open_pixels, read_objects
from idr_assets.imaging.output.nodes import list_label_groups
from idr_assets.imaging.output.provenance import read_provenance
from idr_assets.orchestration.assets.names import figure_keys, measure_keys
from idr_assets.orchestration.automation.missing import missing_planes, stale_planes
from idr_assets.project import find_image, find_segmentation, load_definitions
from idr_assets_tests.support.dagster_home import wait_until
from idr_assets_tests.support.idr_stores import nuclei_plane
from idr_assets_tests.support.small_image import RANGE, recipe
from idr_assets_tests.support.store_server import StoreServer

EARLIER = Path(__file__).parent / "data/commit_4979040.zip"
PORT, CHANGED = 24979, 1_700_000_000
"""Where the image was served, and when its files were changed last: fingerprints and origins hold both."""

MODULE = "old_project.definitions"
LABELS = [("one", None), ("several", "threshold"), ("several", "own")]
PLANES = [(t, 0, z) for t in (0, 1) for z in (1, 2)]


@dataclass(frozen=True)
class Earlier:
    """What the earlier version left, unpacked, the server of its image, and the definitions as they load now."""

    data: Path
    server: StoreServer
    instance: dg.DagsterInstance
    definitions: dg.Definitions

    def run(self, job: str, *keys: dg.AssetKey, partition: str | None = None) -> bool:
        """Run a job for some of its assets; tell whether it succeeded."""
        tags = dict.fromkeys(RANGE, partition) if partition else None
        resolved = self.definitions.resolve_job_def(job)
        return resolved.execute_in_process(instance=self.instance, asset_selection=keys, tags=tags).success


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Earlier]:
    root = tmp_path_factory.mktemp("earlier")
    with ZipFile(EARLIER) as packed:
        packed.extractall(root)
    for file in (root / "store").rglob("*"):
        os.utime(file, (CHANGED, CHANGED))
    wait_until(port_is_free)
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("IDR_ASSETS_DATA", str(root / "data"))
        patch.syspath_prepend(str(root))
        server = stack.enter_context(StoreServer(root / "store", port=PORT))
        instance = stack.enter_context(dg.DagsterInstance.from_config(str(root / "home")))
        yield Earlier(root / "data", server, instance, load_definitions(MODULE))


def port_is_free() -> bool:
    """Tell whether no other process has the port, such as another run of these tests."""
    try:
        socket.create_server(("127.0.0.1", PORT)).close()
    except OSError:
        return False
    return True


def chunks(output: Path) -> dict[str, bytes]:
    """Give the files that hold pixels or labels."""
    found = [*output.glob("0/**/*"), *output.glob("labels/*/0/**/*")]
    return {str(file.relative_to(output)): file.read_bytes() for file in found if file.is_file()}


@pytest.mark.parametrize(("name", "segmentation"), LABELS)
def test_no_plane_is_missing_or_stale(earlier: Earlier, name: str, segmentation: str | None) -> None:
    image = find_segmentation(earlier.definitions, name, segmentation)
    assert missing_planes(earlier.instance, image) == set()
    assert stale_planes(earlier.instance, image) == set()


@pytest.mark.usefixtures("earlier")
def test_pixels_labels_and_objects_are_read_by_name() -> None:
    planes = {where: nuclei_plane(*where, (24, 20)) for where in PLANES}
    expected: dict[tuple[str, str | None], dict[tuple[int, int, int], npt.NDArray[np.int32]]] = {
        ("one", None): {where: recipe(plane) for where, plane in planes.items()},
        ("several", "threshold"): {where: recipe(plane, fraction=0.4) for where, plane in planes.items()},
        ("several", "own"): {where: (plane > 600).astype(np.int32) for where, plane in planes.items()},
    }
    for (name, segmentation), labels in expected.items():
        stored, pixels = open_labels(name, segmentation, module=MODULE), open_pixels(name, module=MODULE)
        objects = read_objects(name, segmentation, module=MODULE).groupby(["t", "c", "z"]).size().to_dict()
        assert objects == {where: plane.max() for where, plane in labels.items() if plane.any()}
        for where, plane in labels.items():
            np.testing.assert_array_equal(stored[where].compute(scheduler="synchronous"), plane)
            np.testing.assert_array_equal(pixels[where].compute(scheduler="synchronous"), planes[where])


def test_provenance_is_read(earlier: Earlier) -> None:
    assert list_label_groups(str(earlier.data / "several.ome.zarr")) == ["own", "threshold"]
    for name, segmentation in LABELS:
        image = find_segmentation(earlier.definitions, name, segmentation)
        (record,) = read_provenance(image.labels_url, image.label_group)
        assert (record.url, record.level, record.channels) == (image.url, "0", (0,))
        assert (record.function, dict(record.parameters)) == (image.recipe.path, image.recipe.parameters)
        assert len(record.fingerprint) == 16
        assert record.packages.keys() == {"idr_assets", "dask-image", "scipy", "zarr"}


@pytest.mark.parametrize("name", ["one", "several"])
def test_a_rerun_takes_the_stored_pixels_and_everything_else_is_made_of_them(earlier: Earlier, name: str) -> None:
    images = find_image(earlier.definitions, name)
    before = chunks(earlier.data / f"{name}.ome.zarr")
    assert len(before) > len(PLANES) * (1 + len(images))
    earlier.server.reset()
    labels = [dg.AssetKey(image.key("plane_labels")) for image in images]
    assert earlier.run(f"segment_{name}", *labels, partition="1|2")
    assert [path for _, path in earlier.server.requests if re.search(r"/0/\d", path)] == []
    assert chunks(earlier.data / f"{name}.ome.zarr") == before
    assert [stale_planes(earlier.instance, image) for image in images] == [set()] * len(images)
    assert earlier.run(f"segment_{name}", *figure_keys(images))
    assert earlier.run(f"measure_{name}", *measure_keys(images))
    assert all(Path(image.montage_url).is_file() and Path(image.counts_url("svg")).is_file() for image in images)
