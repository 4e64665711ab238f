"""One level of an OME-Zarr image: its planes as TCZYX, wherever it lies and in whichever order its axes are stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import product
from math import ceil
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import numpy.typing as npt
import zarr

from idr_assets.imaging.errors import mask
from idr_assets.imaging.lazy import LazyPlanes
from idr_assets.imaging.ome_zarr.axes import AXES
from idr_assets.imaging.ome_zarr.geometry import Geometry
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.chunk_store import ChunkStore
from idr_assets.imaging.reading.decoding import UNDECODABLE, retry_decoding
from idr_assets.imaging.reading.empty_chunks import read_selection
from idr_assets.imaging.reading.missing_chunks import check_refusals
from idr_assets.imaging.reading.opening import open_array
from idr_assets.imaging.reading.plane_faults import explain_empty, explain_fault
from idr_assets.imaging.reading.retries import PATIENT, Patience
from idr_assets.imaging.reading.whole_planes import find_codec, read_whole_planes

if TYPE_CHECKING:
    import dask.array as da

WHOLE = slice(None)


@dataclass(frozen=True)
class Level:
    """One resolution of a multiscale image, as TCZYX. It holds only metadata, so that it is cheap to send to a worker.

    Attributes
    ----------
    address : str
        The address of the image, with what may be secret in it.
    path : str
        Path of the level in the image.
    geometry : Geometry
        The stored axes, in their order, with scales and units.
    array : zarr.Array
        The array with its stored axes.

    """

    address: str = field(repr=False)
    path: str
    geometry: Geometry
    array: zarr.Array[Any] = field(repr=False)

    @property
    def url(self) -> str:
        """Address of the image without what may be secret in it."""
        return mask(self.address)

    @property
    def store(self) -> ChunkStore:
        """The store of the image."""
        return cast("ChunkStore", self.array.store_path.store)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Which metadata are wrong and not used."""
        return self.geometry.remarks

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (t, c, z, y, x); an axis that is not stored has length 1."""
        return self._as_tczyx(self.array.shape)

    @cached_property
    def chunks(self) -> tuple[int, ...]:
        """Shape (t, c, z, y, x) of the chunks, of the shards if the array is sharded."""
        return self._as_tczyx(self.array.shards or self.array.chunks)

    @property
    def plane_shape(self) -> tuple[int, int]:
        """Height and width of a plane in pixels."""
        return self.shape[3], self.shape[4]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The stored dtype, with its byte order."""
        return self.array.dtype

    def read(self, block: Block, y: slice = WHOLE, x: slice = WHOLE) -> npt.NDArray[Any]:
        """Read the planes of a block, (t, c, z, y, x) in the stored dtype, in one concurrent fetch.

        Raises
        ------
        MissingChunkError
            Where a chunk is missing, also inside a shard, which would otherwise be read as zeros.
        ImageError
            Where a chunk cannot be read.

        """
        fetch = partial(self._fetch, block, y, x)
        try:  # planes that cannot be decoded together are read again one by one
            values, empty = retry_decoding(fetch, self.store) if len(block) == 1 else fetch()
        except UNDECODABLE as error:
            raise explain_fault(self, block, error) from None
        if empty:
            raise explain_empty(self, empty)
        check_refusals(self.array)
        return values.reshape(len(block.t), len(block.c), len(block.z), *values.shape[-2:])

    def lazy(self) -> "da.Array":
        """Return the level as a lazy (t, c, z, y, x) dask array, as stored; computing it raises what `read` does."""
        return LazyPlanes(self.read, self.shape, self.dtype).array(self._as_tczyx(self.array.chunks))

    def chunk_keys(self, plane: Plane) -> list[str]:
        """Return the keys, below the level, of the chunks or shards that hold a plane."""
        return [self.array.metadata.encode_chunk_key(position) for position in self._positions(plane)]

    def _positions(self, plane: Plane) -> "product[tuple[int, ...]]":
        t, c, z = self.chunks[:3]
        rows, columns = (range(ceil(n / step)) for n, step in zip(self.plane_shape, self.chunks[3:], strict=True))
        grid = {"t": [plane.t // t], "c": [plane.c // c], "z": [plane.z // z], "y": rows, "x": columns}
        return product(*(grid[axis] for axis in self.geometry.axes))

    def _fetch(self, block: Block, y: slice, x: slice) -> tuple[npt.NDArray[Any], tuple[int, ...] | None]:
        """Read pixels (..., y, x) in the order of the planes, and find one whose chunk its shard marks as empty."""
        axes = self.geometry.axes
        if codec := find_codec(self.array, axes):
            positions = [at for plane in block.planes() for at in self._positions(plane)]
            return read_whole_planes(self.array, codec, positions)[:, y, x], None
        t, z = (slice(indices.start, indices.stop) for indices in (block.t, block.z))
        wanted: dict[str, Any] = {"t": t, "c": list(block.c), "z": z, "y": y, "x": x}
        values, empty = read_selection(self.array, tuple(wanted[axis] for axis in axes))
        return np.ascontiguousarray(values.transpose([axes.index(axis) for axis in AXES if axis in axes])), empty

    def _as_tczyx(self, lengths: tuple[int, ...]) -> tuple[int, ...]:
        named = dict(zip(self.geometry.axes, lengths, strict=True))
        return tuple(named.get(axis, 1) for axis in AXES)


def open_level(  # noqa: PLR0913
    url: str,
    level: str,
    storage_options: Mapping[str, Any] | None = None,
    *,
    patience: Patience = PATIENT,
    missing_chunks: Literal["error", "zeros"] = "error",
    axes: Sequence[str] | None = None,
) -> Level:
    """Open a level of the OME-Zarr image (0.1 to 0.6) at `url`; only metadata are read. Parameters are as in `Source`.

    Raises
    ------
    ImageError
        Where there is no OME-Zarr image, it does not have this level, or its axes or its version are not known.

    """
    zeros = missing_chunks == "zeros"
    geometry, array = open_array(url, level, storage_options, patience, zeros=zeros, axes=axes)
    return Level(address=url, path=level, geometry=geometry, array=array)
