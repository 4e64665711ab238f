"""The command `idr-assets`, for what Dagster's own commands cannot ask for: the planes that are still to be done."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click
import dagster as dg

from idr_assets.imaging.planes import Block
from idr_assets.orchestration.automation import FIGURES
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.io_manager import ImageIOManager
from idr_assets.orchestration.missing import IN_PROGRESS, TO_DO, missing_planes, rectangles
from idr_assets.orchestration.partitions import key_range, range_tags

_name = click.argument("name", metavar="IMAGE")
_module = click.option("-m", "--module", default="idr_assets.definitions", show_default=True, help="The definitions.")
_unended = click.option("--in-progress", is_flag=True, help="Also planes of runs that did not end: of a killed one.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Ask for the planes of an image that are missing or failed, on the Dagster instance of DAGSTER_HOME."""


@main.command()
@_name
@_module
@_unended
def missing(name: str, module: str, *, in_progress: bool) -> None:
    """List the planes of IMAGE that are missing or failed, as partitions and ranges of them."""
    image = _image(_definitions(module), name)
    with _instance() as instance:
        for block in _to_do(instance, image, in_progress=in_progress):
            first, last = key_range(image, block).split("...")
            click.echo(first if first == last else f"{first}...{last}")


@main.command()
@_name
@_module
@_unended
def resume(name: str, module: str, *, in_progress: bool) -> None:
    """Segment the planes of IMAGE that are missing or failed, and draw its figures anew."""
    definitions = _definitions(module)
    image = _image(definitions, name)
    with _instance() as instance:
        blocks = _to_do(instance, image, in_progress=in_progress)
        done = [_run(instance, definitions, image, ["plane_labels"], block) for block in blocks]
        if any(done):
            done.append(_run(instance, definitions, image, FIGURES, image.window))
    sys.exit(not all(done))


def _definitions(module: str) -> dg.Definitions:
    sys.path.insert(0, os.getcwd())  # noqa: PTH109  as Dagster's own commands do
    definitions = import_module(module).defs
    loaded: dg.Definitions = definitions() if callable(definitions) else definitions
    return loaded


def _image(definitions: dg.Definitions, name: str) -> Image:
    managers = [it for it in (definitions.resources or {}).values() if isinstance(it, ImageIOManager)]
    images = {manager.image.name: manager.image for manager in managers}
    if name not in images:
        message = f"There is no image {name!r}, so nothing was done; there are: {', '.join(sorted(images))}."
        raise click.ClickException(message)
    return images[name]


def _instance() -> dg.DagsterInstance:
    if not os.environ.get("DAGSTER_HOME"):
        message = "DAGSTER_HOME is not set, so it is not known what is done: export DAGSTER_HOME=$PWD/.dagster_home"
        raise click.ClickException(message)
    return dg.DagsterInstance.get()


def _to_do(instance: dg.DagsterInstance, image: Image, *, in_progress: bool) -> list[Block]:
    states = (*TO_DO, IN_PROGRESS) if in_progress else TO_DO
    blocks = rectangles(image, missing_planes(instance, image, states))
    if not blocks:
        click.echo(f"No plane of {image.name} is missing or failed.", err=True)
    return blocks


def _run(
    instance: dg.DagsterInstance, definitions: dg.Definitions, image: Image, assets: Sequence[str], block: Block
) -> bool:
    result = definitions.resolve_job_def(f"segment_{image.name}").execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey([image.name, asset]) for asset in assets],
        tags=range_tags(image, block),
        raise_on_error=False,
    )
    return result.success
