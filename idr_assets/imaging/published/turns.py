"""Runs that publish the same image take turns: on a disk by a lock of the system, on S3 by an object beside the image.

The run whose turn it is writes that object again every few seconds, each time only if it is as this run left it. Others
wait until the object is gone, or has not changed for so long that its run must be dead; then one of them takes it over.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from time import monotonic, sleep
from uuid import uuid4

from idr_assets.imaging.errors import ImageError, mask
from idr_assets.imaging.output.files import CHANGED_MEANWHILE, lock_folder
from idr_assets.imaging.output.store_faults import explain_writes
from idr_assets.imaging.stores.by_address import is_s3, open_filesystem

DEAD_AFTER = 60.0
"""Seconds without a change of the object after which its run counts as dead. It is written six times as often."""


@contextmanager
def take_turn(url: str) -> Iterator[Callable[[], None]]:
    """Wait for the turn to publish the image at `url`; yield what raises `ImageError` if another run has taken it."""
    if not is_s3(url):
        with lock_folder(url.rpartition("/")[0]):
            yield lambda: None
        return
    turn, ended = Turn(f"{url}.turn"), Event()
    turn.take()
    renewing = Thread(target=_renew, args=(turn, ended), daemon=True)
    renewing.start()
    try:
        yield turn.keep
    finally:
        ended.set()
        renewing.join()
        turn.end()


def _renew(turn: "Turn", ended: Event) -> None:
    while not ended.wait(DEAD_AFTER / 6):
        with suppress(ImageError):  # which the run gets as soon as it is about to change the image
            turn.keep()


class Turn:
    """The object at an address, by which runs take turns."""

    def __init__(self, url: str) -> None:
        """Take no turn yet."""
        self._url, (self._filesystem, self._path) = url, open_filesystem(url)
        self._tag, self._one_at_a_time = "", Lock()

    def take(self) -> None:
        """Wait until nobody has the turn, or somebody who is dead."""
        seen, since = self._read(), monotonic()
        while (seen and monotonic() - since < DEAD_AFTER) or not self.write(seen):
            sleep(DEAD_AFTER / 60)
            if (now := self._read()) != seen:
                seen, since = now, monotonic()

    def keep(self) -> None:
        """Show others that this run is alive; raise `ImageError` if it is no longer its turn."""
        with self._one_at_a_time:
            if not self.write(self._tag):
                message = (
                    f"Another run took the turn to publish {mask(self._url.removesuffix('.turn'))}, because this one "
                    "did not answer for a minute. What it had not finished stays as it was: publish it again."
                )
                raise ImageError(message)

    def end(self) -> None:
        """Let others have the turn."""
        with suppress(ImageError, OSError):
            if self._read() == self._tag:
                self._filesystem.rm_file(self._path)

    def _read(self) -> str:
        with explain_writes(self._url):
            self._filesystem.invalidate_cache()
            try:
                return str(self._filesystem.info(self._path)["ETag"])
            except FileNotFoundError:
                return ""

    def write(self, tag: str) -> bool:
        """Write the object if it is as it was, or if there is none where `tag` is empty."""
        content = uuid4().hex.encode()
        with explain_writes(self._url):
            try:
                condition = {"IfMatch": tag} if tag else {"IfNoneMatch": "*"}
                self._tag = self._filesystem.pipe_file(self._path, content, **condition)["ETag"]
            except OSError as error:
                answer = getattr(error.__cause__, "response", {}).get("Error", {})
                if isinstance(error, FileNotFoundError) or answer.get("Code") in CHANGED_MEANWHILE:
                    return False
                raise
        return True
