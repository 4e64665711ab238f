"""The outlines of objects as polygons along the edges of their pixels: as ROIs of ImageJ, and as GeoJSON.

x and y count from the upper left corner of the first pixel, as both have it.
"""

import math
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import geojson
import numpy as np
import numpy.typing as npt
import shapely
from roifile import ROI_TYPE, ImagejRoi
from shapely import MultiPolygon, Polygon

from idr_assets.imaging.objects.measurements import Columns
from idr_assets.imaging.planes import LabelledPlane

type Outline = Polygon | MultiPolygon

MOVE, LINE, CLOSE = 0, 1, 4
"""The steps of a path of ImageJ."""

PLACE = ("image", "channel", "t", "c", "z", "label")
"""The columns that say which object it is. All others are measured."""


def trace(labels: npt.NDArray[np.int32]) -> Iterator[tuple[int, Outline]]:
    """Trace the objects of a plane (y, x): each label above 0, and its outline with holes.

    An object of several parts that touch at corners, or not at all, has a polygon for each.
    """
    padded = np.pad(labels, ((0, 0), (1, 1)))
    y, x = np.nonzero(np.diff(padded, axis=1))  # where another value begins than that to the left
    found, ends = padded[y, x + 1], np.append(x[1:], 0)
    inside = found > 0
    runs = shapely.box(x[inside], y[inside], ends[inside], y[inside] + 1)
    order = np.argsort(found[inside], kind="stable")
    numbers, first = np.unique(found[inside][order], return_index=True)
    for number, boxes in zip(numbers.tolist(), np.split(runs[order], first[1:]), strict=True):
        outline = shapely.simplify(shapely.union_all(boxes), 0)
        yield number, cast("Outline", outline)


def write_imagej_rois(path: Path, planes: Iterable[LabelledPlane]) -> int:
    """Write a ZIP of ROIs as ImageJ's ROI Manager opens it, each at its t, c and z of the whole image; count them."""
    number = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for plane in planes:
            for label, outline in trace(plane.labels):
                roi = _imagej_roi(outline, f"t{plane.t}-c{plane.c}-z{plane.z}-{label}")
                roi.t_position, roi.c_position, roi.z_position = plane.t + 1, plane.c + 1, plane.z + 1
                file.writestr(f"{roi.name}.roi", roi.tobytes())
                number += 1
    return number


def _imagej_roi(outline: Outline, name: str) -> ImagejRoi:
    """Return the ROI that ImageJ's wand makes, or a composite one of several rings."""
    rings = [shapely.get_coordinates(ring).astype(np.int32)[:-1] for ring in _rings(outline)]
    roi = ImagejRoi.frompoints(rings[0], name=name)
    left, top, right, bottom = map(int, outline.bounds)
    roi.left, roi.top, roi.right, roi.bottom, roi.roitype = left, top, right, bottom, ROI_TYPE.TRACED
    if len(rings) > 1:
        path = [_path(ring) for ring in rings]
        roi.roitype, roi.integer_coordinates, roi.n_coordinates = ROI_TYPE.RECT, None, 0
        roi.multi_coordinates = np.concatenate(path).astype(np.float32)
        roi.shape_roi_size = len(roi.multi_coordinates)
    return roi


def _rings(outline: Outline) -> list[shapely.LinearRing]:
    return [ring for part in shapely.get_parts(outline) for ring in (part.exterior, *part.interiors)]


def _path(ring: npt.NDArray[np.int32]) -> npt.NDArray[Any]:
    steps = np.column_stack([np.full(len(ring), LINE), ring])
    steps[0, 0] = MOVE
    return np.append(steps.ravel(), CLOSE)


def write_geojson(path: Path, planes: Iterable[LabelledPlane], measured: Callable[[LabelledPlane], Columns]) -> int:
    """Write a feature for each object as QuPath reads detections, and count them.

    `measured` returns the columns of the table of objects of a plane.
    """
    number = 0
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for plane in planes:
            columns = measured(plane)
            for at, (_, outline) in enumerate(trace(plane.labels)):
                file.write(",\n" if number else "\n")
                row = {name: values[at].item() for name, values in columns.items()}
                file.write(geojson.dumps(_feature(plane, outline, row)))
                number += 1
        file.write("\n]}\n")
    return number


def _feature(plane: LabelledPlane, outline: Outline, row: dict[str, Any]) -> geojson.Feature:
    """Return an object with its row of the table; JSON has no NaN, and QuPath reads measurements as numbers."""
    place = {"t": plane.t, "c": plane.c, "z": plane.z}
    shape = geojson.loads(shapely.to_geojson(outline)) | {"plane": place}
    known = {name: row[name] for name in PLACE if name in row}
    known = {name: value.decode() if isinstance(value, bytes) else value for name, value in known.items()}
    numbers = {name: float(value) for name, value in row.items() if name not in PLACE and math.isfinite(value)}
    about = {"objectType": "detection", "name": str(row["label"]), **known, "measurements": numbers}
    return geojson.Feature(geometry=shape, properties=about)
