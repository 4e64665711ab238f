"""What several commands take, and how they load the definitions."""

import os
import sys

import click
import dagster as dg

from idr_assets.project import load_definitions

image_name = click.argument("name", metavar="IMAGE")
module_option = click.option(
    "-m", "--module", help="Module with the definitions.  [default: that of the project around the working folder]"
)

segmentation_option = click.option("-s", "--segmentation", help="Name of the segmentation, if the image has several.")


def read_definitions(module: str | None) -> dg.Definitions:
    """Load the definitions."""
    import_from_here()
    return load_definitions(module)


def import_from_here() -> None:
    """Let modules of the current folder be imported, such as a person's own segmentation, as Dagster's commands do."""
    sys.path.insert(0, os.getcwd())  # noqa: PTH109  as Dagster does it
