"""The Dagster component that says in YAML where dask runs."""

from importlib.util import find_spec
from typing import Self

import dagster as dg
from pydantic import BaseModel

from idr_assets.components.templates import check_post_processing
from idr_assets.components.yaml_model import place, resolved
from idr_assets.orchestration.cluster.resource import FORMS, DaskResource
from idr_assets.orchestration.cluster.security import located


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
        yaml = context.resolution_context.at_path("attributes")
        fields = resolved(resource.model_dump(), yaml)
        found = DaskResource(**fields | {"arguments": located(fields["arguments"], context.path)})
        _check_installed(found.cluster, yaml)
        return cls(found)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002  Dagster's signature
        """Share the resource; runs stay in one process, for dask is the parallelism."""
        # An empty schema refuses whatever a run's configuration says of the resource; without one, all is accepted.
        resource = dg.ResourceDefinition(lambda _: self.resource, config_schema={}, description=type(self).__doc__)
        return dg.Definitions(resources={"dask": resource}, executor=dg.in_process_executor)


def _check_installed(cluster: str, context: dg.ResolutionContext) -> None:
    """Refuse what names nothing before a run meets it; whether a class is one, the run sees, which imports it."""
    package, dot, _ = cluster.partition(".")
    if "://" in cluster or cluster in FORMS or (dot and _is_installed(package)):
        return
    message = (
        f"{cluster!r} in {place(context, 'cluster')} names no cluster: write `in_process`, `processes`, the address of "
        "a scheduler (tcp://host:8786), or the dotted path of a cluster class, whose package must be installed "
        "(`pip install dask-jobqueue`)"
    )
    raise ValueError(message)


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # no name, or a module without a place of its own, such as __main__
        return False
