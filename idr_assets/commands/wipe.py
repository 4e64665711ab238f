"""The command `wipe`: delete the labels of planes."""

from collections.abc import Sequence
from dataclasses import replace

import click
import dagster as dg

from idr_assets.commands.options import image_name, module_option, read_definitions, segmentation_option
from idr_assets.imaging.counts import write_count
from idr_assets.imaging.errors import AbsentOutputError
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.writing import remove_labels
from idr_assets.imaging.planes import Block
from idr_assets.instance import open_instance
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.longer_axes import rename_shorter_keys
from idr_assets.orchestration.partitions import partition_key
from idr_assets.orchestration.records_lock import lock_records
from idr_assets.orchestration.run_range import parse_range
from idr_assets.project import find_segmentation


@click.command()
@image_name
@click.argument("partitions", nargs=-1, required=True)
@segmentation_option
@module_option
def wipe(name: str, partitions: Sequence[str], segmentation: str | None, module: str | None) -> None:
    """Delete the labels of planes of IMAGE.

    The planes are missing then; their pixels are kept. PARTITIONS are keys such as '05|08', or ranges such as
    '05|03...05|12'.
    """
    image = find_segmentation(read_definitions(module), name, segmentation)
    with open_instance() as instance:
        blocks = [parse_range(image, text) for text in partitions]
        rename_shorter_keys(instance, image)
        wiped = sum(_wipe(instance, image, block) for block in blocks)
    click.echo(f"Labels of {image.title} were deleted for {write_count(wiped, 'partition')}.")


def _open_output(image: Image, *, known: bool) -> OutputImage | None:
    """Open the output; None if somebody has removed it, and Dagster still knows its planes."""
    try:
        return image.open_output()
    except AbsentOutputError:
        if known:
            return None
        raise


def _wipe(instance: dg.DagsterInstance, image: Image, block: Block) -> int:
    keys = [partition_key(image, plane) for plane in replace(block, c=block.c[:1]).planes()]
    asset = dg.AssetKey(image.key("plane_labels"))
    try:
        labels = _open_output(image, known=bool(instance.get_materialized_partitions(asset)))
        with lock_records(instance, image):
            # The record first: labels without a record are made again, a record without labels would stay.
            instance.wipe_asset_partitions(asset, keys)
            if labels:
                remove_labels(labels, block)
    except NotImplementedError as error:
        message = (
            "The event log of DAGSTER_HOME cannot forget single planes, so nothing was done. Name the storage class in "
            "its dagster.yaml, as docs/how_to/postgresql.md shows."
        )
        raise click.ClickException(message) from error
    return len(keys)
