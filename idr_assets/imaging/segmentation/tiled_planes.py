"""Segment large planes on a cluster tile by tile: one plane after the other, all workers on its tiles."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from time import perf_counter
from typing import Any

import numpy as np

from idr_assets.imaging.output.read_back import read_checksums
from idr_assets.imaging.output.writing import remove_labels
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets.imaging.segmentation.cutting import make_form
from idr_assets.imaging.segmentation.origin_notes import OriginNotes
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary, Result
from idr_assets.imaging.segmentation.recipe import fill_in
from idr_assets.imaging.segmentation.stored_plane import StoredPlane
from idr_assets.imaging.segmentation.tile_jobs import FailedError, Fly, StoppedError, do_jobs
from idr_assets.imaging.segmentation.tile_task import Clear, Copied, Copy, IsStored, Job, Prove
from idr_assets.imaging.segmentation.tiles.forms import TiledForm
from idr_assets.imaging.segmentation.tiles.grid import Grid
from idr_assets.imaging.segmentation.tiles.plane import label_by_tiles

FETCHED = 4096
"""Height and width in pixels of what is read from the source at once, or one chunk of it."""

type Tell = Callable[[Plane, int, int], None]
"""Is told of a plane how many of its steps by tile are done, and of how many."""


def tell_nobody(_: Plane, __: int, ___: int) -> None:
    """Tell nobody."""


def segment_planes(fly: Fly, task: BlockTask, planes: Iterable[Plane], tell: Tell) -> Iterator[Result]:
    """Segment planes by tiles, and yield what became of each."""
    notes = OriginNotes(task.origins, task.output)
    for plane in planes:
        found = _segment_plane(fly, task, plane, tell)
        notes.note(plane.block, found)
        task.record([result for result in found if isinstance(result, PlaneSummary)])
        yield from found


def _segment_plane(fly: Fly, task: BlockTask, plane: Plane, tell: Tell) -> list[PlaneSummary] | list[PlaneFailure]:
    """Segment a plane by tiles on a cluster; return its summary, its failure, or nothing if the run was stopped.

    A tile that fails is tried once more. If it fails again, the plane fails, and has no labels.
    """
    stored = StoredPlane(task, plane)
    work = _TiledPlane(fly, stored, _make_form(stored), tell)
    try:
        return [work.segment()]
    except StoppedError:
        return []
    except FailedError as failed:
        return failed.failures


@dataclass
class _TiledPlane:
    """A plane that a cluster segments by tiles; `done` are its steps by tile that are."""

    fly: Fly
    plane: StoredPlane
    form: TiledForm
    tell: Tell
    done: int = 0

    def segment(self) -> PlaneSummary:
        started, task, plane = perf_counter(), self.plane.task, self.plane.plane
        output, grid = task.output, Grid(task.level.plane_shape, task.output.plane_chunks)
        fetched = Grid(grid.shape, _fetch_side(task)).tiles()
        steps = len(fetched) + (self.form.passes + 2) * len(grid.tiles())
        sources = self.plane.sources.planes()
        stored = frozenset(compress(sources, self._do([*map(IsStored, sources)], steps)))
        copies: list[dict[Plane, Copied]] = self._do([Copy(tile, stored) for tile in fetched], steps)
        proofs = [
            Prove(it, [(tile, found[it].digest) for tile, found in zip(fetched, copies, strict=True)]) for it in sources
        ]
        origins = self._do(proofs, steps) if stored < {*sources} else []
        labelled = label_by_tiles(self.form, grid, lambda jobs: self._do(jobs, steps))
        self._do([Clear()], steps)
        try:
            foreground = sum(self._do(labelled.stores, steps))
        except FailedError:
            remove_labels(output, plane.block)
            raise
        seconds, size = perf_counter() - started, math.prod(grid.shape)
        copied = [found[plane] for found in copies]
        saturated = [it.saturated for it in copied if it.saturated is not None]
        return PlaneSummary(
            plane=plane,
            objects=labelled.objects,
            threshold=labelled.threshold,
            foreground=foreground / size,
            minimum=float(np.min([it.minimum for it in copied])),
            maximum=float(np.max([it.maximum for it in copied])),
            saturated=sum(saturated) / size if saturated else None,
            seconds=seconds,
            checksum=read_checksums(output, [plane])[0],
            origins=tuple((it, origin) for it, origin in zip(sources, origins, strict=False) if origin),
            reused=stored.issuperset(sources),
            segmenting=seconds,
        )

    def _do(self, jobs: Sequence[Job], steps: int) -> list[Any]:
        """Do jobs, and tell of each that is done with a tile."""

        def count(job: Job) -> None:
            if hasattr(job, "tile"):
                self.done += 1
                self.tell(self.plane.plane, self.done, steps)

        return do_jobs(self.fly, self.plane, jobs, count)


def _fetch_side(task: BlockTask) -> tuple[int, int]:
    """Return the height and width of what is fetched at once: whole chunks of the output, and often of the level."""
    each = zip(task.output.plane_chunks, task.level.chunks[3:], strict=True)
    height, width = (own * math.ceil(max(FETCHED, chunk) / own) for own, chunk in each)
    return height, width


def _make_form(plane: StoredPlane) -> TiledForm:
    task = plane.task
    return make_form(task.works_on, fill_in(task.function, task.parameters, task.works_on.inputs), plane.part)
