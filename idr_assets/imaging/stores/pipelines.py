"""How Zarr reads and writes the arrays of this project.

Set on each array, because Zarr's settings hold for all arrays of the process, such as those of a notebook.
"""

from collections.abc import Iterable
from dataclasses import replace
from math import ceil
from typing import Any, cast

import zarr
from zarr.abc.codec import CodecPipeline
from zarr.core.codec_pipeline import BatchedCodecPipeline, FusedCodecPipeline

from idr_assets.imaging.stores.chunk_codec import chunk_spec

AT_ONCE = 10
"""Batches of chunks that Zarr reads at the same time, unless the user's settings say otherwise."""


class OneThread(FusedCodecPipeline):
    """Zarr's faster pipeline without threads of its own.

    Dask has threads already; more of them make a run a third slower.
    """

    def read_sync(self, batch_info: Iterable[Any], out: Any, drop_axes: Any = (), max_workers: int = 1) -> Any:  # noqa: ANN401, ARG002
        """Read chunk after chunk."""
        return super().read_sync(batch_info, out, drop_axes)

    def write_sync(self, batch_info: Iterable[Any], value: Any, drop_axes: Any = (), max_workers: int = 1) -> None:  # noqa: ANN401, ARG002
        """Write chunk after chunk."""
        super().write_sync(batch_info, value, drop_axes)


def fuse(array: zarr.Array[Any]) -> None:
    """Make reads and writes of `array` on local disks two to three times as fast.

    It holds all chunks of a read in memory, so it does not suit sources, whose chunks may have any depth.
    """
    codecs = cast("Any", array.async_array.codec_pipeline)  # whose codecs it gives
    _use(array, OneThread.from_codecs(codecs).evolve_from_array_spec(chunk_spec(array)))


def ask_at_once(array: zarr.Array[Any], requests: int) -> None:
    """Let a read of `array` ask for at least this many chunks at once, up to a hundred."""
    pipeline = array.async_array.codec_pipeline
    if isinstance(pipeline, BatchedCodecPipeline):  # unless a user's settings choose another
        _use(array, replace(pipeline, batch_size=ceil(requests / AT_ONCE)))


def _use(array: zarr.Array[Any], pipeline: CodecPipeline) -> None:
    object.__setattr__(array.async_array, "codec_pipeline", pipeline)  # frozen: Zarr itself sets it so, once
