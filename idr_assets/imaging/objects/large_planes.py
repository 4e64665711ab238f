"""Measure the objects of a large plane by parts that hold whole objects: memory does not grow with the plane."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy  # loads each submodule at its first use

from idr_assets.imaging.objects.measurements import Columns, Part, measure
from idr_assets.imaging.objects.more_measurements import Measured
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.planes import LabelledPlane, Plane

SIDE: Final = 2048
"""Height and width in pixels of what is read at once, about."""

type Boxes = npt.NDArray[np.int64]
"""First row, first column, last row and last column of each label, (labels, 4); the first is larger if it is absent."""


def measure_by_parts(  # noqa: PLR0913, PLR0917
    image: str,
    output: OutputImage,
    plane: Plane,
    pixel_area: float | None,
    names: Mapping[int, str | None],
    more: Measured,
) -> tuple[Columns, Columns] | None:
    """Measure a plane as `measure` and `more` do, number for number; None if it is not stored."""
    boxes = np.zeros((1, 4), np.int64)
    for top, left in _corners(output):
        labelled = output.read(plane, part=(slice(top, top + SIDE), slice(left, left + SIDE)))
        if labelled is None:
            return None
        boxes = _widen(boxes, labelled.labels, top, left)
    usual, others = [], []
    for own, at in _parts(output, plane, boxes):
        usual.append(measure(image, own, pixel_area, names.get(plane.c), at))
        others.append(more.measure(output, own, names, at))
    order = np.argsort(np.concatenate([part["label"] for part in usual]))
    return _join(usual, order), _join(others, order)


def _join(parts: Sequence[Columns], order: npt.NDArray[np.intp]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]}


def _corners(output: OutputImage) -> Iterator[tuple[int, int]]:
    yield from product(*(range(0, length, SIDE) for length in output.labels.shape[3:]))


def _widen(boxes: Boxes, labels: npt.NDArray[np.int32], top: int, left: int) -> Boxes:
    """Widen the boxes of labels to what a part shows of them."""
    found = scipy.ndimage.find_objects(labels)
    more = np.tile(np.array([2**62, 2**62, -1, -1]), (max(0, len(found) + 1 - len(boxes)), 1))
    boxes = np.concatenate([boxes, more])
    seen = [(at, it[0].start, it[1].start, it[0].stop, it[1].stop) for at, it in enumerate(found, 1) if it]
    if seen:
        at, *ends = np.array(seen).T
        y0, x0, y1, x1 = np.array(ends) + np.array([top, left, top, left])[:, np.newaxis]
        boxes[at, :2] = np.minimum(boxes[at, :2], np.stack([y0, x0], 1))
        boxes[at, 2:] = np.maximum(boxes[at, 2:], np.stack([y1, x1], 1))
    return boxes


def _parts(output: OutputImage, plane: Plane, boxes: Boxes) -> Iterator[tuple[LabelledPlane, Part]]:
    """Yield the labels that begin in the same part, with what is around them and without other labels; none as well."""
    height, width = output.labels.shape[3:]
    present = boxes[:, 2] > 0
    places = np.where(present, boxes[:, 0] // SIDE * -(-width // SIDE) + boxes[:, 1] // SIDE, -1)
    for place in np.unique(places[present]).tolist() or [-2]:
        own = places == place
        top, left = boxes[own, :2].min(axis=0, initial=2**62) if own.any() else (0, 0)
        bottom, right = boxes[own, 2:].max(axis=0) if own.any() else (1, 1)
        labelled = output.read(plane, part=(slice(top, bottom), slice(left, right)))
        if labelled:
            labels = np.where(own[labelled.labels], labelled.labels, 0)
            found = LabelledPlane(plane.t, plane.c, plane.z, labelled.pixels, labels)
            yield found, Part(int(top), int(left), (height, width))
