"""Partitions of an image: keys `t|z` with true indices, and the translation between keys and planes."""

from collections.abc import Collection, Mapping
from typing import override

import dagster as dg

from idr_assets.imaging.planes import Block, Plane, index_key
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.plate import Plate
from idr_assets.orchestration.rectangles import Cell, join_cells

RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
"""Tags with the first and the last partition of a run."""


class _LaunchedByRange(dg.PartitionsDefinition[str]):
    """Partitions whose runs have the tags of a range, even for a single partition.

    Dagster's own tags name a partition by its key and by each dimension. On a job's page Dagster copies the tags of one
    partition to the runs of all, next to the tags of their range, and all of these runs would make that one partition.
    """

    @override
    def get_tags_for_partition_key(self, partition_key: str) -> Mapping[str, str]:
        return _tags(partition_key, partition_key)


class _Window(_LaunchedByRange, dg.MultiPartitionsDefinition):
    pass


class _Timepoints(_LaunchedByRange, dg.StaticPartitionsDefinition):
    pass


def window_partitions(image: Image) -> dg.MultiPartitionsDefinition:
    """Return the partitions of the window, T x Z.

    Keys are zero-padded true indices: they sort like numbers, and a wider window keeps what is done.
    """
    rows = _Timepoints([image.row_key(t) for t in image.t])
    return _Window({image.row_axis: rows, "z": _slice_partitions(image)})


def timepoint_partitions(image: Image) -> dg.StaticPartitionsDefinition:
    """Return the partitions of assets with one partition per timepoint of the window, or per well of a plate."""
    return _Timepoints(_measured(image))


def planes_of_timepoints(image: Image) -> dg.PartitionMapping:
    """Map each partition T to its partitions T x Z: all slices of the timepoint.

    Dagster cannot tell the axes apart if both have the same keys; each timepoint then depends on all planes. So does
    each well, because Dagster has no mapping from a well to its fields.
    """
    same = isinstance(image, Plate) or timepoint_partitions(image) == _slice_partitions(image)
    return dg.AllPartitionMapping() if same else dg.MultiToSingleDimensionPartitionMapping("t")


def partition_key(image: Image, plane: Plane) -> str:
    """Return the key of the partition that contains a plane, for example `261|489`."""
    return f"{image.row_key(plane.t)}|{index_key(plane.z, image.shape[2])}"


def cells_by_key(image: Image) -> dict[str, Cell]:
    """Return (t, z) of all partitions of the window by their keys, in the order of the planes."""
    columns = [(z, index_key(z, image.shape[2])) for z in image.z]
    rows = [(t, image.row_key(t)) for t in image.t]
    return {f"{row}|{column}": (t, z) for t, row in rows for z, column in columns}


def planes_of(image: Image, key: str) -> list[Plane]:
    """Return the planes of a partition, one of each channel."""
    t, z = cell_of(image, key)
    return [Plane(t, c, z) for c in image.channels]


def row_names(image: Image, block: Block) -> list[str]:
    """Return the keys of the rows of a block if they are names, as of a plate, and none if they are numbers."""
    return [] if image.row_axis == "t" else [image.row_key(t) for t in block.t]


def key_range(image: Image, block: Block) -> str:
    """Return a rectangle of partitions as Dagster's commands write it, for example `261|489...270|498`."""
    return "...".join(partition_key(image, Plane(block.t[end], block.c[0], block.z[end])) for end in (0, -1))


def range_tags(image: Image, block: Block) -> dict[str, str]:
    """Return the tags with which a run makes a rectangle of partitions, without a partition argument."""
    return _tags(*key_range(image, block).split("..."))


def timepoint_tags(image: Image) -> dict[str, str]:
    """Return the tags with which a run makes all partitions of `objects`, without a partition argument."""
    names = _measured(image)
    return _tags(names[0], names[-1])


def axis_tags(image: Image, key: str) -> dict[str, str]:
    """Return the tags with which Dagster names a partition `t|z` by each of its axes."""
    axes = zip((image.row_axis, "z"), key.split("|"), strict=True)
    return {f"dagster/partition/{axis}": index for axis, index in axes}


def cell_of(image: Image, key: str) -> Cell:
    """Return (t, z) of a partition, by its key."""
    row, z = key.split("|")
    return image.row_of(row), int(z)


def block_of(image: Image, keys: dg.PartitionKeyRange) -> Block:
    """Return the planes of a rectangle of partitions, with every channel.

    Raises `ValueError` if the rectangle ends before it starts.
    """
    (t_first, z_first), (t_last, z_last) = (cell_of(image, key) for key in (keys.start, keys.end))
    block = Block(range(t_first, t_last + 1), image.channels, range(z_first, z_last + 1))
    if not len(block):
        message = (
            f"The range {keys.start}...{keys.end} ends before it starts, in {image.row_axis} or in z. It contains no "
            f"plane, so nothing was done. Write the smaller {image.row_axis} and the smaller z first."
        )
        raise ValueError(message)
    return block


def rectangles(image: Image, cells: Collection[Cell]) -> list[Block]:
    """Cover the given (t, z), and no others, by few rectangles that do not overlap."""
    return [Block(t, image.channels, z) for t, z in join_cells(cells)]


def cover(image: Image, cells: Collection[Cell]) -> Block:
    """Return the smallest block with all of the given (t, z)."""
    t, z = {t for t, _ in cells}, {z for _, z in cells}
    return Block(range(min(t), max(t) + 1), image.channels, range(min(z), max(z) + 1))


def _measured(image: Image) -> list[str]:
    return [well.name for well in image.wells] if isinstance(image, Plate) else [*map(image.row_key, image.t)]


def _slice_partitions(image: Image) -> dg.StaticPartitionsDefinition:
    return dg.StaticPartitionsDefinition([index_key(z, image.shape[2]) for z in image.z])


def _tags(first: str, last: str) -> dict[str, str]:
    return dict(zip(RANGE_TAGS, (first, last), strict=True))
