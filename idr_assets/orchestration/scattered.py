"""Planes that a run makes of its range, if it does not make all of them: tags of the run say which.

Dagster knows ranges only. A run of planes here and there has the range that covers them, and in hidden tags a bit for
each partition of that range. This module imports little, because the event log of every process reads the tags.
"""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from functools import lru_cache

from idr_assets.orchestration.rectangles import Cell

TAG = ".dagster/idr_assets_planes_"
"""Start of the tags' names. Dagster hides what starts with `.dagster/`, and hands it on to the retries of a run."""

LONGEST = 2000
"""Characters of a tag: PostgreSQL has an index of them, which takes no more than 2,700 bytes."""


def scatter_tags(cells: Collection[Cell], t: range, z: range) -> dict[str, str]:
    """Return the tags of a run that makes these (t, z) of the range t x z; none if it makes all."""
    if len(cells) == len(t) * len(z):
        return {}
    bits = bytearray((len(t) * len(z) + 7) // 8)
    for row, column in cells:
        at = (row - t.start) * len(z) + column - z.start
        bits[at // 8] |= 1 << at % 8
    head = f"{t.start} {t.stop} {z.start} {z.stop} ".encode()
    text = b64encode(zlib.compress(head + bits, 9)).decode()
    parts = (text[start : start + LONGEST] for start in range(0, len(text), LONGEST))
    return {f"{TAG}{number:03}": part for number, part in enumerate(parts)}


def read_scattered(tags: Mapping[str, str]) -> frozenset[Cell] | None:
    """Return the (t, z) that the tags of a run name, or None if it makes its whole range."""
    text = "".join(tags[name] for name in sorted(tags) if name.startswith(TAG))
    return _decode(text) if text else None


@lru_cache(maxsize=1)  # the event log asks again for each batch of a run
def _decode(text: str) -> frozenset[Cell]:
    *head, bits = zlib.decompress(b64decode(text)).split(b" ", 4)
    t, t_stop, z, z_stop = map(int, head)
    columns = z_stop - z
    found = (at for at in range((t_stop - t) * columns) if bits[at // 8] >> at % 8 & 1)
    return frozenset((t + at // columns, z + at % columns) for at in found)
