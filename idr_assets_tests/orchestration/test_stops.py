"""Ctrl-C, SIGTERM and *Terminate* while planes are at stake: they are noted, and interrupt nothing."""

import os
import signal
from threading import Thread

from idr_assets.orchestration.stops import note_stops


def test_a_stop_is_noted_and_what_came_before_is_as_it_was() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    for number in (signal.SIGINT, signal.SIGTERM):
        with note_stops() as stopped:
            assert not stopped()
            os.kill(os.getpid(), number)
            assert stopped()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_thread_notes_nothing_since_nothing_interrupts_it() -> None:
    found = []

    def look() -> None:
        with note_stops() as stopped:
            found.append(stopped())

    thread = Thread(target=look)
    thread.start()
    thread.join()
    assert found == [False]
