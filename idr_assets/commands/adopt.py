"""The command `adopt`, and what `resume` heals first."""

from collections.abc import Sequence
from contextlib import suppress
from itertools import chain

import click
import dagster as dg

from idr_assets.commands.options import image_name, module_option, read_definitions
from idr_assets.commands.to_do import list_to_do
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Plane
from idr_assets.instance import open_instance
from idr_assets.orchestration.assets.adoption import adopt_planes
from idr_assets.orchestration.assets.healing import heal_output
from idr_assets.orchestration.image import Image
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
        heal_first(instance, images)
        for image, cells in list_to_do(instance, name, images, stale=True, in_progress=False):
            adopt_and_tell(instance, image, cells)


def adopt_and_tell(instance: dg.DagsterInstance, image: Image, cells: set[Cell]) -> None:
    """Adopt stored planes of these (t, z), and say which are not adopted, and why."""
    adoption = adopt_planes(instance, image, cells)
    click.echo(f"Adopted {len(adoption.adopted)} partitions of {image.title}.")
    for why, others in adoption.others.items():
        t, z = min(others)
        first = partition_key(image, Plane(t, 0, z))
        click.echo(
            f"Not adopted: {len(others)} partitions, the first is {first}: {why}. `idr-assets resume {image.name}` "
            "makes them again."
        )


def heal_first(instance: dg.DagsterInstance, images: Sequence[Image]) -> None:
    """Heal outputs that were damaged, so that it is known which planes are missing.

    What keeps an output from being healed is for the run to report.
    """
    for image in images:
        with suppress(ImageError):
            if healed := heal_output(instance, image):
                click.echo(healed, err=True)
