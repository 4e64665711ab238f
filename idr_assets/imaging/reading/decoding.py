"""What decoding a chunk raises, and reading the chunk again then: only a decoder sees some faults of a body."""

import lzma
import zlib
from collections.abc import Callable
from itertools import count
from time import monotonic, sleep

from zarr.errors import ChunkNotFoundError

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.reading.chunk_store import ChunkStore
from idr_assets.imaging.reading.retries import find_pause

UNDECODABLE = (ExceptionGroup, ValueError, OverflowError, RuntimeError, OSError, EOFError, zlib.error, lzma.LZMAError)
"""What decoding a chunk raises, or a shard, whose faults come as a group."""

TRIES = 3
"""Fewer than for other faults: what cannot be decoded is mostly broken for good."""


def retry_decoding[T](read: Callable[[], T], store: ChunkStore) -> T:
    """Call `read`, and call it again if decoding fails, unless the store is on a disk of this machine."""
    tries = 1 if store.is_local else min(store.patience.tries, TRIES)
    began = monotonic()
    for attempt in count(1):
        try:
            return read()
        except UNDECODABLE as error:
            if attempt == tries or not _is_undecodable(error):
                raise
            pause = find_pause(store.patience, attempt, error)
            if monotonic() - began + pause >= store.patience.seconds:
                raise
        store.forget()
        sleep(pause)
    raise AssertionError  # for the type checker: counting does not end


def _is_undecodable(error: BaseException) -> bool:
    if isinstance(error, ExceptionGroup):
        return error.subgroup(ImageError) is None  # which was tried again already
    return isinstance(error, UNDECODABLE) and not isinstance(error, ChunkNotFoundError)
