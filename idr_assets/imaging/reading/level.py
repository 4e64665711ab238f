"""Open one level of an OME-Zarr image, wherever it lies, as TCZYX.

Reads metadata and pixels; writes nothing and decides nothing about planes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from math import ceil
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import zarr
from zarr.abc.store import Store
from zarr.errors import ChunkNotFoundError, NodeNotFoundError

from idr_assets.imaging.errors import ImageError, MissingChunkError, check_address, masked
from idr_assets.imaging.lazy import LazyPlanes
from idr_assets.imaging.ome_zarr.geometry import AXES, Geometry, read_geometry
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.chunk_bodies import chunk_format
from idr_assets.imaging.reading.chunk_store import UNDECODABLE, ChunkStore, decoded
from idr_assets.imaging.reading.empty_chunks import empty_chunk
from idr_assets.imaging.reading.retries import PATIENT, Patience
from idr_assets.imaging.store_text import cite, quote
from idr_assets.imaging.stores.by_address import open_source_store
from idr_assets.imaging.stores.pipelines import ask_at_once

if TYPE_CHECKING:
    import dask.array as da

WHOLE = slice(None)


@dataclass(frozen=True)
class Level:
    """One resolution of a multiscale image.

    `array` keeps the axes that are stored, which `geometry` names; everything else is TCZYX.
    Only metadata is held, so that a level is cheap to send to a worker.
    """

    address: str = field(repr=False)
    path: str
    geometry: Geometry
    array: zarr.Array[Any] = field(repr=False)

    @property
    def url(self) -> str:
        """Address of the image without what may be secret in it."""
        return masked(self.address)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape in TCZYX; an axis that is not stored has length 1."""
        return self._as_tczyx(self.array.shape)

    @property
    def chunks(self) -> tuple[int, ...]:
        """Chunk shape in TCZYX, of the shard where the array is sharded."""
        return self._as_tczyx(self.array.shards or self.array.chunks)

    @property
    def plane_shape(self) -> tuple[int, int]:
        """Height and width of a plane in pixels."""
        return self.shape[3], self.shape[4]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype as stored, byte order included."""
        return self.array.dtype

    def read(self, block: Block, y: slice = WHOLE, x: slice = WHOLE) -> npt.NDArray[Any]:
        """Read the planes of a block, (t, c, z, y, x) in the stored dtype, in one concurrent fetch.

        Raises `MissingChunkError` when a chunk is missing, in a shard too, which would otherwise read as zeros, and
        `ImageError` when one cannot be read.
        """
        t, z = (slice(indices.start, indices.stop) for indices in (block.t, block.z))
        wanted: dict[str, Any] = {"t": t, "c": list(block.c), "z": z, "y": y, "x": x}
        selection = tuple(wanted[axis] for axis in self.geometry.axes)
        try:
            values, pixel = self._fetched(selection, again=len(block) == 1)
        except ChunkNotFoundError as error:
            raise MissingChunkError(self._missing(block, str(error))) from None
        except UNDECODABLE as error:
            raise self._unreadable(block, error) from None
        if pixel:
            raise MissingChunkError(self._empty(pixel))
        return values.reshape(len(block.t), len(block.c), len(block.z), *values.shape[-2:])

    def lazy(self) -> "da.Array":
        """Give the whole level as a lazy (t, c, z, y, x) dask array of the stored dtype; no pixel is read.

        Computing raises what `read` does.
        """
        return LazyPlanes(self.read, self.shape, self.dtype).array(self._as_tczyx(self.array.chunks))

    def chunk_keys(self, plane: Plane) -> list[str]:
        """Give the keys, below the level, of the chunks (or shards) that hold a plane."""
        t, c, z = self.chunks[:3]
        rows, columns = (range(ceil(n / step)) for n, step in zip(self.plane_shape, self.chunks[3:], strict=True))
        grid = {"t": [plane.t // t], "c": [plane.c // c], "z": [plane.z // z], "y": rows, "x": columns}
        positions = product(*(grid[axis] for axis in self.geometry.axes))
        return [self.array.metadata.encode_chunk_key(position) for position in positions]

    def _fetched(self, selection: tuple[Any, ...], *, again: bool) -> tuple[npt.NDArray[Any], tuple[int, ...] | None]:
        """Read pixels, and find one whose chunk is empty; `again` where decoding fails, which suits single planes."""

        def fetch() -> tuple[npt.NDArray[Any], tuple[int, ...] | None]:
            values = np.asarray(self.array.oindex[selection])
            return values, empty_chunk(self.array, selection, values)

        store: Any = self.array.store_path.store
        return decoded(fetch, store.patience) if again else fetch()

    def _missing(self, block: Block, found: str) -> str:
        """Name the first plane without a chunk; Zarr tells the missing keys, but only in its message."""
        keys = ((plane, key) for plane in block.planes() for key in self.chunk_keys(plane))
        first = block.planes()[0]
        plane, key = next(
            ((plane, key) for plane, key in keys if f"'{key}'" in found), (first, self.chunk_keys(first)[0])
        )
        return (
            f"The chunk {self.url}/{self.path}/{key} is missing, so {plane} has no pixels and cannot be segmented. "
            "Check that the address is right; if the image lacks this plane, leave it out of `window`."
        )

    def _empty(self, pixel: tuple[int, ...]) -> str:
        """Name the shard and the plane of a pixel, an index for each axis that is stored, whose chunk is empty."""
        shard = self.array.shards or self.array.chunks
        key = self.array.metadata.encode_chunk_key(tuple(at // step for at, step in zip(pixel, shard, strict=True)))
        t, c, z, y, x = (dict(zip(self.geometry.axes, pixel, strict=True)).get(axis, 0) for axis in AXES)
        return (
            f"The shard {self.url}/{self.path}/{key} marks the chunk of {Plane(t, c, z)} at y {y} x {x} as empty: the "
            "plane has no pixels there and cannot be segmented. If empty chunks of this image stand for zeros, which "
            "many writers leave out, write `missing_chunks: zeros` below `reading`; else leave the plane out of "
            "`window`."
        )

    def _unreadable(self, block: Block, error: Exception) -> ImageError:
        """Explain what reading a shard or decoding raised; a shard's faults come as a group."""
        plane = block.planes()[0]
        known = error.subgroup(ImageError) if isinstance(error, ExceptionGroup) else None
        if known and isinstance(known.exceptions[0], ImageError):
            return known.exceptions[0]
        return ImageError(
            f"A chunk of {plane}, {self.url}/{self.path}/{self.chunk_keys(plane)[0]} or one beside it in the plane, "
            f"cannot be decoded ({type(error).__name__}). "
            "Tell the store's owner, or leave the plane out of `window`."
        )

    def _as_tczyx(self, lengths: tuple[int, ...]) -> tuple[int, ...]:
        named = dict(zip(self.geometry.axes, lengths, strict=True))
        return tuple(named.get(axis, 1) for axis in AXES)


def open_level(
    url: str,
    level: str,
    storage_options: Mapping[str, Any] | None = None,
    *,
    patience: Patience = PATIENT,
    missing_chunks: Literal["error", "zeros"] = "error",
) -> Level:
    """Open the level at path `level` of the OME-Zarr image (0.1 to 0.5) at `url`, reading metadata only.

    `url` is http, https, s3, another fsspec URL or a local path; `storage_options` go to fsspec. `missing_chunks` says
    what a chunk that is not there is; zeros suit stores that are sparse by intent.
    Raises `ImageError` when there is no OME-Zarr image, the level is not in its multiscales, or its axes are none
    of TCZYX in this order.
    """
    check_address(url)
    store, shown = _store(url, storage_options, patience), masked(url)
    try:
        geometry, array = read_geometry(shown, level, store), _array(shown, level, store, missing_chunks == "zeros")
        store.chunks = chunk_format(array)
        ask_at_once(array, patience.requests)
        opened = Level(address=url, path=level, geometry=geometry, array=array)
        opened.shape  # noqa: B018  as many lengths as axes
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        message = (
            f"The metadata of {shown} are not those of an OME-Zarr image ({type(error).__name__}: {cite(error)}): "
            "nothing can be read. Tell the store's owner, or correct them in a copy."
        )
        raise ImageError(message) from None
    return opened


def _store(url: str, storage_options: Mapping[str, Any] | None, patience: Patience) -> ChunkStore:
    try:
        return ChunkStore(open_source_store(url, storage_options), url, patience)
    except (ImportError, OSError, RuntimeError, TypeError, ValueError) as error:
        failure = ImageError(
            f"{masked(url)} is no address that can be read here ({type(error).__name__}: {cite(error)}): nothing is "
            "read. Write `url` as http://, https:// or s3://, without blanks before it, or as a local path, and check "
            "`storage_options`."
        )
    raise failure  # out of the handler, where it takes the cause along, which may hold a password


def _array(url: str, level: str, store: Store, zeros: bool) -> zarr.Array[Any]:  # noqa: FBT001
    try:
        return zarr.open_array(store, path=level, mode="r", config={"read_missing_chunks": zeros})
    except (NodeNotFoundError, FileNotFoundError):
        message = f"Level {quote(level)} is listed in the multiscales of {url}, but there is no array at {url}/{level}."
        raise ImageError(message) from None
