"""What `add --list` does: from addresses to a list of images."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from dagster_dg_core.context import DgContext

from idr_assets.components.image_name import image_name
from idr_assets.components.names_elsewhere import names_elsewhere
from idr_assets.components.new_list import fill_list


def add_list(project: DgContext, file: Path, addresses: Sequence[str], wishes: Mapping[str, Any]) -> None:
    """Fill a CSV or TSV file below `defs` with images, and write the YAML beside it if there is none."""
    file = file.absolute()
    try:
        _check_place(file, project.defs_path)
        taken = names_elsewhere(project.defs_path, file.parent)
        found = fill_list(file, addresses, wishes, project.root_path, taken)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    for line in found.faults:
        click.echo(line, err=True)
    for line in [*found.known, *found.lines]:
        click.echo(line)
    if found.lines:
        found.write()
        click.echo(f"wrote: {os.path.relpath(file)}, {os.path.relpath(found.yaml)}")
    for note in found.notes:
        click.echo(f"The address may hold a secret, which is not written. For each process, set it by: {note}")
    nothing = "Nothing was written" if found.faults else "All images are in the list already, so nothing was written"
    click.echo(f"next: idr-assets resume {file.parent.name}" if found.lines else f"{nothing}.")
    sys.exit(bool(found.faults))


def _check_place(file: Path, defs: Path) -> None:
    image_name(file.parent)
    if defs not in file.parent.parents or file.suffix not in {".csv", ".tsv"}:
        message = (
            f"{file} is no table of a list, so nothing was written. A list is a folder below {os.path.relpath(defs)}: "
            f"name for example {os.path.relpath(defs / 'screen' / 'images.csv')}."
        )
        raise ValueError(message)
