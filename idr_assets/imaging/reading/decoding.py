"""What decoding a chunk raises, and reading the chunk again then: only a decoder sees some faults of a body."""

import lzma
import zlib
from collections.abc import Callable

from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_before_delay
from zarr.errors import ChunkNotFoundError

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.reading.chunk_store import ChunkStore
from idr_assets.imaging.reading.retries import retry_arguments

UNDECODABLE = (ExceptionGroup, ValueError, OverflowError, RuntimeError, OSError, EOFError, zlib.error, lzma.LZMAError)
"""What decoding a chunk raises, or a shard, whose faults come as a group."""

TRIES = 3
"""Fewer than for other faults: what cannot be decoded is mostly broken for good."""


def retry_decoding[T](read: Callable[[], T], store: ChunkStore) -> T:
    """Call `read`, and call it again if decoding fails, unless the store is on a disk of this machine."""
    tries = 1 if store.is_local else min(store.patience.tries, TRIES)
    stop = stop_after_attempt(tries) | stop_before_delay(store.patience.seconds)
    again = {"retry": retry_if_exception(_is_undecodable), "stop": stop, "before_sleep": lambda _: store.forget()}
    return Retrying(**retry_arguments(store.patience) | again)(read)


def _is_undecodable(error: BaseException) -> bool:
    if isinstance(error, ExceptionGroup):
        return error.subgroup(ImageError) is None  # which was tried again already
    return isinstance(error, UNDECODABLE) and not isinstance(error, ChunkNotFoundError)
