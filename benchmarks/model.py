"""How long the whole image takes on other machines, from what was measured here."""

from dataclasses import dataclass
from math import ceil, prod
from statistics import median

from benchmarks.comparisons import LATENCIES, USUAL
from benchmarks.results import Results
from idr_assets.imaging.reading.retries import PATIENT
from idr_assets_tests.support.idr_stores import IDR_SHAPE

WHOLE = prod(IDR_SHAPE[:3:2])
"""Planes of one channel of the image."""


@dataclass(frozen=True)
class Parameters:
    """What the model takes from the measures, in seconds (a plane) where nothing else is said.

    `share` of the capped requests is really in flight where nothing but latency counts; `processor` is the processor
    time of segmenting; `start` is that of a run; `threads` is how many cores two threads are worth; `longest` is the
    number of planes of the longest run.
    """

    latency: float
    share: float
    processor: float
    bookkeeping: float
    start: float
    threads: float
    longest: int


@dataclass(frozen=True)
class Machine:
    """Cores that compute, and requests that all of its processes together may have in flight."""

    name: str
    cores: float
    requests: int


@dataclass(frozen=True)
class Forecast:
    """Seconds of the terms for so many planes: cores work while requests wait, and all else comes after them."""

    machine: str
    terms: dict[str, float]

    @property
    def seconds(self) -> float:
        """Requests or cores, whichever take longer, and the other terms."""
        return sum(map(self.adding, self.terms))

    def adding(self, term: str) -> float:
        """Give the seconds that a term adds to the others: none where it is hidden behind a longer one."""
        hidden = min(("requests", "cores"), key=self.terms.__getitem__)
        return 0.0 if term == hidden else self.terms[term]

    @property
    def bottleneck(self) -> str:
        """The name of the largest term."""
        return max(self.terms, key=self.terms.__getitem__)


def parameters(results: Results) -> Parameters:
    """Take the parameters from the measures."""
    ours = {latency: rows[0] for latency, rows in results.ways.items()}
    slowest = LATENCIES[-1]
    runs = [rows[1].costs[0] for rows in results.runs.values()]
    beside = [run.seconds - run.segmenting for run in runs]  # of segmenting
    bookkeeping = (beside[-1] - beside[0]) / max(1, runs[-1].planes - runs[0].planes)
    at_once = ours[LATENCIES[0]]
    return Parameters(
        latency=USUAL / 1000,
        share=min(1.0, slowest / 1000 / ours[slowest].plane / PATIENT.requests),
        processor=median(cost.cpu / cost.planes for cost in at_once.costs),
        bookkeeping=bookkeeping,
        start=beside[0] - bookkeeping * runs[0].planes,
        threads=median(cost.cpu / cost.seconds for cost in at_once.costs),
        longest=runs[-1].planes,
    )


def machines(found: Parameters) -> list[Machine]:
    """Give the machines, with polite numbers of requests and with the usual ones."""
    usual = PATIENT.requests
    return [
        Machine(f"2 cores: 2 processes, {usual} requests each", 2, 2 * usual),
        Machine(f"2 cores: 2 threads, {usual} requests", found.threads, usual),
        Machine("16 cores: 16 processes, 1 request each", 16, 16),
        Machine(f"16 cores: 16 processes, {usual} requests each", 16, 16 * usual),
        Machine("64 workers, 1 request each", 64, 64),
        Machine(f"64 workers, {usual} requests each", 64, 64 * usual),
    ]


def forecast(machine: Machine, found: Parameters, planes: int = WHOLE) -> Forecast:
    """Extrapolate to so many planes, done in runs as long as the longest one."""
    terms = {
        "requests": planes * found.latency / (found.share * machine.requests),
        "cores": planes * found.processor / machine.cores,
        "bookkeeping": planes * found.bookkeeping,
        "starts": ceil(planes / found.longest) * found.start,
    }
    return Forecast(machine.name, terms)
