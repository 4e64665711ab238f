"""What `dg scaffold defs idr_assets.SegmentedImage NAME` writes."""

from pathlib import Path

import click
import dagster as dg

from idr_assets.components.image_fields import ImageFields
from idr_assets.components.image_name import image_name
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
        from idr_assets.components.draft import draft_image  # noqa: PLC0415  zarr, for this alone

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
