"""What the commands `missing`, `resume` and `adopt` find to do."""

from collections.abc import Sequence

import click
import dagster as dg

from idr_assets.orchestration.automation.missing import IN_PROGRESS, TO_DO, missing_planes, stale_planes
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.longer_axes import rename_shorter_keys
from idr_assets.orchestration.rectangles import Cell


def list_to_do(
    instance: dg.DagsterInstance, name: str, images: Sequence[Image], *, stale: bool, in_progress: bool
) -> list[tuple[Image, set[Cell]]]:
    """Return the (t, z) that are missing or failed, by image, and say so if the image or list `name` has none.

    Keys of a grown image are renamed first.
    """
    states = (*TO_DO, IN_PROGRESS) if in_progress else TO_DO
    to_do = []
    for image in images:
        rename_shorter_keys(instance, image)
        cells = missing_planes(instance, image, states) | (stale_planes(instance, image) if stale else set())
        to_do += [(image, cells)] if cells else []
    if not to_do:
        busy = 0 if in_progress else sum(len(missing_planes(instance, image, [IN_PROGRESS])) for image in images)
        others = f"; {busy} are in progress or queued, which `--in-progress` lists" if busy else ""
        click.echo(f"No plane of {name} is missing or failed{', or stale' * stale}{others}.", err=True)
    return to_do
