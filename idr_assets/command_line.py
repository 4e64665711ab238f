"""The command `idr-assets`, for what Dagster's own commands cannot do: find missing planes, make or delete them."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

import click
import dagster as dg

from idr_assets.by_name import DEFINITIONS, find_image, find_segmentation, load_definitions
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.writing import remove_labels
from idr_assets.imaging.planes import Block
from idr_assets.orchestration.assets.names import figure_keys, measure_keys
from idr_assets.orchestration.automation.missing import IN_PROGRESS, TO_DO, missing_planes, rectangles, stale_planes
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.longer_axes import rename_shorter_keys
from idr_assets.orchestration.partitions import block_of, key_range, partition_key, range_tags, timepoint_tags
from idr_assets.orchestration.process_end import skip_last_garbage
from idr_assets.web.command import ui

_name = click.argument("name", metavar="IMAGE")
_module = click.option("-m", "--module", default=DEFINITIONS, show_default=True, help="Module with the definitions.")
_stale = click.option("--stale", is_flag=True, help="Include planes whose recipe or image has changed.")
_unended = click.option("--in-progress", is_flag=True, help="Include planes of runs that have not ended.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """List, make or delete planes of an image, and serve the UI.

    DAGSTER_HOME names the Dagster instance, which knows what was made.
    """
    skip_last_garbage()


main.add_command(ui)


@main.command()
@_name
@_module
@_stale
@_unended
def missing(name: str, module: str, *, stale: bool, in_progress: bool) -> None:
    """List missing and failed planes of IMAGE.

    Prints partition keys and ranges of them.
    """
    with _instance() as instance:
        for image, block in _to_do(instance, _images(_definitions(module), name), stale=stale, in_progress=in_progress):
            first, last = key_range(image, block).split("...")
            named = f"{image.segmentation} " if image.segmentation else ""
            click.echo(named + (first if first == last else f"{first}...{last}"))


@main.command()
@_name
@_module
@_stale
@_unended
def resume(name: str, module: str, *, stale: bool, in_progress: bool) -> None:
    """Make missing and failed planes of IMAGE.

    Then draws its figures and measures its objects.
    """
    definitions = _definitions(module)
    images = _images(definitions, name)
    with _instance() as instance:
        blocks = _to_do(instance, images, stale=stale, in_progress=in_progress)
        segment, measure = (definitions.resolve_job_def(f"{does}_{name}") for does in ("segment", "measure"))
        done = [
            _run(instance, segment, [dg.AssetKey(image.key("plane_labels"))], range_tags(image, block))
            for image, block in blocks
        ]
        if any(done):
            done.append(_run(instance, segment, figure_keys(images), range_tags(images[0], images[0].window)))
            done.append(_run(instance, measure, measure_keys(images), timepoint_tags(images[0])))
    sys.exit(not all(done))


@main.command()
@_name
@click.argument("partitions", nargs=-1, required=True)
@click.option("-s", "--segmentation", help="Name of the segmentation, if the image has several.")
@_module
def wipe(name: str, partitions: Sequence[str], segmentation: str | None, module: str) -> None:
    """Delete the labels of planes of IMAGE.

    The planes are missing then; their pixels are kept. PARTITIONS are keys such as '05|08', or ranges such as
    '05|03...05|12'.
    """
    try:
        image = find_segmentation(_definitions(module), name, segmentation)
    except ImageError as error:
        raise click.ClickException(str(error)) from error
    with _instance() as instance:
        blocks = [_block(image, range_) for range_ in partitions]
        wiped = sum(_wipe(instance, image, block) for block in blocks)
    click.echo(f"Labels of {image.title} were deleted for {wiped} partitions.")


def _wipe(instance: dg.DagsterInstance, image: Image, block: Block) -> int:
    keys = [partition_key(image, plane) for plane in replace(block, c=block.c[:1]).planes()]
    try:
        labels = image.open_output()
        # The record first: labels without a record are made again, a record without labels would stay.
        instance.wipe_asset_partitions(dg.AssetKey(image.key("plane_labels")), keys)
        remove_labels(labels, block)
    except NotImplementedError as error:
        message = (
            "The event log of DAGSTER_HOME cannot forget single planes, so nothing was done. Name the storage class in "
            "its dagster.yaml, as docs/how_to/postgresql.md shows."
        )
        raise click.ClickException(message) from error
    except ImageError as error:
        raise click.ClickException(str(error)) from error
    return len(keys)


def _block(image: Image, range_: str) -> Block:
    first, *last = range_.split("...")
    known = {partition_key(image, plane) for plane in image.window.planes()}
    if len(last) > 1 or not {first, *last} <= known:
        message = (
            f"{range_!r} is not in the window of {image.name}, so nothing was done. Write a key such as "
            f"{min(known)!r}, or a range such as {key_range(image, image.window)!r}."
        )
        raise click.ClickException(message)
    try:
        return block_of(image, dg.PartitionKeyRange(first, *last or [first]))
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def _definitions(module: str) -> dg.Definitions:
    sys.path.insert(0, os.getcwd())  # noqa: PTH109  as Dagster's own commands do
    try:
        return load_definitions(module)
    except ImageError as error:
        raise click.ClickException(str(error)) from error


def _images(definitions: dg.Definitions, name: str) -> Sequence[Image]:
    try:
        return find_image(definitions, name)
    except ImageError as error:
        raise click.ClickException(str(error)) from error


def _instance() -> dg.DagsterInstance:
    if not os.environ.get("DAGSTER_HOME"):
        message = (
            "DAGSTER_HOME is not set, so nothing is known of the planes. Set it: export DAGSTER_HOME=$PWD/.dagster_home"
        )
        raise click.ClickException(message)
    return dg.DagsterInstance.get()


def _to_do(
    instance: dg.DagsterInstance, images: Sequence[Image], *, stale: bool, in_progress: bool
) -> list[tuple[Image, Block]]:
    states = (*TO_DO, IN_PROGRESS) if in_progress else TO_DO
    blocks = []
    for image in images:
        rename_shorter_keys(instance, image)
        cells = missing_planes(instance, image, states) | (stale_planes(instance, image) if stale else set())
        blocks += [(image, block) for block in rectangles(image, cells)]
    if not blocks:
        click.echo(f"No plane of {images[0].name} is missing or failed{', or stale' * stale}.", err=True)
    return blocks


def _run(
    instance: dg.DagsterInstance, job: dg.JobDefinition, keys: Sequence[dg.AssetKey], tags: Mapping[str, str]
) -> bool:
    result = job.execute_in_process(instance=instance, asset_selection=keys, tags=dict(tags), raise_on_error=False)
    return result.success
