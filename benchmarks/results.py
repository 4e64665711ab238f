"""What was measured, as tables of rows that are compared."""

from dataclasses import dataclass
from statistics import median

from benchmarks.costs import Cost


@dataclass(frozen=True)
class Row:
    """The costs of one thing in each round; `ratio` is its time a plane over that of what it is compared with."""

    name: str
    costs: list[Cost]
    ratio: float

    @property
    def seconds(self) -> list[float]:
        """Seconds of each round."""
        return [cost.seconds for cost in self.costs]

    @property
    def plane(self) -> float:
        """Seconds a plane, the median of the rounds."""
        return median(cost.plane for cost in self.costs)


@dataclass(frozen=True)
class Results:
    """All rows: of ways on disk and by latency, of blocks, of forms of the cluster, and of runs by number of planes.

    `postgres` are runs of the empty asset on PostgreSQL, of few and of most planes; `stages` the processor seconds a
    plane of each stage of a way; `demo` the rows of each command on the demo with each event log; `plan` the seconds
    and peak bytes of opening and planning the whole image; `large` the side of the large plane and the bytes of memory
    that each of its pixels takes; `definitions` the seconds that they take to load, beyond those of importing dagster;
    `published` the rows of publishing a timepoint, and of copying it by Zarr.
    """

    disk: list[Row]
    stages: dict[str, dict[str, float]]
    ways: dict[int, list[Row]]
    blocks: list[Row]
    workers: list[Row]
    runs: dict[int, list[Row]]
    postgres: list[Row]
    demo: dict[tuple[str, str], list[Row]]
    plan: tuple[float, int]
    large: tuple[int, float]
    definitions: float
    published: list[Row]
