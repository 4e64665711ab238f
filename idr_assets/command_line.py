"""The command `idr-assets`, for what Dagster's own commands cannot do: add images, find, make or delete planes.

Dagster and each command are imported when they are called: the list of commands needs none of them.
"""

import os
import sys
from pkgutil import resolve_name
from typing import Any

import click

from idr_assets.imaging.errors import ImageError

COMMANDS = {
    "add": ("commands.add:add", "Write the YAML of an image or a plate by its address."),
    "adopt": ("commands.adopt:adopt", "Tell Dagster of stored planes that it does not know."),
    "delete": ("commands.delete:delete", "Delete an image or a list, and all that was made from it."),
    "export": ("commands.export:export", "Write objects for ImageJ, QuPath, OMERO, as AnnData or CSV."),
    "gallery": ("commands.gallery:gallery", "Serve pages of all images, without the Dagster UI."),
    "init": ("commands.init:init", "Make a new project, with the demo image."),
    "missing": ("commands.planes:missing", "List missing and failed planes."),
    "refresh": ("commands.refresh:refresh", "Read again which wells and fields a plate has."),
    "rename": ("commands.rename:rename", "Give an image, a plate or a list another name."),
    "resume": ("commands.planes:resume", "Make missing and failed planes, then figures and objects."),
    "show": ("commands.show:show", "Open an image in napari."),
    "try": ("commands.try_plane:try_plane", "Segment and draw one plane, to choose parameters."),
    "ui": ("web.command:ui", "Serve the Dagster UI, and a gallery of all images."),
    "wipe": ("commands.wipe:wipe", "Delete the labels of planes."),
}
"""The module and function of each command, and what it does."""


class _Commands(click.Group):
    """Commands that show an `ImageError`, or what a disk or a database refuses, as a message without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  as above
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = resolve_name(f"idr_assets.{COMMANDS[cmd_name][0]}")
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  as above
        with formatter.section("Commands"):
            formatter.write_dl([(name, what) for name, (_, what) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  click's signature
        try:
            return super().invoke(ctx)
        except ImageError as error:
            raise click.ClickException(str(error)) from error
        except PermissionError as error:
            message = f"{error.filename} cannot be read or written, so not all is done. Correct its rights."
            raise click.ClickException(message) from error
        except Exception as error:
            database: Any = sys.modules.get("sqlalchemy.exc")  # imported by now if the error is of it
            if not (database and isinstance(error, database.OperationalError)):
                raise
            message = (
                f"The database of the Dagster instance refuses ({error.orig}), so not all is done. Correct the rights "
                "of all files of DAGSTER_HOME, or free space there."
            )
            raise click.ClickException(message) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Add images, list, make or delete their planes, and serve the UI.

    DAGSTER_HOME names the Dagster instance, which knows what was made.
    """
    from idr_assets.orchestration.process_end import skip_last_garbage  # noqa: PLC0415  as below
    from idr_assets.tolerant_load import BROKEN_YAML  # noqa: PLC0415  Dagster

    skip_last_garbage()
    os.environ.setdefault(BROKEN_YAML, "skip")  # also for the processes of the UI, whose YAML may become wrong later
