"""The Dagster instance of the commands: the one that DAGSTER_HOME names."""

import os
import re
from pathlib import Path

import click
import dagster as dg

from idr_assets.first_use import make_at_once, set_up


def open_instance() -> dg.DagsterInstance:
    """Open the instance.

    Raises
    ------
    click.ClickException
        DAGSTER_HOME is not set, or Dagster cannot keep its databases there.

    """
    home = os.environ.get("DAGSTER_HOME")
    if not home:
        message = (
            "DAGSTER_HOME is not set, so no instance knows what was made, and nothing was done. Set it: "
            "export DAGSTER_HOME=$PWD/.dagster_home"
        )
        raise click.ClickException(message)
    # Dagster makes a URL of the path of its databases, and takes that of dagster.yaml for a pattern.
    if misread := re.search(r"[?*\[]|%[0-9A-Fa-f]{2}", home):
        message = (
            f"DAGSTER_HOME is {home}, and Dagster misreads {misread[0]} in the path of its files, so nothing was done. "
            "Rename the folder, or set DAGSTER_HOME to another one."
        )
        raise click.ClickException(message)
    try:
        return make_at_once(lambda: _open(Path(home)))
    except OSError as error:
        message = (
            f"The instance in DAGSTER_HOME, {home}, cannot be opened ({error}), so nothing was done. Correct the "
            "rights of this folder, or set DAGSTER_HOME to another one."
        )
        raise click.ClickException(message) from error


def _open(home: Path) -> dg.DagsterInstance:
    with set_up(home):
        instance = dg.DagsterInstance.get()
        instance.get_asset_keys()  # makes what is made at the first question
        return instance
