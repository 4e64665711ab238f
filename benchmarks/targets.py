"""What the project sets out to reach, and whether it did: each from the measures of one run."""

import os
from dataclasses import dataclass

from benchmarks.comparisons import LATENCIES, USUAL
from benchmarks.costs import Cost
from benchmarks.large_plane import MOST_BYTES
from benchmarks.results import Results
from idr_assets.imaging.reading.retries import PATIENT

MOST_OF_EMPTY = {"segment_demo": 1.9, "one plane": 1.35}
"""How many times the time of empty bodies a command of the demo may take."""


@dataclass(frozen=True)
class Target:
    """A figure and its bound, which is the least where `at_least`, else the most."""

    what: str
    measured: float
    bound: float
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Whether the figure is within its bound."""
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound


def targets(results: Results) -> list[Target]:
    """Give every target with what was measured."""
    return [*_of_work(results), *_of_runs(results), *_of_demo(results), *_of_starts(results), *_of_publishing(results)]


def _of_work(results: Results) -> list[Target]:
    plane = {latency: {row.name.partition(",")[0]: row.plane for row in rows} for latency, rows in results.ways.items()}
    cores, at_once = os.cpu_count() or 1, LATENCIES[0]
    _, ours, loop = (row.plane for row in results.disk)
    stages = results.stages
    slow = {latency: latency / 1000 / PATIENT.requests for latency in LATENCIES if latency}
    return [
        Target(f"work on disk in {cores} processes, times loop / {cores}", ours / (loop / cores), 0.55),
        Target(
            "processor time of a plane, times that of its segmentation by scipy alone",
            sum(stages["ours"].values()) / stages["loop"]["segment"],
            5,
        ),
        *(
            Target(
                f"over HTTP at {latency} ms, times ours at 0 ms or latency / {PATIENT.requests} requests",
                plane[latency]["ours"] / max(plane[at_once]["ours"], waiting),
                1.3,
            )
            for latency, waiting in slow.items()
        ),
    ]


def _of_runs(results: Results) -> list[Target]:
    rows = results.runs.values()
    (few_empty, few), (empty, some), (most_empty, most) = ([row.costs[0] for row in pair] for pair in rows)
    on_postgres = [row.costs[0] for row in results.postgres]
    *_, loop = (row.plane for row in results.disk)
    notebook = results.ways[USUAL][-1].plane * few.planes
    return [
        Target(
            f"pace of a run of {most.planes:,} planes, times that of the loop on disk",
            loop / most.plane,
            1.6,
            at_least=True,
        ),
        Target(f"run of {some.planes:,} planes, times the empty asset's", some.seconds / empty.seconds, 2.5),
        Target(f"run of {few.planes:,} planes, times the empty asset's", few.seconds / few_empty.seconds, 2.0),
        Target(
            f"the notebook's time for {few.planes:,} planes at {USUAL} ms, times the whole run's",
            notebook / few.seconds,
            30,
            at_least=True,
        ),
        Target(f"memory of a run of {most.planes:,} planes, times that of {few.planes:,}", most.peak / few.peak, 1.1),
        Target("bookkeeping of the empty asset on SQLite, ms a plane", _bookkeeping(few_empty, most_empty), 1.5),
        Target("bookkeeping of the empty asset on PostgreSQL, ms a plane", _bookkeeping(*on_postgres), 1.5),
    ]


def _bookkeeping(few: Cost, most: Cost) -> float:
    """Milliseconds of a plane, without those of the start."""
    return 1000 * (most.seconds - few.seconds) / max(1, most.planes - few.planes)


def _of_demo(results: Results) -> list[Target]:
    largest = max(cost.peak for _, ours in results.demo.values() for cost in ours.costs)
    return [
        Target("memory of the demo's run, peak MB", largest / 1e6, 700),
        *(
            Target(f"{command} on {log}, times empty bodies", ours.ratio, MOST_OF_EMPTY[command])
            for (log, command), (_, ours) in results.demo.items()
        ),
    ]


def _of_starts(results: Results) -> list[Target]:
    (seconds, peak), (side, bytes_a_pixel) = results.plan, results.large
    return [
        Target(f"a plane of {side:,} x {side:,}, bytes of memory a pixel", bytes_a_pixel, MOST_BYTES),
        Target("the whole image opened and planned, seconds", seconds, 1.0),
        Target("the same, peak MB", peak / 1e6, 300),
        Target("definitions beyond importing dagster, seconds", results.definitions, 1.0),
    ]


def _of_publishing(results: Results) -> list[Target]:
    costs = results.published[1].costs  # of small planes; those of copying come before
    processor = min(cost.cpu / cost.planes for cost in costs)
    return [
        Target(
            "processor time of publishing a plane, times that of segmenting it",
            processor / sum(results.stages["ours"].values()),
            1.0,
        ),
        Target(f"publishing {costs[0].planes} planes of a timepoint, peak MB", costs[0].peak / 1e6, 600),
    ]
