"""Read planes for a figure: of planes that are too large to be in memory as a whole, every few pixels."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.planes import LabelledPlane, Plane

type Indices = tuple[Sequence[int], Sequence[int], Sequence[int]]
"""Of t, c and z."""

type Planes = dict[tuple[int, int, int], LabelledPlane | None]

_BAND = 2**22
"""Pixels of the rows whose objects are counted at once."""


def read_thin_grid(output: OutputImage, indices: Indices, labels_of: int | None, side: int) -> tuple[Planes, int]:
    """Read planes at these t, c and z as `OutputImage.read_grid` does, for pictures of `side` pixels at most.

    Returns
    -------
    planes : dict
        By (t, c, z); None for one that is not stored. Of large ones, with the number of all objects.
    step : int
        Of so many pixels along each side, one was read.

    """
    if not output.is_large:
        return output.read_grid(*indices, labels_of), 1
    part = output.thinned(side)
    found = {(t, c, z): output.read(Plane(t, c, z), labels_of, part) for t, c, z in product(*indices)}
    counted = {where: it and replace(it, objects=_count(output, it, labels_of)) for where, it in found.items()}
    return counted, int(part[0].step)


def _count(output: OutputImage, plane: LabelledPlane, labels_of: int | None) -> int:
    """Count the objects of a plane, some rows at a time."""
    labels, c = output.labels, plane.c if labels_of is None else labels_of
    height, width = labels.shape[3:]
    rows = max(1, _BAND // width)
    bands = (labels[plane.t, c, plane.z, at : at + rows] for at in range(0, height, rows))
    seen = np.zeros(0, labels.dtype)
    for band in bands:
        seen = np.union1d(seen, np.unique(np.asarray(band)))
    return int(np.count_nonzero(seen))
