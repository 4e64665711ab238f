"""One level of an OME-Zarr image: its planes as TCZYX, wherever it lies and in whichever order its axes are stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from math import ceil
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import zarr
from zarr.errors import ChunkNotFoundError

from idr_assets.imaging.errors import ImageError, MissingChunkError, join_address, masked
from idr_assets.imaging.lazy import LazyPlanes
from idr_assets.imaging.ome_zarr.axes import AXES
from idr_assets.imaging.ome_zarr.geometry import Geometry
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.chunk_store import UNDECODABLE, retry_decoding
from idr_assets.imaging.reading.empty_chunks import empty_chunk
from idr_assets.imaging.reading.missing_chunks import check_refusals, find_places, remedy
from idr_assets.imaging.reading.opening import open_array
from idr_assets.imaging.reading.retries import PATIENT, Patience

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
    def remarks(self) -> tuple[str, ...]:
        """What of the metadata is wrong, and was not used."""
        return self.geometry.remarks

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
            values, pixel = self._fetch(selection, again=len(block) == 1)
        except ChunkNotFoundError as error:
            raise self._missing(block, str(error)) from None
        except UNDECODABLE as error:
            raise self._unreadable(block, error) from None
        if pixel:
            raise MissingChunkError(self._empty(pixel))
        check_refusals(self.array)
        axes = self.geometry.axes
        ordered = values.transpose([axes.index(axis) for axis in AXES if axis in axes])
        return np.ascontiguousarray(ordered).reshape(len(block.t), len(block.c), len(block.z), *ordered.shape[-2:])

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

    def _fetch(self, selection: tuple[Any, ...], *, again: bool) -> tuple[npt.NDArray[Any], tuple[int, ...] | None]:
        """Read pixels, and find one whose chunk is empty; `again` where decoding fails, which suits single planes."""

        def fetch() -> tuple[npt.NDArray[Any], tuple[int, ...] | None]:
            values = np.asarray(self.array.oindex[selection])
            return values, empty_chunk(self.array, selection, values)

        store: Any = self.array.store_path.store
        return retry_decoding(fetch, store) if again else fetch()

    def _missing(self, block: Block, found: str) -> MissingChunkError:
        """Name the first plane without a chunk; Zarr names the missing keys only in its message."""
        check_refusals(self.array)
        keys = ((plane, key) for plane in block.planes() for key in self.chunk_keys(plane))
        first = block.planes()[0]
        plane, key = next(
            ((plane, key) for plane, key in keys if f"'{key}'" in found), (first, self.chunk_keys(first)[0])
        )
        store: Any = self.array.store_path.store
        refusal = store.chunk_refusals.get(f"{self.path}/{key}")
        answer = f"The store sends other chunks, and of this one it says: {refusal.answer}. " if refusal else ""
        error = MissingChunkError(
            f"The chunk {self._shown(key)} is missing, so {plane} has no pixels and cannot be segmented. "
            f"{answer}{remedy(self.array)}"
        )
        error.places = find_places(found, self.geometry.axes)
        return error

    def _empty(self, pixel: tuple[int, ...]) -> str:
        """Name the shard and the plane of a pixel, an index for each axis that is stored, whose chunk is empty."""
        shard = self.array.shards or self.array.chunks
        key = self.array.metadata.encode_chunk_key(tuple(at // step for at, step in zip(pixel, shard, strict=True)))
        t, c, z, y, x = (dict(zip(self.geometry.axes, pixel, strict=True)).get(axis, 0) for axis in AXES)
        return (
            f"The shard {self._shown(key)} marks the chunk of {Plane(t, c, z)} at y {y} x {x} as empty: the "
            f"plane has no pixels there and cannot be segmented. {remedy(self.array)}"
        )

    def _unreadable(self, block: Block, error: Exception) -> ImageError:
        """Explain what reading a shard or decoding raised; a shard's faults come as a group."""
        plane = block.planes()[0]
        known = error.subgroup(ImageError) if isinstance(error, ExceptionGroup) else None
        if known and isinstance(known.exceptions[0], ImageError):
            return known.exceptions[0]
        return ImageError(
            f"A chunk of {plane}, {self._shown(self.chunk_keys(plane)[0])} or one beside it in the plane, "
            f"cannot be decoded ({type(error).__name__}). "
            "Tell the store's owner, or leave the plane out of `window`."
        )

    def _shown(self, key: str) -> str:
        """Give the address of a chunk without what may be secret in it."""
        return masked(join_address(self.address, f"{self.path}/{key}"))

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
    """Open the level at path `level` of the OME-Zarr image (0.1 to 0.6) at `url`, reading metadata only.

    Parameters
    ----------
    url : str
        http, https, s3 or another fsspec URL, or a local path.
    level : str
        Path of the level in the image's multiscales.
    storage_options : mapping, optional
        Arguments of the fsspec filesystem.
    patience : Patience
        How often and how long a read is tried again.
    missing_chunks : {"error", "zeros"}
        What a chunk that does not exist means; zeros suit stores that are sparse by intent.

    Raises
    ------
    ImageError
        Where there is no OME-Zarr image, or it has no such level, or its axes or its version are not known.

    """
    geometry, array = open_array(url, level, storage_options, patience, zeros=missing_chunks == "zeros")
    return Level(address=url, path=level, geometry=geometry, array=array)
