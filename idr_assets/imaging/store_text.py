"""Text from a store, as messages quote it: short, printable and on one line, since a store may send anything.

Markup is kept, because terminals and logs show messages too. What shows a message as Markdown or HTML escapes it, see
`orchestration.assets.metadata`.
"""

from collections.abc import Iterable
from itertools import islice

from idr_assets.imaging.errors import mask

MOST_CHARACTERS = 100
"""Most characters of a key, a path or a name."""

MOST_OF_A_MESSAGE = 200
"""Most characters of a library's message, which may quote a store."""

MOST_OF_AN_ADDRESS = 500
"""Most characters of an address: enough for what people write and want to recognize."""

MOST_QUOTED = 8
"""Most keys or paths that are listed; the others are counted."""


def quote(text: object) -> str:
    """Quote text from a store, such as a key, a path or a codec."""
    return f"'{flatten(text)}'"


def quote_all(texts: Iterable[object]) -> str:
    """Quote several texts; of many, the first ones and how many more there are."""
    rest = iter(texts)
    quoted = [quote(text) for text in islice(rest, MOST_QUOTED)]
    more = sum(1 for _ in rest)
    return f"[{', '.join([*quoted, *([f'and {more} more'] if more else [])])}]"


def flatten(text: object, most: int = MOST_CHARACTERS) -> str:
    """Write a text on one line, in at most `most` characters. Characters that do not print are escaped as in Python.

    These are control characters, line breaks, blanks other than spaces, and marks that reverse the writing direction.
    """
    whole = str(text)
    line = "".join(letter if letter.isprintable() else _escape(letter) for letter in whole[:most])
    return line if len(line) <= most and len(whole) <= most else f"{line[: most - 1]}…"


def cite(error: object) -> str:
    """Return the message of a library's error, which may quote a store."""
    return flatten(error, MOST_OF_A_MESSAGE)


def show_address(url: str) -> str:
    """Return an address that may come from a store, such as that of a redirect, without its secrets."""
    return flatten(mask(url), MOST_OF_AN_ADDRESS)


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
