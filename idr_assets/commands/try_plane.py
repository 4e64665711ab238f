"""The command `try`: segment one plane with other parameters, and leave no trace."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import yaml

from idr_assets.commands.options import image_name, module_option, read_definitions, segmentation_option
from idr_assets.components.images import locate_weights
from idr_assets.components.parameters import check_parameters
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.stores.zarr_settings import own_settings
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.partitions import cell_of, partition_key
from idr_assets.orchestration.rectangles import Cell
from idr_assets.project import find_segmentation


@click.command("try")
@image_name
@click.argument("partition", metavar="'T|Z'")
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help="A parameter, such as background_sigma=80.")
@segmentation_option
@click.option("--picture", type=click.Path(path_type=Path), help="The PNG.  [default: try.png beside IMAGE's figures]")
@module_option
@own_settings
def try_plane(  # noqa: PLR0913, PLR0917  the arguments above
    name: str, partition: str, given: Sequence[str], segmentation: str | None, picture: Path | None, module: str | None
) -> None:
    """Segment one plane of IMAGE now, and draw it, to choose parameters.

    Prints numbers and areas of objects. Nothing is stored but the PNG, and Dagster does not know of it.
    """
    image = find_segmentation(read_definitions(module), name, segmentation)
    try:
        recipe = change_recipe(image.recipe, dict(map(_parse, given)), image.project)
        t, z = _find_cell(image, partition)
    except ValueError as error:
        message = f"{error}. Nothing was segmented."
        raise click.ClickException(message) from error
    _check_inside(image, t, z)
    from idr_assets.orchestration.assets.work.look import describe_size, draw_look  # noqa: PLC0415  dask and matplotlib

    level = image.source.open()
    image.source.check(level)
    url = str(picture.absolute()) if picture else image.try_url
    plane = Block(range(t, t + 1), image.channels, range(z, z + 1))
    for line in describe_size(level, recipe):
        click.echo(line)
    click.echo(draw_look(level, plane, recipe, image.title, url, image.name_plane))
    click.echo(f"look at: {url if '://' in url else os.path.relpath(url)}")


def _find_cell(image: Image, partition: str) -> Cell:
    try:
        return cell_of(image, partition)
    except ValueError as error:
        example = partition_key(image, Plane(image.t[0], image.channels[0], image.z[0]))
        message = f"{partition!r} is no partition of {image.name}; write one such as {example!r}"
        raise ValueError(message) from error


def _parse(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        message = f"{text!r} is no parameter; write its name and value, such as background_sigma=80"
        raise ValueError(message)
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError as error:
        message = f"{value!r}, the value of {name}, is no YAML; put text with punctuation in quotes"
        raise ValueError(message) from error


def change_recipe(recipe: Recipe, given: dict[str, Any], project: Path) -> Recipe:
    """Return a recipe with other parameters, as if the YAML had them."""
    parameters = {**recipe.parameters, **given}
    check_parameters(recipe.path, parameters, recipe.inputs)
    return locate_weights(replace(recipe, parameters=parameters), project)


def _check_inside(image: Image, t: int, z: int) -> None:
    for axis, index, length in ((image.row_axis, t, image.shape[0]), ("z", z, image.shape[2])):
        if not 0 <= index < length:
            message = f"{image.name} has {axis} 0 to {length - 1}, not {index}. Nothing was segmented."
            raise click.ClickException(message)
