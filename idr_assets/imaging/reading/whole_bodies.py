"""Whole shards from servers that do not support ranges: a shard is read once while it is among the last ones."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress

MOST_BYTES = 256 * 2**20
"""Most bytes that a process keeps; the last body is kept whatever its size, because its parts are read one by one."""


class WholeBodies:
    """The bodies that were read last, by the opening of their level and their key.

    Bodies of another opening may be old: the source may have changed since.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        """Keep at most so many bytes."""
        self._most_bytes = most_bytes
        self._bodies: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._turn = asyncio.Lock()

    async def get(self, opening: str, key: str, fetch: Callable[[], Awaitable[bytes | None]]) -> bytes | None:
        """Return a body, and fetch it unless it is kept: one after the other, so that memory stays bounded."""
        if (kept := self._find(opening, key)) is not None:
            return kept
        async with self._turn:
            if (kept := self._find(opening, key)) is not None:  # another reader of the shard fetched it
                return kept
            body = await fetch()
            if body is not None:
                self.keep(opening, key, body)
            return body

    def keep(self, opening: str, key: str, body: bytes) -> None:
        """Keep a body, and drop those that nobody read for the longest time."""
        self._bodies[opening, key] = body
        while len(self._bodies) > 1 and sum(map(len, self._bodies.values())) > self._most_bytes:
            self._bodies.popitem(last=False)

    def has_any(self, opening: str) -> bool:
        """Return whether a body of an opening is kept, because its server sent a whole shard."""
        return any(of == opening for of, _ in self._bodies.copy())

    def forget(self, opening: str) -> None:
        """Drop the bodies of an opening, because one of them cannot be decoded."""
        for at in [at for at in self._bodies.copy() if at[0] == opening]:
            self._bodies.pop(at, None)

    def _find(self, opening: str, key: str) -> bytes | None:
        if (body := self._bodies.get((opening, key))) is not None:
            with suppress(KeyError):  # another thread forgets it
                self._bodies.move_to_end((opening, key))
        return body


BODIES = WholeBodies()
"""The bodies of this process, which reads all of them in one event loop, Zarr's."""
