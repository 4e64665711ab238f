"""The result for a plane: what was found in it, or why it failed."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.planes import Plane, count_objects


@dataclass(frozen=True, slots=True)
class PlaneSummary:
    """What was found in one plane.

    Attributes
    ----------
    plane : Plane
        The plane.
    objects : int
        Number of its objects.
    threshold : float or None
        Intensity above which a pixel is foreground; None if the function has no threshold.
    foreground : float
        Share of labelled pixels, 0 to 1.
    minimum, maximum : float
        Intensities.
    saturated : float or None
        Share of pixels at the largest value of their dtype, 0 to 1; None if that is no integer.
    seconds : float or None
        The plane's part of the time of its block; None if an unknown run made it.
    checksum : str or None
        Checksum of what was stored, see `read_checksums`.
    origins : tuple of (Plane, bytes)
        Proof of where the pixels came from that are stored with the plane, see `Origins`; none if none is to be noted.
    reused : bool
        Whether the pixels were read from the output.
    compared : bool
        Whether the plane was segmented alone too, and got the same labels.
    segmenting : float
        The part of `seconds` in which its block was segmented.

    """

    plane: Plane
    objects: int
    threshold: float | None
    foreground: float
    minimum: float
    maximum: float
    saturated: float | None
    seconds: float | None
    checksum: str | None
    origins: tuple[tuple[Plane, bytes], ...] = ()
    reused: bool = False
    compared: bool = False
    segmenting: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return what was found, which is the same whenever and beside whatever planes it is found."""
        return {name: getattr(self, name) for name in OF_WHAT_IS_STORED}


OF_A_RUN = ("plane", "origins", "reused", "compared", "segmenting", "seconds")
"""Fields of a summary that are not of what is stored, but of a run."""

OF_WHAT_IS_STORED = [field.name for field in fields(PlaneSummary) if field.name not in OF_A_RUN]


@dataclass(frozen=True, slots=True)
class PlaneFailure:
    """Why one plane could not be segmented.

    Attributes
    ----------
    plane : Plane
        The plane.
    reason : str
        Why, for a person.
    written : bool
        Whether it was written, but does not come back as it was.
    dependent : bool
        Whether its labels, or those of other planes of the run, depend on the planes that are segmented with them.
        Trying it alone would hide that.
    untried : bool
        Whether its store was not asked, because it does not answer any more.
    lost_on : str
        Address of the worker whose device failed; empty if none did.

    """

    plane: Plane
    reason: str
    written: bool = False
    dependent: bool = False
    untried: bool = False
    lost_on: str = ""


type Result = PlaneSummary | PlaneFailure


def summarize(  # noqa: PLR0913
    plane: Plane,
    pixels: npt.NDArray[Any],
    labels: npt.NDArray[np.int32],
    threshold: float | None,
    *,
    seconds: float,
    checksum: str | None,
    origins: tuple[tuple[Plane, bytes], ...],
    reused: bool,
    compared: bool,
    segmenting: float,
) -> PlaneSummary:
    """Measure a plane: its pixels (y, x) of any real dtype or bool, and its labels (y, x) of int32."""
    return PlaneSummary(
        plane=plane,
        objects=count_objects(labels),
        threshold=threshold,
        foreground=float(np.count_nonzero(labels) / labels.size),
        minimum=float(pixels.min()),
        maximum=float(pixels.max()),
        saturated=None if (saturated := count_saturated(pixels)) is None else saturated / pixels.size,
        seconds=seconds,
        checksum=checksum,
        origins=origins,
        reused=reused,
        compared=compared,
        segmenting=segmenting,
    )


def count_saturated(pixels: npt.NDArray[Any]) -> int | None:
    """Count the pixels at the largest value of their dtype; None if that is no integer."""
    return int(np.count_nonzero(pixels == np.iinfo(pixels.dtype).max)) if pixels.dtype.kind in "iu" else None
