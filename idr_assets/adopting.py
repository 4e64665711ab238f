"""Adopt stored planes and heal outputs for the commands, and say what was done."""

from collections.abc import Sequence
from contextlib import suppress

import click
import dagster as dg

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Plane
from idr_assets.orchestration.assets.adoption import adopt_planes
from idr_assets.orchestration.assets.healing import heal_output
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.partitions import partition_key
from idr_assets.orchestration.rectangles import Cell


def adopt_and_tell(instance: dg.DagsterInstance, image: Image, cells: set[Cell]) -> None:
    """Adopt stored planes of these (t, z), and say which are not adopted, and why."""
    adoption = adopt_planes(instance, image, cells)
    click.echo(f"Adopted {len(adoption.adopted)} partitions of {image.title}.")
    for why, others in adoption.others.items():
        t, z = min(others)
        click.echo(f"Not adopted: {len(others)}, from {partition_key(image, Plane(t, 0, z))} on, which are {why}.")


def adopt_first(instance: dg.DagsterInstance, image: Image, cells: set[Cell]) -> set[Cell]:
    """Adopt stored planes before others are made, and return those that are to be made.

    What keeps planes from being adopted is for the run to report.
    """
    try:
        adopted = adopt_planes(instance, image, cells).adopted
    except ImageError:
        return cells
    if adopted:
        click.echo(f"{len(adopted)} partitions of {image.title} are stored already: they are adopted.", err=True)
    return cells - adopted


def heal_first(instance: dg.DagsterInstance, images: Sequence[Image]) -> None:
    """Heal outputs that were damaged, so that it is known which planes are missing.

    What keeps an output from being healed is for the run to report.
    """
    for image in images:
        with suppress(ImageError):
            if healed := heal_output(instance, image):
                click.echo(healed, err=True)
