"""What the commands `missing` and `resume` find to do, and the runs that do it in this process."""

from collections.abc import Mapping, Sequence

import click
import dagster as dg

from idr_assets.adopting import adopt_first
from idr_assets.orchestration.assets.names import figure_keys, measure_keys
from idr_assets.orchestration.automation.missing import IN_PROGRESS, TO_DO, missing_planes, plan_runs, stale_planes
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.longer_axes import rename_shorter_keys
from idr_assets.orchestration.partitions import range_tags, timepoint_tags
from idr_assets.orchestration.rectangles import Cell


def resume_image(
    instance: dg.DagsterInstance,
    job: dg.JobDefinition,
    images: Sequence[Image],
    to_do: Sequence[tuple[Image, set[Cell]]],
) -> list[bool]:
    """Adopt or make the given (t, z) of an image, then its figures and objects; return whether each run succeeded."""
    left = [(image, adopt_first(instance, image, cells)) for image, cells in to_do]
    done = [
        run(instance, job, [dg.AssetKey(image.key("plane_labels"))], tags)
        for image, cells in left
        for tags in plan_runs(instance, image, cells)
    ]
    labels = [dg.AssetKey(image.key("plane_labels")) for image in images]
    if to_do and any(map(instance.get_materialized_partitions, labels)):
        done.append(run(instance, job, figure_keys(images), range_tags(images[0], images[0].window)))
        done.append(run(instance, job, measure_keys(images), timepoint_tags(images[0])))
    return done


def find_to_do(
    instance: dg.DagsterInstance, name: str, images: Sequence[Image], *, stale: bool, in_progress: bool
) -> list[tuple[Image, set[Cell]]]:
    """Find (t, z) that are missing or failed, by image; print it if there are none of the image or list `name`."""
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


def run(
    instance: dg.DagsterInstance, job: dg.JobDefinition, keys: Sequence[dg.AssetKey], tags: Mapping[str, str]
) -> bool:
    """Materialize assets in this process; return whether that succeeded, and end the command if it was stopped."""
    result = job.execute_in_process(instance=instance, asset_selection=keys, tags=dict(tags), raise_on_error=False)
    ended = instance.get_run_by_id(result.run_id)
    if ended and ended.status == dg.DagsterRunStatus.CANCELED:
        raise click.Abort
    return result.success
