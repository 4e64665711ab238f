"""The command `idr-assets`, for what Dagster's own commands cannot do: add images, find, make or delete planes."""

import os
from typing import Any

import click
from sqlalchemy.exc import OperationalError

from idr_assets.commands.add import add
from idr_assets.commands.adopt import adopt
from idr_assets.commands.delete import delete
from idr_assets.commands.export import export
from idr_assets.commands.gallery import gallery
from idr_assets.commands.init import init
from idr_assets.commands.planes import missing, resume
from idr_assets.commands.refresh import refresh
from idr_assets.commands.rename import rename
from idr_assets.commands.show import show
from idr_assets.commands.try_plane import try_plane
from idr_assets.commands.wipe import wipe
from idr_assets.imaging.errors import ImageError
from idr_assets.orchestration.process_end import skip_last_garbage
from idr_assets.tolerant_load import BROKEN_YAML
from idr_assets.web.command import ui


class _Commands(click.Group):
    """Commands that show an `ImageError`, or what the instance's database says, as a message without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  click's signature
        try:
            return super().invoke(ctx)
        except ImageError as error:
            raise click.ClickException(str(error)) from error
        except OperationalError as error:
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
    skip_last_garbage()
    os.environ.setdefault(BROKEN_YAML, "skip")  # also for the processes of the UI, whose YAML may become wrong later


COMMANDS = [add, refresh, init, missing, resume, adopt, try_plane, show, gallery, export, wipe, rename, delete, ui]

for command in COMMANDS:
    main.add_command(command)
