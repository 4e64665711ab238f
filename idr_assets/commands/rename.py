"""The command `rename`: another name for an image, a plate or a list, with what was made from it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

import click
import dagster as dg

from idr_assets.commands.adopt import adopt_and_tell
from idr_assets.commands.delete import find_own_entry
from idr_assets.commands.new_name import check_new_name
from idr_assets.commands.options import image_name, module_option, read_definitions
from idr_assets.components.yaml_entry import Entry
from idr_assets.imaging.errors import mask
from idr_assets.imaging.output.files import exists
from idr_assets.instance import open_instance
from idr_assets.orchestration.assets.names import OVERVIEW
from idr_assets.orchestration.automation.missing import done_planes
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.outputs import check_idle, image_urls, list_urls, move_files, told_assets
from idr_assets.project import find_images, known_names

LOST = (
    "What Dagster knew of figures, tables, checks and earlier runs of {0} is lost, and so is what was switched on in "
    "the UI. Files were moved; figures, tables and the overview of a list name {0} until they are made again. A "
    "running UI takes up the change by *Reload definitions*. Planes that are not adopted yet: idr-assets adopt {1}\n"
    "next: idr-assets resume {1}"
)
OF_LIST = (
    "The images of {0} keep their names, and all that is known of them. What Dagster knew of {0}/overview is lost, and "
    "so is what was switched on in the UI for the list. A running UI takes up the change by *Reload definitions*.\n"
    "next: idr-assets resume {1}"
)


@click.command()
@image_name
@click.argument("new")
@module_option
def rename(name: str, new: str, module: str | None) -> None:
    """Give IMAGE, or a plate or a list, the name NEW.

    Renames the YAML's folder or the row, the output, tables and figures. Stored planes that prove right are adopted
    under the new name. The images of a list keep theirs.
    """
    definitions = read_definitions(module)
    found = find_images(definitions, name)
    check_new_name((entry := find_own_entry(found[0], name)).defs, new)
    if new.lower() in map(str.lower, known_names(definitions)):
        message = f"There is an image or a list {new!r} already, so nothing was done. Choose another name."
        raise click.ClickException(message)
    with open_instance() as instance:
        check_idle(instance, {name, *(images[0].name for images in found)})
        if found[0][0].list_name == name:
            _rename_list(instance, found[0], entry, new)
        else:
            _rename_image(instance, found[0], entry, new)


def _rename_list(instance: dg.DagsterInstance, images: Sequence[Image], entry: Entry, new: str) -> None:
    _move(list_urls(images, entry.name), list_urls(images, new), images[0])
    entry.rename(new)
    known = told_assets(instance, [entry.name])
    instance.wipe_assets([key for key in known if key.path[-1] == OVERVIEW])
    click.echo(OF_LIST.format(entry.name, new))


def _rename_image(instance: dg.DagsterInstance, images: Sequence[Image], entry: Entry, new: str) -> None:
    renamed = [replace(image, name=new) for image in images]
    done = [done_planes(instance, image) for image in images]
    _move(chain(*map(image_urls, images)), chain(*map(image_urls, renamed)), images[0])
    entry.rename(new)
    for image, cells in zip(renamed, done, strict=True):
        adopt_and_tell(instance, image, cells)
    instance.wipe_assets(told_assets(instance, [entry.name]))
    click.echo(LOST.format(entry.name, new))


def _move(urls: Iterable[str], targets: Iterable[str], image: Image) -> None:
    """Move what exists; raise `ClickException` before anything is moved if something lies where it would go."""
    moves = dict(zip(urls, targets, strict=True))
    if taken := next(filter(exists, moves.values()), None):
        message = f"{mask(taken)} exists already, so nothing was done. Move it away, or choose another name."
        raise click.ClickException(message)
    move_files(moves, image)
