"""Check the name of what is new, before anything is written."""

import os
from pathlib import Path

import click

from idr_assets.components.image_name import usable_name
from idr_assets.components.yaml_entry import find_yaml


def check_new_name(defs: Path, name: str, *, force: bool | None = None) -> None:
    """Raise `ClickException` if a name cannot be that of an image, or is taken and not to be replaced.

    `force` is that option of a command; None if it has none.
    """
    if not name or usable_name(name) != name:
        message = (
            f"{name!r} cannot name an image, because keys of assets and jobs take letters, digits and _ only, so "
            f"nothing was written. Choose another name, for example {usable_name(name) or 'my_image'}."
        )
        raise click.ClickException(message)
    taken = [path for path in find_yaml(defs) if path.parent.name == name]
    if taken and not (force and taken == [defs / name / "defs.yaml"]):
        message = (
            f"There is an image {name!r} already, in {os.path.relpath(taken[0])}, so nothing was written. Choose "
            f"another name{', or replace its YAML by `--force`' if force is False else ''}."
        )
        raise click.ClickException(message)
