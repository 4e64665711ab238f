"""What tests of segmentation share."""

from collections.abc import Iterator
from typing import Any

import dask
import pytest
from distributed import Client


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Start a dask client with two worker threads in this process."""
    web: dict[str, Any] = {"dashboard_address": "127.0.0.1:0", "scheduler_kwargs": {"dashboard": False}}
    with Client(processes=False, n_workers=1, threads_per_worker=2, **web) as client:
        yield client


@pytest.fixture(scope="module")
def synchronous() -> Iterator[None]:
    """Compute in this thread."""
    with dask.config.set(scheduler="synchronous"):
        yield
