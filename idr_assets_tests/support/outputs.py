"""Outputs of one small image: what is stored in them, under which names, and that a refusal leaves them alone."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.ome_zarr.formats import Version
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.planes import Block, Plane
from idr_assets_tests.support.stored_files import files

SHAPE = (3, 2, 4, 20, 30)
ARRAYS = ("0", "labels/segmentation/0")
_GROUPS, _ARRAYS = ("", "labels/", "labels/segmentation/"), ("0/", "labels/segmentation/0/")
DOCUMENTS: dict[Version, list[str]] = {
    "0.5": [f"{folder}zarr.json" for folder in _GROUPS + _ARRAYS],
    "0.4": [f"{folder}{name}" for folder in _GROUPS for name in (".zattrs", ".zgroup")]
    + [f"{folder}{name}" for folder in _ARRAYS for name in (".zattrs", ".zarray")],
}
"""Of each version of OME-Zarr, in the order in which they are written."""


def values(block: Block, seed: int = 0) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.int32]]:
    """Make random pixels and labels for a block."""
    random = np.random.default_rng(seed)
    shape = (len(block.t), len(block.c), len(block.z), *SHAPE[3:])
    return random.integers(0, 2**16, shape, np.uint16), random.integers(0, 9, shape, np.int32)


def plane_keys(image: OutputImage, planes: Iterable[Plane]) -> set[str]:
    """Name the files of planes, which are a chunk each: `c/` is the start of a chunk's key in Zarr v3 alone."""
    start = "c/" if image.format.version == "0.5" else ""
    return {f"{array}/{start}{plane.t}/{plane.c}/{plane.z}/0/0" for array in ARRAYS for plane in planes}


def kill_creation(folder: Path, version: Version, done: int) -> None:
    """Leave what a creation has made that was killed after so many documents."""
    for document in DOCUMENTS[version][done:]:
        (folder / document).unlink()


@contextmanager
def refused(folder: Path, *said: str) -> Iterator[None]:
    """Expect an `ImageError` that says all this, and that the folder stays as it is."""
    before = files(folder)
    with pytest.raises(ImageError) as error:
        yield
    assert files(folder) == before
    assert [text for text in said if text not in str(error.value)] == []
