"""The dask resource: what a YAML says of the cluster on which planes are segmented."""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from distributed import Client

FORMS = ("in_process", "processes")
"""The forms that have a name of their own; others are named by an address or a class."""


class DaskResource(BaseModel):
    """A dask cluster in one of four forms: in this process, local processes, an address, or any cluster class.

    It is no resource that Dagster configures: cluster and arguments name code, and whoever may launch a run could
    choose others.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cluster: str = Field(
        default="in_process",
        description="`in_process` (threads of the run), `processes` (local workers), the address of a running "
        "scheduler (`tcp://...`, `tls://...`), or the dotted path of a cluster class, `dask_jobqueue.SLURMCluster`.",
    )
    workers: int | None = Field(
        default=None,
        gt=0,
        description="Threads of the in-process form, processes of the local one, or workers that a cluster class is "
        "scaled to; by default the number of cores here, and 1 for a cluster class.",
    )
    arguments: dict[str, Any] = Field(
        default_factory=dict,
        description="Arguments of the cluster class, or of `distributed.Client` for an address, such as `timeout`; "
        "`security: {tls_ca_file: ..., tls_client_cert: ..., tls_client_key: ...}` becomes a `distributed.Security`.",
    )

    def client(self) -> "AbstractContextManager[Client]":
        """Give a client, and close what was started for it, whatever happens."""
        from idr_assets.orchestration.cluster.client import client  # noqa: PLC0415  dask, for the run only

        return client(self.cluster, self.workers, self.arguments)

    def threads(self, client: "Client") -> int:
        """Count the threads among which planes are divided; those of workers that still wait in a queue are guessed."""
        there: int = sum(client.nthreads().values())
        return max(there, self.workers or 1)
