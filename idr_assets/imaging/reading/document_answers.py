"""Which of Zarr's documents a store sent, and which it refused: Zarr asks for several, of which an image has some."""

from collections.abc import Awaitable, Callable
from copy import copy

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.reading.documents import DOCUMENTS
from idr_assets.imaging.reading.faults import AnswerError

MISSING = object()


class DocumentAnswers:
    """By key, the refusal of a document, or None for a document that was sent."""

    def __init__(self) -> None:
        """Begin without any answer."""
        self._answers: dict[str, AnswerError | None] = {}

    async def get(self, key: str, ask: Callable[[str], Awaitable[bytes | None]]) -> bytes | None:
        """Ask for a document and note the answer; None where the document does not exist, or is refused."""
        try:
            body = await ask(key)
        except AnswerError as refusal:
            self.note(key, refusal)
            return None
        except ImageError:
            self.note(key)
            raise
        if body is not None:
            self.note(key)
        return body

    def note(self, key: str, refusal: AnswerError | None = None) -> None:
        """Note that a document was sent or refused; one that does not exist is neither."""
        self._answers[key] = refusal and copy(refusal)  # without its traceback

    def first_sent(self) -> str | None:
        """Return the key of a document that was sent; None before there is one."""
        return next((key for key, refusal in self._answers.items() if refusal is None), None)

    def refusal(self) -> AnswerError | None:
        """Return the refusal of a document in whose place no other was sent; None if there is no such refusal."""
        refused = {key: error for key, error in self._answers.items() if error and not self._is_needless(key)}
        first = min(refused, key=lambda key: DOCUMENTS.index(key.rpartition("/")[2]), default=None)
        return refused[first] if first else None

    def _is_needless(self, key: str) -> bool:
        folder, slash, name = key.rpartition("/")
        sent = {other for other in DOCUMENTS if self._answers.get(f"{folder}{slash}{other}", MISSING) is None}
        # The attributes of a group are what makes it an image.
        return bool(sent & {"zarr.json", ".zarray"}) or (".zgroup" in sent and name != ".zattrs")
