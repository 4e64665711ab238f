"""The version of an image, which Dagster compares with the version that planes were made from.

It is the image's fingerprint. If the image only grew in T or Z, it is still the fingerprint from before, so that planes
that are done do not become stale.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import dagster as dg

from idr_assets.imaging.planes import Plane, has_grown
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.versions import INPUT, latest_materialization, latest_tags, source_key

if TYPE_CHECKING:
    from idr_assets.imaging.reading.level import Level

HASTE = {"timeout": 5.0, "tries": 2, "seconds": 15.0}
"""Upper limits for the requests of a short look at an image."""


@dataclass(frozen=True)
class SourceVersion:
    """An image as it was seen at one time.

    Attributes
    ----------
    version : str
        What Dagster compares.
    fingerprint : str
        Fingerprint of the image as its store had it.
    layout : mapping
        `hash`, see `hash_layout`, and `shape` (t, c, z, y, x); empty if an earlier version of this package saw it.

    """

    version: str
    fingerprint: str
    layout: Mapping[str, Any]

    @property
    def metadata(self) -> dict[str, dg.MetadataValue[Any]]:
        """Metadata of `source_image`, which the next look at the image compares."""
        since = {"grown since": dg.MetadataValue.text(self.version)} if self.version != self.fingerprint else {}
        fingerprint = dg.MetadataValue.text(self.fingerprint)
        return {"fingerprint": fingerprint, **since, "layout": dg.MetadataValue.json(self.layout)}


def find_version(instance: dg.DagsterInstance, image: Image, level: "Level", fingerprint: str) -> SourceVersion:
    """Find out the version of an image as it is now.

    The version stays if the metadata differ in the lengths of T and Z only, if neither is shorter, and if a few of the
    planes that were made from this version still have the same pixels in the source. Nothing is read unless the image
    has grown.
    """
    layout = describe_layout(level)
    known = find_last_seen(instance, image)
    if known and fingerprint == known.fingerprint:
        return SourceVersion(known.version, fingerprint, layout)
    if known and has_only_grown(known.layout, layout):
        planes = _planes_of(instance, image, known.version)
        from idr_assets.imaging.output.growth import are_unchanged  # noqa: PLC0415  zarr, which definitions do without

        if are_unchanged(image.labels_url, level, planes):
            return SourceVersion(known.version, fingerprint, layout)
    return SourceVersion(fingerprint, fingerprint, layout)


def find_last_seen(instance: dg.DagsterInstance, image: Image) -> SourceVersion | None:
    """Return the image as Dagster saw it last, or None."""
    _, event = latest_materialization(instance, source_key(image))
    version = event and (event.tags or {}).get("dagster/data_version")
    if not (event and version):
        return None
    metadata: dict[str, Any] = {name: value.value for name, value in event.metadata.items()}
    return SourceVersion(version, metadata.get("fingerprint", version), metadata.get("layout") or {})


def report_source(
    instance: dg.DagsterInstance, image: Image, level: "Level", fingerprint: str, run_id: str | None = None
) -> SourceVersion:
    """Report the version of an image to Dagster, as seen by a run, unless it is known, and return it."""
    return report_version(instance, image, find_version(instance, image, level, fingerprint), run_id)


def report_version(
    instance: dg.DagsterInstance, image: Image, found: SourceVersion, run_id: str | None = None
) -> SourceVersion:
    """Report a version to Dagster, as seen by a run, unless it is known, and return it.

    Labels record the version that Dagster knows. Without this, they would become stale as soon as it learns the new
    one.
    """
    if found == find_last_seen(instance, image):
        return found
    seen_by = {"seen by": dg.MetadataValue.dagster_run(run_id)} if run_id else {}
    seen = dg.AssetMaterialization(
        source_key(image), metadata={**found.metadata, **seen_by}, tags={"dagster/data_version": found.version}
    )
    instance.report_runless_asset_event(seen)  # at once; an event of the run would wait for its outputs
    return found


def report_source_of_run(
    context: dg.AssetExecutionContext, image: Image, level: "Level", fingerprint: str
) -> SourceVersion:
    """Report the version of an image that a run has seen."""
    found = report_source(context.instance, image, level, fingerprint, context.run.run_id)
    forget_input_version(context, image)
    return found


def forget_input_version(context: dg.AssetExecutionContext, image: Image) -> None:
    """Let a run look again which version its source has: Dagster asked before the step."""
    with suppress(AttributeError):  # an internal; without it, labels are stale once
        context.get_step_execution_context().wipe_input_asset_version_info(source_key(image))


def hasten[T: Image](image: T) -> T:
    """Return an image whose store is not waited for long: Dagster ends a look of a sensor that takes a minute."""
    haste = {name: min(most, getattr(image.patience, name)) for name, most in HASTE.items()}
    return replace(image, patience=image.patience.model_copy(update=haste))


def describe_layout(level: "Level") -> dict[str, Any]:
    """Describe a level by what may not change while it grows, and by its shape."""
    from idr_assets.imaging.reading.fingerprint import hash_layout  # noqa: PLC0415  as above

    return {"hash": hash_layout(level), "shape": list(level.shape)}


def has_only_grown(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Return whether a layout differs from an earlier one in the lengths of T and Z only, and none is shorter."""
    return bool(earlier) and earlier["hash"] == now["hash"] and has_grown(now["shape"], earlier["shape"])


def _planes_of(instance: dg.DagsterInstance, image: Image, version: str) -> list[Plane]:
    """List the planes, of all segmentations, whose last materialization was made from this version of the image."""
    labels = [key for key in instance.get_asset_keys(prefix=[image.name]) if key.path[-1] == "plane_labels"]
    tag = f"{INPUT}{source_key(image).to_user_string()}"
    names = {name for key in labels for name, tags in latest_tags(instance, key).items() if tags.get(tag) == version}
    cells = sorted({(int(t), int(z)) for t, z in (name.split("|") for name in names)})
    return [Plane(t, c, z) for t, z in cells for c in image.channels]
