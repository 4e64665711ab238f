"""A published image of three channels, two segmentations and three levels of odd sides, with missing planes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.output_image import open_output
from idr_assets.imaging.output.writing import store_planes
from idr_assets.imaging.planes import Block
from idr_assets.imaging.published import layout as layouts
from idr_assets.imaging.published import pyramid
from idr_assets.imaging.published.attributes import Look
from idr_assets.imaging.published.creation import create_published
from idr_assets.imaging.published.layout import Layout
from idr_assets.imaging.published.slabs import PublishedPlane, SlabTask
from idr_assets.imaging.published.staging import put_in_place
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.idr_stores import write_image

SHAPE = (3, 4, 6, 37, 50)
WINDOW = Block(range(1, 3), (0, 1, 2), range(1, 5))
LABELLED = (0, 2)
"""Of the channel between them, pixels alone are stored, as those of one that is measured."""

STORED = {"nuclei": Block(range(1, 2), LABELLED, range(1, 5)), "mine": Block(range(1, 2), LABELLED, range(3, 5))}
"""Of the second timepoint, no plane is stored; `mine` lacks two slices of the first."""

LOOK = Look("embryo", {0: Channel("DAPI", "0000FF")}, {0: (10.0, 200.0), 2: (5.0, 99.0)})


@dataclass(frozen=True)
class Published:
    """The published image, and by path all planes (t, c, z, y, x) of the whole image that its arrays are made of."""

    task: SlabTask
    arrays: dict[str, npt.NDArray[Any]]
    found: list[PublishedPlane]


@pytest.fixture(scope="module", params=["window", "image"])
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Publish the window, cropped to it or in the extent of the whole image."""
    folder, random = tmp_path_factory.mktemp("published"), np.random.default_rng(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pyramid, "SMALLEST", 16)
        patch.setattr(layouts, "TILE", 16)
        patch.setattr(layouts, "SHARD_BYTES", 2 * 4 * 37 * 50)  # of two planes
        extent = WINDOW if request.param == "window" else Block(range(3), (0, 1, 2, 3), range(6))
        return _publish(folder, Layout(WINDOW, extent, SHAPE[3:], np.dtype("u2")), random)


def _publish(folder: Path, layout: Layout, random: np.random.Generator) -> Published:
    write_image(folder / "source.zarr", np.ones(SHAPE, "u2"), version="0.4")
    level, url = open_level(str(folder / "source.zarr"), "0"), str(folder / "image.ome.zarr")
    arrays: dict[str, npt.NDArray[Any]] = {"": np.zeros(SHAPE, "u2")}
    whole = random.integers(1, 2**16, SHAPE, np.uint16)
    for name, block in STORED.items():
        labels = random.integers(0, 3, SHAPE, np.int32)
        where, read = (
            np.s_[block.t.start : block.t.stop, list(c), block.z.start : block.z.stop] for c in (block.c, WINDOW.c)
        )
        create_output(url, level, name)
        store_planes(open_output(url, name, WINDOW.c), block, whole[read], labels[where])
        arrays[f"labels/{name}/"] = np.zeros(SHAPE, np.int32)
        arrays[f"labels/{name}/"][where], arrays[""][read] = labels[where], whole[read]
    labelled = dict.fromkeys(STORED, LABELLED)
    task = SlabTask(str(folder / "published.ome.zarr"), url, labelled, layout, str(folder / "gathered"))
    create_published(task, level.geometry, LOOK)
    found = [each for t in WINDOW.t for slab in layout.slabs(t) for each in task(slab)]
    for t in WINDOW.t:
        put_in_place(task, t)
    return Published(task, arrays, [each for each in found if isinstance(each, PublishedPlane)])
