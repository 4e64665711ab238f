"""The asset `<image>/plane_labels`: the label planes, partitioned over T x Z."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import dagster as dg

from idr_assets.imaging.blocks import BlockTask, segment_blocks
from idr_assets.imaging.label_image import create_label_image
from idr_assets.imaging.planes import block_size
from idr_assets.imaging.segmentation import version_of
from idr_assets.imaging.source import Level, fingerprint
from idr_assets.orchestration.dask_resource import DaskResource
from idr_assets.orchestration.descriptions import of_plane_labels
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.partitions import block_of, window_partitions
from idr_assets.orchestration.plane_checks import check_specs
from idr_assets.orchestration.plane_report import report
from idr_assets.orchestration.progress import logged
from idr_assets.orchestration.versions import recipe_version

PACKAGES = ("idr_assets", "dask-image", "scipy", "zarr")
"""Packages whose versions the labels depend on."""


def plane_labels(image: Image) -> dg.AssetsDefinition:
    """Define the asset; its value for a partition is the label plane (y, x), int32."""
    key = dg.AssetKey([image.name, "plane_labels"])

    @dg.asset(
        key=key,
        deps=[dg.AssetKey([image.name, "source_image"])],
        group_name=image.name,
        kinds={"zarr", "dask"},
        io_manager_key=f"{image.name}_io",
        pool=image.pool,
        partitions_def=window_partitions(image),
        backfill_policy=dg.BackfillPolicy.single_run(),
        code_version=recipe_version(image),
        description=of_plane_labels(image),
        check_specs=check_specs(key),
    )
    def asset(
        context: dg.AssetExecutionContext, dask: DaskResource
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        block = block_of(image, context.partition_key_range)
        level = image.open_level()
        provenance = _provenance(image, level)
        output = create_label_image(image.labels_url, level)
        task = BlockTask(level, output, image.function, image.parameters, provenance)
        with dask.client() as client:
            context.log.info("dask dashboard: %s", client.dashboard_link)
            size = block_size(level.plane_shape, len(block), sum(client.nthreads().values()))
            results = segment_blocks(client, task, block.cut(level.chunks, size))
            found = list(logged(results, len(block), context.log.info))
        yield from report(context, image, found, provenance)

    return asset


def _provenance(image: Image, level: Level) -> dict[str, Any]:
    mark = fingerprint(level, image.storage_options)
    parameters, function_version = dict(image.parameters), version_of(image.function)
    return {
        "source": {"url": level.url, "level": level.path, "channels": list(image.channels), "fingerprint": mark},
        "segmentation": {"function": image.function_path, "version": function_version, "parameters": parameters},
        "versions": {package: version(package) for package in PACKAGES},
    }
