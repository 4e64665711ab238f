"""Blocks become as small as a slow function needs, and results arrive all along."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.level import Level, open_level
from idr_assets.imaging.segmentation.pacing import Pace
from idr_assets.imaging.segmentation.plane_results import PlaneSummary
from idr_assets.imaging.segmentation.works_on import WorksOn
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.small_image import PIXELS, SHAPE

BLOCK = Block(range(SHAPE[0]), (0,), range(SHAPE[2]))
SUMMARY = PlaneSummary(Plane(0, 0, 0), 1, None, 0.1, 0, 1, None, 0.1, None)


class Flight:
    """Takes blocks as the cluster does, and ends them when it is told to."""

    def __init__(self, threads: int) -> None:
        self.threads, self.blocks = threads, list[Block]()

    def __len__(self) -> int:
        return len(self.blocks)

    def send(self, blocks: Iterable[Block]) -> None:
        self.blocks += blocks

    def end_all(self) -> list[Block]:
        """End all blocks."""
        ended, self.blocks = self.blocks, []
        return ended


@pytest.fixture(scope="module")
def level(tmp_path_factory: pytest.TempPathFactory) -> Level:
    return open_level(str(write_image(tmp_path_factory.mktemp("image") / "image.zarr", PIXELS, version="0.4")), "0")


def test_blocks_are_as_long_as_their_planes_are_slow_and_no_plane_is_lost(level: Level) -> None:
    pace, flight = Pace(WorksOn("plane"), level), Flight(threads=2)
    pace.queue([BLOCK])
    found, sizes = [], []
    for seconds in (2.0, 0.6, 0.001, 0.001):
        pace.send(flight)  # type: ignore[arg-type]
        sizes.append([*map(len, flight.blocks)])
        found += [plane for block in flight.end_all() for plane in block.planes()]
        pace.learn([replace(SUMMARY, segmenting=seconds)])
    assert sizes == [[1, 1], [1] * 8, [1, 1, 3, 3, 3, 3, 3, 3], [6]]
    assert found == BLOCK.planes()


def test_volumes_are_never_cut(level: Level) -> None:
    pace, flight = Pace(WorksOn("volume"), level), Flight(threads=1)
    pace.learn([replace(SUMMARY, segmenting=100.0)])
    pace.queue([BLOCK])
    pace.send(flight)  # type: ignore[arg-type]
    assert flight.end_all() == [BLOCK]
