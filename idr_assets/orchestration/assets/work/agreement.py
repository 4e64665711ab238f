"""Compare the objects of several segmentations, plane by plane: a figure, a table, and numbers for the UI."""

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import StringIO
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.figures.agreement import agreement_figure
from idr_assets.imaging.objects.agreement import Agreement, match_objects
from idr_assets.imaging.output.files import write_file
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.planes import Block, Plane, thin
from idr_assets.orchestration.assets.metadata import table
from idr_assets.orchestration.assets.work.figure_file import write_figure
from idr_assets.orchestration.image import Image

MOST_AGREED = 200
"""Planes that are compared at most, evenly spread over the window: a plane of two segmentations takes milliseconds."""

OVERLAPS = (0.5, 0.75)


class Row(NamedTuple):
    """How well two segmentations agree in a plane, at an intersection over union."""

    plane: Plane
    one: str
    other: str
    overlap: float
    found: Agreement

    @property
    def pair(self) -> str:
        """Name of the pair."""
        return f"{self.one}, {self.other}"


def write_agreement(images: Sequence[Image]) -> dict[str, Any]:
    """Compare up to `MOST_AGREED` planes of the window, and return metadata; nothing if no plane has two labellings."""
    planes = [Plane(*where) for where in product(*thin(compared_window(images), MOST_AGREED))]
    rows = list(_compare(images, planes))
    if not rows:
        return {}
    scores: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        scores[row.pair][row.overlap].append(row.found.f1)
    omitted = len(compared_window(images)) - len(planes)
    title = f"{images[0].name}: agreement of segmentations"
    figure = agreement_figure(scores, title=title, omitted=omitted)
    written = write_figure(images[0].agreement_url("png"), figure, "agreement of segmentations")
    write_file(images[0].agreement_url("csv"), _encode(rows))
    means = [
        [pair, f"{overlap:g}", f"{np.mean(found):.3f}", f"{min(found):.3f}", str(len(found))]
        for pair, by_overlap in scores.items()
        for overlap, found in by_overlap.items()
    ]
    numbers = table(["segmentations", "IoU", "mean F1", "least F1", "planes"], means)
    return {"agreement": numbers, "path of the agreement": written.pop("path"), **written}


def compared_window(images: Sequence[Image]) -> Block:
    """Return the planes of the window in which any of the segmentations has labels."""
    return replace(images[0].window, c=tuple(sorted({c for image in images for c in image.channels})))


def _compare(images: Sequence[Image], planes: Sequence[Plane]) -> Iterator[Row]:
    outputs = dict(_open(images))
    for plane in planes:
        found = {name: labelled.labels for name, output in outputs.items() if (labelled := output.read(plane))}
        for (one, labels), (other, others) in combinations(found.items(), 2):
            for overlap in OVERLAPS:
                yield Row(plane, one, other, overlap, match_objects(labels, others, overlap))


def _open(images: Sequence[Image]) -> Iterator[tuple[str, OutputImage]]:
    for image in images:
        try:
            yield image.label_group, image.open_output()
        except ImageError:  # it has no labels yet
            continue


def _encode(rows: Sequence[Row]) -> bytes:
    stream = StringIO(newline="")
    lines = csv.writer(stream)
    lines.writerow(["t", "c", "z", "one", "other", "iou", "objects_one", "objects_other", "matched", "f1"])
    for plane, one, other, overlap, found in rows:
        lines.writerow([plane.t, plane.c, plane.z, one, other, overlap, *found, f"{found.f1:.6f}"])
    return stream.getvalue().encode()
