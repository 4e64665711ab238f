"""The command `delete`: an image with all that was made from it."""

from collections.abc import Sequence
from itertools import chain

import click
from dagster_dg_core.context import DgContext

from idr_assets.commands.options import image_name, module_option, read_definitions
from idr_assets.components.yaml_entry import Entry, find_entry
from idr_assets.imaging.counts import write_count
from idr_assets.imaging.errors import mask
from idr_assets.imaging.output.files import exists
from idr_assets.instance import open_instance
from idr_assets.orchestration.data_folder import data_url
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.outputs import check_idle, image_urls, list_urls, remove_outputs, told_assets
from idr_assets.project import find_images


@click.command()
@image_name
@click.option("--yes", is_flag=True, help="Do not ask.")
@module_option
def delete(name: str, module: str | None, *, yes: bool) -> None:
    """Delete IMAGE, or a list and all of its images.

    Removes the YAML or the row, the output, tables and figures, and what Dagster knows of them. Lists all of it, and
    asks. The image itself, the source, stays.
    """
    images = list(chain.from_iterable(find_images(read_definitions(module), name)))
    entry = find_own_entry(images, name)
    entry.check_others()
    names = {name, *(image.name for image in images)}
    with open_instance() as instance:
        check_idle(instance, names)
        urls = sorted(set(chain(list_urls(images, name), *map(image_urls, images))))
        found, told = [url for url in urls if exists(url)], told_assets(instance, names)
        planes = sum(len(instance.get_materialized_partitions(key)) for key in told if key.path[-1] == "plane_labels")
        for line in (*map(mask, found), entry.place):
            click.echo(line)
        if told:
            assets, partitions = write_count(len(told), "asset"), write_count(planes, "partition")
            click.echo(f"Dagster's records of {assets}, with {partitions} of planes")
        if not yes:
            click.confirm("Delete all of this?", abort=True)
        remove_outputs(found, data_url(images[0].project))
        instance.wipe_assets(told)
        entry.remove()
    click.echo(f"{name} was deleted.")


def find_own_entry(images: Sequence[Image], name: str) -> Entry:
    """Find where an image, or a list of images, is described; raise `ImageError` if that may not be changed."""
    project = DgContext.for_project_environment(images[0].project, {})
    entry = find_entry(project.defs_path, name, images[0].list_name)
    entry.check_rights()
    return entry
