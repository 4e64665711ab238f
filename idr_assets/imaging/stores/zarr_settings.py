"""Zarr's settings that decide which pixels are read and written, kept from a user's variables and files.

Settings are those of the whole process, so ours hold for as long as a run or a block is at work, and no longer. How
fast Zarr reads is left to the user.
"""

from contextlib import AbstractContextManager, ContextDecorator
from functools import reduce
from operator import getitem
from threading import Lock
from types import TracebackType
from typing import Any, Final

_OURS: Final = ("array", "async.timeout", "buffer", "codec_pipeline", "codecs", "default_zarr_format", "ndbuffer")
"""Another pipeline may read past `ChunkStore` and take missing chunks for zeros, within shards too."""


class _OwnSettings(ContextDecorator):
    """Zarr's own settings while anybody is inside, in any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._changed: AbstractContextManager[Any] | None = None

    def __enter__(self) -> None:
        import zarr  # noqa: PLC0415  definitions have this context in their assets, and do without zarr

        with self._lock:
            self._inside += 1
            if self._changed is None:
                defaults: Any = zarr.config.defaults[0]
                self._changed = zarr.config.set({name: reduce(getitem, name.split("."), defaults) for name in _OURS})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
            if self._changed and not self._inside:
                self._changed.__exit__(None, None, None)
                self._changed = None


own_settings: Final = _OwnSettings()
"""A context, and a decorator of functions that are no generators."""
