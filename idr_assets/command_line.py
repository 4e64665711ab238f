"""The command `idr-assets`, for what Dagster's own commands cannot do: find missing planes, make or delete them."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import click
import dagster as dg
from sqlalchemy.exc import OperationalError

from idr_assets.adopting import adopt_and_tell, heal_first
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.writing import remove_labels
from idr_assets.imaging.planes import Block
from idr_assets.init import init
from idr_assets.instance import open_instance
from idr_assets.orchestration.assets.names import OVERVIEW
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.longer_axes import rename_shorter_keys
from idr_assets.orchestration.partitions import (
    key_range,
    parse_range,
    partition_key,
    rectangles,
)
from idr_assets.orchestration.process_end import skip_last_garbage
from idr_assets.orchestration.records_lock import lock_records
from idr_assets.parts import BROKEN_YAML
from idr_assets.project import find_images, find_segmentation, load_definitions
from idr_assets.to_do import find_to_do, resume_image, run
from idr_assets.web.command import ui

_name = click.argument("name", metavar="IMAGE")
_module = click.option(
    "-m", "--module", help="Module with the definitions.  [default: that of the project around the working folder]"
)
_stale = click.option("--stale", is_flag=True, help="Include planes whose recipe or image has changed.")
_unended = click.option("--in-progress", is_flag=True, help="Include planes of runs that have not ended.")


class _Commands(click.Group):
    """Commands that show an `ImageError`, or what the instance's database says, as a message without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  click's signature
        try:
            return super().invoke(ctx)
        except ImageError as error:
            raise click.ClickException(str(error)) from error
        except OperationalError as error:
            message = (
                f"The database of the Dagster instance refuses ({error.orig}), so not all is done. Correct the rights "
                "of all files of DAGSTER_HOME, or free space there."
            )
            raise click.ClickException(message) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """List, make or delete planes of an image, and serve the UI.

    DAGSTER_HOME names the Dagster instance, which knows what was made.
    """
    skip_last_garbage()
    os.environ.setdefault(BROKEN_YAML, "skip")  # also for the processes of the UI, whose YAML may become wrong later


main.add_command(ui)
main.add_command(init)


@main.command()
@_name
@_module
@_stale
@_unended
def missing(name: str, module: str | None, *, stale: bool, in_progress: bool) -> None:
    """List missing and failed planes of IMAGE, or of all images of a list.

    Prints partition keys and ranges of them.
    """
    with open_instance() as instance:
        images = list(chain.from_iterable(find_images(_definitions(module), name)))
        for image, cells in find_to_do(instance, name, images, stale=stale, in_progress=in_progress):
            named = "".join(f"{it} " for it in (image.name if image.name != name else None, image.segmentation) if it)
            for block in rectangles(image, cells):
                first, last = key_range(image, block).split("...")
                click.echo(named + (first if first == last else f"{first}...{last}"))


@main.command()
@_name
@_module
@_stale
@_unended
def resume(name: str, module: str | None, *, stale: bool, in_progress: bool) -> None:
    """Make missing and failed planes of IMAGE, or of all images of a list.

    Adopts those that are stored already, as `adopt` does. Then draws its figures and measures its objects, from the
    planes that are done, even if others failed.
    """
    definitions = _definitions(module)
    listed = find_images(definitions, name)
    job, done = definitions.resolve_implicit_global_asset_job_def(), []
    with open_instance() as instance:
        heal_first(instance, list(chain.from_iterable(listed)))
        to_do = find_to_do(instance, name, list(chain.from_iterable(listed)), stale=stale, in_progress=in_progress)
        for images in listed:
            done += resume_image(instance, job, images, [cells for cells in to_do if cells[0] in images])
        if any(done) and listed[0][0].list_name == name:
            done.append(run(instance, job, [dg.AssetKey([name, OVERVIEW])], {}))
    sys.exit(not all(done))


@main.command()
@_name
@click.argument("partitions", nargs=-1, required=True)
@click.option("-s", "--segmentation", help="Name of the segmentation, if the image has several.")
@_module
def wipe(name: str, partitions: Sequence[str], segmentation: str | None, module: str | None) -> None:
    """Delete the labels of planes of IMAGE.

    The planes are missing then; their pixels are kept. PARTITIONS are keys such as '05|08', or ranges such as
    '05|03...05|12'.
    """
    image = find_segmentation(_definitions(module), name, segmentation)
    with open_instance() as instance:
        blocks = [parse_range(image, text) for text in partitions]
        rename_shorter_keys(instance, image)
        wiped = sum(_wipe(instance, image, block) for block in blocks)
    click.echo(f"Labels of {image.title} were deleted for {wiped} partitions.")


def _wipe(instance: dg.DagsterInstance, image: Image, block: Block) -> int:
    keys = [partition_key(image, plane) for plane in replace(block, c=block.c[:1]).planes()]
    try:
        labels = image.open_output()
        with lock_records(instance, image):
            # The record first: labels without a record are made again, a record without labels would stay.
            instance.wipe_asset_partitions(dg.AssetKey(image.key("plane_labels")), keys)
            remove_labels(labels, block)
    except NotImplementedError as error:
        message = (
            "The event log of DAGSTER_HOME cannot forget single planes, so nothing was done. Name the storage class in "
            "its dagster.yaml, as docs/how_to/postgresql.md shows."
        )
        raise click.ClickException(message) from error
    return len(keys)


@main.command()
@_name
@_module
def adopt(name: str, module: str | None) -> None:
    """Tell Dagster of stored planes of IMAGE, or of all images of a list, that it does not know.

    They must be intact, and of the recipe and the image as these are now. Says which stored planes are not adopted, and
    why. `resume` does this first.
    """
    images = list(chain.from_iterable(find_images(_definitions(module), name)))
    with open_instance() as instance:
        heal_first(instance, images)
        for image, cells in find_to_do(instance, name, images, stale=True, in_progress=False):
            adopt_and_tell(instance, image, cells)


def _definitions(module: str | None) -> dg.Definitions:
    sys.path.insert(0, os.getcwd())  # noqa: PTH109  as Dagster's own commands do
    return load_definitions(module)
