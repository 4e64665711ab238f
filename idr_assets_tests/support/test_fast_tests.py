"""Tests that are to need no other process are held to that."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from idr_assets_tests.support.fast_tests import in_this_process_alone
from idr_assets_tests.support.forked import FORKED


def run_python() -> None:
    subprocess.run([sys.executable, "-c", ""], check=True)


def listen() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))


def fork() -> None:
    FORKED.Process(target=os.getpid).start()


@pytest.mark.parametrize("start", [run_python, listen, fork])
def test_a_test_of_this_process_alone_starts_no_other(start: Callable[[], object]) -> None:
    with in_this_process_alone(alone=True), pytest.raises(RuntimeError, match="this test is one of `make test-fast`"):
        start()
    with in_this_process_alone(alone=False):
        start()
