"""What becomes of a plane: what was found in it, or why it failed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.planes import Plane, count_objects


@dataclass(frozen=True)
class PlaneSummary:
    """What was found in one plane.

    `threshold` is the intensity above which a pixel is foreground, None where the function has none; `foreground` is
    the share of labelled pixels; `minimum` and `maximum` are intensities; `saturated` is the share of pixels at the
    largest value of their dtype, None for dtypes that are no integers; `seconds` is the plane's part of its block;
    `checksum` is that of what was stored, see `read_back.checksums`; `origin` proves where the pixels came from, see
    `Origins`, and is None where that need not be noted; `reused` whether they were read from the output; `compared`
    whether the plane was labelled alone too, and came out the same.
    """

    plane: Plane
    objects: int
    threshold: float | None
    foreground: float
    minimum: float
    maximum: float
    saturated: float | None
    seconds: float
    checksum: str | None
    origin: bytes | None = None
    reused: bool = False
    compared: bool = False


@dataclass(frozen=True)
class PlaneFailure:
    """Why one plane could not be segmented.

    `written` where it was stored, but is not there as it was written; `dependent` where its labels, or those of others
    of the run, depend on the planes that are segmented with them: trying it alone would hide that.
    """

    plane: Plane
    reason: str
    written: bool = False
    dependent: bool = False


def summarize(  # noqa: PLR0913
    plane: Plane,
    pixels: npt.NDArray[Any],
    labels: npt.NDArray[np.int32],
    threshold: float | None,
    *,
    seconds: float,
    checksum: str | None,
    origin: bytes | None,
    reused: bool,
    compared: bool,
) -> PlaneSummary:
    """Measure a plane: its pixels (y, x) of any real dtype or bool, and its labels (y, x) of int32."""
    return PlaneSummary(
        plane=plane,
        objects=count_objects(labels),
        threshold=threshold,
        foreground=float(np.count_nonzero(labels) / labels.size),
        minimum=float(pixels.min()),
        maximum=float(pixels.max()),
        saturated=_saturated(pixels),
        seconds=seconds,
        checksum=checksum,
        origin=origin,
        reused=reused,
        compared=compared,
    )


def _saturated(pixels: npt.NDArray[Any]) -> float | None:
    if pixels.dtype.kind not in "iu":
        return None
    return float(np.count_nonzero(pixels == np.iinfo(pixels.dtype).max) / pixels.size)
