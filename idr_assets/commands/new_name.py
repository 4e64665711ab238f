"""Check the name of what is new, before anything is written."""

import os
import re
from pathlib import Path

import click

from idr_assets.components.image_name import usable_name
from idr_assets.components.names_elsewhere import names_elsewhere

OTHER = re.compile(r"""^type: *["']?(?!idr_assets\.Segmented(Image|Plate)\b)""", re.MULTILINE)
"""The YAML of a list, or of what is no image, such as the dask cluster: `--force` does not replace it."""


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
    own = defs / name
    elsewhere, here = names_elsewhere(defs, own).get(name.lower()), [*own.glob("defs.y*ml")]
    fixed = elsewhere or here != [own / "defs.yaml"] or OTHER.search(here[0].read_text(errors="replace"))
    if elsewhere or (here and (fixed or not force)):
        replaceable = ", or replace its YAML by `--force`" if force is False and not fixed else ""
        message = (
            f"There is an image or a list {name!r} already, in {os.path.relpath(elsewhere or here[0])}, so nothing was "
            f"written. Choose another name{replaceable}."
        )
        raise click.ClickException(message)
