"""The dask resource: the cluster on which planes are segmented, as the YAML describes it."""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from distributed import Client

FORMS = ("in_process", "processes")
"""The forms with a name; others are an address or a class."""


class DaskResource(BaseModel):
    """A dask cluster in one of four forms: in this process, local processes, an address, or a cluster class.

    Dagster cannot configure it: cluster and arguments name code, and whoever may launch a run could choose other code.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cluster: str = Field(
        default="in_process",
        description="`in_process` (threads of the run), `processes` (local workers), the address of a running "
        "scheduler (`tcp://...`, `tls://...`), or the dotted path of a cluster class, such as "
        "`dask_jobqueue.SLURMCluster`.",
    )
    workers: int | None = Field(
        default=None,
        gt=0,
        description="Number of threads (`in_process`), processes (`processes`) or workers (a cluster class). The "
        "default is the number of cores of this machine, or 1 for a cluster class.",
    )
    arguments: dict[str, Any] = Field(
        default_factory=dict,
        description="Arguments of the cluster class, or of `distributed.Client` for an address, such as `timeout`. "
        "`security: {tls_ca_file: ..., tls_client_cert: ..., tls_client_key: ...}` becomes a `distributed.Security`.",
    )

    def client(self) -> "AbstractContextManager[Client]":
        """Provide a client; at the end, close what was started for it."""
        from idr_assets.orchestration.cluster.client import client  # noqa: PLC0415  dask, for the run only

        return client(self.cluster, self.workers, self.arguments)

    def threads(self, client: "Client") -> int:
        """Count the threads to divide planes among; `workers` is the estimate while workers wait in a queue."""
        there: int = sum(client.nthreads().values())
        return max(there, self.workers or 1)
