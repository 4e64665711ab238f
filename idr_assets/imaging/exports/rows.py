"""The table of objects as CSV, and as AnnData."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from idr_assets.imaging.objects.measurements import COLUMNS
from idr_assets.imaging.objects.more_measurements import describe_column


def write_csv(path: Path, table: pa.Table) -> int:
    """Write a table of objects with a line for each, and count them."""
    pyarrow.csv.write_csv(table, path)
    return len(table)


def write_anndata(path: Path, table: pa.Table) -> int:
    """Write a table of objects as AnnData in HDF5, and count them.

    `X` has what is measured, `obs` where each object is, `var` the meaning of columns, and `obsm["spatial"]` the
    centroids (x, y) in pixels, as squidpy and scanpy draw them.
    """
    from anndata import AnnData  # noqa: PLC0415  a second, and of the extra `export`

    frame = table.to_pandas()
    frame.index = [f"t{t}-c{c}-z{z}-{label}" for t, c, z, label in frame[["t", "c", "z", "label"]].to_numpy()]
    frame["channel"] = frame["channel"].astype("category")
    measured = [name for name, kind in zip(table.column_names, table.schema.types, strict=True) if kind == "float64"]
    measured = ["area", *measured]
    known = {column.name: column.meaning for column in COLUMNS}
    found = AnnData(frame[measured].astype("float64"), frame.drop(columns=measured))
    found.var["meaning"] = [known.get(name) or describe_column(name) for name in measured]
    found.obsm["spatial"] = frame[["centroid_x", "centroid_y"]].to_numpy()
    found.write_h5ad(path)
    return len(table)
