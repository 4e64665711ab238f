"""Measures, prints the report and writes it to docs/explanation/benchmarks.md; `make bench` runs it."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from benchmarks.comparisons import Sizes, compared
from benchmarks.machine import machine
from benchmarks.report import write
from benchmarks.windows import MOST, MOST_TIMEPOINTS

DOCS = Path(__file__).parents[1] / "docs"


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command's arguments; numbers that nothing can be measured with end it as argparse does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--planes", type=int, default=10_000, help="planes of the longest run; all else shrinks with it"
    )
    parser.add_argument("--rounds", type=int, default=2, help="how often short measures are repeated")
    parser.add_argument("--docs", type=Path, default=DOCS, help="the folder of the page and its pictures")
    arguments = parser.parse_args(words)
    if not 1 <= arguments.planes <= MOST:
        parser.error(f"--planes is {arguments.planes}, which the image does not have: write 1 to {MOST}")
    if not 1 <= arguments.rounds <= MOST_TIMEPOINTS:
        parser.error(f"--rounds is {arguments.rounds}, and each takes a timepoint: write 1 to {MOST_TIMEPOINTS}")
    return arguments


def main() -> None:
    """Measure as the arguments say."""
    arguments = parsed()
    started, before = monotonic(), machine()
    results = compared(Sizes.up_to(arguments.planes, arguments.rounds))
    report = write(results, before, arguments.docs, monotonic() - started)
    sys.stdout.write(f"\n{report}\nwritten to {arguments.docs}/explanation/benchmarks.md\n")


if __name__ == "__main__":
    main()
