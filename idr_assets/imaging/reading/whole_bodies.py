"""Whole shards of servers that know no ranges: each is read once, as long as it is among the last that were read."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress

MOST_BYTES = 256 * 2**20
"""Kept at most in a process; the last body is kept whatever its size, for its parts are asked for one by one."""


class WholeBodies:
    """The bodies that were read last, by the opening of the level that they belong to and their key.

    Of another opening they may be old: the source may have changed since.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        """Keep so many bytes."""
        self._most_bytes = most_bytes
        self._bodies: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._turn = asyncio.Lock()

    async def get(self, opening: str, key: str, fetch: Callable[[], Awaitable[bytes | None]]) -> bytes | None:
        """Give a body, fetching it unless it is kept: one after the other, so that memory stays bounded."""
        if (kept := self._find(opening, key)) is not None:
            return kept
        async with self._turn:
            if (kept := self._find(opening, key)) is not None:  # another reader of the shard had the turn
                return kept
            body = await fetch()
            if body is not None:
                self.keep(opening, key, body)
            return body

    def keep(self, opening: str, key: str, body: bytes) -> None:
        """Keep a body, and let go of those that were not asked for the longest time."""
        self._bodies[opening, key] = body
        while len(self._bodies) > 1 and sum(map(len, self._bodies.values())) > self._most_bytes:
            self._bodies.popitem(last=False)

    def has_any(self, opening: str) -> bool:
        """Return whether a body of an opening is kept, because its server sent a whole one."""
        return any(of == opening for of, _ in self._bodies.copy())

    def forget(self, opening: str) -> None:
        """Let go of the bodies of an opening: one of them cannot be decoded."""
        for at in [at for at in self._bodies.copy() if at[0] == opening]:
            self._bodies.pop(at, None)

    def _find(self, opening: str, key: str) -> bytes | None:
        if (body := self._bodies.get((opening, key))) is not None:
            with suppress(KeyError):  # another thread forgets it
                self._bodies.move_to_end((opening, key))
        return body


BODIES = WholeBodies()
"""Of this process; all that it reads, it reads in one event loop, which is Zarr's."""
