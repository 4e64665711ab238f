"""What the bench asks for, foretells and reports, without measuring anything."""

import math
import re
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from benchmarks import comparisons
from benchmarks.__main__ import parsed
from benchmarks.comparisons import Sizes, compared
from benchmarks.costs import Cost
from benchmarks.machine import machine
from benchmarks.model import Machine, Parameters, forecast
from benchmarks.report import write
from benchmarks.stages import STAGES


@pytest.mark.parametrize("words", ["--planes 0", "--planes -1", "--planes 265001", "--rounds 0", "--rounds 531"])
def test_numbers_that_nothing_can_be_measured_with_are_refused(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(words.split())
    assert f"error: {words.replace(' ', ' is ')}, " in capsys.readouterr().err


def test_the_model_lets_cores_work_while_requests_wait() -> None:
    found = Parameters(latency=0.05, share=0.5, processor=0.004, bookkeeping=0.001, start=5, threads=2, longest=600)
    slow, fast = (forecast(Machine("", 2, requests), found, planes=1000) for requests in (16, 160))
    assert slow.terms == pytest.approx({"requests": 6.25, "cores": 2, "bookkeeping": 1, "starts": 10})
    assert (slow.seconds, fast.seconds) == pytest.approx((17.25, 13))
    assert (slow.bottleneck, slow.adding("cores"), fast.adding("requests")) == ("starts", 0, 0)


def test_the_report_tells_every_measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def made_up(_url: object, *what: Any, **options: Any) -> Cost:  # noqa: ANN401
        planes = next(it for it in what if isinstance(it, int))
        return Cost(planes, 1 + planes * 0.01 / options.get("workers", 1), planes * 0.008, 2**28, planes * 0.006)

    monkeypatch.setattr(comparisons, "simulated_image", nullcontext)
    monkeypatch.setattr(comparisons, "Way", lambda *what, **options: partial(made_up, *what, **options))
    monkeypatch.setattr(comparisons, "ready", nullcontext)
    monkeypatch.setattr(comparisons, "cost_of_run", made_up)
    monkeypatch.setattr(comparisons, "stored_image", lambda _planes, _timepoints: nullcontext())
    monkeypatch.setattr(comparisons, "postgres_server", nullcontext)
    monkeypatch.setattr(comparisons, "stages_of_way", lambda _url, way, _planes: dict.fromkeys(STAGES[way], 0.001))
    monkeypatch.setattr(comparisons, "demo_home", nullcontext)
    monkeypatch.setattr(comparisons, "cost_of_command", lambda _home, _name, bodies: Cost(100, len(bodies), 1, 2**28))
    monkeypatch.setattr(comparisons, "cost_of_plan", lambda _url: (0.5, 2**27))
    monkeypatch.setattr(comparisons, "bytes_of_large_plane", lambda _side: 21.0)
    monkeypatch.setattr(comparisons, "cost_of_publishing", lambda _way, _plane, planes: Cost(planes, 2, 1, 2**28))
    monkeypatch.setattr(comparisons, "seconds_of", len)
    results = compared(Sizes.up_to(10_000, rounds=2))
    text = write(results, machine(), tmp_path, 60)
    rows = [row for group in (results.ways, results.runs) for rows in group.values() for row in rows]
    demo = [row for rows in results.demo.values() for row in rows]
    for row in [*rows, *results.postgres, *results.disk, *results.blocks, *results.workers, *demo, *results.published]:
        assert f"| {row.name} | " in text
        assert math.isfinite(row.ratio)
        assert row.ratio > 0
    assert (
        "| pace of a run of 10,000 planes, times that of the loop on disk | 1.38 | at least 1.6 | **missed** |" in text
    )
    assert "| bookkeeping of the empty asset on PostgreSQL, ms a plane | 10 | at most 1.5 | **missed** |" in text
    assert "| segment_demo on Dagster's own event log, times empty bodies | 0.333 | at most 1.9 | kept |" in text
    assert "| publishing 988 planes of a timepoint, peak MB | 268 | at most 600 | kept |" in text
    assert "| together | 5 | 3 |" in text
    assert "| the same, peak MB | 134 | at most 300 | kept |" in text
    assert text == (tmp_path / "explanation/benchmarks.md").read_text()
    assert not re.search(r"\b(nan|inf)\b|[{}]", text)
    pictures = re.findall(r"\(\.\./(pictures/\S+)\)", text)
    assert len(pictures) == 4
    assert max((tmp_path / picture).stat().st_size for picture in pictures) < 100_000
