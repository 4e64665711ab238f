"""Runs in processes of their own that publish an image on S3: one after the other, and none waits for the dead."""

import os
import signal
from time import monotonic, sleep

import pytest
import s3fs

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.files import write_file
from idr_assets.imaging.published import turns
from idr_assets.imaging.published.turns import Turn, take_turn
from idr_assets_tests.support.forked import exit_codes, fork
from idr_assets_tests.support.object_store import default_store

IMAGE, COUNT = "s3://turns/image", "turns/count"


def add_some(times: int, dead_after: float, *, die: bool = False) -> None:
    """Add to a number by reading and writing it, as others do at once; end in the middle of a turn if so wanted."""
    turns.DEAD_AFTER = dead_after
    store = s3fs.S3FileSystem(use_listings_cache=False)
    for _ in range(times):
        with take_turn(IMAGE) as keep:
            number = int(store.cat_file(COUNT))
            sleep(0.01)
            if die:
                os.kill(os.getpid(), signal.SIGKILL)
            keep()
            store.pipe_file(COUNT, str(number + 1).encode())


def test_no_change_of_two_processes_is_lost_and_a_dead_one_is_followed(s3: str) -> None:
    with default_store(s3):
        store = s3fs.S3FileSystem(use_listings_cache=False)
        store.mkdir("turns")
        write_file(f"s3://{COUNT}", b"0")
        assert exit_codes(*(fork(add_some, 3, 30.0) for _ in range(2))) == [0, 0]
        assert store.cat_file(COUNT) == b"6"
        assert exit_codes(fork(_die)) == [-signal.SIGKILL]
        assert store.exists(f"{IMAGE}.turn")
        assert exit_codes(fork(add_some, 1, 1.0)) == [0]
        assert store.cat_file(COUNT) == b"7"
        assert not store.exists(f"{IMAGE}.turn")


def _die() -> None:
    add_some(1, 30.0, die=True)


def test_a_run_whose_turn_was_taken_changes_nothing_more(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with default_store(s3):
        s3fs.S3FileSystem().mkdir("turns2")
        url = "s3://turns2/image"
        with take_turn(url) as keep:
            keep()
            assert not Turn(f"{url}.turn").write("")  # as of a run that found no other a moment ago
            write_file(f"{url}.turn", b"of another run")
            with pytest.raises(ImageError, match="Another run took the turn to publish s3://turns2/image, because"):
                keep()
        assert s3fs.S3FileSystem().cat_file(f"{url}.turn") == b"of another run"
        monkeypatch.setattr(turns, "DEAD_AFTER", 0.6)
        waiting, seen = monotonic(), set[bytes]()
        with take_turn(url):  # the other one did not answer
            assert monotonic() - waiting >= turns.DEAD_AFTER
            while len(seen) < 3:  # this one does
                assert monotonic() - waiting < 60
                seen.add(s3fs.S3FileSystem().cat_file(f"{url}.turn"))
        assert not s3fs.S3FileSystem(use_listings_cache=False).exists(f"{url}.turn")
