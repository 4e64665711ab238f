"""The Dagster component that says in YAML where dask runs."""

from importlib.util import find_spec
from typing import Self
from weakref import WeakKeyDictionary

import dagster as dg
from pydantic import BaseModel

from idr_assets.components.templates import check_post_processing, fill_in, name_place
from idr_assets.orchestration.cluster.resource import FORMS, DaskResource
from idr_assets.orchestration.cluster.security import locate_certificates


class DaskCluster(dg.Component):
    """The dask cluster that segments planes: threads, local processes, a scheduler, or a cluster class."""

    def __init__(self, resource: DaskResource) -> None:
        """Wrap the resource that the YAML describes."""
        self.resource = resource

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """Take the YAML's fields from the resource itself."""
        return DaskResource

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """Create the component from the validated YAML; paths of certificates are relative to the YAML's folder."""
        check_post_processing(context)
        resource = attributes or DaskResource()
        yaml = context.resolution_context.at_path("attributes")
        fields = fill_in(resource.model_dump(), yaml)
        found = DaskResource(**fields | {"arguments": locate_certificates(fields["arguments"], context.path)})
        _check_installed(found.cluster, yaml)
        return cls(found)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002  Dagster's signature
        """Share the resource, and keep each run in one process: dask does the parallel work."""
        return dg.Definitions(resources={"dask": _define(self.resource)}, executor=dg.in_process_executor)


def _define(resource: DaskResource) -> dg.ResourceDefinition:
    # An empty schema refuses any run configuration of the resource; no schema would accept all.
    return dg.ResourceDefinition(lambda _: resource, config_schema={}, description=DaskCluster.__doc__)


DEFAULT = _define(DaskResource())
"""The resource of projects without a YAML of a cluster: threads of the run. It is one, so that Dagster can merge it."""

_NAMED: WeakKeyDictionary[object, bool] = WeakKeyDictionary()
"""Whether a YAML of each load of a project describes a cluster."""


def default_resources(context: dg.ComponentLoadContext) -> dict[str, dg.ResourceDefinition]:
    """Return the resource `dask` for a project in which no YAML describes a cluster, else nothing."""
    tree = context.component_tree
    if tree.state_tracker not in _NAMED:
        _NAMED[tree.state_tracker] = bool(tree.get_all_components(of_type=DaskCluster))
    return {} if _NAMED[tree.state_tracker] else {"dask": DEFAULT}


def _check_installed(cluster: str, context: dg.ResolutionContext) -> None:
    """Refuse a cluster that does not exist before a run needs it; only the run imports a class."""
    package, dot, _ = cluster.partition(".")
    if "://" in cluster or cluster in FORMS or (dot and _is_installed(package)):
        return
    message = (
        f"{cluster!r} in {name_place(context, 'cluster')} names no cluster: write `in_process`, `processes`, the "
        "address of a scheduler (tcp://host:8786), or the dotted path of a cluster class, whose package must be "
        "installed (`pip install dask-jobqueue`)"
    )
    raise ValueError(message)


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # no module name, or a module without a file, such as __main__
        return False
