"""The tables of objects in space, of recipes that work on volumes: a row for each object of a timepoint and channel.

They are gathered from the tables of planes, in which an object has a row for each of its slices.
"""

import json
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pyarrow as pa

from idr_assets.imaging.objects.measurements import Column
from idr_assets.imaging.objects.table_files import tables, write_table
from idr_assets.imaging.objects.tables import read_counts
from idr_assets.imaging.planes import Block

COLUMNS: Final = (
    Column("image", "string", "name of the image"),
    Column("t", "int32", "timepoint, true index"),
    Column("c", "int32", "channel, true index"),
    Column("label", "int32", "value of the object's voxels in its slices"),
    Column("voxels", "int64", "number of voxels"),
    Column("volume_um3", "float64", "volume in µm³; null if the size of a voxel is unknown"),
    Column("slices", "int32", "number of slices in which the object is"),
    Column("z0", "int32", "first slice of the bounding box"),
    Column("z1", "int32", "slice after the last one of the bounding box"),
    Column("bbox_y0", "int32", "first row of the bounding box, in pixels"),
    Column("bbox_x0", "int32", "first column of the bounding box, in pixels"),
    Column("bbox_y1", "int32", "row after the last one of the bounding box, in pixels"),
    Column("bbox_x1", "int32", "column after the last one of the bounding box, in pixels"),
    Column("centroid_z", "float64", "mean z of the object's voxels, in slices"),
    Column("centroid_y", "float64", "mean y of the object's voxels, in pixels"),
    Column("centroid_x", "float64", "mean x of the object's voxels, in pixels"),
    Column("intensity_mean", "float64", "mean intensity, in arbitrary units"),
    Column("touches_border", "bool", "whether it touches the border of the volume, and may be cut off"),
    Column("whole", "bool", "whether the slices above and below are measured, so that no slice of it is left out"),
)

SUM: Final = "intensity_sum_"
"""What the columns of other channels that are measured begin with."""

KEY: Final = ["image", "t", "c", "label"]
BOX: Final = ("bbox_y0", "bbox_x0", "bbox_y1", "bbox_x1")


def write_volumes(url: str, of_planes: str, planes: Block, slices: int, voxel: float | None) -> int:
    """Gather the objects of a timepoint from its table of planes, write their table, and return their number.

    Parameters
    ----------
    url, of_planes
        Where the table goes, and where that of planes is.
    planes
        The planes of the timepoint.
    slices
        Number of slices of the image.
    voxel
        Size of a voxel in µm³, if it is known.

    Raises
    ------
    ImageError
        If the table of planes is damaged, or the disk is full.

    """
    measured = {(plane.c, plane.z) for plane in read_counts([of_planes], planes)}
    found = gather_volumes(pa.concat_tables(tables([of_planes])), measured, slices, voxel)
    write_table(url, found, {"planes": json.dumps(sorted(measured))})
    return len(found)


def gather_volumes(table: pa.Table, measured: Iterable[tuple[int, int]], slices: int, voxel: float | None) -> pa.Table:
    """Gather rows of planes to rows of objects; `measured` are (c, z) of planes, all else as in `write_volumes`."""
    area = table["area"].to_numpy()
    for axis in ("z", "centroid_y", "centroid_x"):
        table = table.append_column(f"{axis}_sum", pa.array(area * table[axis].to_numpy(), from_pandas=False))
    added = [name for name in table.column_names if name.startswith(SUM)]
    sums = [(name, "sum") for name in ("area", "z_sum", "centroid_y_sum", "centroid_x_sum", "intensity_sum", *added)]
    ends = [("z", "min"), ("z", "max"), ("z", "count"), ("touches_border", "any")]
    box = [(name, "min" if name.endswith("0") else "max") for name in BOX]
    grouped = table.group_by(KEY, use_threads=False).aggregate([*sums, *ends, *box])
    found = {name: grouped[name].to_numpy() for name in grouped.column_names}
    voxels, z0, z1 = found["area_sum"], found["z_min"], found["z_max"] + 1
    known = {(c, z) for c, z in measured} | {(c, z) for c, _ in measured for z in (-1, slices)}
    ends_known = zip(found["c"], z0, z1, strict=True)
    values = {
        "voxels": voxels,
        "volume_um3": None if voxel is None else voxels * voxel,
        "slices": found["z_count"],
        "z0": z0,
        "z1": z1,
        **{name: found[f"{name}_{of}"] for name, of in box},
        **{f"centroid_{axis[-1]}": found[f"{axis}_sum_sum"] / voxels for axis in ("z", "centroid_y", "centroid_x")},
        "intensity_mean": found["intensity_sum_sum"] / voxels,
        "touches_border": found["touches_border_any"] | (z0 == 0) | (z1 == slices),
        "whole": np.array([(c, low - 1) in known and (c, high) in known for c, low, high in ends_known], bool),
    }
    arrays = [
        grouped[it.name] if it.name in KEY else _array(values[it.name], len(voxels)).cast(it.type) for it in COLUMNS
    ]
    means = [Column(name.replace("sum", "mean", 1), "float64", "mean intensity of that channel") for name in added]
    arrays += [pa.array(found[f"{name}_sum"] / voxels, pa.float64(), from_pandas=False) for name in added]
    schema = pa.schema([pa.field(it.name, it.type, metadata={"meaning": it.meaning}) for it in (*COLUMNS, *means)])
    return pa.table(arrays, schema=schema)


def _array(values: np.ndarray[Any, Any] | None, rows: int) -> pa.Array:
    return pa.nulls(rows) if values is None else pa.array(values, from_pandas=False)
