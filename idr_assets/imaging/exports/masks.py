"""The masks of objects as JSON of OMERO's ROIs, by the terms of its JSON API."""

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.ndimage

from idr_assets.imaging.planes import LabelledPlane

SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06#"

YELLOW = 0xFFFF0080 - 2**32
"""Colour of masks, half transparent: RGBA as a signed number of 32 bits."""


def write_omero_masks(path: Path, planes: Iterable[LabelledPlane]) -> int:
    """Write a list of ROIs, each with the mask of one object, and count them.

    A mask has the bits of its pixels as OMERO stores them, `Bytes`: row by row, the highest bit first, in base64.
    """
    number = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for roi in (roi for plane in planes for roi in _rois(plane)):
            file.write(",\n" if number else "\n")
            json.dump(roi, file)
            number += 1
        file.write("\n]\n")
    return number


def _rois(plane: LabelledPlane) -> Iterator[dict[str, Any]]:
    for label, box in enumerate(scipy.ndimage.find_objects(plane.labels), start=1):
        if box is None:  # a label that the plane lacks
            continue
        y, x = box
        inside = plane.labels[box] == label
        mask = {
            "@type": f"{SCHEMA}Mask",
            **dict(zip(("X", "Y", "Width", "Height"), (x.start, y.start, *inside.shape[::-1]), strict=True)),
            **dict(zip(("TheT", "TheC", "TheZ"), (plane.t, plane.c, plane.z), strict=True)),
            "Text": str(label),
            "FillColor": YELLOW,
            "Bytes": b64encode(np.packbits(inside).tobytes()).decode(),
        }
        name = f"t {plane.t} c {plane.c} z {plane.z} label {label}"
        yield {"@type": f"{SCHEMA}ROI", "Name": name, "shapes": [mask]}
