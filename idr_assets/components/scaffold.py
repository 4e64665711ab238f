"""What `dg scaffold defs idr_assets.SegmentedImage NAME`, and that of other components, writes."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import click
import dagster as dg
from pydantic import BaseModel

from idr_assets.components.image_fields import ImageFields
from idr_assets.components.image_name import image_name
from idr_assets.components.new_image import NewImage
from idr_assets.components.yaml_text import NOTHING, describe_fields
from idr_assets.imaging.errors import ImageError


class CommentedYaml(dg.Scaffolder[NewImage]):
    """Writes a YAML that loads without changes and explains each field."""

    @classmethod
    def get_scaffold_params(cls) -> type[NewImage]:
        """Take the address of an image, and what `idr-assets add` takes."""
        return NewImage

    def scaffold(self, request: dg.ScaffoldRequest[NewImage]) -> None:
        """Write `defs.yaml` into the new folder; remove the folder if nothing can be written."""
        from idr_assets.components.draft import draft_image  # noqa: PLC0415  zarr, for this alone

        def write(folder: Path) -> None:
            if request.params.url is None:
                (folder / "defs.yaml").write_text(describe_fields(ImageFields))
                return
            draft = draft_image(request.params, image_name(folder), request.project_root or Path.cwd())
            click.echo(f"{draft.report}\n{draft.next}")
            draft.write(folder)

        _write(request.target_path, write)


def scaffold_example(
    fields: type[BaseModel], component: str, values: Mapping[str, Any] = NOTHING, left_out: Collection[str] = ()
) -> type[dg.Scaffolder]:
    """Return what writes an example of a component, as `describe_fields` describes it."""

    class CommentedExample(dg.Scaffolder):
        """Writes a YAML that loads without changes and explains each field."""

        def scaffold(self, request: dg.ScaffoldRequest) -> None:
            text = describe_fields(fields, values, component=component, left_out=left_out)
            _write(request.target_path, lambda folder: (folder / "defs.yaml").write_text(text))

    return CommentedExample


def _write(folder: Path, write: Callable[[Path], object]) -> None:
    try:
        image_name(folder)
        write(folder)
    except (ImageError, ValueError) as error:
        folder.rmdir()
        raise click.ClickException(str(error)) from error
