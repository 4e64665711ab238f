"""The labels of a reference, such as a person's own, that segmentations are scored by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.reading.level import Level, open_level
from idr_assets.imaging.reading.survey import survey_levels

LEAST_EVEN = 0.5
"""Share of the pixels of a plane of labels, at least, that are as the one beside them. In an image few are."""


@dataclass(frozen=True)
class Reference:
    """An OME-Zarr label image, at the level that has the planes of an image."""

    level: Level

    def read(self, plane: Plane) -> npt.NDArray[np.intp]:
        """Read the labels (y, x) of a plane, numbered 0, which is the background, to n.

        A reference of one channel is that of every channel. Raises `ImageError` if it cannot be read, or if its
        values are no labels.
        """
        own = Plane(plane.t, plane.c if self.level.shape[1] > 1 else 0, plane.z)
        values = self.level.read(own.block)[0, 0, 0]
        if values.min(initial=0) < 0:
            message = f"The reference {self.level.url} has labels below 0 in {own}, so nothing is compared with it."
            raise ImageError(message)
        if np.mean(values[:, 1:] == values[:, :-1]) < LEAST_EVEN:
            message = (
                f"The reference {self.level.url} has pixels in {own} that mostly differ from those beside them, which "
                "labels do not, so nothing is compared with it. Name the labels, such as image.zarr/labels/nuclei."
            )
            raise ImageError(message)
        return np.asarray(np.searchsorted(np.union1d(values.dtype.type(0), values), values), np.intp)


def open_reference(url: str, storage_options: Mapping[str, Any], shape: Sequence[int]) -> Reference:
    """Open the level of a label image that has the planes of an image of `shape` (t, c, z, y, x).

    A missing chunk is one without labels.

    Raises
    ------
    ImageError
        If there is no OME-Zarr image of integers, or none of its levels has these planes, with one channel or as many.

    """
    levels = survey_levels(url, storage_options)
    wanted = {tuple(shape), (shape[0], 1, *shape[2:])}
    fitting = next((it for it in levels if it.shape in wanted and it.dtype.kind in "iub"), None)
    if fitting is None:
        found = ", ".join(f"{it.path} {list(it.shape)} {it.dtype.name}" for it in levels)
        message = (
            f"The reference {levels[0].url} has no level of integers of shape {list(shape)}, with these channels or "
            f"one: its levels are {found}. Name a label image of the level that is segmented."
        )
        raise ImageError(message)
    return Reference(open_level(fitting.address, fitting.path, storage_options, missing_chunks="zeros"))
