"""Text of a store, as messages quote it: it may say and do anything, so that it is made short, plain and one line.

Markup is left as it is, for messages go to terminals and logs too, where a key is to be read as the store has it; what
shows a message as Markdown or HTML escapes it, see `orchestration.metadata`.
"""

from collections.abc import Iterable
from itertools import islice

from idr_assets.imaging.errors import masked

MOST_CHARACTERS = 100
"""Of a key, a path, a name or the like."""

MOST_OF_A_MESSAGE = 200
"""Of what a library says, which may quote a store."""

MOST_OF_AN_ADDRESS = 500
"""Of an address: long enough for those that people write, which they are to find again."""

MOST_QUOTED = 8
"""Of several keys or paths; the others are counted."""


def quote(text: object) -> str:
    """Quote what a store says of itself, such as a key, a path or a codec."""
    return f"'{flatten(text)}'"


def quote_all(texts: Iterable[object]) -> str:
    """Quote several texts, the first of many, and tell how many more there are."""
    rest = iter(texts)
    quoted = [quote(text) for text in islice(rest, MOST_QUOTED)]
    more = sum(1 for _ in rest)
    return f"[{', '.join([*quoted, *([f'and {more} more'] if more else [])])}]"


def flatten(text: object, most: int = MOST_CHARACTERS) -> str:
    """Write a text in one line, in at most `most` characters; those that do not print are escaped as Python does.

    These are controls, line breaks, blanks other than spaces, and what turns the direction of writing.
    """
    whole = str(text)
    line = "".join(letter if letter.isprintable() else _escape(letter) for letter in whole[:most])
    return line if len(line) <= most and len(whole) <= most else f"{line[: most - 1]}…"


def cite(error: object) -> str:
    """Give what a library says of its failure, which may quote a store."""
    return flatten(error, MOST_OF_A_MESSAGE)


def show_address(url: str) -> str:
    """Give an address that may hold text of a store, such as that of a redirect, without what is secret in it."""
    return flatten(masked(url), MOST_OF_AN_ADDRESS)


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
