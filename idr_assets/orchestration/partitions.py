"""Partitions of an image: keys `t|z` with true indices, and how keys and planes translate."""

from collections.abc import Mapping
from typing import override

import dagster as dg

from idr_assets.imaging.planes import Block, Plane, index_key
from idr_assets.orchestration.image import Image

RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
"""Tags with the first and the last partition of a run."""


class _LaunchedByRange(dg.PartitionsDefinition[str]):
    """Partitions of which a run of one has the tags of a range, as every run of a job has.

    Dagster's own tags name the partition and, of several dimensions, each. Dagster adds them to the range of the job,
    which they contradict: a job's page copies those of one partition onto the runs of all, which then make that one.
    """

    @override
    def get_tags_for_partition_key(self, partition_key: str) -> Mapping[str, str]:
        return _tags(partition_key, partition_key)


class _Window(_LaunchedByRange, dg.MultiPartitionsDefinition):
    pass


class _Timepoints(_LaunchedByRange, dg.StaticPartitionsDefinition):
    pass


def window_partitions(image: Image) -> dg.MultiPartitionsDefinition:
    """Give the partitions of the window, T x Z.

    Keys are zero-padded true indices, so that they sort as numbers and a wider window keeps what is done.
    """
    return _Window({"t": timepoint_partitions(image), "z": _slice_partitions(image)})


def timepoint_partitions(image: Image) -> dg.StaticPartitionsDefinition:
    """Give the partitions of what is made of each timepoint of the window, T."""
    return _Timepoints([timepoint_key(image, t) for t in image.t])


def planes_of_timepoints(image: Image) -> dg.PartitionMapping:
    """Tell from which partitions T x Z each partition T is made: from all slices of the timepoint.

    Dagster cannot tell the axes apart where both have the same keys; each timepoint then depends on all planes.
    """
    same = timepoint_partitions(image) == _slice_partitions(image)
    return dg.AllPartitionMapping() if same else dg.MultiToSingleDimensionPartitionMapping("t")


def timepoint_key(image: Image, t: int) -> str:
    """Name the partition that holds what is made of a timepoint, for example `261`."""
    return index_key(t, image.shape[0])


def partition_key(image: Image, plane: Plane) -> str:
    """Name the partition that holds a plane, for example `261|489`."""
    return f"{timepoint_key(image, plane.t)}|{index_key(plane.z, image.shape[2])}"


def key_range(image: Image, block: Block) -> str:
    """Name a rectangle of partitions as Dagster's commands do, for example `261|489...270|498`."""
    return "...".join(partition_key(image, Plane(block.t[end], block.c[0], block.z[end])) for end in (0, -1))


def range_tags(image: Image, block: Block) -> dict[str, str]:
    """Give the tags with which a run covers a rectangle of partitions and needs no partition argument."""
    return _tags(*key_range(image, block).split("..."))


def timepoint_tags(image: Image) -> dict[str, str]:
    """Give the tags with which a run covers the partitions of all timepoints, and needs no partition argument."""
    return _tags(*(timepoint_key(image, image.t[end]) for end in (0, -1)))


def block_of(image: Image, keys: dg.PartitionKeyRange) -> Block:
    """Give the planes of a rectangle of partitions, every channel of each.

    Raises ValueError where the rectangle ends before it starts.
    """
    (t_first, z_first), (t_last, z_last) = ([int(index) for index in key.split("|")] for key in (keys.start, keys.end))
    block = Block(range(t_first, t_last + 1), image.channels, range(z_first, z_last + 1))
    if not len(block):
        message = (
            f"The range {keys.start}...{keys.end} ends before it starts, in t or in z: it holds no plane, so nothing "
            "is done. Write the smaller t and the smaller z first."
        )
        raise ValueError(message)
    return block


def _slice_partitions(image: Image) -> dg.StaticPartitionsDefinition:
    return dg.StaticPartitionsDefinition([index_key(z, image.shape[2]) for z in image.z])


def _tags(first: str, last: str) -> dict[str, str]:
    return dict(zip(RANGE_TAGS, (first, last), strict=True))
