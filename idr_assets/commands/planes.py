"""The commands `missing` and `resume`: which planes are to do, and doing them."""

import sys
from collections.abc import Mapping, Sequence
from itertools import chain

import click
import dagster as dg

from idr_assets.commands.adopt import prepare_outputs
from idr_assets.commands.options import image_name, module_option, read_definitions
from idr_assets.commands.to_do import list_to_do
from idr_assets.imaging.counts import write_count
from idr_assets.instance import open_instance
from idr_assets.orchestration.assets.names import OVERVIEW, figure_keys, measure_keys
from idr_assets.orchestration.automation.missing import plan_runs
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.image_list import overview_url
from idr_assets.orchestration.partitions import key_range, range_tags, rectangles, timepoint_tags
from idr_assets.orchestration.rectangles import Cell
from idr_assets.project import find_images

_stale = click.option("--stale", is_flag=True, help="Include planes whose recipe or image has changed.")
_unended = click.option("--in-progress", is_flag=True, help="Include planes of runs that have not ended.")


@click.command()
@image_name
@module_option
@_stale
@_unended
def missing(name: str, module: str | None, *, stale: bool, in_progress: bool) -> None:
    """List missing and failed planes of IMAGE, or of all images of a list.

    Prints partition keys and ranges of them.
    """
    with open_instance() as instance:
        images = list(chain.from_iterable(find_images(read_definitions(module), name)))
        for image, cells in list_to_do(instance, name, images, stale=stale, in_progress=in_progress):
            named = "".join(f"{it} " for it in (image.name if image.name != name else None, image.segmentation) if it)
            for block in rectangles(image, cells):
                first, last = key_range(image, block).split("...")
                click.echo(named + (first if first == last else f"{first}...{last}"))


@click.command()
@image_name
@module_option
@_stale
@_unended
def resume(name: str, module: str | None, *, stale: bool, in_progress: bool) -> None:
    """Make missing and failed planes of IMAGE, or of all images of a list.

    Takes over those that are stored already, as `adopt` does. Then draws its figures and measures its objects, from the
    planes that are done, even if others failed.
    """
    definitions = read_definitions(module)
    listed = find_images(definitions, name)
    job, done, failed = definitions.resolve_implicit_global_asset_job_def(), [], []
    with open_instance() as instance:
        prepare_outputs(instance, list(chain.from_iterable(listed)))
        to_do = list_to_do(instance, name, list(chain.from_iterable(listed)), stale=stale, in_progress=in_progress)
        for images in listed:
            runs = _resume(instance, job, images, [(image, cells) for image, cells in to_do if image in images])
            done += runs
            failed += [] if all(runs) else [images[0].name]
        if listed[0][0].list_name == name and (any(done) or _is_outdated(name, listed)):
            done.append(_run(instance, job, [dg.AssetKey([name, OVERVIEW])], {}))
    if failed and len(listed) > 1:
        message = (
            f"Runs failed of {len(failed)} of {write_count(len(listed), 'image')}: {', '.join(failed)}. Above are the "
            "reasons; the others are done."
        )
        raise click.ClickException(message)
    sys.exit(not all(done))


def _resume(
    instance: dg.DagsterInstance,
    job: dg.JobDefinition,
    images: Sequence[Image],
    to_do: Sequence[tuple[Image, set[Cell]]],
) -> list[bool]:
    """Make the given (t, z) of an image, then its figures and objects; return whether each run succeeded.

    Before them, assets that are to produce the image, but never did so to the end.
    """
    produced = map(dg.AssetKey.from_user_string, images[0].upstream if to_do else ())
    unmade = [key for key in produced if not instance.get_latest_materialization_event(key)]
    done = [_run(instance, job, unmade, {})] if unmade else []
    done += [
        _run(instance, job, [dg.AssetKey(image.key("plane_labels"))], tags)
        for image, cells in to_do
        for tags in plan_runs(instance, image, cells)
    ]
    labels = [dg.AssetKey(image.key("plane_labels")) for image in images]
    figures, measures = figure_keys(images), measure_keys(images)
    undrawn = to_do or not all(map(instance.get_latest_materialization_event, [*figures, *measures]))
    if undrawn and any(map(instance.get_materialized_partitions, labels)):
        done.append(_run(instance, job, figures, range_tags(images[0], images[0].window)))
        done.append(_run(instance, job, measures, timepoint_tags(images[0])))
    return done


def _is_outdated(name: str, listed: Sequence[Sequence[Image]]) -> bool:
    """Return whether the overview of a list shows other images than it has, as after one was renamed or deleted."""
    from idr_assets.imaging.objects.table_files import read_frame  # noqa: PLC0415  pyarrow, which few commands need

    try:
        shown = read_frame(overview_url(listed[0][0].project, name, "parquet"))
    except FileNotFoundError:
        return True
    return {*shown["image"]} != {image.name for image in chain.from_iterable(listed)}


def _run(
    instance: dg.DagsterInstance, job: dg.JobDefinition, keys: Sequence[dg.AssetKey], tags: Mapping[str, str]
) -> bool:
    """Materialize assets in this process; return whether that succeeded, and end the command if it was stopped."""
    result = job.execute_in_process(instance=instance, asset_selection=keys, tags=dict(tags), raise_on_error=False)
    ended = instance.get_run_by_id(result.run_id)
    if ended and ended.status == dg.DagsterRunStatus.CANCELED:
        raise click.Abort
    return result.success
