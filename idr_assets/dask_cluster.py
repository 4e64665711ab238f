"""The Dagster component that says in YAML where dask runs."""

from typing import Any, Self

import dagster as dg
from pydantic import BaseModel

from idr_assets.orchestration.dask_resource import DaskResource


class DaskCluster(dg.Component):
    """The dask cluster that segments planes: this process, local processes, an address, or any cluster class."""

    def __init__(self, resource: DaskResource) -> None:
        """Wrap the resource that the YAML describes."""
        self.resource = resource

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """Take the YAML's fields from the resource itself."""
        return DaskResource

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """Make the component from the validated YAML."""
        resource = attributes or DaskResource()
        return cls(DaskResource(**context.resolution_context.resolve_value(resource.model_dump())))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002  Dagster's signature
        """Share the resource; runs stay in one process, for dask is the parallelism."""
        resources: dict[str, Any] = {"dask": self.resource}
        return dg.Definitions(resources=resources, executor=dg.in_process_executor)
