"""A segmentation that takes its time, so that a run can be ended meanwhile; importable by every worker."""

from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.ndimage

from idr_assets.imaging.segmentation import per_plane


@per_plane
def slow(plane: npt.NDArray[Any], *, seconds: float, begun: str) -> npt.NDArray[np.int32]:
    """Label what is bright, so many seconds after the file `begun` tells that a plane is being segmented."""
    Path(begun).touch()
    sleep(seconds)
    labels: npt.NDArray[np.int32] = scipy.ndimage.label(plane > 600)[0]
    return labels
