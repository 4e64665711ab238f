"""The asset `<image>/plane_labels`: the label planes, partitioned over T x Z."""

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

import dagster as dg

from idr_assets.imaging.errors import masked
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.origins import create_origins, find_origins, identity
from idr_assets.imaging.output.output_image import label_groups
from idr_assets.imaging.output.provenance import read_provenance
from idr_assets.imaging.planes import block_size
from idr_assets.imaging.reading.fingerprint import fingerprint
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary
from idr_assets.imaging.segmentation.recipe import version_of
from idr_assets.orchestration.assets.descriptions import of_plane_labels
from idr_assets.orchestration.assets.plane_checks import check_specs
from idr_assets.orchestration.assets.plane_report import report
from idr_assets.orchestration.assets.progress import logged
from idr_assets.orchestration.cluster.resource import DaskResource
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.partitions import block_of, window_partitions
from idr_assets.orchestration.process_end import skip_last_garbage
from idr_assets.orchestration.run_range import check_run
from idr_assets.orchestration.versions import recipe_version, tell_source

PACKAGES = ("idr_assets", "dask-image", "scipy", "zarr")
"""Packages whose versions the labels depend on."""


def plane_labels(image: Image) -> dg.AssetsDefinition:
    """Define the asset; its value for a partition is the label plane (y, x), int32."""
    key = dg.AssetKey(image.key("plane_labels"))

    @dg.asset(
        key=key,
        deps=[dg.AssetKey([image.name, "source_image"])],
        group_name=image.name,
        kinds={"zarr", "dask", *image.badge},
        io_manager_key=f"{image.name}_io",
        pool=image.pool,
        partitions_def=window_partitions(image),
        backfill_policy=dg.BackfillPolicy.single_run(),
        code_version=recipe_version(image),
        description=of_plane_labels(image),
        check_specs=check_specs(key),
    )
    def asset(
        context: dg.AssetExecutionContext, dask: dg.ResourceParam[DaskResource]
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        from idr_assets.imaging.segmentation.blocks import BlockTask, segment_blocks  # noqa: PLC0415  dask, for the run only

        check_run(context)
        skip_last_garbage()
        block = block_of(image, context.partition_key_range)
        level = image.find_level()
        image.check(level)
        provenance = _provenance(image, level)
        mark = provenance["source"]["fingerprint"]
        source = identity(level, mark, image.storage_options)
        if not _is_probed(image, level, source):
            image.probe(level)
        tell_source(context, image, mark)
        output = create_output(image.labels_url, level, image.label_group, version=image.format)
        origins = create_origins(output, level, source, reuse=image.reuse_pixels) if source else None
        _warn_of_other_sources(context, image, level)
        task = BlockTask(level, output, image.function, image.parameters, provenance, origins)
        with dask.client() as client:
            context.log.info("dask dashboard: %s", client.dashboard_link)
            size = block_size(level.plane_shape, len(block), dask.threads(client))
            results = segment_blocks(client, task, block.cut(level.chunks, size))
            found = list(logged(results, len(block), context.log.info))
        _tell_reused(context, image, found)
        _warn_of_no_objects(context, image, found)
        yield from report(context, image, found, provenance)

    return asset


def _is_probed(image: Image, level: Level, source: str | None) -> bool:
    """Tell whether the plane that a probe reads is stored: an earlier run of the same source has probed it."""
    origins = find_origins(image.labels_url, level, source, reuse=image.reuse_pixels) if source else None
    return origins is not None and origins.holds(image.middle)


def _tell_reused(context: dg.AssetExecutionContext, image: Image, found: Sequence[PlaneSummary | PlaneFailure]) -> None:
    reused = sum(isinstance(result, PlaneSummary) and result.reused for result in found)
    if reused:
        context.log.info(
            "pixels of %d of %d planes were read from %s: the image's fingerprint is the same as when they were stored",
            reused,
            len(found),
            masked(image.labels_url),
        )


def _warn_of_no_objects(
    context: dg.AssetExecutionContext, image: Image, found: Sequence[PlaneSummary | PlaneFailure]
) -> None:
    counts = [result.objects for result in found if isinstance(result, PlaneSummary)]
    if counts and not any(counts):
        message = "no object in any of %d planes: see whether %s suits the intensities of %s, with parameters %s"
        context.log.warning(message, len(counts), image.function_path, image.title, dict(image.parameters))


def _warn_of_other_sources(context: dg.AssetExecutionContext, image: Image, level: Level) -> None:
    """Addresses change for good reasons, so that planes from another one are no error; that they mix is told."""
    ways = [way for name in label_groups(image.labels_url) for way in read_provenance(image.labels_url, name)]
    urls = {way["source"]["url"].rstrip("/") for way in ways}
    if others := sorted(urls - {level.url.rstrip("/")}):
        context.log.warning(
            "%s holds planes of %s; planes of %s are added. Go on if these are the same image; else name this one anew "
            "or move the output away.",
            masked(image.labels_url),
            ", ".join(others),
            level.url,
        )


def _provenance(image: Image, level: Level) -> dict[str, Any]:
    mark = fingerprint(level, image.storage_options)
    parameters, function_version = dict(image.parameters), version_of(image.function)
    return {
        "source": {"url": level.url, "level": level.path, "channels": list(image.channels), "fingerprint": mark},
        "segmentation": {"function": image.function_path, "version": function_version, "parameters": parameters},
        "versions": {package: version(package) for package in PACKAGES},
    }
