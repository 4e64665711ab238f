"""The Dagster component that says in YAML where dask runs."""

from typing import Any, Self

import dagster as dg
from pydantic import BaseModel

from idr_assets.orchestration.dask_resource import DaskResource
from idr_assets.orchestration.dask_security import located
from idr_assets.templates import check_post_processing
from idr_assets.yaml_fields import resolved


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
        """Make the component from the validated YAML; paths of certificates are relative to the YAML's folder."""
        check_post_processing(context)
        resource = attributes or DaskResource()
        fields = resolved(resource.model_dump(), context.resolution_context)
        return cls(DaskResource(**fields | {"arguments": located(fields["arguments"], context.path)}))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002  Dagster's signature
        """Share the resource; runs stay in one process, for dask is the parallelism."""
        resources: dict[str, Any] = {"dask": self.resource}
        return dg.Definitions(resources=resources, executor=dg.in_process_executor)
