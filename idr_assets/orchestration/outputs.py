"""What images have beside their YAML: output, files, and what Dagster knows of them. Delete it, or name it anew."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain

import dagster as dg

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.files import exists, move_file, remove_tree
from idr_assets.imaging.output.label_names import rename_labels
from idr_assets.imaging.output.nodes import list_label_groups
from idr_assets.imaging.output.output_image import SEGMENTATION, open_output
from idr_assets.imaging.output.plane_records import read_records
from idr_assets.imaging.stores.by_address import is_local
from idr_assets.orchestration.assets.names import MADE, OVERVIEW
from idr_assets.orchestration.data_folder import data_url
from idr_assets.orchestration.dead_runs import fail_dead_runs
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.image_list import overview_url

UNFINISHED = [getattr(dg.DagsterRunStatus, it) for it in ("QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING")]

KINDS = ("png", "svg", "csv", "parquet")
"""How files of figures and tables end."""


def image_urls(image: Image) -> list[str]:
    """Return the addresses of all that an image can have."""
    fixed = [
        image.labels_url,
        image.montage_url,
        image.browser_url,
        image.objects_url,
        image.comparison_url,
        image.try_url,
    ]
    fixed += [image.published_url, image.next_published_url]
    fixed += [f"{image.objects_url.rpartition('/')[0]}/volumes"]  # of an earlier recipe too
    return [*fixed, *(url(kind) for url in (image.counts_url, image.agreement_url) for kind in KINDS)]


def list_urls(images: Sequence[Image], name: str) -> list[str]:
    """Return the addresses of all that a list `name` has beside its images."""
    return [overview_url(images[0].project, name, kind) for kind in KINDS]


def told_assets(instance: dg.DagsterInstance, names: Iterable[str]) -> list[dg.AssetKey]:
    """List the assets of images and lists that Dagster knows, without those that others define."""
    found = chain.from_iterable(instance.get_asset_keys(prefix=[name]) for name in names)
    return [key for key in found if key.path[-1] in {*MADE, OVERVIEW}]


def check_idle(instance: dg.DagsterInstance, names: Collection[str]) -> None:
    """Raise `ImageError` if a run that has not ended works on one of these images or lists, or will."""
    fail_dead_runs(instance)
    for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)):
        own = {key.path[0] for key in run.asset_selection or ()} | {run.job_name.partition("_")[2]}
        if found := own.intersection(names):
            message = f"The run {run.run_id} of {min(found)} has not ended, so nothing was done. Wait, or terminate it."
            raise ImageError(message)


def remove_outputs(urls: Iterable[str], data: str) -> None:
    """Remove files and folders, and the folders below `data` that are empty then."""
    for url in urls:
        remove_tree(url)
        _remove_empty(url.rpartition("/")[0], data)


def move_outputs(old: Image, new: Image) -> None:
    """Move all that an image has to the places of the same image under another name, of itself or its segmentation."""
    if old.label_group != new.label_group:
        rename_labels(old.labels_url, old.label_group, new.label_group)
    move_files(dict(zip(image_urls(old), image_urls(new), strict=True)), old)


def move_files(moves: Mapping[str, str], image: Image) -> None:
    """Move files and folders that exist, of an image or its list, and remove the folders that are empty then."""
    for url, target in moves.items():
        if url != target and exists(url):
            move_file(url, target)
            _remove_empty(url.rpartition("/")[0], data_url(image.project))


def name_labels(instance: dg.DagsterInstance, image: Image) -> bool:
    """Give labels without a name that of the segmentation of an image, if its YAML has named their recipe since.

    What Dagster knew of them is forgotten, for them to be adopted; return whether there were such labels.
    """
    url = image.labels_url
    groups = list_label_groups(url) if image.segmentation and image.is_healed and exists(f"{url}/labels") else []
    if SEGMENTATION not in groups or image.label_group in groups:
        return False
    if all(it.recipe_version != image.recipe.version for _, it in read_records(open_output(url, SEGMENTATION))):
        return False
    check_idle(instance, {image.name})
    old = replace(image, segmentation=None)
    move_outputs(old, image)
    gone = [dg.AssetKey(old.key(asset)) for asset in ("plane_labels", *old.figures, *old.measures)]
    instance.wipe_assets([key for key in told_assets(instance, [image.name]) if key in gone])
    return True


def _remove_empty(folder: str, data: str) -> None:
    while is_local(folder) and folder.startswith(f"{data}/"):
        with suppress(OSError):  # it is not empty
            os.rmdir(folder)  # noqa: PTH106
        folder = folder.rpartition("/")[0]
