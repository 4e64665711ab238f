"""Do what is to be done with the tiles of a plane on the workers of a cluster."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from idr_assets.imaging.segmentation.failures import fail_planes
from idr_assets.imaging.segmentation.in_flight import ClusterLostError, InFlight
from idr_assets.imaging.segmentation.plane_results import PlaneFailure
from idr_assets.imaging.segmentation.stored_plane import StoredPlane
from idr_assets.imaging.segmentation.tile_task import Job, run_job


class StoppedError(Exception):
    """The run was stopped, so that the plane is not stored."""


class FailedError(Exception):
    """A tile failed twice, with these failures of its plane."""

    def __init__(self, failures: list[PlaneFailure]) -> None:
        """Keep the failures."""
        super().__init__()
        self.failures = failures


type Fly = Callable[[Any], InFlight[Any]]
"""Makes what sends a task to the workers."""


def do_jobs(fly: Fly, plane: StoredPlane, jobs: Sequence[Job], count: Callable[[Job], None]) -> list[Any]:
    """Do jobs on the workers, and return their results in the order of the jobs; `count` is told of each that is done.

    A job that fails is tried once more: all tiles that a worker had fail if it dies.

    Raises
    ------
    StoppedError, FailedError
        If the run was stopped, or a job failed twice.
    """
    flight: Any = fly(partial(run_job, plane))  # of jobs in place of blocks
    order, found, again = {id(job): at for at, job in enumerate(jobs)}, dict[int, Any](), set[int]()
    try:
        flight.send(jobs)
        for job, outcome in flight.outcomes():
            at = order[id(job)]
            if isinstance(outcome, list) and not isinstance(outcome[0], PlaneFailure):
                found[at] = outcome[0]
                count(job)
            elif isinstance(outcome, ClusterLostError) or at in again:
                raise FailedError(outcome if isinstance(outcome, list) else fail_planes(plane.plane.block, outcome))
            else:
                flight.dismiss_lost(outcome)
                again.add(at)
                flight.send([job], again=True)
    finally:
        flight.cancel()
    if len(found) < len(jobs):
        raise StoppedError
    return [found[at] for at in range(len(jobs))]
