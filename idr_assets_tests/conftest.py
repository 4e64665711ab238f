"""What tests of several folders need."""

import os
import shutil
from collections.abc import Iterator
from functools import cache

import alembic.util
import dask
import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from idr_assets_tests.support.fast_tests import in_this_process_alone, needs_processes
from idr_assets_tests.support.forked import start_server
from idr_assets_tests.support.object_store import object_store

WAITING = {"test_bounded_runs.py", "test_cancelled_backfill.py", "test_cockpit.py"}
"""Tests of a UI and its daemon, which wait for ticks and for whoever holds a plane."""

settings.register_profile("untimed", settings(), deadline=None)  # how long an example takes tells of the machine only
settings.load_profile("untimed")


@pytest.fixture(scope="session", autouse=True)
def migrations() -> Iterator[None]:
    """Read Dagster's migrations once: it saves some 25 s of the suite.

    Each new database asks for the last one, and alembic then runs 178 files, for an instance in a folder 619, in
    0.25 ms each.
    """
    each_time = alembic.util.load_python_file
    once = cache(each_time)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alembic.util, "load_python_file", lambda *at: (each_time if at[1] == "env.py" else once)(*at))
        yield


@pytest.fixture(scope="session", autouse=True)
def _forked_workers(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fork the worker processes of a test's own cluster; those of commands import for themselves, as for a user."""
    if any(item.get_closest_marker("processes") for item in request.session.items):
        start_server()
    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        yield


@pytest.fixture(scope="session")
def chromium() -> str:
    """Find Chromium; where there is none the tests are skipped, unless in continuous integration, where they fail."""
    found = shutil.which("chromium")
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no chromium on the PATH: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """Run an S3 server and give its endpoint."""
    with object_store() as endpoint:
        yield endpoint


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Hold a test that is one of `make test-fast` to this process; fixtures that it shares with others are not held."""
    with in_this_process_alone(alone=item.get_closest_marker("processes") is None):
        return (yield)


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that need processes. Start with those of whole processes, and end with the short ones of `imaging`."""
    for item in filter(needs_processes, items):
        item.add_marker("processes")
    items.sort(key=lambda it: (it.path.name not in WAITING, len(it.path.parents), it.path.parent.name == "imaging"))


class ByFile(LoadFileScheduling):  # type: ignore[misc]  # it has no types
    """Give each file to one process, and all that mostly wait to the same, so that others have the cores meanwhile."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "waiting" if file.rpartition("/")[2] in WAITING else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile | None:
    """Distribute tests over the processes of xdist, unless a command line asks for another way."""
    return ByFile(config, log) if config.getvalue("dist") == "loadfile" else None
