"""The command `rename`: another name for an image, with what was made from it."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import chain

import click

from idr_assets.commands.adopt import adopt_and_tell
from idr_assets.commands.delete import find_own_entry
from idr_assets.commands.new_name import check_new_name
from idr_assets.commands.options import image_name, module_option, read_definitions
from idr_assets.components.yaml_entry import Entry
from idr_assets.imaging.errors import mask
from idr_assets.imaging.output.files import exists
from idr_assets.instance import open_instance
from idr_assets.orchestration.automation.missing import done_planes
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.outputs import check_idle, image_urls, move_outputs, told_assets
from idr_assets.project import find_image, known_names

LOST = (
    "What Dagster knew of figures, tables, checks and earlier runs of {0} is lost, and so is what was switched on in "
    "the UI. Files were moved; figures, tables and the overview of a list name {0} until they are made again. A "
    "running UI takes up the change by *Reload definitions*. Planes that are not adopted yet: idr-assets adopt {1}\n"
    "next: idr-assets resume {1}"
)


@click.command()
@image_name
@click.argument("new")
@module_option
def rename(name: str, new: str, module: str | None) -> None:
    """Give IMAGE the name NEW.

    Renames the YAML's folder or the row, the output, tables and figures. Stored planes that prove right are adopted
    under the new name.
    """
    definitions = read_definitions(module)
    images = find_image(definitions, name)
    entry = find_own_entry(images, name)
    renamed = [replace(image, name=new) for image in images]
    _check_free(entry, images, renamed, known_names(definitions))
    with open_instance() as instance:
        check_idle(instance, {name})
        done = [done_planes(instance, image) for image in images]
        for old, image in zip(images, renamed, strict=True):
            move_outputs(old, image)
        entry.rename(new)
        for image, cells in zip(renamed, done, strict=True):
            adopt_and_tell(instance, image, cells)
        instance.wipe_assets(told_assets(instance, [name]))
    click.echo(LOST.format(name, new))


def _check_free(entry: Entry, images: Sequence[Image], renamed: Sequence[Image], taken: Collection[str]) -> None:
    """Raise `ClickException` if the new name is taken, or something lies where its files would be."""
    check_new_name(entry.defs, new := renamed[0].name)
    if new.lower() in map(str.lower, taken):
        message = f"There is an image or a list {new!r} already, so nothing was done. Choose another name."
        raise click.ClickException(message)
    before = {*chain.from_iterable(map(image_urls, images))}
    for url in chain.from_iterable(map(image_urls, renamed)):
        if url not in before and exists(url):
            message = f"{mask(url)} exists already, so nothing was done. Move it away, or choose another name."
            raise click.ClickException(message)
