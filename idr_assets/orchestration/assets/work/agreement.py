"""Compare the objects of several segmentations, plane by plane: a figure, a table, and numbers for the UI."""

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import StringIO
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, NamedTuple

import dagster as dg
import numpy as np

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.figures.agreement import agreement_figure
from idr_assets.imaging.objects.agreement import Agreement, match_objects
from idr_assets.imaging.objects.reference import Reference
from idr_assets.imaging.output.files import write_file
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.planes import Block, Plane, thin
from idr_assets.orchestration.assets.metadata import table
from idr_assets.orchestration.assets.work.figure_file import write_figure
from idr_assets.orchestration.image import Image

if TYPE_CHECKING:
    from idr_assets.imaging.overlaps import LabelPlane

MOST_AGREED = 200
"""Planes that are compared at most, evenly spread over the window: a plane of two segmentations takes milliseconds."""

OVERLAPS = (0.5, 0.75)


REFERENCE = "the reference"
"""Name of the reference; that of a segmentation has no blank."""

SCORES = ("precision", "recall", "panoptic_quality")
"""What a reference gives beside F1."""


class Row(NamedTuple):
    """How well two segmentations, or one and the reference, agree in a plane, at an intersection over union."""

    plane: Plane
    one: str
    other: str
    overlap: float
    found: Agreement

    @property
    def scores(self) -> dict[str, float]:
        """The scores, by name: all if the other is the reference, F1 alone if not."""
        more = SCORES if self.other == REFERENCE else ()
        return {name: getattr(self.found, name) for name in ("f1", *more)}


def write_agreement(images: Sequence[Image], reference: Reference | None) -> dict[str, Any]:
    """Compare up to `MOST_AGREED` planes of the window, and return metadata; nothing if no plane has two labellings."""
    planes = [Plane(*where) for where in product(*thin(compared_window(images), MOST_AGREED))]
    rows = list(_compare(images, reference, planes))
    if not rows:
        return {}
    omitted = len(compared_window(images)) - len(planes)
    title = f"{images[0].name}: agreement of segmentations"
    figure = agreement_figure(_group(rows), title=title, omitted=omitted, with_reference=reference is not None)
    written = write_figure(images[0].agreement_url("png"), figure, "agreement of segmentations")
    write_file(images[0].agreement_url("csv"), _encode(images[0], rows))
    return {"agreement": _tabulate(rows), "path of the agreement": written.pop("path"), **written}


def _group(rows: Sequence[Row]) -> dict[str, dict[float, list[float]]]:
    """Group scores for the figure: by pair, and by score where there are several, then by overlap."""
    scores: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for name, score in row.scores.items():
            shown = f": {name.replace('_', ' ').replace('f1', 'F1')}" if len(row.scores) > 1 else ""
            scores[f"{row.one}, {row.other}{shown}"][row.overlap].append(score)
    return scores


def _tabulate(rows: Sequence[Row]) -> dg.MarkdownMetadataValue:
    """Show the means over planes as a table."""
    groups: dict[tuple[str, float], list[Row]] = defaultdict(list)
    for row in rows:
        groups[f"{row.one}, {row.other}", row.overlap].append(row)
    more = SCORES if any(row.other == REFERENCE for row in rows) else ()
    lines = []
    for (pair, overlap), found in groups.items():
        least = f"{min(row.found.f1 for row in found):.3f}"
        means = [_average(found, name) for name in ("f1", *more)]
        lines.append([pair, f"{overlap:g}", means[0], least, *means[1:], str(len(found))])
    names = [name.replace("_", " ") for name in more]
    return table(["segmentations", "IoU", "mean F1", "least F1", *names, "planes"], lines)


def _average(rows: Sequence[Row], name: str) -> str:
    """Write the mean of a score; nothing where the rows have none."""
    found = [row.scores[name] for row in rows if name in row.scores]
    return f"{np.mean(found):.3f}" if found else ""


def compared_window(images: Sequence[Image]) -> Block:
    """Return the planes of the window in which any of the segmentations has labels."""
    return replace(images[0].window, c=tuple(sorted({c for image in images for c in image.channels})))


def _compare(images: Sequence[Image], reference: Reference | None, planes: Sequence[Plane]) -> Iterator[Row]:
    outputs = dict(_open(images))
    for plane in planes:
        stored = {name: labelled.labels for name, output in outputs.items() if (labelled := output.read(plane))}
        found: dict[str, LabelPlane] = dict(stored)
        if stored and reference:
            found[REFERENCE] = reference.read(plane)
        for (one, labels), (other, others) in combinations(found.items(), 2):
            for overlap in OVERLAPS:
                yield Row(plane, one, other, overlap, match_objects(labels, others, overlap))


def _open(images: Sequence[Image]) -> Iterator[tuple[str, OutputImage]]:
    for image in images:
        try:
            yield image.label_group, image.open_output()
        except ImageError:  # it has no labels yet
            continue


def _encode(image: Image, rows: Sequence[Row]) -> bytes:
    stream = StringIO(newline="")
    lines = csv.writer(stream)
    names = [image.row_axis, "c", "z", "one", "other", "iou", "objects_one", "objects_other", "matched", "f1"]
    lines.writerow([*names, *SCORES])
    for row in rows:
        scores = [f"{row.scores[name]:.6f}" if name in row.scores else "" for name in ("f1", *SCORES)]
        plane, found = row.plane, row.found
        counts = found.one, found.other, found.matched
        at = plane.t if image.row_axis == "t" else image.row_key(plane.t)
        lines.writerow([at, plane.c, plane.z, row.one, row.other, row.overlap, *counts, *scores])
    return stream.getvalue().encode()
