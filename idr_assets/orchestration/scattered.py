"""Planes that a run makes of its range, if it does not make all of them: tags of the run say which.

Dagster knows ranges only. A run of planes here and there has the range that covers them, and in hidden tags a bit for
each partition of that range. This module imports little, because the event log of every process reads the tags.
"""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from idr_assets.orchestration.rectangles import Cell

TAG = ".dagster/idr_assets_planes_"
"""Start of the tags' names. Dagster hides what starts with `.dagster/`, and hands it on to the retries of a run."""

ROWS = ".dagster/idr_assets_rows_"
"""Start of the names of tags with the keys of the range's rows, for partitions whose keys are no numbers."""

TAKES_OVER = {".dagster/idr_assets_takes_over": "true"}
"""Tag of a run that makes what is missing: planes that are stored and prove right are not made again."""

LONGEST = 2000
"""Characters of a tag: PostgreSQL has an index of them, which takes no more than 2,700 bytes."""


def scatter_tags(cells: Collection[Cell], t: range, z: range, rows: Sequence[str] = ()) -> dict[str, str]:
    """Return the tags of a run that makes these (t, z) of the range t x z; none if it makes all.

    `rows` are the keys of all t, unless these are numbers.
    """
    if len(cells) == len(t) * len(z):
        return {}
    bits = bytearray((len(t) * len(z) + 7) // 8)
    for row, column in cells:
        at = (row - t.start) * len(z) + column - z.start
        bits[at // 8] |= 1 << at % 8
    head = f"{t.start} {t.stop} {z.start} {z.stop} ".encode()
    return _write(TAG, head + bits) | (_write(ROWS, " ".join([str(t.start), *rows]).encode()) if rows else {})


def read_scattered(tags: Mapping[str, str]) -> frozenset[Cell] | None:
    """Return the (t, z) that the tags of a run name, or None if it makes its whole range."""
    text = _read(TAG, tags)
    return _decode(text) if text else None


def locate(tags: Mapping[str, str], partition: str) -> Cell:
    """Return (t, z) of a partition of a run by its key, if the tags of the run name planes."""
    row, z = partition.split("|")
    rows = _read(ROWS, tags)
    return _number(rows)[row] if rows else int(row), int(z)


def _write(tag: str, content: bytes) -> dict[str, str]:
    text = b64encode(zlib.compress(content, 9)).decode()
    parts = (text[start : start + LONGEST] for start in range(0, len(text), LONGEST))
    return {f"{tag}{number:03}": part for number, part in enumerate(parts)}


def _read(tag: str, tags: Mapping[str, str]) -> str:
    return "".join(tags[name] for name in sorted(tags) if name.startswith(tag))


@lru_cache(maxsize=1)
def _number(text: str) -> dict[str, int]:
    start, *rows = zlib.decompress(b64decode(text)).decode().split()
    return {row: int(start) + at for at, row in enumerate(rows)}


@lru_cache(maxsize=1)  # the event log asks again for each batch of a run
def _decode(text: str) -> frozenset[Cell]:
    *head, bits = zlib.decompress(b64decode(text)).split(b" ", 4)
    t, t_stop, z, z_stop = map(int, head)
    columns = z_stop - z
    found = (at for at in range((t_stop - t) * columns) if bits[at // 8] >> at % 8 & 1)
    return frozenset((t + at // columns, z + at % columns) for at in found)
