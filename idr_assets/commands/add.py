"""The command `add`: from the address of an image to its YAML."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import yaml
from dagster_dg_core.context import DgContext

from idr_assets.commands.add_list import add_list
from idr_assets.commands.new_name import check_new_name
from idr_assets.commands.options import import_from_here
from idr_assets.components.draft import Draft, draft_image
from idr_assets.components.new_image import NewImage
from idr_assets.imaging.stores.zarr_settings import own_settings


class _Mapping(click.ParamType):  # type: ignore[type-arg]  # without its type: click has that only from some release on
    """A mapping as a YAML has it, such as `{t: [0, 9], z: all}`."""

    name = "mapping"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:  # noqa: ANN401
        try:
            found = yaml.safe_load(value) if isinstance(value, str) else value
        except yaml.YAMLError:
            found = None
        if not isinstance(found, dict):
            self.fail(f"{value!r} is no mapping; write it as in a YAML, such as '{{t: [0, 9], z: all}}'", param, ctx)
        return found


class _Window(_Mapping):
    """A window, or `all` for all planes."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:  # noqa: ANN401
        return {"t": "all", "z": "all"} if value == "all" else super().convert(value, param, ctx)


@click.command()
@click.argument("arguments", nargs=-1, metavar="NAME ADDRESS | --list FILE [ADDRESS]...")
@click.option("--list", "file", type=click.Path(path_type=Path), help="CSV or TSV of a list of images, to fill.")
@click.option("--level", help="Path of the level. By default the largest whose planes have at most 4 megapixels.")
@click.option("--channel", multiple=True, help="Index or name of a channel; may be repeated. By default the first.")
@click.option("--window", type=_Window(), default="{}", help="Planes, such as '{t: [0, 9], z: all}', or all.")
@click.option("--segmentation", help="Dotted path of a segmentation function.")
@click.option("--storage-options", type=_Mapping(), default="{}", help="For fsspec, such as '{anon: true}' for S3.")
@click.option(
    "--axes",
    default="",
    callback=lambda _, __, axes: re.findall(r"\w", axes),
    help="Of a plain Zarr array, such as zyx.",
)
@click.option("--look", is_flag=True, help="Segment the middle plane now, and draw it into look.png beside the YAML.")
@click.option("--force", is_flag=True, help="Replace the YAML of an image that has this NAME.")
@own_settings
def add(arguments: Sequence[str], file: Path | None, *, look: bool, force: bool, **wishes: Any) -> None:  # noqa: ANN401  the options above
    """Write the YAML of the image at ADDRESS, which gets this NAME.

    Reads metadata only, prints levels and channels, and chooses what is not given: up to 100 planes of the first
    channel. ADDRESS is http(s)://, s3:// or a path.

    With --list, adds each ADDRESS to the table FILE, fills rows of it that lack a level or a shape, and writes the YAML
    of the list beside it if there is none.
    """
    import_from_here()
    project = DgContext.for_project_environment(Path.cwd(), {})
    if file and (look or force):
        message = "`--look` and `--force` are for one image, so nothing was written. Leave them out, or name no list."
        raise click.UsageError(message)
    if file:
        add_list(project, file, arguments, _fields(wishes))
    elif len(arguments) == 2:  # noqa: PLR2004  as the usage says
        name, address = arguments
        _add(project, name, NewImage(url=address, **wishes), look=look, force=force)
    else:
        message = f"{len(arguments)} arguments are given, so nothing was written. Write a NAME and an ADDRESS."
        raise click.UsageError(message)


def _fields(wishes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are given, as fields of a YAML."""
    named = {"channels": list(wishes["channel"])}
    function = (
        {"segmentation": {"function": wishes["segmentation"], "parameters": {}}} if wishes["segmentation"] else {}
    )
    kept = {name: wishes[name] for name in ("level", "window", "storage_options", "axes")}
    return {name: value for name, value in {**kept, **named, "segmentation": function}.items() if value}


def _add(project: DgContext, name: str, wishes: NewImage, *, look: bool, force: bool) -> None:
    folder = project.defs_path / name
    check_new_name(project.defs_path, name, force=force)
    draft = draft_image(wishes, name, project.root_path)
    folder.mkdir(parents=True, exist_ok=True)
    draft.write(folder)
    click.echo(draft.report)
    click.echo(f"wrote: {os.path.relpath(folder / 'defs.yaml')}")
    if look:
        _look(draft, folder / "look.png")
    click.echo(draft.next)


def _look(draft: Draft, file: Path) -> None:
    from idr_assets.orchestration.assets.work.look import draw_look  # noqa: PLC0415  dask and matplotlib

    click.echo(draw_look(draft.choice.level, draft.window, draft.recipe, draft.name, str(file.absolute())))
    click.echo(f"look at: {os.path.relpath(file)}")
