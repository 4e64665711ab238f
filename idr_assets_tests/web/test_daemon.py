"""An instance has one daemon; `test_ui` starts a second UI beside a real one."""

from collections.abc import Iterator
from pathlib import Path
from time import time

import dagster as dg
import pytest
from click import ClickException
from dagster._daemon.types import DaemonHeartbeat

from idr_assets.web.daemon import FRESH, only_daemon

UI = "http://127.0.0.1:3000"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def beat(instance: dg.DagsterInstance, seconds_ago: float) -> None:
    """Leave the heartbeats of a daemon: one that was told nothing for long, and one of its threads of late."""
    for daemon_type, late in (("SCHEDULER", 600.0), ("SENSOR", 0.0)):
        instance.add_daemon_heartbeat(DaemonHeartbeat(time() - seconds_ago - late, daemon_type, "id", errors=[]))


def test_a_second_daemon_of_a_ui_is_refused_with_the_first_ones_place(instance: dg.DagsterInstance) -> None:
    named = rf"of the UI at {UI}, since 2\d{{3}}-\d\d-\d\d \d\d:\d\d\).* make ui ARGS=--without-daemon"
    with only_daemon(instance, UI), pytest.raises(ClickException, match=named), only_daemon(instance, "another"):
        pass


@pytest.mark.parametrize("ago", [0.0, FRESH - 15.0, -30.0])  # the clock of another machine is ahead
def test_a_daemon_whose_heartbeat_is_fresh_is_enough(instance: dg.DagsterInstance, ago: float) -> None:
    beat(instance, ago)
    with pytest.raises(ClickException, match=r"heartbeat was at \d\d:\d\d:\d\d; if it has ended, wait \d+ s"):
        only_daemon(instance, UI).__enter__()


@pytest.mark.parametrize("ago", [FRESH + 1, -3600.0])  # the clock was set back since
def test_a_daemon_that_has_ended_makes_nobody_wait(instance: dg.DagsterInstance, ago: float) -> None:
    beat(instance, ago)
    for _ in range(2):
        with only_daemon(instance, UI):
            beat(instance, 0)


def test_where_no_file_can_be_held_heartbeats_decide(instance: dg.DagsterInstance) -> None:
    Path(instance.root_directory, "idr_assets").touch()
    with only_daemon(instance, UI) as held:
        assert held == []
