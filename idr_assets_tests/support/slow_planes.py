"""A segmentation that is held, so that a run can be ended meanwhile; importable by every worker."""

from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.ndimage

from idr_assets.imaging.segmentation.functions import per_plane


@per_plane
def held(plane: npt.NDArray[Any], *, folder: str) -> npt.NDArray[np.int32]:
    """Label what is bright, once there is no file `hold` in the folder; `begun` there tells that a plane is waiting."""
    Path(folder, "begun").touch()
    while Path(folder, "hold").exists():
        sleep(0.1)
    labels: npt.NDArray[np.int32] = scipy.ndimage.label(plane > 600)[0]
    return labels
