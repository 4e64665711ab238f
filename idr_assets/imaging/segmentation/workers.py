"""The workers of a cluster: what a block needs of one, and what to do when there is none."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from distributed import Client, LocalCluster

logger = logging.getLogger(__name__)

SHARED_BY = 4
"""Blocks that share what a model needs: one is in the model, while others are read and written."""

WORKERS_LOST = (
    "the dask cluster has no worker any more: all have ended, maybe because a plane ends each worker that gets it. "
    "{remedy}, and materialize this plane again."
)
WORKERS_UNFIT = (
    "no worker of the dask cluster has {needs}, which `needs` of the segmentation asks for. {remedy}, and materialize "
    "this plane again."
)
SCHEDULER_LOST = (
    "the connection to the dask scheduler was lost. The scheduler's log says why it ended. Start it again, and "
    "materialize this plane again."
)
DISMISSED = (
    "The worker %s lost the device of its model, so it was ended, and others get its planes. Look at its GPU by "
    "`nvidia-smi`, and start the worker again."
)
WITHIN = 30.0
"""Seconds for a worker to leave."""

STARTED_HERE = "Read in the output of this run why, correct `workers` or `arguments` of the dask cluster"
STARTED_JOBS = "Read in the output of their jobs why, for example a time limit, correct `arguments` of the dask cluster"
STARTED_ELSEWHERE = "Read in the workers' logs why, start workers with nannies, which replace those that die"
"""What to do about lost workers of a cluster that is on this machine, of another one that the run started, and of one
that it did not start."""

UNFIT_HERE = "Write `arguments: {{resources: {{{yaml}}}}}` in the YAML of the dask cluster"
UNFIT_JOBS = "Let its jobs start workers with `--resources {needs}`, by `arguments` in the YAML of the dask cluster"
UNFIT_ELSEWHERE = "Start one: `dask worker ADDRESS --nthreads 4 --resources {needs}`"
"""What to do if workers of such clusters do not have what is needed."""


@dataclass(frozen=True)
class Needs:
    """What the segmentation of blocks needs of a worker.

    Attributes
    ----------
    resources : mapping of str to float
        Amounts of dask's resources, such as GPU; if empty, any worker will do.
    share : int
        How many blocks may share them.

    """

    resources: Mapping[str, float] = field(default_factory=dict)
    share: int = 1

    @property
    def of_a_block(self) -> dict[str, float]:
        """What dask reserves for each block."""
        return {name: amount / self.share for name, amount in self.resources.items()}

    def count_threads(self, client: Client) -> int:
        """Count the threads of workers that have what is needed; raise OSError if the scheduler is lost."""
        return sum(self.find_workers(client).values())

    def find_workers(self, client: Client) -> dict[str, int]:
        """Return the threads of each worker that has what is needed, by address; raise OSError as above."""
        if not self.resources:
            return dict(client.nthreads())
        return {
            address: worker["nthreads"]
            for address, worker in client.scheduler_info(n_workers=-1)["workers"].items()
            if all(worker["resources"].get(name, 0) >= amount for name, amount in self.resources.items())
        }

    def dismiss(self, client: Client, worker: str) -> bool:
        """End the worker at an address, if another has what is needed too; return whether one has."""
        try:
            found = self.find_workers(client).keys()
            if not worker or found <= {worker}:
                return False
            if worker in found:
                logger.warning(DISMISSED, worker)
                client.retire_workers([worker], callback_timeout=WITHIN)
        except (OSError, TimeoutError):  # the cluster is lost, which is noticed elsewhere
            return False
        return True

    def are_unmet(self, client: Client) -> bool:
        """Return whether there are workers, but something is needed that none of them has."""
        with suppress(OSError):
            return bool(self.resources and client.nthreads() and not self.count_threads(client))
        return False

    def explain_absence(self, client: Client) -> str:
        """Say why blocks are not segmented when no worker has what is needed, and what to do."""
        if not self.are_unmet(client):
            return WORKERS_LOST.format(remedy=_choose(client, STARTED_HERE, STARTED_JOBS, STARTED_ELSEWHERE))
        needs = ",".join(f"{name}={amount:g}" for name, amount in self.resources.items())
        yaml = needs.replace("=", ": ").replace(",", ", ")
        remedy = _choose(client, UNFIT_HERE, UNFIT_JOBS, UNFIT_ELSEWHERE).format(needs=needs, yaml=yaml)
        return WORKERS_UNFIT.format(needs=needs, remedy=remedy)


def _choose(client: Client, here: str, jobs: str, elsewhere: str) -> str:
    if client.cluster is None:
        return elsewhere
    return here if isinstance(client.cluster, LocalCluster) else jobs
