"""The command `refresh`: read again which wells and fields a plate has."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import dagster as dg
import yaml
from dagster_dg_core.context import DgContext

from idr_assets.commands.options import import_from_here
from idr_assets.components.known_fields import FIELDS_FILE, read_fields, write_fields
from idr_assets.components.new_address import place_address
from idr_assets.components.templates import fill_in
from idr_assets.components.yaml_entry import find_yaml
from idr_assets.imaging.errors import mask
from idr_assets.imaging.reading.plate_survey import survey_plate
from idr_assets.imaging.stores.zarr_settings import own_settings

PLATE = re.compile(r"^type:\s*['\"]?idr_assets\.SegmentedPlate\b", re.MULTILINE)
"""How the YAML of a plate says what it is, even if nothing else of it can be read."""


@click.command()
@click.argument("name", metavar="PLATE")
@own_settings
def refresh(name: str) -> None:
    """Read again which wells and fields PLATE has.

    Writes them into `fields.csv` beside its YAML, which `wells: all` and `fields: all` take. A running UI takes it up
    by *Reload definitions*.
    """
    import_from_here()
    project = DgContext.for_project_environment(Path.cwd(), {})
    path = next((it for it in find_yaml(project.defs_path) if it.parent.name == name), None)
    given = _read(path) if path else {}
    if not path or not given:
        raise click.ClickException(_explain_unknown(name, project.defs_path, known=bool(path)))
    url = given.get("url") or str(given.get("endpoint")).replace("{image_id}", str(given.get("image_id")))
    address = place_address(url, name, project.root_path).read
    survey = survey_plate(address, given.get("storage_options"))
    if not survey:
        message = (
            f"No plate with fields can be read at {mask(address)}, the address in {os.path.relpath(path)}, so nothing "
            "was written. Check `url`, and whether the store is there."
        )
        raise click.ClickException(message)
    before = set(read_fields(path.parent)) if (path.parent / FIELDS_FILE).exists() else set()
    write_fields(path.parent, survey.fields)
    click.echo(survey.text)
    new, gone = len({*survey.fields} - before), len(before - {*survey.fields})
    click.echo(f"wrote: {os.path.relpath(path.with_name(FIELDS_FILE))} ({new} new, {gone} gone)")
    click.echo(f"next: idr-assets resume {name}")


def _explain_unknown(name: str, defs: Path, *, known: bool) -> str:
    """Say that a name is not that of a plate, and which are."""
    what = f"{name} is an image or a list of images, not a plate" if known else f"There is no plate {name!r}"
    plates = ", ".join(sorted(path.parent.name for path in find_yaml(defs) if PLATE.search(path.read_text())))
    if plates:
        return f"{what}, so nothing was written. Choose from: {plates}."
    remedy = f"Add one: idr-assets add {'NAME' if known else name} ADDRESS"
    return f"{what}, so nothing was written. The project has no plates. {remedy}"


def _read(path: Path) -> Mapping[str, Any]:
    """Return the fields of the YAML of a plate, filled in; nothing of any other YAML."""
    try:
        found = yaml.safe_load(path.read_text())
        if found["type"] == "idr_assets.SegmentedPlate":
            filled: Mapping[str, Any] = fill_in(found["attributes"], dg.ResolutionContext.default())
            return filled
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        message = f"{path} cannot be read ({error}), so nothing was written. Correct it."
        raise click.ClickException(message) from error
    return {}
