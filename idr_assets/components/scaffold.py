"""What `dg scaffold defs idr_assets.SegmentedImage NAME` writes, and what an image may be named."""

import re
from pathlib import Path

import click
import dagster as dg

from idr_assets.components.draft import draft_image
from idr_assets.components.image_fields import ImageFields
from idr_assets.components.new_image import NewImage
from idr_assets.components.yaml_text import describe_fields
from idr_assets.imaging.errors import ImageError


class CommentedYaml(dg.Scaffolder[NewImage]):
    """Writes a YAML that loads without changes and explains each field."""

    @classmethod
    def get_scaffold_params(cls) -> type[NewImage]:
        """Take the address of an image, and what `idr-assets add` takes."""
        return NewImage

    def scaffold(self, request: dg.ScaffoldRequest[NewImage]) -> None:
        """Write `defs.yaml` into the new folder; remove the folder if nothing can be written."""
        try:
            name, text = image_name(request.target_path), describe_fields(ImageFields)
            if request.params.url is not None:
                draft = draft_image(request.params, name, request.project_root or Path.cwd())
                click.echo(f"{draft.report}\n{draft.next}")
                text = draft.text
        except (ImageError, ValueError) as error:
            request.target_path.rmdir()
            raise click.ClickException(str(error)) from error
        (request.target_path / "defs.yaml").write_text(text)


def image_name(folder: Path) -> str:
    """Return the name of the image in a folder; raise `ValueError` if asset keys cannot contain it."""
    if not re.fullmatch(r"\w+", folder.name, re.ASCII):
        message = (
            f"The folder {folder} names the image {folder.name!r}, but keys of assets and jobs take letters, digits "
            f"and _ only. Rename the folder, for example to {usable_name(folder.name)}."
        )
        raise ValueError(message)
    return folder.name


def check_name(name: str) -> str:
    """Return the name that a list gives an image; raise `ValueError` if asset keys cannot contain it."""
    if not re.fullmatch(r"\w+", name, re.ASCII):
        other = usable_name(name) or "image_1"
        message = f"`name` is {name!r}, but keys of assets take letters, digits and _ only; write for example {other}"
        raise ValueError(message)
    return name


def usable_name(text: str) -> str:
    """Replace the characters that the name of an image cannot have."""
    return re.sub(r"\W", "_", text, flags=re.ASCII)
