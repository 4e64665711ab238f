"""The command `adopt`, and what is done to outputs before planes are made."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain

import click
import dagster as dg

from idr_assets.commands.options import image_name, module_option, read_definitions
from idr_assets.commands.to_do import list_to_do
from idr_assets.imaging.counts import write_count
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Plane
from idr_assets.instance import open_instance
from idr_assets.orchestration.assets.adoption import adopt_planes
from idr_assets.orchestration.assets.healing import heal_output
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.outputs import name_labels
from idr_assets.orchestration.partitions import partition_key
from idr_assets.orchestration.rectangles import Cell
from idr_assets.project import find_images


@click.command()
@image_name
@module_option
def adopt(name: str, module: str | None) -> None:
    """Tell Dagster of stored planes of IMAGE, or of all images of a list, that it does not know.

    They must be intact, and of the recipe and the image as these are now. Says which stored planes are not adopted, and
    why. `resume` does this first.
    """
    images = list(chain.from_iterable(find_images(read_definitions(module), name)))
    with open_instance() as instance:
        prepare_outputs(instance, images)
        to_do = list_to_do(instance, name, images, stale=True, in_progress=False)
        looked = [adopt_and_tell(instance, image, cells) for image, cells in to_do]
    sys.exit(bool(looked) and not any(looked))


def adopt_and_tell(instance: dg.DagsterInstance, image: Image, cells: set[Cell]) -> bool:
    """Adopt stored planes of these (t, z), and say which are not adopted, and why; return whether it could look."""
    try:
        adoption = adopt_planes(instance, image, cells)
    except ImageError as error:
        click.echo(f"Nothing of {image.title} is adopted: {error}", err=True)
        return False
    click.echo(f"Adopted {write_count(len(adoption.adopted), 'partition')} of {image.title}.")
    for why, others in adoption.others.items():
        t, z = min(others)
        first = partition_key(image, Plane(t, 0, z))
        click.echo(
            f"Not adopted: {write_count(len(others), 'partition')}, the first is {first}: {why}. "
            f"`idr-assets resume {image.name}` makes them again."
        )
    return True


def prepare_outputs(instance: dg.DagsterInstance, images: Sequence[Image]) -> None:
    """Heal outputs that were damaged, and name labels as the YAML does, so that it is known which planes are missing.

    What keeps an output from being healed is for the run to report.
    """
    for image in images:
        with suppress(ImageError):
            if name_labels(instance, image):
                click.echo(f"The labels of {image.name} are those of {image.title} now.", err=True)
            if healed := heal_output(instance, image):
                click.echo(healed, err=True)
