"""Open the arrays of the output, and write planes into them."""

from functools import partial
from itertools import product
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import zarr
from zarr.storage import LocalStore

from idr_assets.imaging.output.disk_files import clear_partials, retry_write
from idr_assets.imaging.output.plane_files import Bodies, find_codec, write_plane_files
from idr_assets.imaging.output.store_faults import explain_reads, explain_writes
from idr_assets.imaging.planes import Block
from idr_assets.imaging.stores.by_address import open_store
from idr_assets.imaging.stores.chunk_keys import key_below
from idr_assets.imaging.stores.pipelines import fuse


def open_array(url: str, path: str, *, missing_chunks: Literal["error", "zeros"] = "error") -> zarr.Array[Any]:
    """Open an array of the output at `url` for reading and writing.

    Raises FileNotFoundError if it does not exist, and `ImageError` if it is damaged or cannot be read.
    """
    store = open_store(url)
    if isinstance(store, LocalStore) and not store.root.is_dir():
        raise FileNotFoundError(url)  # Zarr would create the folder
    # Empty chunks are written: a plane without objects differs from a plane that is not stored.
    config: Any = {"write_empty_chunks": True, "read_missing_chunks": missing_chunks == "zeros"}
    with explain_reads(url, path):
        array = zarr.open_array(store, path=path, mode="r+", config=config)
        fuse(array)
        return array


def write_planes(url: str, *parts: tuple[zarr.Array[Any], Block, npt.NDArray[Any]]) -> Bodies:
    """Store values (t, c, z, y, x) of blocks in arrays of the output at `url`, one array after the other.

    Returns the bodies of chunks that were written as files. Raises `ImageError` if they cannot be written, for example
    because the disk is full.
    """
    bodies: Bodies = {}
    with explain_writes(url):
        for array, block, values in parts:
            bodies |= _write(array, block, values)
    return bodies


def clear_planes(block: Block, *arrays: zarr.Array[Any]) -> None:
    """Remove the partial files of a block's planes, which killed writers left."""
    for array in arrays:
        slices = sorted({z // array.chunks[2] for z in block.z})
        for at in product(block.t, block.c, slices, range(array.cdata_shape[3])):
            key = array.metadata.encode_chunk_key((*at, 0))
            clear_partials(array.store, key_below(array.path, key).rpartition("/")[0])


def is_same(stored: npt.NDArray[Any], written: npt.NDArray[Any]) -> bool:
    """Return whether values are stored bit for bit, in any byte order: NaN equals itself, and -0.0 is not 0.0."""
    if written.dtype.kind != "f":
        return np.array_equal(stored, written)
    bits = f"u{stored.itemsize}"
    return np.array_equal(stored.view(bits), np.ascontiguousarray(written, stored.dtype).view(bits))


def _write(array: zarr.Array[Any], block: Block, values: npt.NDArray[Any]) -> Bodies:
    same = array.dtype == values.dtype.newbyteorder("=")  # Zarr converts other dtypes, or refuses them
    if same and (codec := find_codec(array)):
        return write_plane_files(array, codec, block, values)
    retry_write(partial(_write_by_zarr, array, block, values))
    clear_planes(block, array)
    return {}


def _write_by_zarr(array: zarr.Array[Any], block: Block, values: npt.NDArray[Any]) -> None:
    for index, channel in enumerate(block.c):
        array[block.t.start : block.t.stop, channel, block.z.start : block.z.stop] = values[:, index]
