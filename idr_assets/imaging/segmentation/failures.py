"""Say why the planes of a block have no labels, from the error that ended it."""

from distributed import KilledWorker

from idr_assets.imaging.output.read_back import NotAsWrittenError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.silence import SilentStoreError
from idr_assets.imaging.segmentation.in_flight import ClusterLostError
from idr_assets.imaging.segmentation.independence import DependentPlanesError
from idr_assets.imaging.segmentation.models.devices import DeviceLostError
from idr_assets.imaging.segmentation.plane_results import PlaneFailure

WORKER_DIED = (
    "the worker process that segmented it died, with other planes and then alone: the function ends it, crashes in "
    "native code, or needs more memory than there is. Try the function on this plane, or give each worker more memory."
)
"""Why a plane failed that kills its worker; there is no other error."""


def fail_planes(block: Block, error: BaseException) -> list[PlaneFailure]:
    """Return a failure for each plane of a block."""
    written, dependent, untried = (
        isinstance(error, kind) for kind in (NotAsWrittenError, DependentPlanesError, SilentStoreError)
    )
    lost_on = error.worker if isinstance(error, DeviceLostError) else ""
    return [PlaneFailure(plane, _reason(error), written, dependent, untried, lost_on) for plane in block.planes()]


def _reason(error: BaseException) -> str:
    if isinstance(error, KilledWorker):
        return WORKER_DIED
    notes = getattr(error, "__notes__", ())
    reason = ", ".join([str(error).removesuffix(".") if notes else str(error), *notes])
    return reason if isinstance(error, ClusterLostError) else f"{type(error).__name__}: {reason}"
