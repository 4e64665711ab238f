"""Files of a timepoint that are gathered apart, and put in place together: a run that is killed leaves the old ones."""

from collections.abc import Iterable

from idr_assets.imaging.errors import ImageError, mask
from idr_assets.imaging.output.files import move_file, remove_file, remove_tree
from idr_assets.imaging.published.slabs import PublishedPlane, SlabTask
from idr_assets.imaging.stores.by_address import open_filesystem

STAGING = ".new"
"""The folder, within the published image, in which a run gathers files; no reader of Zarr looks there."""


def check_gathered(task: SlabTask, t: int, planes: Iterable[PublishedPlane]) -> None:
    """Raise `ImageError` unless the shards of all planes of a timepoint are gathered."""
    if not _expect_shards(task, planes) <= _list_files(f"{task.staging}/{t}").keys():
        raise _explain_loss(task)


def put_in_place(task: SlabTask, t: int) -> None:
    """Move the gathered files of a timepoint to their places, and remove its shards that are no more.

    Raises
    ------
    ImageError
        If gathered files are gone.

    """
    gathered = _list_files(f"{task.staging}/{t}")
    for key in gathered:
        move_file(f"{task.staging}/{t}/{key}", f"{task.url}/{key}")
    shards = {key: size for key, size in gathered.items() if not key.startswith("tables/")}
    found = _list_shards(task, t)
    if not shards.items() <= found.items():
        raise _explain_loss(task)
    for key in found.keys() - shards.keys():
        remove_file(f"{task.url}/{key}")
    remove_tree(f"{task.staging}/{t}")


def _expect_shards(task: SlabTask, planes: Iterable[PublishedPlane]) -> set[str]:
    """List the shards of planes with labels, and of their pixels."""
    layout, expected = task.layout, set[str]()
    for each in planes:
        with_labels = [name for name, c in task.labelled.items() if each.plane.c in c and name not in each.missing]
        for path in ["", *(f"labels/{name}/" for name in with_labels)] if with_labels else []:
            expected |= {f"{path}{layout.shard_key(each.plane, level)}" for level in layout.levels}
    return expected


def _explain_loss(task: SlabTask) -> ImageError:
    return ImageError(
        f"Files of {mask(task.url)} were removed or replaced while they were put in place, as by another run. Publish "
        "the timepoint again, by one run at a time."
    )


def measure_shards(task: SlabTask, t: int) -> list[int]:
    """Count the shards of a timepoint, and their bytes."""
    sizes = _list_shards(task, t).values()
    return [len(sizes), sum(sizes)]


def _list_shards(task: SlabTask, t: int) -> dict[str, int]:
    """List the shards of a timepoint by their place, with their bytes."""
    at = task.layout.extent.t.index(t)
    arrays = ["", *(f"labels/{name}/" for name in task.names)]
    folders = [f"{path}{level.path}/c/{at}" for path in arrays for level in task.layout.levels]
    return {f"{folder}/{key}": size for folder in folders for key, size in _list_files(f"{task.url}/{folder}").items()}


def _list_files(url: str) -> dict[str, int]:
    filesystem, root = open_filesystem(url)
    filesystem.invalidate_cache(root)
    found = filesystem.find(root, detail=True)
    return {path.removeprefix(f"{root}/"): file["size"] for path, file in found.items()}
