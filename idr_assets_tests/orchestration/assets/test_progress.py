"""Progress of a run in its log."""

import re
from collections.abc import Iterator
from threading import Event
from threading import enumerate as threads
from time import sleep
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from idr_assets.imaging.planes import Plane
from idr_assets.imaging.segmentation.functions import per_plane
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary
from idr_assets.orchestration.assets import progress
from idr_assets.orchestration.assets.progress import Progress, log_progress
from idr_assets_tests.support.small_image import FIELDS, Segmented

DONE = PlaneSummary(Plane(0, 0, 0), 1, None, 0.5, 0.0, 1.0, 0.0, 0.1, "")
FAILED = PlaneFailure(Plane(0, 0, 0), "reason")


def test_results_pass_unchanged_and_as_they_come() -> None:
    reached: list[int] = []

    def results() -> Iterator[PlaneSummary | PlaneFailure]:
        for number in range(3):
            reached.append(number)
            yield FAILED if number else DONE

    passed = log_progress(results(), 3, lambda _: None)
    assert next(passed) is DONE
    assert reached == [0]
    assert list(passed) == [FAILED, FAILED]


def test_a_failed_plane_is_not_done() -> None:
    lines: list[str] = []
    list(log_progress([DONE, FAILED, DONE], 3, lines.append))
    assert lines[-1].startswith("2 of 3 planes done, 1 failed, ")


def test_a_short_run_logs_its_end_only() -> None:
    lines: list[str] = []
    list(log_progress([DONE] * 3, 3, lines.append))
    assert len(lines) == 1
    assert lines[0].startswith("3 of 3 planes done, ")
    assert lines[0].endswith(" planes/s, 0 s left")


def test_lines_come_while_no_plane_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.01)
    lines: list[str] = []
    told = Event()

    def log(line: str) -> None:
        lines.append(line)
        told.set()

    def results() -> Iterator[PlaneSummary | PlaneFailure]:
        assert told.wait(30)
        yield DONE

    list(log_progress(results(), 2, log))
    assert lines[0] == "0 of 2 planes done, 0 planes/s"
    assert lines[-1].startswith("1 of 2 planes done, ")


def test_lines_do_not_wait_for_what_comes_after_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.01)
    lines: list[str] = []
    several = Event()

    def log(line: str) -> None:
        lines.append(line)
        if len(lines) > 3:
            several.set()

    def results() -> Iterator[PlaneSummary | PlaneFailure]:
        assert several.wait(30)
        yield DONE

    assert len([*log_progress(results(), 2, log, lambda: assert_set(several))]) == 1


def assert_set(event: Event) -> None:
    """Take as long as the lines need that are logged meanwhile."""
    assert event.wait(30)


def test_the_last_line_comes_when_the_results_end_in_an_error() -> None:
    lines: list[str] = []

    def results() -> Iterator[PlaneSummary | PlaneFailure]:
        yield DONE
        raise KeyError

    with pytest.raises(KeyError):
        list(log_progress(results(), 2, lines.append))
    assert lines[-1].startswith("1 of 2 planes done, ")
    assert [thread.name for thread in threads() if "_tell" in thread.name] == []


@pytest.mark.parametrize(
    ("done", "seconds", "line"),
    [
        (10, 5, "10 of 40 planes done, 2 planes/s, 15 s left"),
        (40, 0.032, "40 of 40 planes done, 1250 planes/s, 0 s left"),
        (1, 300, "1 of 40 planes done, 0.00333 planes/s, 11700 s left"),
    ],
)
def test_a_line_tells_rate_and_rest(monkeypatch: pytest.MonkeyPatch, done: int, seconds: float, line: str) -> None:
    now = iter([100.0, 100.0 + seconds])
    monkeypatch.setattr(progress, "monotonic", lambda: next(now))
    told = Progress(40)
    told.done = done
    assert str(told) == line


@per_plane
def slow(plane: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    sleep(0.1)
    return np.zeros(plane.shape, np.int64)


def test_a_run_tells_planes_done_and_time_left_before_its_end(
    fresh: Segmented, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.2)
    window = {"channels": "[0]", "window": "{t: [0, 2], z: all}"}
    fresh.project.write(**FIELDS | window, segmentation=f"{{function: {__name__}.slow}}")
    assert fresh.run("plane_labels", "0|00", "2|11") == ""
    (run,) = fresh.instance.get_runs()
    lines = [entry.user_message for entry in fresh.instance.all_logs(run.run_id) if "planes done" in entry.message]
    early = r"([1-9]|[12]\d|3[0-5])"
    assert any(re.fullmatch(rf"{early} of 36 planes done, \d\S* planes/s, \d+ s left", line) for line in lines)
    assert lines[-1].startswith("36 of 36 planes done, ")


def test_progress_is_told_at_least_every_five_seconds() -> None:
    assert 0 < progress.INTERVAL <= 5
