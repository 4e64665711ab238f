"""Encode and decode single chunks by Zarr's codecs, without the selection that Zarr makes of each.

Bytes and values are Zarr's own. For arrays of which a chunk holds a whole plane, this takes half of the time.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import zarr
from zarr.core.array_spec import ArraySpec
from zarr.core.buffer import Buffer, default_buffer_prototype
from zarr.core.chunk_utils import ChunkTransform
from zarr.core.codec_pipeline import FusedCodecPipeline


@dataclass(frozen=True)
class ChunkCodec:
    """The codecs of an array, for one chunk at a time.

    Attributes
    ----------
    transform : ChunkTransform
        Zarr's codecs, in a row.
    spec : ArraySpec
        Shape, dtype and fill value of a chunk.

    """

    transform: ChunkTransform
    spec: ArraySpec

    @classmethod
    def of(cls, array: zarr.Array[Any]) -> Self | None:
        """Give the codecs of an array; None if it is sharded, or if a codec of it works asynchronously only."""
        spec = chunk_spec(array)
        codecs: Any = array.async_array.codec_pipeline  # which gives its codecs, one after the other
        transform = FusedCodecPipeline.from_codecs(codecs).evolve_from_array_spec(spec).sync_transform
        return cls(transform, spec) if transform and not array.shards else None

    def encode(self, values: npt.NDArray[Any]) -> bytes:
        """Encode the values of a chunk, of any shape that has as many."""
        chunk = np.ascontiguousarray(values, self.spec.dtype.to_native_dtype()).reshape(self.spec.shape)
        encoded = self.transform.encode_chunk(self.spec.prototype.nd_buffer.from_numpy_array(chunk), self.spec)
        return encoded.to_bytes() if encoded else b""

    def decode(self, body: Buffer) -> npt.NDArray[Any]:
        """Decode the body of a chunk; raises what its codecs raise."""
        return np.asarray(self.transform.decode_chunk(body, self.spec).as_numpy_array())


def chunk_spec(array: zarr.Array[Any]) -> ArraySpec:
    """Give what Zarr's codecs need to know of the chunks of an array."""
    about = array.metadata
    config = replace(array.async_array.config, order=array.order)  # that of v2 is in the metadata
    return ArraySpec(array.chunks, about.dtype, about.fill_value, config, default_buffer_prototype())
