"""Black and white of the channels of a published image, from a few of its planes."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.figures.colours import contrast
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.planes import Plane, thin
from idr_assets.imaging.published.slabs import SlabTask

MOST_LOOKED_AT = 12
"""Planes from which the contrast of a channel is taken, as in the montage."""

MOST_SAMPLED = 2**20
"""Pixels of each of them at most."""


def find_contrast(task: SlabTask, outputs: Sequence[OutputImage]) -> dict[int, tuple[float, float]]:
    """Find black and white of each channel from a few planes; nothing if none is stored."""
    found, window = {}, task.layout.window
    t, _, z = thin(window, MOST_LOOKED_AT * len(window.c))
    for c in window.c:
        if sampled := [pixels for each in t for at in z for pixels in _sample(task, outputs, Plane(each, c, at))]:
            black, white = contrast(sampled)
            found[c] = (black, white if white > black else black + 1)  # of a flat plane too
    return found


def _sample(task: SlabTask, outputs: Sequence[OutputImage], plane: Plane) -> list[npt.NDArray[Any]]:
    """Read some pixels of a plane; none if it is not stored, or damaged, which is reported when it is published."""
    with suppress(ImageError):
        for output in outputs:
            if read := task.read(output, plane.c, plane.t, [plane.z])[plane]:
                step = max(1, int(np.sqrt(read.pixels.size / MOST_SAMPLED)))
                return [read.pixels[::step, ::step].copy()]
    return []
