"""A segmentation that is held, so that a run can be ended meanwhile; importable by every worker."""

from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.ndimage

from idr_assets.imaging.segmentation.functions import per_plane
from idr_assets_tests.support.small_image import PIXELS


@per_plane
def held(plane: npt.NDArray[Any], *, folder: str) -> npt.NDArray[np.int32]:
    """Label what is bright, unless a file `hold` in the folder holds the plane; then wait, which `begun` there says."""
    while _is_held(plane, Path(folder, "hold")):
        Path(folder, "begun").touch()
        sleep(0.1)
    labels: npt.NDArray[np.int32] = scipy.ndimage.label(plane > 600)[0]
    return labels


def _is_held(plane: npt.NDArray[Any], hold: Path) -> bool:
    """Read which planes of the small image are held: those of "t", or of "t z"; all if the file is empty."""
    try:
        where = [int(index) for index in hold.read_text().split()]
    except FileNotFoundError:
        return False
    planes = PIXELS[where[0]] if where else plane
    chosen = planes[:, where[1]] if len(where) > 1 else planes
    return any(np.array_equal(plane, other) for other in chosen.reshape(-1, *plane.shape))
