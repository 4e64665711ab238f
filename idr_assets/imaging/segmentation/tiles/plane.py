"""The way of a plane through its tiles: look at them, label them, and join what is one object."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from idr_assets.imaging.segmentation.tiles.forms import Known, TiledForm
from idr_assets.imaging.segmentation.tiles.grid import Grid
from idr_assets.imaging.segmentation.tiles.jobs import Label, Look, Part, Split, Store, TileLabels
from idr_assets.imaging.segmentation.tiles.numbering import Numbers, find_begins, group_pieces, join_tiles, rank

type Do = Callable[[Sequence[Any]], list[Any]]
"""Runs jobs, each by itself and in any order, and returns their results in the order of the jobs."""


@dataclass(frozen=True)
class Labelled:
    """A plane whose objects are numbered: how its tiles are stored, and its threshold, if it has one."""

    stores: list[Store]
    objects: int
    threshold: float | None


def label_by_tiles(form: TiledForm, grid: Grid, do: Do) -> Labelled:
    """Find the objects of a plane by tiles, and number them; `do` is given what is to be done."""
    known: Known = ()
    for _ in range(form.passes):
        found = do([Look(form, grid, tile, known) for tile in grid.tiles()])
        known += (form.gather(found, known),)
    tiles: list[TileLabels] = do([Label(form, grid, tile, at, known) for at, tile in enumerate(grid.tiles())])
    numbers = join_tiles(form, tiles)
    parts = _split(form, grid, do, tiles, numbers) if form.splits else []
    stores, objects = _number(form, grid, tiles, numbers, parts)
    return Labelled(stores, objects, form.threshold(known))


def _split(form: TiledForm, grid: Grid, do: Do, tiles: Sequence[TileLabels], numbers: Numbers) -> list[Part]:
    """Split the pieces that lie in several tiles, those that begin in the same tile together."""
    jobs = []
    for pieces in group_pieces(tiles, numbers).values():
        needed = sorted({at for piece in pieces for at in piece})
        jobs.append(Split(form, grid, {at: tiles[at].labels for at in needed}, pieces))
    return [part for parts in do(jobs) for part in parts]


def _number(
    form: TiledForm, grid: Grid, tiles: Sequence[TileLabels], numbers: Numbers, parts: Sequence[Part]
) -> tuple[list[Store], int]:
    """Give all objects numbers by where they begin; return how tiles are stored by these, and how many there are."""
    begins = find_begins(tiles, numbers)
    objects = np.zeros(len(begins), bool)
    for tile, own in zip(tiles, numbers, strict=True):
        objects[own[1 : tile.whole + 1 if form.splits else None]] = True
    of_parts = [begins[objects], *(part.begins for part in parts)]
    ranks = rank(np.concatenate(of_parts))
    final = np.zeros(len(begins), np.int32)
    final[objects] = ranks[: len(of_parts[0])]
    ends = np.cumsum([len(each) for each in of_parts])
    numbered = [
        (part, np.insert(ranks[end - len(part.begins) : end], 0, 0)) for part, end in zip(parts, ends[1:], strict=True)
    ]
    stores = [
        Store(box, tile.labels, final[own], [it for it in numbered if it[0].box.meet(box)])
        for box, tile, own in zip(grid.tiles(), tiles, numbers, strict=True)
    ]
    return stores, len(ranks)
