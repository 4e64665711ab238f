"""Measures, prints the report and writes it to docs/benchmarks.md; `make bench` runs it."""

import argparse
import sys
from pathlib import Path
from time import monotonic

from idr_assets_tests.bench.comparisons import Sizes, compared
from idr_assets_tests.bench.machine import machine
from idr_assets_tests.bench.report import write

DOCS = Path(__file__).parents[2] / "docs"

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--planes", type=int, default=10_000, help="planes of the longest run; all else shrinks with it")
parser.add_argument("--rounds", type=int, default=2, help="how often short measures are repeated")
parser.add_argument("--docs", type=Path, default=DOCS, help="the folder of benchmarks.md and its pictures")
arguments = parser.parse_args()

started, before = monotonic(), machine()
results = compared(Sizes.up_to(arguments.planes, arguments.rounds))
report = write(results, before, arguments.docs, monotonic() - started)
sys.stdout.write(f"\n{report}\nwritten to {arguments.docs}/benchmarks.md\n")
