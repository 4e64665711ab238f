"""What is compared: things that are done right after each other, in turns, and how many times as long each takes."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import product
from statistics import median

from benchmarks.costs import Cost, cost_of_plan, cost_of_run, seconds_of, stages_of_way
from benchmarks.demo_runs import EVENT_LOGS, MODULES, cost_of_command, demo_home
from benchmarks.large_plane import bytes_of_large_plane
from benchmarks.publishing import WAYS as PUBLISHED
from benchmarks.publishing import cost_of_publishing
from benchmarks.results import Results, Row
from benchmarks.simulated_image import simulated_image, stored_image
from benchmarks.turns import Way, ready
from idr_assets_tests.support.postgres_server import postgres_server

LATENCIES = (0, 50, 200)
"""Milliseconds."""

USUAL = 50
"""The latency of what is not about latency, in milliseconds."""

BLOCKS = (1, 8, 64, 256)
MOST_BLOCKS = 64
"""Blocks of a measure at most: those of one plane are slow."""

ONCE = {"notebook"}
"""What is so slow that it is measured in the first round only."""

FORMS = {"threads": "in_process", "processes": "processes"}

type Measures = Mapping[str, Callable[[], Cost]]


@dataclass(frozen=True)
class Sizes:
    """Planes of a short measure, of the two slow ways, and of runs; how often short measures are repeated.

    `side` is that of the large plane, in pixels; `published` the planes that are published, by their height and width.
    """

    planes: int
    loop: int
    notebook: int
    runs: tuple[int, ...]
    rounds: int
    side: int
    published: Mapping[tuple[int, int], int]

    @classmethod
    def up_to(cls, planes: int, rounds: int) -> "Sizes":
        """Give the sizes for a longest run of so many planes."""
        runs = tuple(max(1, planes // part) for part in (100, 10, 1))
        side, published = max(1024, min(8192, planes)), {(128, 135): min(988, planes), (2001, 2003): min(8, planes)}
        return cls(min(256, planes), min(16, planes), min(2, planes), runs, rounds, side, published)


def compared(sizes: Sizes) -> Results:
    """Do everything, and tell of each thing when it is done."""
    with ExitStack() as servers:
        urls = {latency: servers.enter_context(simulated_image(latency / 1000)) for latency in LATENCIES}
        disk = servers.enter_context(stored_image(sizes.planes, sizes.rounds))
        return Results(
            disk=list(_disk(disk, sizes)),
            stages={way: stages_of_way(urls[0], way, sizes.planes) for way in ("ours", "loop")},
            ways={latency: list(_ways(urls[latency], latency, sizes)) for latency in LATENCIES},
            blocks=list(_blocks(urls[USUAL], sizes)),
            workers=list(_workers(urls[USUAL], sizes)),
            runs={planes: list(_runs(urls[USUAL], planes)) for planes in sizes.runs},
            postgres=list(_on_postgres(sizes.runs[0], sizes.runs[-1])),
            demo=dict(_demo(sizes.rounds)),
            plan=cost_of_plan(urls[USUAL]),
            definitions=median(_definitions() for _ in range(sizes.rounds)),
            large=(sizes.side, bytes_of_large_plane(sizes.side)),
            published=list(_published(sizes)),
        )


def _disk(url: str, sizes: Sizes) -> Iterator[Row]:
    ways = {
        "ours": Way(url, "ours", sizes.planes),
        "ours, processes": Way(url, "ours", sizes.planes, form="processes"),
        "loop": Way(url, "loop", sizes.planes),
    }
    return _ways_in_turns(ways, sizes.rounds, ", on disk")


def _ways(url: str, latency: int, sizes: Sizes) -> Iterator[Row]:
    planes = {"ours": sizes.planes, "loop": sizes.loop, "notebook": sizes.notebook}
    ways = {way: Way(url, way, count) for way, count in planes.items()}
    return _ways_in_turns(ways, sizes.rounds, f", {latency} ms")


def _blocks(url: str, sizes: Sizes) -> Iterator[Row]:
    ways = {f"blocks of {size}": Way(url, "ours", _planes_for(size, sizes), block=size) for size in BLOCKS}
    return _ways_in_turns(ways, sizes.rounds)


def _planes_for(block: int, sizes: Sizes) -> int:
    """Give two threads a block each, and not too many blocks."""
    return min(max(sizes.planes, 2 * block), block * MOST_BLOCKS)


def _workers(url: str, sizes: Sizes) -> Iterator[Row]:
    ways = {
        f"{form}, {workers}": Way(url, "ours", sizes.planes, form=FORMS[form], workers=workers)
        for form, workers in product(FORMS, (1, 2))
    }
    return _ways_in_turns(ways, sizes.rounds)


def _ways_in_turns(ways: Mapping[str, Way], rounds: int, of: str = "") -> Iterator[Row]:
    with ready(ways):
        yield from _in_turns(ways, rounds, of)


def _runs(url: str, planes: int) -> Iterator[Row]:
    measures = {"empty asset": partial(cost_of_run, None, planes), "plane labels": partial(cost_of_run, url, planes)}
    return _in_turns(measures, 1, f", {planes} planes")


def _on_postgres(*sizes: int) -> Iterator[Row]:
    for planes in sizes:
        with postgres_server() as address:
            run = partial(cost_of_run, None, planes, database=f"{address}/postgres")
            yield from _in_turns({"empty asset on PostgreSQL": run}, 1, f", {planes} planes")


def _demo(rounds: int) -> Iterator[tuple[tuple[str, str], list[Row]]]:
    for event_log, (_, commands) in EVENT_LOGS.items():
        with demo_home(event_log) as home:
            for command in commands:
                measures = {bodies: partial(cost_of_command, home, command, bodies) for bodies in MODULES}
                yield (event_log, command), list(_in_turns(measures, rounds, f", {command}"))


def _published(sizes: Sizes) -> Iterator[Row]:
    for plane, planes in sizes.published.items():
        measures = {way: partial(cost_of_publishing, way, plane, planes) for way in PUBLISHED}
        yield from _in_turns(measures, sizes.rounds, f", {plane[0]} x {plane[1]}")


def _definitions() -> float:
    return seconds_of("import idr_assets.definitions as all; all.defs()") - seconds_of("import dagster")


def _in_turns(measures: Measures, rounds: int, of: str = "") -> Iterator[Row]:
    """Measure in turns; each is compared with the first, round by round as far as there are rounds of it."""
    costs: dict[str, list[Cost]] = {name: [] for name in measures}
    for turn, (name, measure) in product(range(rounds), measures.items()):
        if turn > 0 and name in ONCE:
            continue
        costs[name].append(measure())
        cost = costs[name][-1]
        sys.stdout.write(f"{name + of:<34} {cost.seconds:8.2f} s {1000 * cost.plane:9.2f} ms a plane\n")
        sys.stdout.flush()
    first = next(iter(costs.values()))
    for name, found in costs.items():
        yield Row(name + of, found, median(one.plane / of_it.plane for one, of_it in zip(found, first, strict=False)))
